"""What the tests of all apps share: Chinese texts compiled, the cast, and a clock set to its morning."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.signals import user_logged_in

from tools.hatch_build import build_catalogues


def pytest_configure() -> None:
    # Django reads compiled catalogues only; compiling them all takes a tenth of a second. Workers of a
    # parallel run start after this process has done it.
    if "PYTEST_XDIST_WORKER" not in os.environ:
        build_catalogues(Path(__file__).parent)


def _as_by_the_button_of_a_demonstration(request, **_: object) -> None:
    """``client.force_login`` opens every door of the user; tests of sign-in itself go through its page."""
    from xiaodun.accounts.assurance import Assurance
    from xiaodun.accounts.choices import Level

    at = datetime.now(UTC)
    Assurance(Level.DEMO, started_at=at, seen_at=at, proved_at=at).keep_in(request.session)


user_logged_in.connect(_as_by_the_button_of_a_demonstration)


@pytest.fixture
def cast(db: None):
    """The small district of `tests.factories`, on the morning of its day."""
    from tests.factories import make_cast

    return make_cast()


@pytest.fixture
def set_clock() -> Iterator[Callable[[datetime], None]]:
    """``set_clock(cast.at)``: what doors read as now; it ticks on from there and is set back afterwards."""
    from xiaodun.kit import clock

    yield lambda at: clock.shift(at - datetime.now(UTC))
    clock.shift(timedelta(0))
