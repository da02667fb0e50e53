"""A matter climbs from role to role until somebody acknowledges it or it is settled."""

from datetime import date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import staff
from xiaodun.accounts.choices import Role
from xiaodun.accounts.services import assign_role, end_role
from xiaodun.kit.clock import local_moment
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.ladders import services
from xiaodun.ladders.models import LadderNotice, LadderRun
from xiaodun.ladders.selectors import history, next_step
from xiaodun.ladders.tests.statements import shapes
from xiaodun.messages.models import Message
from xiaodun.messages.selectors import inbox_visible_to, unread_count
from xiaodun.messages.services import mark_read

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

MINUTE = timedelta(minutes=1)
SUBJECT = "signal:7"
FACTS = {"unit": "三(1)班", "duty": "晨检", "deadline": "08:20"}


def start(cast, *, subject=SUBJECT, code="signal-24h", unit=None, at=None) -> LadderRun:
    return services.start(
        code=code,
        subject=subject,
        unit=unit or cast.class_a,
        message_kind="duty-missed",
        facts=FACTS,
        url="/signals/7/",
        at=at or cast.at,
    )


def steps(subject=SUBJECT):
    """Role, minutes after the first step, people reached."""
    found = history(subject)
    return [(str(n.role), (n.at - found[0].at) / MINUTE, n.reached) for n in found]


def test_steps_without_a_wait_are_told_at_once_and_the_others_when_they_fall_due(cast):
    start(cast)
    assert steps() == [("class_teacher", 0, 1), ("grade_lead", 0, 1), ("school_doctor", 0, 1)]
    assert services.climb_due(at=cast.at + 29 * MINUTE) == 0
    assert services.climb_due(at=cast.at + 30 * MINUTE) == 1
    assert services.climb_due(at=cast.at + 120 * MINUTE) == 1
    assert steps()[3:] == [("principal", 30, 1), ("district_officer", 120, 1)]
    assert services.climb_due(at=cast.at + 999 * MINUTE) == 0
    told = [cast.teacher, cast.grade_lead, cast.doctor, cast.principal, cast.officer]
    assert [unread_count(user) for user in told] == [1] * 5
    assert inbox_visible_to(cast.officer).get().is_urgent


def test_a_ladder_whose_first_step_waits_tells_nobody_at_the_start(cast):
    start(cast, code="report-24h")
    assert steps() == []
    assert next_step(SUBJECT).at == cast.at + 30 * MINUTE
    services.climb_due(at=cast.at + 30 * MINUTE)
    assert [role for role, _minutes, _reached in steps()] == ["school_reporter", "school_doctor"]


def test_a_late_tick_records_the_moments_at_which_the_steps_fell_due(cast):
    start(cast)
    assert services.climb_due(at=cast.at + 500 * MINUTE) == 2
    assert steps()[3:] == [("principal", 30, 1), ("district_officer", 120, 1)]
    assert inbox_visible_to(cast.principal).get().sent_at == cast.at + 30 * MINUTE


def test_one_late_tick_leaves_the_same_rows_as_a_tick_every_minute(cast):
    start(cast, subject="a")
    start(cast, subject="b", unit=cast.class_b)
    for minute in range(1, 130):
        services.climb_due(at=cast.at + minute * MINUTE)
        if minute == 60:
            start(cast, subject="c", unit=cast.class_a)
            start(cast, subject="d", unit=cast.class_a, at=cast.at + MINUTE)
    ticked = steps("a"), [m.sent_at for m in Message.objects.filter(subject="a").order_by("pk")]
    start(cast, subject="late")
    services.climb_due(at=cast.at + 300 * MINUTE)
    assert (
        steps("late"),
        [m.sent_at for m in Message.objects.filter(subject="late").order_by("pk")],
    ) == ticked
    assert steps("c") == steps("d") == steps("a")


def test_a_step_that_finds_nobody_says_so_and_the_next_follows_at_once(cast):
    """class_c's grade has no lead: the school doctor is told when the grade lead would have been."""
    start(cast, unit=cast.class_c, code="duty-check")
    services.climb_due(at=cast.at + 10 * MINUTE)
    assert steps() == [("class_teacher", 0, 0), ("grade_lead", 0, 0), ("school_doctor", 0, 1)]
    nobody, _, doctor = history(SUBJECT)
    assert (nobody.unit, nobody.told) == (None, ())
    assert doctor.unit == cast.school
    services.climb_due(at=cast.at + 39 * MINUTE)
    assert len(steps()) == 3
    services.climb_due(at=cast.at + 40 * MINUTE)
    assert steps()[3:] == [("principal", 40, 1)]


def test_a_ladder_without_anybody_at_all_ends_with_a_record_of_that(cast):
    start(cast, unit=cast.drill_class)
    services.climb_due(at=cast.at + 200 * MINUTE)
    assert [reached for _role, _minutes, reached in steps()] == [1, 0, 0, 0, 0]
    assert next_step(SUBJECT) is None


def test_whoever_holds_two_roles_is_told_once_a_moment(cast):
    assign_role(
        by=None,
        user=cast.teacher,
        role="grade_lead",
        unit=cast.grade,
        valid_from=date(2020, 9, 1),
        at=cast.at,
    )
    start(cast)
    assert steps() == [("class_teacher", 0, 1), ("grade_lead", 0, 2), ("school_doctor", 0, 1)]
    assert unread_count(cast.teacher) == 1
    assert {delivery.name for delivery in history(SUBJECT)[1].told} == {
        cast.teacher.name,
        cast.grade_lead.name,
    }


