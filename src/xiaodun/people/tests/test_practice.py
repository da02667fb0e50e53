"""A practice school: the classes and posts of a school in the drill area, with invented names and an end."""

from datetime import timedelta

import pytest

from xiaodun.accounts.selectors import scope_of
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Enrolment, Person
from xiaodun.people.selectors import roster
from xiaodun.people.services.practice import copy_for_practice


def copy(cast) -> Unit:
    return copy_for_practice(
        by=cast.clerk,
        institution=cast.school,
        drill=cast.drill,
        last_day=cast.day + timedelta(days=14),
        at=cast.at,
    )


def test_the_classes_are_copied_with_invented_people_below_the_drill_area(cast):
    before = set(Person.objects.values_list("pk", flat=True))
    made = copy(cast)
    assert made.path.startswith(cast.drill.path)
    names = Unit.objects.filter(path__startswith=made.path, kind="group").values_list("name", flat=True)
    assert set(names) == {"三(1)班", "三(2)班", "四(1)班", "四(2)班", "宿舍101"}
    new = Enrolment.objects.filter(group__path__startswith=made.path)
    assert not set(new.values_list("person", flat=True)) & before
    assert new.count() == 23


def test_the_staff_practise_until_the_last_day_and_the_district_sees_nothing(cast):
    made = copy(cast)
    own = Unit.objects.get(path__startswith=made.path, name="三(1)班")
    assert len(roster(own, cast.day)) == 5
    inside, after = cast.day + timedelta(days=14), cast.day + timedelta(days=15)
    assert scope_of(cast.teacher, inside).may("submit_check", own)
    assert not scope_of(cast.teacher, after).may("submit_check", own)
    assert scope_of(cast.teacher, after).may("submit_check", cast.class_a)
    assert not scope_of(cast.officer, cast.day).may("see_counts", own)


def test_a_second_copy_is_refused_with_the_remedy(cast):
    copy(cast)
    with pytest.raises(Refusal, match="practice-made"):
        copy(cast)
