"""A missing check is asked for: a reminder, then level by level, until it comes; each once, and no longer."""

from collections.abc import Callable
from datetime import time, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import BEFORE, make_cast, pass_time, settle, staff, submit
from xiaodun.accounts.services import end_role
from xiaodun.duties import pages
from xiaodun.duties.models import Chase, Duty, Evidence
from xiaodun.duties.policies import subject_of
from xiaodun.duties.selectors import obligation_of
from xiaodun.duties.services import chase_due, excuse, tighten
from xiaodun.duties.tests.world import DUTY, MINUTE, make_schools, moment, prove
from xiaodun.engine.compliance import Value
from xiaodun.kit.models import OutboxMessage
from xiaodun.ladders.models import LadderRun
from xiaodun.ladders.selectors import history, next_step
from xiaodun.ladders.services import climb_due
from xiaodun.ladders.tests.statements import shapes
from xiaodun.messages.models import Message
from xiaodun.messages.selectors import inbox_visible_to, unread_count
from xiaodun.messages.services import mark_read
from xiaodun.organisations.services import close_unit, override_day

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def others_are_done(cast):
    """Every class but class_a has been checked, so that only one is chased."""
    for group in (cast.class_b, cast.class_c, cast.class_d, cast.other_class, cast.drill_class):
        prove(group, moment(cast.day, "07:30"))
    settle(at=moment(cast.day, "07:31"))


def subject(cast, group=None):
    return subject_of(DUTY, (group or cast.class_a).pk, cast.day)


def told(cast):
    """Who was told when, by the ladder."""
    return [
        (str(each.role), f"{each.at.astimezone(cast.at.tzinfo):%H:%M}") for each in history(subject(cast))
    ]


@pytest.mark.usefixtures("others_are_done")
def test_a_missed_check_climbs_level_by_level_until_the_late_check_arrives(cast):
    def clock(hour_minute):
        pass_time(until=moment(cast.day, hour_minute))

    clock("07:49")
    assert not Message.objects.exists()

    clock("07:50")
    reminder = inbox_visible_to(cast.teacher).get()
    assert (reminder.kind, reminder.is_urgent) == ("duty-reminder", False)
    assert reminder.title == "育才小学 三(1)班：晨检请在 08:20 前完成"
    assert reminder.sent_at == moment(cast.day, "07:50")

    clock("08:19")
    assert told(cast) == []
    clock("08:20")
    assert told(cast) == [("class_teacher", "08:20")]
    clock("08:30")
    assert told(cast)[1:] == [("grade_lead", "08:30")]
    clock("08:41")
    assert told(cast)[2:] == [("school_doctor", "08:40")]
    mark_read(by=cast.doctor, message=inbox_visible_to(cast.doctor).get(), at=moment(cast.day, "08:42"))
    clock("09:00")
    assert told(cast)[3:] == [("principal", "09:00")]
    assert unread_count(cast.principal) == 1

    submit(cast.class_a, by=cast.teacher, at=moment(cast.day, "09:15"))
    settle(at=moment(cast.day, "09:15"))

    for user in (cast.teacher, cast.grade_lead, cast.principal):
        assert unread_count(user) == 0
        assert {m.withdrawn_at for m in inbox_visible_to(user)} == {moment(cast.day, "09:15")}
    assert inbox_visible_to(cast.doctor).get().withdrawn_at is None
    assert inbox_visible_to(cast.teacher).count() == 2
    assert next_step(subject(cast)) is None
    clock("12:00")
    assert len(told(cast)) == 4
    assert not inbox_visible_to(cast.officer).exists()

    found = obligation_of(cast.class_a, DUTY, cast.day, at=moment(cast.day, "12:00"))
    assert found.value == Value.LATE
    assert found.late_by(moment(cast.day, "12:00")) == 55 * MINUTE
    assert [(str(c.step), c.at, c.reached, c.closed_at) for c in found.chased] == [
        ("reminder", moment(cast.day, "07:50"), 1, moment(cast.day, "09:15")),
        ("escalation", moment(cast.day, "08:20"), None, moment(cast.day, "09:15")),
    ]


@pytest.mark.usefixtures("others_are_done")
def test_nobody_answers_and_the_district_officer_is_told_after_two_hours(cast):
    pass_time(until=moment(cast.day, "08:20"))
    pass_time(until=moment(cast.day, "10:19"))
    assert told(cast)[-1] == ("principal", "09:00")
    pass_time(until=moment(cast.day, "10:20"))
    assert told(cast)[-1] == ("district_officer", "10:20")
    assert inbox_visible_to(cast.officer).get().title == "育才小学 三(1)班：晨检未交"


