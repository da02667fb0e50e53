"""The demonstration as it is on its first morning."""

from datetime import timedelta

import pytest
from django.db import transaction
from huey.contrib.djhuey import HUEY

from xiaodun.accounts.choices import Role
from xiaodun.accounts.policies import OFFICES
from xiaodun.accounts.selectors import demo_users, scope_of
from xiaodun.config.demo import DEMO_DAY, OPENS_AT, SCHOOL_DAYS, build
from xiaodun.duties.models import Evidence
from xiaodun.duties.selectors import duties_of
from xiaodun.engine.compliance import Value
from xiaodun.kit import audit, outbox
from xiaodun.kit.clock import local_day, local_moment
from xiaodun.kit.models import Installation
from xiaodun.organisations.choices import InstitutionKind, UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Person
from xiaodun.screening.models import CheckSession
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import decided_on, waiting_signals

AT = local_moment(DEMO_DAY, OPENS_AT)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def progress(django_db_setup, django_db_blocker):
    """One build for all tests of the module, taken back at its end; what was said of its progress."""
    said: list[float] = []
    with django_db_blocker.unblock(), transaction.atomic():
        build(progress=said.append)
        yield said
        transaction.set_rollback(True)


# Whose day has a check with a deadline.
BUSY = [role for role in Role if role not in OFFICES | {Role.DORMITORY_SUPERVISOR}]


def test_the_sign_in_page_offers_somebody_for_every_role():
    assert {user.role for user in demo_users(DEMO_DAY)} == set(Role)


@pytest.fixture(params=BUSY, ids=str)
def scope(request):
    """The scope of the user whom the sign-in page offers for each of these roles."""
    offered = {user.role: user.user for user in demo_users(DEMO_DAY)}
    return scope_of(offered[request.param], DEMO_DAY)


def test_it_has_one_institution_of_each_kind_with_forty_groups_and_twenty_school_days():
    institutions = Unit.objects.filter(kind=UnitKind.INSTITUTION)
    kinds = [institution.institution_kind for institution in institutions.order_by("path")]
    assert sorted(kinds) == sorted(set(InstitutionKind.values) - {InstitutionKind.NINE_YEAR})
    assert Unit.objects.filter(kind=UnitKind.GROUP).count() == 40
    assert CheckSession.objects.values("day").distinct().count() == SCHOOL_DAYS


def test_every_role_sees_something_overdue(scope):
    assert any(each.value == Value.MISSING for each in duties_of(scope, DEMO_DAY, AT).overdue)


def test_every_role_sees_something_to_decide_within_two_hours(scope):
    deadlines = [signal.deadline_at for signal in waiting_signals(scope)]
    assert any(AT < deadline <= AT + timedelta(hours=2) for deadline in deadlines)
    assert not any(deadline <= AT for deadline in deadlines)


def test_every_role_sees_something_closed_today(scope):
    assert duties_of(scope, DEMO_DAY, AT).done
    assert decided_on(scope, DEMO_DAY)


def test_the_teacher_has_checked_her_own_class_but_not_the_one_she_stands_in_for():
    teacher = next(user for user in demo_users(DEMO_DAY) if user.role == Role.CLASS_TEACHER)
    duties = duties_of(scope_of(teacher.user, DEMO_DAY), DEMO_DAY, AT)
    assert [each.unit.name for each in duties.overdue] == ["一(2)班"]
    assert [each.unit.name for each in duties.done] == ["一(1)班"]


def test_every_planted_cluster_has_raised_a_signal():
    raised = set(Signal.objects.values_list("unit__code", flat=True))
    assert {"p01-3-2", "k01-2-1", "s01-d1305", "p01-1-1", "p01-1-2"} <= raised


def test_old_signals_were_decided_and_todays_wait():
    for signal in Signal.objects.select_related("unit"):
        is_old = local_day(signal.raised_at) < DEMO_DAY - timedelta(days=1)
        assert not is_old or signal.state == Signal.State.CONFIRMED, signal.unit.code


def test_its_clock_begins_at_the_opening_and_nothing_lies_after_it():
    row = Installation.objects.get()
    assert (row.kind, row.clock_start) == (Installation.Kind.DEMO, AT)
    assert not CheckSession.objects.filter(received_at__gt=AT).exists()
    assert not Evidence.objects.filter(received_at__gt=AT).exists()


def test_nothing_waits_for_delivery_and_the_audit_is_whole():
    assert outbox.pending(AT).waiting == 0
    report = audit.verify()
    assert report.ok
    assert not report.unsealed


def test_no_job_of_the_past_days_waits():
    assert HUEY.pending_count() == 0


def test_nobody_can_sign_in_with_a_password():
    for offered in demo_users(DEMO_DAY):
        assert not offered.user.has_usable_password()


def test_progress_runs_from_a_tenth_to_the_whole(progress):
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(1)


def test_names_and_numbers_are_the_simulations_own():
    assert Person.objects.filter(kind=Person.Kind.PUPIL).count() > 1000
    assert not Person.objects.filter(name="").exists()
