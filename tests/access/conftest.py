"""The district of the matrix with its canaries, and one walk over it for all tests of this folder."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction

from tests.access.canaries import Canaries, plant
from tests.access.crawl import Crawl, walk
from tests.access.district import District, make_district
from xiaodun.kit import clock


@pytest.fixture(scope="package")
def walked(django_db_setup, django_db_blocker) -> Iterator[tuple[District, Canaries, Crawl]]:
    """The district, what was planted in it, and every answer of the server about it."""
    with django_db_blocker.unblock(), transaction.atomic():
        district = make_district()
        canaries = plant(district)
        crawl = walk(district)
        canaries.read_records()
        yield district, canaries, crawl
        transaction.set_rollback(True)
    clock.shift(timedelta(0))
