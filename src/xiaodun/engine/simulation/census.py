"""The people of a district or a city as arrays: units, pupils, staff, households. Nobody is real.

Every institution draws from its own stream, so its people are the same alone, in its district and in a city.
What joins institutions is drawn as an address: children of a district who draw the same home are siblings, a
child that draws a lesson goes there. Where the other institution is left out, the tie is absent and nothing
else changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from xiaodun.engine.simulation.invented import GIVEN_NAMES, draw_names
from xiaodun.engine.simulation.plan import InstitutionPlan, Kind, bulletin_district, streets
from xiaodun.engine.simulation.streams import Subject, stream

__all__ = ["GRADE", "GROUP", "INSTITUTION", "PERSON", "Census", "GroupKind", "build_census"]

Rows: TypeAlias = npt.NDArray[np.void]
Uniform: TypeAlias = npt.NDArray[np.float64]


class GroupKind(IntEnum):
    """What a check hangs on. Everybody is in one class or department; rooms and lessons come on top."""

    CLASS = 0
    DEPARTMENT = 1
    DORMITORY = 2
    LESSON = 3


INSTITUTION = np.dtype(
    [
        ("district", "i4"), ("kind", "u1"), ("number", "i2"), ("is_public", "?"), ("machines", "u1"),
        ("street", "u1"), ("first_person", "i4"), ("persons", "i4"), ("first_group", "i4"), ("groups", "i4"),
    ]
)  # fmt: skip
GRADE = np.dtype([("institution", "i4"), ("year", "u1"), ("age", "u1")])
GROUP = np.dtype(
    [
        ("institution", "i4"),
        ("grade", "i4"),
        ("kind", "u1"),
        ("number", "i2"),
        ("size", "i4"),
        ("weekday", "i1"),
    ]
)
PERSON = np.dtype(
    [
        ("institution", "i4"), ("group", "i4"), ("room", "i4"), ("lesson", "i4"), ("household", "i8"),
        ("is_staff", "?"), ("sex", "u1"), ("born", "i2"), ("surname", "u1"), ("given", "u2"),
        ("number", "i4"),
    ]
)  # fmt: skip

# Assumed, as a county town is believed to be; nothing here is an estimate for a real one.
_HOMES = 12_000  # a street; with some 5,000 children about a third of them have a brother or sister at school
_MOST_SIBLINGS = 3
_LIVES_NEAR = 0.8
_BORN_BEFORE_NEW_YEAR = 1 / 3  # school age is reached by the end of August
_HAS_LESSON = {Kind.PRIMARY: 0.22, Kind.NINE_YEAR: 0.2, Kind.JUNIOR: 0.18}
_NOT_TEACHING = 0.2
_DEPARTMENT_SIZE = 60


@dataclass(frozen=True, slots=True, eq=False)
class Census:
    """Units and people. References are row numbers, -1 for none; rows stand in the order of their unit.

    persons: ``group`` is the class or department, ``room`` and ``lesson`` groups besides, ``household`` an
        address shared by siblings (-1: lives elsewhere), ``sex`` 0 male, 1 female, ``born`` the year,
        ``surname`` and ``given`` numbers for :func:`~xiaodun.engine.simulation.invented.name_text`,
        ``number`` the place in the group's roster from 1.
    groups: ``weekday`` is the day on which a lesson meets (Monday 0), -1 for what meets on school days.
    """

    seed: int
    school_year: int
    plans: tuple[InstitutionPlan, ...]
    institutions: Rows
    grades: Rows
    groups: Rows
    persons: Rows

    def group_code(self, group: int) -> str:
        """``p01-3-2`` for class 2 of year 3, ``s01-d12`` a room, ``t01-l4`` a lesson, ``p01-staff1``."""
        row = self.groups[group]
        plan = self.plans[row["institution"]]
        match GroupKind(int(row["kind"])):
            case GroupKind.CLASS:
                return f"{plan.code}-{int(self.grades[row['grade']]['year']) + 1}-{row['number']}"
            case GroupKind.DEPARTMENT:
                return f"{plan.code}-staff{row['number']}"
            case GroupKind.DORMITORY:
                return f"{plan.code}-d{row['number']}"
            case GroupKind.LESSON:
                return f"{plan.code}-l{row['number']}"


def build_census(*, seed: int, school_year: int, plans: Sequence[InstitutionPlan] | None = None) -> Census:
    """The people of ``plans`` (the bulletin's district if not given) in the year from ``school_year`` on.

    The same arguments give the same bytes. An institution's people do not depend on the other plans but for
    ties with them (siblings in other schools, lessons).

    Raises ``ValueError`` for a negative seed, no plan, or the same institution twice.
    """
    chosen = bulletin_district() if plans is None else tuple(plans)
    if seed < 0:
        raise ValueError(f"a seed is a whole number from 0, not {seed}")
    if not chosen:
        raise ValueError("a census needs at least one institution")
    if len({(plan.district, plan.code) for plan in chosen}) < len(chosen):
        raise ValueError("an institution stands twice in the plans")
    parts = [_Institution(seed, school_year, plan) for plan in chosen]
    institutions = np.zeros(len(parts), dtype=INSTITUTION)
    first_person = first_group = first_grade = 0
    for row, part in enumerate(parts):
        plan = part.plan
        institutions[row] = (
            plan.district, plan.kind, plan.number, plan.is_public, plan.machines, plan.street,
            first_person, len(part.persons), first_group, len(part.groups),
        )  # fmt: skip
        part.persons["institution"] = part.groups["institution"] = part.grades["institution"] = row
        part.persons["group"] += first_group
        part.persons["room"][part.persons["room"] >= 0] += first_group
        part.groups["grade"][part.groups["grade"] >= 0] += first_grade
        first_person += len(part.persons)
        first_group += len(part.groups)
        first_grade += len(part.grades)
    persons = np.concatenate([part.persons for part in parts])
    groups = np.concatenate([part.groups for part in parts])
    _join_lessons(persons, groups, institutions)
    _part_crowded_homes(persons)
    _number_and_count(persons, groups)
    grades = np.concatenate([part.grades for part in parts])
    return Census(seed, school_year, chosen, institutions, grades, groups, persons)


class _Institution:
    """One institution with row numbers of its own; ``lesson`` still holds the number in the district."""

    def __init__(self, seed: int, school_year: int, plan: InstitutionPlan) -> None:
        self.plan = plan
        draws = stream(seed, Subject.PEOPLE, plan.district, plan.kind, plan.number)
        self.grades = np.zeros(len(plan.grades), dtype=GRADE)
        self.grades["year"] = np.arange(len(plan.grades))
        self.grades["age"] = [age for age, _ in plan.grades]
        sizes, groups = self._classes(draws)
        pupils = self._pupils(draws, sizes, groups, school_year)
        staff, departments = self._staff(draws, school_year, first_group=len(groups))
        rooms, room_of = self._rooms(draws, pupils, groups, first_group=len(groups) + len(departments))
        pupils["room"] = room_of
        lessons = np.zeros(plan.lessons, dtype=GROUP)
        lessons["kind"], lessons["grade"] = GroupKind.LESSON, -1
        lessons["number"] = np.arange(1, plan.lessons + 1)
        # Most lessons are at the weekend, the others in the evening of a weekday.
        lessons["weekday"] = np.where(draws.random(plan.lessons) < 0.75, 5, 0) + (
            draws.random(plan.lessons) < 0.5
        )
        self.groups = np.concatenate([groups, departments, rooms, lessons])
        self.persons = np.concatenate([pupils, staff])
        _part_namesakes(self.persons)

    def _classes(self, draws: np.random.Generator) -> tuple[npt.NDArray[np.int64], Rows]:
        classes = [number for _, number in self.plan.grades]
        groups = np.zeros(sum(classes), dtype=GROUP)
        groups["kind"], groups["weekday"] = GroupKind.CLASS, -1
        groups["grade"] = np.repeat(np.arange(len(classes)), classes)
        groups["number"] = [number + 1 for each in classes for number in range(each)]
        low, high = self.plan.class_size
        return low + (draws.random(len(groups)) * (high - low + 1)).astype(np.int64), groups

    def _pupils(
        self, draws: np.random.Generator, sizes: npt.NDArray[np.int64], groups: Rows, school_year: int
    ) -> Rows:
        plan = self.plan
        persons = np.zeros(int(sizes.sum()), dtype=PERSON)
        u = draws.random((9, len(persons)))
        persons["group"] = np.repeat(np.arange(len(groups)), sizes)
        persons["sex"] = u[0] < 0.47
        ages = (
            self.grades["age"][groups["grade"][persons["group"]]] if len(persons) else np.zeros(0, dtype="u1")
        )
        persons["born"] = school_year - ages.astype(np.int64) - (u[1] < _BORN_BEFORE_NEW_YEAR)
        persons["surname"], persons["given"] = draw_names(u[2], u[3])
        persons["room"] = persons["lesson"] = persons["household"] = -1
        if plan.kind is not Kind.COLLEGE:  # students come from elsewhere
            street = np.where(u[4] < _LIVES_NEAR, plan.street, (u[5] * streets()).astype(np.int64))
            persons["household"] = (plan.district * streets() + street) * _HOMES + (u[6] * _HOMES).astype(
                np.int64
            )
        goes = u[7] < _HAS_LESSON.get(plan.kind, 0.0)
        lessons_of_district = sum(each.lessons for each in bulletin_district())
        persons["lesson"][goes] = (u[8][goes] * lessons_of_district).astype(np.int64)
        return persons

    def _staff(self, draws: np.random.Generator, school_year: int, *, first_group: int) -> tuple[Rows, Rows]:
        number = self.plan.staff
        others = round(number * _NOT_TEACHING)
        sizes = [
            int(size)
            for part in (number - others, others)
            for size in np.diff(np.linspace(0, part, -(-part // _DEPARTMENT_SIZE) + 1).round())
            if size
        ]
        departments = np.zeros(len(sizes), dtype=GROUP)
        departments["kind"], departments["grade"], departments["weekday"] = GroupKind.DEPARTMENT, -1, -1
        departments["number"] = np.arange(1, len(sizes) + 1)
        persons = np.zeros(number, dtype=PERSON)
        u = draws.random((4, number))
        persons["is_staff"] = True
        persons["group"] = first_group + np.repeat(np.arange(len(sizes)), sizes)
        persons["sex"] = u[0] < 0.68
        persons["born"] = school_year - 24 - (u[1] * 36).astype(np.int64)
        persons["surname"], persons["given"] = draw_names(u[2], u[3])
        persons["room"] = persons["lesson"] = persons["household"] = -1
        return persons, departments

    def _rooms(
        self, draws: np.random.Generator, pupils: Rows, groups: Rows, *, first_group: int
    ) -> tuple[Rows, npt.NDArray[np.int64]]:
        """Rooms of one sex and, as far as they fill, of one year, its classes mixed."""
        plan = self.plan
        room_of = np.full(len(pupils), -1, dtype=np.int64)
        u = draws.random((2, len(pupils)))
        if not plan.boarding:
            return np.zeros(0, dtype=GROUP), room_of
        years = groups["grade"][pupils["group"]]
        boards = (u[0] < plan.boarding) & (self.grades["age"][years] >= plan.boards_from_age)
        boarders = np.flatnonzero(boards)
        sex = pupils["sex"][boarders]
        order = boarders[np.lexsort((u[1][boarders], years[boarders], sex))]
        boys = int((sex == 0).sum())
        place = np.arange(len(order))
        rooms_of_boys = -(-boys // plan.room_size)
        room = np.where(
            place < boys, place // plan.room_size, rooms_of_boys + (place - boys) // plan.room_size
        )
        room_of[order] = first_group + room
        rooms = np.zeros(int(room.max(initial=-1)) + 1, dtype=GROUP)
        rooms["kind"], rooms["grade"], rooms["weekday"] = GroupKind.DORMITORY, -1, -1
        rooms["number"] = np.arange(1, len(rooms) + 1)
        return rooms, room_of


def _part_namesakes(persons: Rows) -> None:
    """No two of a name in a class or department: later ones take the next given name that is free."""
    while True:
        key = (persons["group"].astype(np.int64) << 32) + (persons["surname"].astype(np.int64) << 16)
        key += persons["given"]
        order = np.argsort(key, kind="stable")
        again = order[1:][key[order[1:]] == key[order[:-1]]]
        if not len(again):
            return
        persons["given"][again] = (persons["given"][again].astype(np.int64) + 1) % GIVEN_NAMES


def _join_lessons(persons: Rows, groups: Rows, institutions: Rows) -> None:
    """Turn numbers of lessons of a district into rows of groups, -1 where the training body is left out."""
    plans = [plan for plan in bulletin_district() if plan.lessons]
    first = {plan.number: sum(each.lessons for each in plans if each.number < plan.number) for plan in plans}
    rows: dict[int, npt.NDArray[np.int64]] = {}
    for district in np.unique(institutions["district"]):
        rows[int(district)] = np.full(sum(plan.lessons for plan in plans), -1, dtype=np.int64)
    for institution in institutions[institutions["kind"] == Kind.TRAINING]:
        start, end = institution["first_group"], institution["first_group"] + institution["groups"]
        lessons = start + np.flatnonzero(groups["kind"][start:end] == GroupKind.LESSON)
        at = first[int(institution["number"])]
        rows[int(institution["district"])][at : at + len(lessons)] = lessons
    district_of = institutions["district"][persons["institution"]]
    for district, row_of in rows.items():
        goes = (district_of == district) & (persons["lesson"] >= 0)
        persons["lesson"][goes] = row_of[persons["lesson"][goes]]


def _part_crowded_homes(persons: Rows) -> None:
    """At most three children live in a home; the others get a home of their own."""
    homes = persons["household"]
    order = np.argsort(homes, kind="stable")
    order = order[homes[order] >= 0]
    sorted_homes = homes[order]
    is_first = np.r_[True, sorted_homes[1:] != sorted_homes[:-1]][: len(order)]
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    too_many = order[np.arange(len(order)) - start >= _MOST_SIBLINGS]
    persons["household"][too_many] = (1 << 40) + too_many


def _number_and_count(persons: Rows, groups: Rows) -> None:
    for field in ("group", "room", "lesson"):
        member_of = persons[field][persons[field] >= 0]
        groups["size"] += np.bincount(member_of, minlength=len(groups)).astype(np.int32)
    start = np.searchsorted(
        persons["group"], np.arange(len(groups))
    )  # everybody stands in the order of groups
    persons["number"] = np.arange(len(persons)) - start[persons["group"]] + 1
