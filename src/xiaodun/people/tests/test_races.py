"""Two doors at once: one wins, the other is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from xiaodun.accounts import services as accounts
from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import RoleAssignment
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.tests.cast import AT, FIRST_DAY, make_district
from xiaodun.people import services
from xiaodun.people.models import Enrolment
from xiaodun.people.tests.cast import make_pupil

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

DOORS = 4


def answers(act: Callable[[int], object]) -> list[str]:
    """What ``DOORS`` threads got that began at the same moment: "done" or the code of the refusal."""
    barrier = Barrier(DOORS)

    def door(number: int) -> str:
        try:
            barrier.wait(timeout=30)
            act(number)
        except Refusal as refusal:
            return refusal.code
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(DOORS) as pool:
        return sorted(pool.map(door, range(DOORS)))


def test_a_person_is_enrolled_once_by_four_doors_with_four_first_days():
    tree, pupil = make_district(), make_pupil(1)
    last = FIRST_DAY + timedelta(days=30)
    got = answers(
        lambda n: services.enrol(
            by=None,
            person=pupil,
            group=tree.class_1,
            valid_from=FIRST_DAY + timedelta(days=n),
            valid_to=last,
            at=AT,
        )
    )
    assert got == ["done"] + ["enrolment-overlaps"] * (DOORS - 1)
    assert Enrolment.objects.count() == 1


def test_a_person_is_enrolled_once_by_four_batches():
    tree, pupil = make_district(), make_pupil(1)
    got = answers(
        lambda n: services.enrol_many(
            by=None,
            unit=tree.school,
            rows=[services.EnrolmentRow(pupil, tree.class_1, FIRST_DAY + timedelta(days=n))],
            at=AT,
        )
    )
    assert got == ["done"] + ["rows-faulty"] * (DOORS - 1)


def test_a_person_is_transferred_once_by_four_doors():
    tree, pupil = make_district(), make_pupil(1)
    services.enrol(by=None, person=pupil, group=tree.class_1, valid_from=FIRST_DAY, at=AT)
    got = answers(
        lambda n: services.transfer(
            by=None,
            person=pupil,
            from_group=tree.class_1,
            to_group=tree.class_2,
            on=FIRST_DAY + timedelta(days=10),
            at=AT,
        )
    )
    assert got == ["done"] + ["not-enrolled-on-that-day"] * (DOORS - 1)
    assert Enrolment.objects.count() == 2


def test_a_role_is_given_once_by_four_officers():
    tree = make_district()
    user = accounts.create_user(by=None, username="t", name="王老师", at=AT)
    got = answers(
        lambda n: accounts.assign_role(
            by=None,
            user=user,
            role=Role.CLASS_TEACHER,
            unit=tree.class_1,
            valid_from=FIRST_DAY + timedelta(days=n),
            valid_to=FIRST_DAY + timedelta(days=30),
            at=AT,
        )
    )
    assert got == ["done"] + ["role-already-held"] * (DOORS - 1)
    assert RoleAssignment.objects.count() == 1
