"""Writes what a plan says, through the services of persons, in the transaction of the caller."""

from collections.abc import Callable
from datetime import date, datetime

from xiaodun.accounts.models import User
from xiaodun.organisations.models import Unit
from xiaodun.people.imports.plan import Plan, PlannedPupil, number_of
from xiaodun.people.models import Person
from xiaodun.people.services.enrolments import (
    EnrolmentRow,
    MoveRow,
    enrol_many,
    renumber_many,
    transfer_many,
)
from xiaodun.people.services.guardians import set_guardians_of_many
from xiaodun.people.services.identities import keep_identities
from xiaodun.people.services.persons import PersonRow, correct_persons, register_persons

Say = Callable[[str, int, int], None]


def apply_pupils(plan: Plan, *, by: User, unit: Unit, on: date, at: datetime, say: Say) -> None:
    """Register, correct, move and enrol; statements do not grow with the rows but for batches."""
    steps = 6
    say("persons", 0, steps)
    new = [each for each in plan.planned if each.person is None]
    numbers = _numbers(new)
    rows = [
        PersonRow("pupil", number, each.row.name, each.row.sex, each.row.birth_year)
        for each, number in zip(new, numbers, strict=True)
    ]
    if rows:
        persons = register_persons(by=by, unit=unit, rows=rows, at=at)
        for each, person in zip(new, persons, strict=True):
            each.person = person
    say("persons", 1, steps)
    pupils = [(each, _person(each)) for each in plan.planned]
    corrections = [(person, each.change) for each, person in pupils if each.change is not None]
    if corrections:
        correct_persons(by=by, unit=unit, rows=corrections, at=at)
    say("identities", 2, steps)
    identities = [(person, each.identity) for each, person in pupils if each.identity is not None]
    if identities:
        keep_identities(by=by, unit=unit, rows=identities, at=at)
    say("guardians", 3, steps)
    guardians = [(person, each.guardians) for each, person in pupils if each.guardians is not None]
    if guardians:
        set_guardians_of_many(by=by, unit=unit, rows=guardians, at=at)
    say("classes", 4, steps)
    moves = [
        MoveRow(person, each.from_group, each.group, each.row.seat)
        for each, person in pupils
        if each.from_group is not None
    ]
    if moves:
        transfer_many(by=by, unit=unit, rows=moves, on=on, at=at)
    seats = [(each.renumbers, each.row.seat) for each, _ in pupils if each.renumbers is not None]
    if seats:
        renumber_many(by=by, unit=unit, rows=seats, at=at)
    say("classes", 5, steps)
    enrolments = [
        EnrolmentRow(person, each.group, on, number=each.row.seat) for each, person in pupils if each.enrols
    ]
    if enrolments:
        enrol_many(by=by, unit=unit, rows=enrolments, at=at)
    say("classes", 6, steps)


def _person(planned: PlannedPupil) -> Person:
    assert planned.person is not None  # registered above
    return planned.person


def _numbers(new: list[PlannedPupil]) -> list[str]:
    """The numbers of new persons: the school's own, or counted on where the school gives none."""
    last: dict[int, int] = {}
    numbers = []
    for each in new:
        if each.row.school_number:
            numbers.append(number_of(each.institution, each.row.school_number))
            continue
        pk = each.institution.pk
        if pk not in last:
            last[pk] = _last_count(each.institution)
        last[pk] += 1
        numbers.append(number_of(each.institution, f"N{last[pk]:06}"))
    return numbers


def _last_count(institution: Unit) -> int:
    start = number_of(institution, "N")
    counted = Person.objects.filter(number__startswith=start, number__regex=r"N\d{6}$")
    last = counted.order_by("-number").values_list("number", flat=True).first()
    return int(last[-6:]) if last else 0
