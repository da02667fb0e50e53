"""Classes: opened, filled, split, merged and closed; teachers that change and substitutes that end."""

from datetime import date, timedelta

import pytest

from tests.factories import TERM
from xiaodun.accounts.models import RoleAssignment
from xiaodun.accounts.selectors import scope_of
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.people.models import Enrolment, Person
from xiaodun.people.selectors import roster
from xiaodun.people.services import leave_group, transfer, undo_leave, undo_transfer
from xiaodun.people.services.classes import (
    add_pupil,
    appoint_substitute,
    change_teacher,
    close_class,
    merge_classes,
    move_pupils,
    open_class,
    split_class,
)

MONDAY = date(2020, 12, 21)
FRIDAY = date(2020, 12, 18)


def names_in(group, day) -> list[str]:
    return [row.person.name for row in roster(group, day)]


def test_a_pupil_who_left_comes_back_under_the_old_number(cast):
    pupil = cast.pupils[0]
    leave_group(by=cast.clerk, person=pupil, group=cast.class_a, last_day=FRIDAY, at=cast.at)
    leave_group(by=cast.clerk, person=pupil, group=cast.room, last_day=FRIDAY, at=cast.at)
    back = add_pupil(
        by=cast.clerk,
        group=cast.class_b,
        number=pupil.number,
        name=pupil.name,
        valid_from=MONDAY,
        at=cast.at,
    )
    assert (back.person, Person.objects.filter(name=pupil.name, number=pupil.number).count()) == (pupil, 1)


def test_a_pupil_of_another_school_is_not_taken_from_it(cast):
    there = cast.members[cast.other_class.pk][0]
    with pytest.raises(Refusal, match="pupil-elsewhere"):
        add_pupil(
            by=cast.clerk,
            group=cast.class_a,
            number=there.number,
            name=there.name,
            valid_from=MONDAY,
            at=cast.at,
        )


def test_another_name_does_not_get_a_number_that_is_taken(cast):
    with pytest.raises(Refusal, match="person-number-taken"):
        add_pupil(
            by=cast.clerk,
            group=cast.class_a,
            number=cast.pupils[0].number,
            name="何人",
            valid_from=MONDAY,
            at=cast.at,
        )


def test_a_class_is_split_and_merged_again(cast):
    chosen = cast.pupils[:2]
    new = split_class(
        by=cast.clerk, group=cast.class_a, persons=chosen, name="三(3)班", on=MONDAY, at=cast.at
    )
    assert (new.stage, new.entry_year, new.first_day) == ("primary", 2018, MONDAY)
    assert (len(names_in(new, MONDAY)), len(names_in(cast.class_a, MONDAY))) == (2, 3)
    assert (len(names_in(new, FRIDAY)), len(names_in(cast.class_a, FRIDAY))) == (0, 5)
    later = MONDAY + timedelta(days=7)
    assert merge_classes(by=cast.clerk, group=new, into=cast.class_a, on=later, at=cast.at) == 2
    new.refresh_from_db()
    assert (len(names_in(cast.class_a, later)), new.last_day) == (5, later - timedelta(days=1))


def test_a_split_leaves_somebody_in_the_class(cast):
    with pytest.raises(Refusal, match="split-leaves-nobody"):
        split_class(
            by=cast.clerk, group=cast.class_a, persons=cast.pupils, name="三(3)班", on=MONDAY, at=cast.at
        )
    with pytest.raises(Refusal, match="class-name-taken"):
        split_class(
            by=cast.clerk, group=cast.class_a, persons=cast.pupils[:1], name="三(2)班", on=MONDAY, at=cast.at
        )
    assert len(names_in(cast.class_a, MONDAY)) == 5


def test_a_move_of_many_is_all_or_nothing(cast):
    absent = cast.members[cast.class_b.pk][0]
    with pytest.raises(Refusal, match="not-enrolled-on-that-day"):
        move_pupils(
            by=cast.clerk,
            persons=[*cast.pupils[:2], absent],
            from_group=cast.class_a,
            to_group=cast.class_c,
            on=MONDAY,
            at=cast.at,
        )
    assert len(names_in(cast.class_c, MONDAY)) == 5
    with pytest.raises(Refusal, match="nobody-chosen"):
        move_pupils(
            by=cast.clerk,
            persons=[],
            from_group=cast.class_a,
            to_group=cast.class_c,
            on=MONDAY,
            at=cast.at,
        )


