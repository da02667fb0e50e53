"""What the class teachers would enter on which day. Pure: line list and school days in, entries out."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from xiaodun.config.replay_files import ClassKey, Member
from xiaodun.engine.calendar import SchoolCalendar, StateYear

_DAY = timedelta(days=1)
# How far a replay looks for the school day on which a case can be entered: longer than any holiday.
_LONGEST_HOLIDAY = timedelta(days=120)


class NoCheckDayError(Exception):
    """The calendar has no school day on which the last cases could be entered."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a teacher taps for one pupil on one school day."""

    person_id: str
    status: str
    symptoms: tuple[str, ...]
    onset: date | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A replay: its first day, its school days in order, and the entries by school day and class."""

    first_day: date
    school_days: tuple[date, ...]
    entries: Mapping[tuple[date, ClassKey], tuple[Entry, ...]]

    @property
    def last_day(self) -> date:
        """The last school day: everybody is back."""
        return self.school_days[-1]


@dataclass(frozen=True, slots=True)
class ReplayCalendar:
    """Which days are school days: the State's calendar and Monday to Friday, but for the days ``named``."""

    state: SchoolCalendar
    named: Mapping[date, bool]

    @classmethod
    def of(cls, years: Iterable[StateYear], named: Mapping[date, bool]) -> "ReplayCalendar":
        """A year whose days off the State has not announced is taken with the days off that the law names."""
        known = tuple(years)
        return cls(
            SchoolCalendar(
                days_off=frozenset(day for year in known for day in year.days_off),
                workdays=frozenset(day for year in known for day in year.workdays),
                confirmed_years=frozenset(year.year for year in known),
            ),
            named,
        )

    def is_school_day(self, day: date) -> bool:
        if (named := self.named.get(day)) is not None:
            return named
        return self.state.is_school_day(day)


def years_of(members: Iterable[Member]) -> range:
    """The calendar years that a replay of these members can touch."""
    days = [day for member in members for day in (member.onset, member.end) if day is not None]
    return range(min(days).year, (max(days) + _LONGEST_HOLIDAY).year + 1)


def plan_entries(members: Sequence[Member], calendar: ReplayCalendar, *, ill_days: int) -> Plan:
    """The entries of all cases.

    A case is entered as absent on every school day from onset to the end of the illness, both inclusive. An
    onset on a day without school is entered on the next school day with its date; an illness that is over
    by then is entered on that day as past.

    Args:
        ill_days: length of an illness without a known end, in calendar days, the day of onset included.

    Raises:
        NoCheckDayError: if the calendar leaves no school day for the last entry.
        ValueError: if nobody is ill.
    """
    cases = [(member, member.onset) for member in members if member.onset is not None]
    if not cases:
        raise ValueError("nobody is ill")
    ends = {member.person_id: member.end or onset + timedelta(days=ill_days - 1) for member, onset in cases}
    first = min(onset for _member, onset in cases)
    school_days = tuple(_school_days(calendar, first=first, until_after=max(ends.values())))
    entries: dict[tuple[date, ClassKey], list[Entry]] = defaultdict(list)
    for member, onset in cases:
        for day, entry in _entries_of(member, onset, ends[member.person_id], school_days):
            entries[day, member.place].append(entry)
    return Plan(first, school_days, {key: tuple(found) for key, found in entries.items()})


def _school_days(calendar: ReplayCalendar, *, first: date, until_after: date) -> Iterator[date]:
    """The school days from ``first`` to the first one after ``until_after``."""
    day = first
    while day <= until_after + _LONGEST_HOLIDAY:
        if calendar.is_school_day(day):
            yield day
            if day > until_after:
                return
        day += _DAY
    raise NoCheckDayError(f"no school day from {until_after + _DAY} to {until_after + _LONGEST_HOLIDAY}")


def _entries_of(
    member: Member, onset: date, end: date, school_days: Sequence[date]
) -> Iterator[tuple[date, Entry]]:
    position = bisect_left(school_days, onset)
    noted_on = school_days[position]
    if end < noted_on:
        yield noted_on, Entry(member.person_id, "recovered", member.symptoms, onset)
        return
    for day in school_days[position:]:
        if day > end:
            return
        since = onset if day == noted_on and onset < day else None
        yield day, Entry(member.person_id, "absent_ill", member.symptoms, since)
