"""The step into the next school year: planned, taken, undone while nothing hangs on it; past days stay."""

from datetime import date

import pytest

from tests.factories import BEFORE, TERM, enrol, staff, submit
from xiaodun.accounts.selectors import scope_of
from xiaodun.kit.clock import local_moment
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit
from xiaodun.organisations.services import create_unit
from xiaodun.people.models import Enrolment
from xiaodun.people.selectors import roster
from xiaodun.people.services.classes import add_pupil
from xiaodun.people.services.years import roll_over, undo_roll_over
from xiaodun.people.years import year_plan

NEW_YEAR = date(2021, 9, 1)
OLD_YEAR = date(2021, 8, 31)


@pytest.fixture
def school(cast):
    """The school of the cast with a sixth grade whose class has a dormitory bed."""
    grade = create_unit(
        by=None, parent=cast.school, kind="grade", code="P1-6", name="六年级", first_day=TERM[0], at=BEFORE
    )
    last = create_unit(
        by=None,
        parent=grade,
        kind="group",
        group_kind="class",
        code="P1-6-1",
        name="六(1)班",
        name_en="Class 6(1)",
        first_day=TERM[0],
        at=BEFORE,
    )
    pupils = enrol(last, 2)
    Enrolment.objects.create(person=pupils[0], group=cast.room, valid_from=TERM[0])
    staff("sixth", "蒋老师", "class_teacher", last)
    return cast


def classes_on(cast, day) -> dict[str, int]:
    groups = Unit.objects.filter(group_kind="class", path__startswith=cast.school.path, first_day__lte=day)
    return {group.name: len(roster(group, day)) for group in groups.exclude(last_day__lt=day)}


def state(cast) -> list:
    return [
        list(Unit.objects.order_by("path").values_list("code", "last_day", "numchild")),
        list(Enrolment.objects.order_by("pk").values_list("person", "group", "valid_from", "valid_to")),
        list(cast.school.assignments.model.objects.order_by("pk").values_list("user", "unit", "valid_to")),
    ]


def step(cast, **keywords):
    at = local_moment(OLD_YEAR, BEFORE.time())
    asked = {"teachers_move": True} | keywords
    return roll_over(by=cast.clerk, institution=cast.school, school_year=2021, at=at, **asked)


def test_a_plan_names_who_moves_who_leaves_and_who_stays(school):
    plan = year_plan(school.school, 2021)
    assert [(s.group.name, s.name, s.name_en, s.pupils) for s in plan.moving] == [
        ("三(1)班", "四(1)班", "Class 4(1)", 5),
        ("三(2)班", "四(2)班", "Class 4(2)", 5),
        ("四(1)班", "五(1)班", "Class 5(1)", 5),
        ("四(2)班", "五(2)班", "Class 5(2)", 5),
    ]
    assert [(s.group.name, s.pupils) for s in plan.leaving] == [("六(1)班", 2)]
    assert (plan.staying, plan.first_day, plan.last_day) == ([], NEW_YEAR, OLD_YEAR)


def test_every_class_moves_up_the_last_leaves_and_the_first_stands_empty(school):
    before = classes_on(school, OLD_YEAR)
    step(school)
    assert classes_on(school, NEW_YEAR) == {"四(1)班": 5, "四(2)班": 5, "五(1)班": 5, "五(2)班": 5}
    assert classes_on(school, OLD_YEAR) == before
    assert {u.name for u in Unit.objects.filter(kind="grade", path__startswith=school.school.path)} == {
        "三年级",
        "四年级",
        "五年级",
        "六年级",
    }


def test_pupils_keep_their_numbers_and_past_days_their_class(school):
    step(school)
    new = Unit.objects.get(name="四(1)班", first_day=NEW_YEAR)
    assert [(row.person, row.number) for row in roster(new, NEW_YEAR)] == [
        (row.person, row.number) for row in roster(school.class_a, OLD_YEAR)
    ]
    assert (new.stage, new.entry_year) == ("primary", 2018)
    assert len(roster(school.class_a, date(2020, 12, 16))) == 5


def test_leavers_leave_the_dormitory_too(school):
    assert len(roster(school.room, OLD_YEAR)) == 4
    step(school)
    assert len(roster(school.room, NEW_YEAR)) == 3


@pytest.mark.parametrize("teachers_move", [True, False])
def test_teachers_move_with_their_class_or_not(school, teachers_move):
    step(school, teachers_move=teachers_move)
    new = Unit.objects.get(name="四(1)班", first_day=NEW_YEAR)
    assert scope_of(school.teacher, NEW_YEAR).may("submit_check", new) is teachers_move
    assert not scope_of(school.teacher, NEW_YEAR).may("submit_check", school.class_a)
    assert scope_of(school.teacher, OLD_YEAR).may("submit_check", school.class_a)


@pytest.mark.postgresql
def test_the_step_is_undone_without_a_trace_in_the_lists(school):
    before = state(school)
    made = step(school)
    undo_roll_over(by=school.clerk, made=made, at=made.made_at)
    assert state(school) == before
    step(school)


def test_after_the_first_check_of_the_new_year_the_step_stands(school):
    made = step(school)
    new = Unit.objects.get(name="四(1)班", first_day=NEW_YEAR)
    submit(new, by=school.teacher, at=local_moment(NEW_YEAR, school.at.time()))
    after = state(school)
    with pytest.raises(Refusal, match="year-in-use"):
        undo_roll_over(by=school.clerk, made=made, at=made.made_at)
    assert state(school) == after


def test_a_new_pupil_in_a_new_class_lets_the_step_stand_too(school):
    made = step(school)
    new = Unit.objects.get(name="四(1)班", first_day=NEW_YEAR)
    add_pupil(by=school.clerk, group=new, number="N1", name="苏新", valid_from=NEW_YEAR, at=made.made_at)
    with pytest.raises(Refusal, match="year-in-use"):
        undo_roll_over(by=school.clerk, made=made, at=made.made_at)


def test_the_step_is_taken_once(school):
    step(school)
    with pytest.raises(Refusal, match="year-rolled-over"):
        step(school)


def test_pupils_entered_ahead_are_not_lost(school):
    add_pupil(
        by=school.clerk, group=school.class_a, number="N1", name="苏新", valid_from=NEW_YEAR, at=school.at
    )
    with pytest.raises(Refusal, match="pupils-entered-ahead"):
        step(school)
