"""A census over a stretch of days: who meets whom, and on which days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import numpy as np
import numpy.typing as npt

from xiaodun.engine.calendar import SchoolCalendar
from xiaodun.engine.simulation.census import Census, GroupKind
from xiaodun.engine.simulation.plan import Kind

__all__ = ["KINDS", "Lists", "World"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

KINDS = (*(kind.name.lower() for kind in Kind), "staff")
"""Names by which the parameters tell kinds of institution apart; staff is a kind of its own everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Members of places (homes, rooms, lessons): ``members[start[p]:start[p] + size[p]]`` for place ``p``."""

    place_of: Ints
    members: Ints
    start: Ints
    size: Ints

    @classmethod
    def of(cls, keys: npt.NDArray[np.integer]) -> Self:
        """The persons of each key in the order of keys; persons with a negative key are nowhere (-1)."""
        keys = keys.astype(np.int64)
        belongs = np.flatnonzero(keys >= 0)
        members = belongs[np.argsort(keys[belongs], kind="stable")]
        places, start, size = np.unique(keys[members], return_index=True, return_counts=True)
        place_of = np.full(len(keys), -1, dtype=np.int64)
        place_of[belongs] = np.searchsorted(places, keys[belongs])
        return cls(place_of, members, start.astype(np.int64), size.astype(np.int64))

    def mates(self, persons: Ints) -> tuple[Ints, Ints, Ints]:
        """All others in the places of ``persons``: (position in ``persons``, the other, place's size)."""
        places = self.place_of[persons]
        placed = np.flatnonzero(places >= 0)
        sizes = self.size[places[placed]]
        who = np.repeat(placed, sizes)
        step = np.arange(len(who)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        other = self.members[np.repeat(self.start[places[placed]], sizes) + step]
        differs = other != persons[who]
        return who[differs], other[differs], np.repeat(sizes, sizes)[differs]


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """People, places and days. Days are counted from 0, the first day; arrays over days have their number.

    ``lessons_meet`` are the days on which lessons of that day of the week meet: all but the State's days off.
    ``kind_of`` (persons) are rows of :data:`KINDS`.
    """

    census: Census
    days: tuple[date, ...]
    weekday: Ints
    is_school_day: Flags
    is_next_to_holiday: Flags
    lessons_meet: Flags
    kind_of: Ints
    grade_of_group: Ints
    homes: Lists
    rooms: Lists
    lessons: Lists

    @classmethod
    def of(cls, census: Census, calendar: SchoolCalendar, first: date, last: date) -> Self:
        """The world from ``first`` to ``last``, both included.

        Raises ``ValueError`` when ``last`` is earlier and ``UnconfirmedYearError`` as the calendar does.
        """
        if last < first:
            raise ValueError(f"a term cannot end on {last} before it starts on {first}")
        days = tuple(first + timedelta(days=day) for day in range((last - first).days + 1))
        persons = census.persons
        kind_of = census.institutions["kind"][persons["institution"]].astype(np.int64)
        kind_of[persons["is_staff"]] = len(KINDS) - 1
        is_school_day = np.array([calendar.is_school_day(day) for day in days])
        return cls(
            census=census,
            days=days,
            weekday=np.array([day.weekday() for day in days], dtype=np.int64),
            is_school_day=is_school_day,
            is_next_to_holiday=_next_to_holiday(is_school_day),
            lessons_meet=np.array([day not in calendar.days_off for day in days]),
            kind_of=kind_of,
            grade_of_group=census.groups["grade"].astype(np.int64),
            homes=Lists.of(persons["household"]),
            rooms=Lists.of(persons["room"]),
            lessons=Lists.of(persons["lesson"]),
        )

    @property
    def n_days(self) -> int:
        return len(self.days)

    def meets(self, groups: Ints) -> Flags:
        """Of each group and day, whether the group is together, lessons on their own days."""
        rows = self.census.groups[groups]
        is_lesson = rows["kind"] == GroupKind.LESSON
        on_its_day = (rows["weekday"][:, None] == self.weekday) & self.lessons_meet
        return np.where(is_lesson[:, None], on_its_day, self.is_school_day)

    def share(self, shares: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """A value of each person from values by kind."""
        return np.asarray(shares, dtype=np.float64)[self.kind_of]


def _next_to_holiday(is_school_day: Flags) -> Flags:
    """School days before or after three free days and more."""
    free_run = np.zeros(len(is_school_day), dtype=np.int64)
    run = 0
    for day, open_ in enumerate(is_school_day):
        run = 0 if open_ else run + 1
        free_run[day] = run
    after = np.zeros(len(is_school_day), dtype=bool)
    before = after.copy()
    for day in np.flatnonzero(is_school_day).tolist():
        after[day] = day > 0 and free_run[day - 1] >= 3
        later = np.flatnonzero(is_school_day[day + 1 :])
        before[day] = len(later) > 0 and later[0] >= 3
    return after | before
