"""What is owed, by when, and what became of it: the five values of compliance on real rows."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import BEFORE, TERM, enrol
from xiaodun.accounts.selectors import scope_of
from xiaodun.duties.models import Evidence
from xiaodun.duties.selectors import (
    compliance,
    compliances,
    duties_of,
    obligation_of,
    obligations,
)
from xiaodun.duties.services import excuse, record_evidence, tighten
from xiaodun.duties.tests.world import DUTY, MINUTE, make_schools, moment, prove
from xiaodun.engine.calendar import DayKind
from xiaodun.engine.compliance import NotOwed, Value
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.ladders.tests.statements import shapes
from xiaodun.organisations.services import close_unit, create_unit, open_term, override_day
from xiaodun.people.services import leave_group

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def of(group, day, clock="12:00"):
    return obligation_of(group, DUTY, day, at=moment(day, clock))


def test_a_check_is_due_until_its_deadline_and_missing_from_then_on(cast):
    assert of(cast.class_a, cast.day, "08:19").value == Value.DUE
    assert of(cast.class_a, cast.day, "08:20").value == Value.MISSING
    assert of(cast.class_a, cast.day, "09:05").late_by(moment(cast.day, "09:05")) == 45 * MINUTE


@pytest.mark.parametrize(
    ("tapped", "received", "offset", "value", "sent_late"),
    [
        ("08:00", "08:00", 0, Value.DONE, False),
        ("08:19", "09:40", 30_000, Value.DONE, True),
        ("08:19", "09:40", 5 * 60_000, Value.LATE, False),
        ("08:19", "09:40", -5 * 60_000, Value.LATE, False),
        ("08:19", "09:40", None, Value.LATE, False),
        ("08:20", "08:20", 0, Value.LATE, False),
        ("08:47", "08:47", 0, Value.LATE, False),
    ],
)
def test_late_and_sent_late_are_told_apart(cast, tapped, received, offset, value, sent_late):
    prove(cast.class_a, moment(cast.day, tapped), received=moment(cast.day, received), offset_ms=offset)
    found = of(cast.class_a, cast.day)
    assert (found.value, found.sent_late) == (value, sent_late)


def test_a_past_moment_knows_only_what_had_arrived_by_then(cast):
    prove(cast.class_a, moment(cast.day, "08:00"), received=moment(cast.day, "09:00"))
    assert of(cast.class_a, cast.day, "08:59").value == Value.MISSING
    assert of(cast.class_a, cast.day, "08:59").evidence is None
    assert of(cast.class_a, cast.day, "09:00").sent_late


def test_the_first_evidence_stays_and_costs_one_insert_beside_its_announcement(cast):
    with CaptureQueriesContext(connection) as context:
        prove(cast.class_a, moment(cast.day, "08:00"), source="check:1")
    assert shapes(context) == ["INSERT duties_evidence", "INSERT kit_outboxmessage"]
    prove(cast.class_a, moment(cast.day, "08:40"), source="check:2")
    assert Evidence.objects.get().source == "check:1"


def test_a_make_up_saturday_owes_the_check_and_a_plain_one_does_not(cast):
    """10 October 2020 was a working Saturday (调休); the 17th was not."""
    makeup, plain = of(cast.class_a, date(2020, 10, 10)), of(cast.class_a, date(2020, 10, 17))
    assert (makeup.day_kind, makeup.value) == (DayKind.MAKEUP, Value.MISSING)
    assert (plain.day_kind, plain.value, plain.not_owed) == (
        DayKind.WEEKEND,
        Value.NOT_APPLICABLE,
        NotOwed.HOLIDAY,
    )


def test_holidays_and_days_out_of_term_owe_nothing(cast):
    assert of(cast.class_a, date(2020, 10, 1)).value == Value.NOT_APPLICABLE
    assert of(cast.class_a, date(2021, 1, 25)).day_kind is DayKind.OUT_OF_TERM


def test_a_year_that_nobody_has_confirmed_owes_nothing_and_says_why(cast):
    open_term(
        by=None, unit=cast.district, name="2099", start=date(2099, 2, 1), end=date(2099, 7, 1), at=BEFORE
    )
    found = of(cast.class_a, date(2099, 3, 2))
    assert (found.value, found.day_kind) == (Value.NOT_APPLICABLE, DayKind.UNCONFIRMED_YEAR)


def test_a_day_that_the_school_closes_is_not_applicable_for_all_its_groups(cast):
    override_day(by=cast.principal, unit=cast.school, day=cast.day, is_open=False, reason="大雪", at=cast.at)
    found = obligations([cast.school], cast.day, moment(cast.day, "12:00"))
    assert {(each.value, each.not_owed) for each in found} == {(Value.NOT_APPLICABLE, NotOwed.CLOSED)}
    assert of(cast.other_class, cast.day).value == Value.MISSING


def test_a_unit_owes_nothing_before_its_first_day(cast):
    late = create_unit(
        by=None,
        parent=cast.grade,
        kind="group",
        group_kind="class",
        code="P1-3-9",
        name="三(9)班",
        first_day=cast.day + timedelta(days=1),
        at=BEFORE,
    )
    enrol(late, 1)
    assert of(late, cast.day).not_owed is NotOwed.BEFORE_FIRST_DAY
    assert of(late, cast.day + timedelta(days=1)).value == Value.MISSING


def test_a_school_that_has_not_joined_owes_nothing(cast):
    school = create_unit(
        by=None,
        parent=cast.district,
        kind="institution",
        institution_kind="primary",
        code="P9",
        name="未接入小学",
        at=BEFORE,
    )
    group = create_unit(
        by=None, parent=school, kind="group", group_kind="class", code="P9-1", name="一(1)班", at=BEFORE
    )
    enrol(group, 1)
    assert of(group, cast.day).not_owed is NotOwed.BEFORE_FIRST_DAY


def test_a_closed_group_owes_up_to_its_last_day_and_then_leaves_the_list(cast):
    close_unit(by=None, unit=cast.class_d, last_day=cast.day, at=cast.at)
    assert of(cast.class_d, cast.day).value == Value.MISSING
    assert of(cast.class_d, cast.day + timedelta(days=1)) is None


def test_a_group_whose_last_pupil_has_left_owes_nothing(cast):
    for person in cast.members[cast.class_d.pk]:
        leave_group(
            by=None, person=person, group=cast.class_d, last_day=cast.day - timedelta(days=1), at=cast.at
        )
    assert of(cast.class_d, cast.day - timedelta(days=1)).value == Value.MISSING
    assert of(cast.class_d, cast.day).not_owed is NotOwed.NO_PUPILS


def test_a_dormitory_owes_no_morning_check(cast):
    assert of(cast.room, cast.day) is None


def test_each_kind_of_institution_has_its_own_deadline_and_weekdays(cast):
    _district, _schools, groups = make_schools("K", 7)
    wednesday = [of(group, cast.day) for group in groups]
    assert [f"{each.deadline:%H:%M}" for each in wednesday] == ["08:20"] * 5 + ["18:00", "08:40"]
    assert wednesday[5].duty.name == "课前检查"
    saturday = [of(group, cast.day + timedelta(days=3), "19:00") for group in groups]
    assert [each.value == Value.MISSING for each in saturday] == [False] * 5 + [True, False]


# --- tightening and excuses ---


def tighten_school(cast, deadline, *, unit=None, valid_from=None, at=None):
    return tighten(
        by=cast.principal,
        unit=unit or cast.school,
        duty_code=DUTY,
        deadline=deadline,
        valid_from=valid_from or cast.day,
        at=at or BEFORE,
    )


def test_a_school_may_ask_its_classes_earlier_and_the_reminder_comes_along(cast):
    tighten_school(cast, time(8, 0))
    found = of(cast.class_a, cast.day)
    assert (found.deadline, found.remind_at) == (moment(cast.day, "08:00"), moment(cast.day, "07:30"))
    assert of(cast.class_a, cast.day - timedelta(days=1)).deadline == moment(
        cast.day - timedelta(days=1), "08:20"
    )
    assert of(cast.other_class, cast.day).deadline == moment(cast.day, "08:20")
    assert AuditEntry.objects.get(action="duties.tighten").facts["deadline"] == "08:00:00"


def test_a_later_deadline_than_the_playbook_is_refused_with_the_rule(cast):
    with pytest.raises(Refusal) as refused:
        tighten_school(cast, time(8, 21))
    assert refused.value.code == "deadline-later"
    assert refused.value.facts == {"deadline": "08:21", "latest": "08:20"}
    assert refused.value.rule == "morning-check (school) v1"


def test_a_class_may_not_loosen_what_its_school_has_tightened(cast):
    tighten_school(cast, time(8, 0))
    with pytest.raises(Refusal) as refused:
        tighten_school(cast, time(8, 10), unit=cast.class_a)
    assert refused.value.facts["latest"] == "08:00"


def test_a_later_tightening_replaces_the_own_one_and_may_return_to_the_playbook(cast):
    tighten_school(cast, time(7, 50), valid_from=cast.day)
    tighten_school(cast, time(8, 20), valid_from=cast.day + timedelta(days=1))
    tighten_school(cast, time(8, 5), valid_from=cast.day)
    assert of(cast.class_a, cast.day).deadline == moment(cast.day, "08:05")
    next_day = cast.day + timedelta(days=1)
    assert of(cast.class_a, next_day).deadline == moment(next_day, "08:20")


def test_a_deadline_that_is_over_is_not_made_earlier(cast):
    with pytest.raises(Refusal) as refused:
        tighten_school(cast, time(8, 0), at=moment(cast.day, "08:00"))
    assert refused.value.code == "tightening-in-the-past"


def test_an_unknown_duty_is_refused(cast):
    for act in (
        lambda: tighten(
            by=cast.principal,
            unit=cast.school,
            duty_code="x",
            deadline=time(8),
            valid_from=cast.day,
            at=BEFORE,
        ),
        lambda: excuse(
            by=cast.officer, unit=cast.school, duty_code="x", day=cast.day, reason="-", at=cast.at
        ),
    ):
        with pytest.raises(Refusal) as refused:
            act()
        assert (refused.value.code, refused.value.status) == ("duty-unknown", 404)


def excuse_unit(cast, unit, reason="停电，全校断网"):
    return excuse(
        by=cast.officer, unit=unit, duty_code=DUTY, day=cast.day, reason=reason, at=moment(cast.day, "09:00")
    )


def test_an_excuse_takes_the_unit_and_all_below_out_of_the_denominator(cast):
    prove(cast.other_class, moment(cast.day, "08:00"))
    noon = moment(cast.day, "12:00")
    assert compliance(cast.district, cast.day, cast.day, noon).rate == pytest.approx(1 / 5)
    excuse_unit(cast, cast.school)
    after = compliance(cast.district, cast.day, cast.day, noon)
    assert (after.excused, after.owed, after.rate) == (4, 1, 1.0)
    assert AuditEntry.objects.get(action="duties.excuse").facts["reason"] == "停电，全校断网"
    assert of(cast.class_a, cast.day, "08:59").value == Value.MISSING


def test_an_excuse_needs_a_reason_and_is_given_once(cast):
    with pytest.raises(Refusal) as refused:
        excuse_unit(cast, cast.class_a, reason="  ")
    assert refused.value.code == "reason-missing"
    excuse_unit(cast, cast.class_a)
    with pytest.raises(Refusal) as refused:
        excuse_unit(cast, cast.class_a)
    assert refused.value.code == "already-excused"
    assert refused.value.facts["by"] == cast.officer.name


# --- compliance over a period ---


def test_compliance_of_a_week_counts_each_school_day_of_each_group_once(cast):
    monday = cast.day - timedelta(days=2)
    for offset, clock in enumerate(["08:00", "08:30", "08:00"]):
        prove(cast.class_a, moment(monday + timedelta(days=offset), clock))
    friday = monday + timedelta(days=6)
    found = compliance(cast.class_a, monday, friday, moment(friday, "12:00"))
    assert (found.done, found.late, found.missing, found.not_applicable) == (2, 1, 2, 2)
    assert found.owed == 5
    assert found.rate == pytest.approx((2 + 0.5) / 5)
    school = compliance(cast.school, monday, friday, moment(friday, "12:00"))
    assert (school.done, school.late, school.missing, school.owed) == (2, 1, 17, 20)


def test_what_is_not_yet_due_is_not_scored(cast):
    assert compliance(cast.school, cast.day, cast.day, moment(cast.day, "08:00")).rate is None


def test_compliance_of_many_units_costs_what_one_costs_whatever_the_days(cast):
    _district, schools, _groups = make_schools("C", 10)
    noon = moment(cast.day, "12:00")
    with CaptureQueriesContext(connection) as one:
        compliances(schools[:1], cast.day, cast.day, noon)
    with CaptureQueriesContext(connection) as many:
        found = compliances(schools, TERM[0], cast.day, noon)
    assert len(one.captured_queries) == len(many.captured_queries) == 11
    assert set(found) == {school.pk for school in schools}


# --- lists and scopes ---


def test_the_day_of_a_district_costs_the_same_for_6_and_for_88_institutions(cast):
    small, _, few = make_schools("S", 6)
    large, schools, many = make_schools("L", 88, groups=2)
    noon = moment(cast.day, "12:00")

    def cost(units):
        with CaptureQueriesContext(connection) as context:
            found = obligations(units, cast.day, noon)
        return len(context.captured_queries), len(found)

    assert cost([small]) == (11, len(few))
    assert cost([large]) == cost(schools) == cost(many) == (11, 176)
    assert cost([many[0]]) == (11, 1)


def test_everybody_sees_the_duties_of_their_own_units_only(cast):
    prove(cast.class_a, moment(cast.day, "08:00"))
    noon = moment(cast.day, "12:00")

    def seen(user, at=noon):
        return duties_of(scope_of(user, cast.day), cast.day, at)

    def units(found):
        return [each.unit for each in found]

    assert units(seen(cast.teacher).done) == [cast.class_a]
    assert units(seen(cast.teacher).overdue) == []
    assert units(seen(cast.grade_lead).overdue) == [cast.class_b]
    assert units(seen(cast.doctor).overdue) == [cast.class_b, cast.class_c, cast.class_d]
    assert units(seen(cast.officer).overdue) == [cast.class_b, cast.class_c, cast.class_d, cast.other_class]
    assert units(seen(cast.trainer).overdue) == [cast.drill_class]
    assert units(seen(cast.officer).due) == []
    assert units(seen(cast.teacher, moment(cast.day, "07:00")).due) == [cast.class_a]


def test_who_holds_no_role_sees_no_duty(cast):
    scope = scope_of(cast.teacher, date(2020, 1, 1))
    assert duties_of(scope, cast.day, cast.at).all == []


def test_evidence_of_an_unknown_duty_is_kept_and_asks_nothing(cast):
    record_evidence(
        duty_code="noon-check",
        unit=cast.class_a,
        day=cast.day,
        tapped_at=cast.at,
        received_at=cast.at,
        clock_offset_ms=0,
        source="check:9",
    )
    assert obligation_of(cast.class_a, "noon-check", cast.day, at=cast.at) is None