def test_a_class_is_closed_when_nobody_is_left_and_its_roles_end_with_it(cast):
    with pytest.raises(Refusal, match="class-not-empty"):
        close_class(by=cast.clerk, group=cast.class_b, last_day=FRIDAY, at=cast.at)
    merge_classes(by=cast.clerk, group=cast.class_b, into=cast.class_a, on=MONDAY, at=cast.at)
    cast.class_b.refresh_from_db()
    assert cast.class_b.last_day == date(2020, 12, 20)
    assert not scope_of(cast.colleague, MONDAY).grants
    assert scope_of(cast.colleague, FRIDAY).grants


def test_a_new_class_has_a_code_of_its_own(cast):
    first = open_class(by=cast.clerk, parent=cast.grade, name="三(3)班", day=MONDAY, at=cast.at)
    second = open_class(by=cast.clerk, parent=cast.grade, name="三(4)班", day=MONDAY, at=cast.at)
    assert (first.code, second.code) == ("P1-3-3", "P1-3-4")


def test_a_substitute_has_the_class_in_the_period_and_no_longer(cast):
    appoint_substitute(
        by=cast.clerk,
        group=cast.class_a,
        user=cast.colleague,
        first_day=cast.day,
        last_day=cast.day,
        at=cast.at,
    )
    days = [cast.day + timedelta(days=offset) for offset in (-1, 0, 1)]
    assert [scope_of(cast.colleague, day).may("submit_check", cast.class_a) for day in days] == [
        False,
        True,
        False,
    ]
    assert scope_of(cast.teacher, cast.day).may("submit_check", cast.class_a)


def test_a_class_changes_its_teacher_and_keeps_its_substitute(cast):
    appoint_substitute(
        by=cast.clerk,
        group=cast.class_a,
        user=cast.stranger,
        first_day=FRIDAY,
        last_day=MONDAY,
        at=cast.at,
    )
    change_teacher(by=cast.clerk, group=cast.class_a, user=cast.colleague, on=MONDAY, at=cast.at)
    who = {
        day: {
            user.username for user in (cast.teacher, cast.colleague, cast.stranger) if _has(user, cast, day)
        }
        for day in (FRIDAY, MONDAY, MONDAY + timedelta(days=1))
    }
    assert list(who.values()) == [{"teacher", "stranger"}, {"colleague", "stranger"}, {"colleague"}]
    with pytest.raises(Refusal, match="teacher-already"):
        change_teacher(by=cast.clerk, group=cast.class_a, user=cast.colleague, on=MONDAY, at=cast.at)


def _has(user, cast, day) -> bool:
    return scope_of(user, day).may("submit_check", cast.class_a)


def test_a_transfer_and_a_leave_can_be_undone(cast):
    pupil = cast.pupils[0]
    before = list(Enrolment.objects.filter(person=pupil).values("group", "valid_from", "valid_to", "number"))
    transfer(
        by=cast.clerk, person=pupil, from_group=cast.class_a, to_group=cast.class_b, on=MONDAY, at=cast.at
    )
    undo_transfer(
        by=cast.clerk, person=pupil, from_group=cast.class_a, to_group=cast.class_b, on=MONDAY, at=cast.at
    )
    leave_group(by=cast.clerk, person=pupil, group=cast.class_a, last_day=FRIDAY, at=cast.at)
    undo_leave(by=cast.clerk, person=pupil, group=cast.class_a, last_day=FRIDAY, at=cast.at)
    after = list(Enrolment.objects.filter(person=pupil).values("group", "valid_from", "valid_to", "number"))
    assert after == before
    assert AuditEntry.objects.filter(action__startswith="people.undo_").count() == 2
    for undo, wrong in ((undo_transfer, "transfer-unknown"), (undo_leave, "not-enrolled-on-that-day")):
        keywords = (
            {"from_group": cast.class_a, "to_group": cast.class_b, "on": TERM[1]}
            if undo is undo_transfer
            else {"group": cast.class_a, "last_day": TERM[1]}
        )
        with pytest.raises(Refusal, match=wrong):
            undo(by=cast.clerk, person=pupil, at=cast.at, **keywords)


def test_what_is_done_to_a_class_is_audited(cast):
    change_teacher(by=cast.clerk, group=cast.class_a, user=cast.colleague, on=MONDAY, at=cast.at)
    actions = list(AuditEntry.objects.filter(actor_id=cast.clerk.pk).values_list("action", flat=True))
    assert actions == ["accounts.end_role", "accounts.assign_role"]
    assert RoleAssignment.objects.filter(unit=cast.class_a, valid_to__isnull=True).count() == 1