@pytest.mark.usefixtures("others_are_done")
def test_a_check_before_the_reminder_is_asked_for_by_nobody(cast):
    submit(cast.class_a, by=cast.teacher, at=moment(cast.day, "07:42"))
    pass_time(until=moment(cast.day, "12:00"))
    assert not Chase.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.usefixtures("others_are_done")
def test_ticks_ask_once_however_often_they_come(cast):
    assert chase_due(at=moment(cast.day, "07:50")) == 1
    assert chase_due(at=moment(cast.day, "07:51")) == 0
    assert chase_due(at=moment(cast.day, "08:20")) == 1
    assert chase_due(at=moment(cast.day, "08:20")) == 0
    assert Chase.objects.count() == 2


@pytest.mark.usefixtures("others_are_done")
def test_after_a_stop_of_the_server_the_ladder_speaks_as_of_the_deadline_and_no_reminder_is_sent(cast):
    assert chase_due(at=moment(cast.day, "09:02")) == 1
    climb_due(at=moment(cast.day, "09:02"))
    assert told(cast) == [
        ("class_teacher", "08:20"),
        ("grade_lead", "08:30"),
        ("school_doctor", "08:40"),
        ("principal", "09:00"),
    ]
    assert set(Chase.objects.values_list("step", flat=True)) == {"escalation"}


@pytest.mark.usefixtures("others_are_done")
def test_a_reminder_that_finds_nobody_says_so(cast):
    end_role(
        by=None,
        assignment=cast.teacher.assignments.get(),
        last_day=cast.day - timedelta(days=1),
        at=cast.at,
    )
    pass_time(until=moment(cast.day, "07:50"))
    assert Chase.objects.get().reached == 0
    pass_time(until=moment(cast.day, "08:20"))
    first, second = history(subject(cast))
    assert (first.reached, second.reached, second.at) == (0, 1, first.at)


@pytest.mark.usefixtures("others_are_done")
def test_a_reminder_leads_to_the_page_on_which_the_duty_is_done(cast, monkeypatch):
    monkeypatch.setattr(
        pages, "_addresses", {"screening.check": lambda unit, day: f"/check/{unit.pk}/{day}/"}
    )
    pass_time(until=moment(cast.day, "07:50"))
    assert inbox_visible_to(cast.teacher).get().url == f"/check/{cast.class_a.pk}/2020-12-16/"


def test_two_pages_for_one_evidence_fail_at_start(monkeypatch):
    monkeypatch.setattr(pages, "_addresses", {})
    pages.register(evidence="screening.check", address=lambda unit, day: "/")
    with pytest.raises(ValueError, match=r"screening\.check"):
        pages.register(evidence="screening.check", address=lambda unit, day: "/")


def test_nothing_is_chased_on_a_day_without_school(cast):
    saturday = cast.day + timedelta(days=3)
    assert chase_due(at=moment(saturday, "12:00")) == 0


