"""What the tests of all apps share: Chinese texts compiled, the cast, and a clock set to its morning."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tools.hatch_build import build_catalogues


def pytest_configure() -> None:
    # Django reads compiled catalogues only; compiling them all takes a tenth of a second. Workers of a
    # parallel run start after this process has done it.
    if "PYTEST_XDIST_WORKER" not in os.environ:
        build_catalogues(Path(__file__).parent)


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
