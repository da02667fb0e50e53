"""The school calendar of one unit: which days are school days, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum
from itertools import pairwise
from typing import Self

from xiaodun.engine.calendar.state import StateYear

__all__ = ["DayKind", "NoSchoolDayError", "Override", "SchoolCalendar", "Term", "UnconfirmedYearError"]

_DAY = timedelta(days=1)
_MONDAY_TO_FRIDAY = frozenset(range(5))
# A summer holiday lasts some nine weeks; a search that finds nothing in a year has no answer.
_SEARCH_DAYS = 366


class DayKind(Enum):
    """Why a day is a school day or not."""

    SCHOOL = "school"
    WEEKEND = "weekend"  # a day of the week on which this unit does not teach
    HOLIDAY = "holiday"  # a day off of the State
    MAKEUP = "makeup"  # a weekend day on which the State works, 调休: a school day
    OUT_OF_TERM = "out_of_term"
    CLOSED_BY_OVERRIDE = "closed_by_override"
    OPENED_BY_OVERRIDE = "opened_by_override"
    UNCONFIRMED_YEAR = "unconfirmed_year"  # the State's days off of the year are not known: nobody can say

    @property
    def is_school_day(self) -> bool:
        """Whether a day of this kind is a school day; false for the unconfirmed, which is not a «no»."""
        return self in (DayKind.SCHOOL, DayKind.MAKEUP, DayKind.OPENED_BY_OVERRIDE)


class UnconfirmedYearError(LookupError):
    """A day was asked for whose year nobody has confirmed: guessing would miss checks or invent them."""

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(
            f"the State's days off and make-up workdays of {year} are not confirmed; "
            f"confirm the year or set an override for the day"
        )


class NoSchoolDayError(LookupError):
    """There is no school day in the direction asked for."""


@dataclass(frozen=True, slots=True)
class Term:
    """First and last day of a term, both included. ``ValueError`` if it ends before it starts."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a term cannot end on {self.end} before it starts on {self.start}")

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True, slots=True)
class Override:
    """A day that a unit or its authority opens or closes, whatever the calendar says, and the reason."""

    is_open: bool
    reason: str


@dataclass(frozen=True, slots=True)
class SchoolCalendar:
    """The days of one unit as a value; two equal calendars answer alike.

    ``days_off`` and ``workdays`` are the State's, explicit, and trusted only for ``confirmed_years``.
    ``terms`` may not overlap; ``None`` means that every day is in term (training bodies, replays).
    ``weekdays`` are the days of the week on which the unit teaches, Monday = 0 (``date.weekday``).
    ``overrides`` go before everything else.

    Raises ``ValueError`` for a weekday out of 0–6 or none, overlapping terms, or a day both off and worked.
    """

    days_off: frozenset[date]
    workdays: frozenset[date]
    confirmed_years: frozenset[int]
    terms: tuple[Term, ...] | None = None
    weekdays: frozenset[int] = _MONDAY_TO_FRIDAY
    overrides: Mapping[date, Override] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= frozenset(range(7)):
            raise ValueError(
                f"teaching weekdays lie in 0 (Monday) to 6 (Sunday), not {sorted(self.weekdays)}"
            )
        if both := self.days_off & self.workdays:
            raise ValueError(f"{min(both)} cannot be both a day off and a make-up workday")
        if self.terms is not None:
            ordered = tuple(sorted(self.terms, key=lambda term: term.start))
            for earlier, later in pairwise(ordered):
                if later.start <= earlier.end:
                    raise ValueError(
                        f"the term from {later.start} begins before the one to {earlier.end} ends"
                    )
            object.__setattr__(self, "terms", ordered)
        object.__setattr__(self, "overrides", dict(self.overrides))

    @classmethod
    def from_state(
        cls,
        years: Iterable[StateYear],
        *,
        terms: tuple[Term, ...] | None = None,
        weekdays: frozenset[int] = _MONDAY_TO_FRIDAY,
        overrides: Mapping[date, Override] | None = None,
    ) -> Self:
        """A calendar over the State's years; those that are not confirmed stay so."""
        known = tuple(years)
        return cls(
            days_off=frozenset(day for year in known for day in year.days_off),
            workdays=frozenset(day for year in known for day in year.workdays),
            confirmed_years=frozenset(year.year for year in known if year.confirmed),
            terms=terms,
            weekdays=weekdays,
            overrides=overrides or {},
        )

    def day_kind(self, day: date) -> DayKind:
        """Why ``day`` is a school day or not; never raises.

        An override goes first, then the term; only for what remains must the year be confirmed. A make-up
        workday (调休) stands in for a weekday: it is a school day of every unit that teaches on weekdays, or
        on that day of the week.
        """
        override = self.overrides.get(day)
        if override is not None:
            return DayKind.OPENED_BY_OVERRIDE if override.is_open else DayKind.CLOSED_BY_OVERRIDE
        if self.terms is not None and not any(day in term for term in self.terms):
            return DayKind.OUT_OF_TERM
        if day.year not in self.confirmed_years:
            return DayKind.UNCONFIRMED_YEAR
        if day in self.days_off:
            return DayKind.HOLIDAY
        teaches = day.weekday() in self.weekdays
        if day in self.workdays:
            return DayKind.MAKEUP if teaches or self.weekdays & _MONDAY_TO_FRIDAY else DayKind.WEEKEND
        return DayKind.SCHOOL if teaches else DayKind.WEEKEND

    def is_school_day(self, day: date) -> bool:
        """Whether ``day`` is a school day. Raises :class:`UnconfirmedYearError` where nobody can say."""
        kind = self.day_kind(day)
        if kind is DayKind.UNCONFIRMED_YEAR:
            raise UnconfirmedYearError(day.year)
        return kind.is_school_day

    def next_school_day(self, day: date, *, inclusive: bool = True) -> date:
        """The first school day on or after ``day`` (after it, if not ``inclusive``).

        Raises :class:`UnconfirmedYearError` when the way leads through an unconfirmed year and
        :class:`NoSchoolDayError` when there is none within a year.
        """
        return self._walk(day if inclusive else day + _DAY, _DAY)

    def previous_school_day(self, day: date, *, inclusive: bool = False) -> date:
        """The last school day before ``day`` (or on it, if ``inclusive``); raises as ``next_school_day``."""
        return self._walk(day if inclusive else day - _DAY, -_DAY)

    def school_days(self, start: date, end: date) -> tuple[date, ...]:
        """The school days from ``start`` to ``end``, both included; empty when ``end`` is earlier."""
        return tuple(day for day in _days(start, end) if self.is_school_day(day))

    def _walk(self, day: date, step: timedelta) -> date:
        asked = day
        for _ in range(_SEARCH_DAYS):
            if self.is_school_day(day):
                return day
            day += step
        direction = "after" if step > timedelta(0) else "before"
        raise NoSchoolDayError(f"no school day within a year {direction} {asked}: is the next term entered?")


def _days(start: date, end: date) -> Iterator[date]:
    for ordinal in range(start.toordinal(), end.toordinal() + 1):
        yield date.fromordinal(ordinal)