def test_a_tick_at_night_costs_two_queries(cast, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert chase_due(at=moment(cast.day, "03:00")) == 0


@pytest.mark.usefixtures("others_are_done")
def test_an_excuse_ends_the_chase_of_all_below(cast):
    pass_time(until=moment(cast.day, "08:20"))
    excuse(
        by=cast.principal,
        unit=cast.school,
        duty_code=DUTY,
        day=cast.day,
        reason="断电",
        at=moment(cast.day, "08:25"),
    )
    pass_time(until=moment(cast.day, "12:00"))
    assert told(cast) == [("class_teacher", "08:20")]
    assert unread_count(cast.teacher) == 0


@pytest.mark.usefixtures("others_are_done")
def test_closing_the_day_ends_the_chase_with_the_next_tick(cast):
    pass_time(until=moment(cast.day, "08:20"))
    override_day(by=cast.principal, unit=cast.school, day=cast.day, is_open=False, reason="大雪", at=cast.at)
    pass_time(until=moment(cast.day, "08:21"))
    assert unread_count(cast.teacher) == 0
    pass_time(until=moment(cast.day, "12:00"))
    assert told(cast) == [("class_teacher", "08:20")]


@pytest.mark.usefixtures("others_are_done")
def test_evidence_that_came_while_the_ladder_was_starting_stops_it_with_the_next_tick(cast):
    """The handler may run before the tick has committed its chase, and then finds nothing to close."""
    prove(cast.class_a, moment(cast.day, "08:19"))
    settle(at=moment(cast.day, "08:19"))
    evidence = Evidence.objects.filter(unit=cast.class_a)
    evidence.update(day=cast.day - timedelta(days=1))
    pass_time(until=moment(cast.day, "08:20"))
    evidence.update(day=cast.day)
    assert not OutboxMessage.objects.filter(done_at__isnull=True).exists()
    pass_time(until=moment(cast.day, "08:21"))
    assert unread_count(cast.teacher) == 0
    assert LadderRun.objects.get().stopped_at == moment(cast.day, "08:21")


@pytest.mark.usefixtures("others_are_done")
def test_a_tightened_deadline_is_chased_by_its_own_clock(cast):
    tighten(
        by=cast.principal,
        unit=cast.class_a,
        duty_code=DUTY,
        deadline=time(8, 0),
        valid_from=cast.day,
        at=BEFORE,
    )
    pass_time(until=moment(cast.day, "07:29"))
    assert not Message.objects.exists()
    pass_time(until=moment(cast.day, "07:30"))
    assert inbox_visible_to(cast.teacher).get().sent_at == moment(cast.day, "07:30")
    pass_time(until=moment(cast.day, "08:00"))
    assert told(cast) == [("class_teacher", "08:00")]


def test_a_drill_is_chased_within_the_drill(cast):
    prove(cast.class_a, moment(cast.day, "07:30"))
    pass_time(until=moment(cast.day, "10:30"))
    assert [m.subject for m in inbox_visible_to(cast.trainer)] == [subject(cast, cast.drill_class)]
    assert subject(cast, cast.drill_class) not in {m.subject for m in inbox_visible_to(cast.officer)}


@pytest.mark.usefixtures("others_are_done")
def test_a_tick_costs_the_same_for_6_and_for_88_institutions(cast):
    """Every group missing: reminders, the start of the ladders, the climb, then the late checks."""
    prove(cast.class_a, moment(cast.day, "07:30"))

    def costs(code, count):
        district, schools, groups = make_schools(code, count)
        for number, (school, group) in enumerate(zip(schools, groups, strict=True)):
            staff(f"{code}-t{number}", "赵老师", "class_teacher", group)
            staff(f"{code}-d{number}", "李校医", "school_doctor", school)
        found = []

        def tick(work, clock):
            with CaptureQueriesContext(connection) as context:
                assert (work(at=moment(cast.day, clock)) > 0) is (clock != "18:31")
            found.append(shapes(context))

        for work, clock in [
            (chase_due, "17:30"),
            (chase_due, "18:00"),
            (climb_due, "18:20"),
        ]:
            tick(work, clock)
        for group in groups:
            prove(group, moment(cast.day, "18:30"))
        tick(chase_due, "18:31")
        assert not LadderRun.objects.filter(stopped_at__isnull=True).exists()
        assert LadderRun.objects.filter(unit__in=groups).count() == count
        close_unit(by=None, unit=district, last_day=cast.day - timedelta(days=1), at=cast.at)
        return found

    small = costs("S", 6)
    assert [len(tick) for tick in small] == [28, 25, 8, 18]
    assert costs("L", 88) == small


@pytest.mark.django_db(transaction=True)
def test_ticks_at_the_same_time_ask_once():
    cast = make_cast()
    deadline = moment(cast.day, "08:20")
    assert together(lambda: chase_due(at=deadline)) == []
    assert Chase.objects.count() == LadderRun.objects.count() == 6
    told = Message.objects.values_list("recipient__username", flat=True)
    # class_c and class_d have neither teacher nor grade lead: the doctor is told of both at once.
    assert sorted(told) == ["colleague", "doctor", "doctor", "stranger", "teacher", "trainer"]


def together(work: Callable[[], object]) -> list[Exception]:
    gate, failures = Barrier(4), []

    def run() -> None:
        try:
            gate.wait(timeout=30)
            work()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return failures


def test_a_duty_whose_ladder_is_not_in_force_keeps_no_other_from_being_chased(cast):
    Duty.objects.filter(code=DUTY, variant="school").update(ladder="ended")
    _, _, groups = make_schools("K", 7)
    late = moment(cast.day, "09:00")
    settle(at=late)
    primary, college = groups[1], groups[6]
    for _again in range(2):
        with pytest.raises(ExceptionGroup) as failed:
            chase_due(at=late)
        assert [error.code for error in failed.value.exceptions] == ["ladder-not-in-force"]
        escalated = Chase.objects.filter(step=Chase.Step.ESCALATION).values_list("unit", flat=True)
        assert list(escalated) == [college.pk]
    Duty.objects.filter(code=DUTY, variant="school").update(ladder="duty-check")
    chase_due(at=late)
    assert LadderRun.objects.filter(unit=primary).count() == 1
