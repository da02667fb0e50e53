"""Two announcements at once: one is recorded, the other finds it."""

from datetime import timedelta

import pytest

from xiaodun.leave.choices import LeaveKind, LeaveSource
from xiaodun.leave.models import Leave
from xiaodun.leave.services import announce_leave
from xiaodun.organisations.tests.cast import AT, FIRST_DAY
from xiaodun.people.tests.cast import make_pupil
from xiaodun.people.tests.test_races import DOORS, answers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def test_a_leave_is_recorded_once_by_four_doors():
    pupil = make_pupil(1)
    got = answers(
        lambda n: announce_leave(
            by=None,
            person=pupil,
            kind=LeaveKind.ILLNESS,
            source=LeaveSource.STAFF,
            start=FIRST_DAY + timedelta(days=n),
            end=FIRST_DAY + timedelta(days=10),
            at=AT,
        )
    )
    assert got == ["done"] + ["leave-overlaps"] * (DOORS - 1)
    assert Leave.objects.count() == 1