def test_roles_are_those_of_the_day_on_which_the_step_falls_due(cast):
    evening = local_moment(cast.day, time(23, 0))
    assignment = cast.principal.assignments.get()
    end_role(by=None, assignment=assignment, last_day=cast.day, at=cast.at)
    successor = staff("successor", "何校长", "principal", cast.other_school)
    assign_role(
        by=None,
        user=successor,
        role="principal",
        unit=cast.school,
        valid_from=cast.day + timedelta(days=1),
        at=cast.at,
    )
    start(cast, at=evening - 10 * MINUTE)
    start(cast, subject="late", at=evening + 45 * MINUTE)
    services.climb_due(at=evening + 80 * MINUTE)
    assert [d.name for d in history(SUBJECT)[3].told] == [cast.principal.name]
    assert [d.name for d in history("late")[3].told] == [successor.name]


def test_an_acknowledgment_ends_the_climb_and_leaves_what_was_sent(cast):
    start(cast)
    assert services.acknowledge(subject=SUBJECT, by=cast.doctor, at=cast.at + 5 * MINUTE) == 1
    assert services.climb_due(at=cast.at + 500 * MINUTE) == 0
    run = LadderRun.objects.get()
    assert (run.acknowledged_by, run.acknowledged_at) == (cast.doctor, cast.at + 5 * MINUTE)
    assert unread_count(cast.teacher) == 1
    entry = AuditEntry.objects.get(action="ladders.acknowledge")
    assert entry.facts == {"subject": SUBJECT}
    assert services.acknowledge(subject=SUBJECT, by=cast.doctor, at=cast.at + 6 * MINUTE) == 0


def test_a_settled_matter_ends_the_climb_and_withdraws_what_nobody_has_read(cast):
    start(cast)
    mark_read(by=cast.doctor, message=inbox_visible_to(cast.doctor).get(), at=cast.at + MINUTE)
    assert services.stop(subject=SUBJECT, at=cast.at + 5 * MINUTE) == 1
    assert services.stop(subject=SUBJECT, at=cast.at + 6 * MINUTE) == 0
    assert services.climb_due(at=cast.at + 500 * MINUTE) == 0
    notices = history(SUBJECT)
    assert [notice.told[0].withdrawn_at for notice in notices] == [cast.at + 5 * MINUTE] * 2 + [None]
    assert [notice.read_at for notice in notices] == [None, None, cast.at + MINUTE]


def test_a_matter_that_climbs_already_goes_on_as_it_is(cast):
    first = start(cast)
    assert start(cast, at=cast.at + 5 * MINUTE) == first
    assert len(steps()) == 3


def test_an_acknowledged_matter_may_start_anew(cast):
    start(cast)
    services.acknowledge(subject=SUBJECT, by=cast.doctor, at=cast.at + MINUTE)
    again = start(cast, at=cast.at + 60 * MINUTE)
    assert again.started_at == cast.at + 60 * MINUTE
    assert [notice.run for notice in history(SUBJECT)] == [again.pk - 1] * 3 + [again.pk] * 3


def test_a_realarm_begins_from_the_first_step_with_the_new_facts(cast):
    start(cast)
    services.climb_due(at=cast.at + 40 * MINUTE)
    again = services.restart(subject=SUBJECT, facts=FACTS | {"unit": "四(1)班"}, at=cast.at + 60 * MINUTE)
    assert len(history(SUBJECT)) == 4 + 3
    assert unread_count(cast.teacher) == 1
    assert Message.objects.filter(recipient=cast.teacher).latest("pk").facts["unit"] == "四(1)班"
    services.climb_due(at=cast.at + 90 * MINUTE)
    last = history(SUBJECT)[-1]
    assert (last.run, last.role, last.at) == (again.pk, Role.PRINCIPAL, cast.at + 90 * MINUTE)


def test_what_never_climbed_cannot_climb_again(cast):
    with pytest.raises(LookupError, match="never climbed"):
        services.restart(subject="signal:404", facts=FACTS, at=cast.at)


def test_who_comes_next_is_known_beforehand(cast):
    start(cast)
    step = next_step(SUBJECT)
    assert (step.role, step.at) == (Role.PRINCIPAL, cast.at + 30 * MINUTE)
    services.acknowledge(subject=SUBJECT, by=cast.doctor, at=cast.at + MINUTE)
    assert next_step(SUBJECT) is None


def test_a_ladder_out_of_force_is_refused_by_name(cast):
    with pytest.raises(Refusal) as refused:
        start(cast, at=datetime.fromisoformat("2001-03-06T08:00:00+08:00"))
    assert refused.value.code == "ladder-not-in-force"
    assert refused.value.facts == {"ladder": "signal-24h", "day": "2001-03-06"}


def test_climbing_costs_the_same_for_one_run_and_for_sixty(cast):
    def climbing(count):
        subjects = [f"matter:{count}:{number}" for number in range(count)]
        with CaptureQueriesContext(connection) as started:
            services.start_each(
                code="signal-24h",
                message_kind="duty-missed",
                matters=[
                    services.Matter(subject=s, unit=cast.class_a, facts=FACTS, started_at=cast.at)
                    for s in subjects
                ],
                at=cast.at,
            )
        with CaptureQueriesContext(connection) as climbed:
            services.climb_due(at=cast.at + 45 * MINUTE)
        services.stop_each(subjects=subjects, at=cast.at + 46 * MINUTE)
        return shapes(started), shapes(climbed)

    started, climbed = climbing(1)
    assert (len(started), len(climbed)) == (8, 7)
    assert climbing(60) == (started, climbed)
    assert LadderNotice.objects.count() == 61 * 4
