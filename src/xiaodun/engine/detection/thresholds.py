"""Count rules: «N similar cases in one group within D consecutive calendar days».

The reporting norm of 2006 (卫办疾控发〔2006〕65号) obliges a school to report when one class or dormitory
room has several pupils with similar symptoms within one day, or within three consecutive days. Both limbs
are the same rule with other numbers; the numbers are data of the caller, none stands here.

The result is a pure function of the *set* of onsets: order, repetition and the moment of entry do not
change it, so a rule judged on every write and the same rule judged in a batch agree by construction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["UNKNOWN", "Cluster", "CountRule", "Onset", "PersonKey", "Window", "find_clusters"]

UNKNOWN = "unknown"
"""Symptom group of a cluster none of whose persons has a known symptom. No onset may name it."""


class PersonKey(Protocol):
    """Whatever names a person: hashable and ordered, e.g. ``int``, ``str``, ``UUID``; one kind in a call."""

    def __hash__(self) -> int: ...

    def __lt__(self, other: Any, /) -> bool: ...


P = TypeVar("P", bound=PersonKey)


@dataclass(frozen=True, slots=True)
class CountRule:
    """At least ``min_cases`` persons with onset within ``window_days`` consecutive calendar days.

    With ``valid_from`` or ``valid_to`` only windows that end within these days (inclusive) are judged: a past
    day is judged by the rule of that day. Raises ``ValueError`` unless both numbers are whole and at least 1.
    """

    min_cases: int
    window_days: int
    valid_from: date | None = None
    valid_to: date | None = None

    def __post_init__(self) -> None:
        values: dict[str, object] = {"min_cases": self.min_cases, "window_days": self.window_days}
        for name, value in values.items():  # they come from rule rows, so their type is checked at run time
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")

    def judges(self, end: date) -> bool:
        """Whether the rule holds on the day on which a window ends."""
        return (self.valid_from is None or self.valid_from <= end) and (
            self.valid_to is None or end <= self.valid_to
        )


@dataclass(frozen=True, slots=True)
class Onset(Generic[P]):
    """A person fell ill on a day (calendar date of the school, not of the report).

    ``symptom_groups`` are the groups that the symptoms belong to; empty means that the symptoms are unknown.
    Raises ``ValueError`` for a datetime in the place of the date and for the reserved group «unknown».
    """

    person: P
    on: date
    symptom_groups: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if isinstance(self.on, datetime):
            raise ValueError(f"an onset falls on a date, not at {self.on!r}")
        if UNKNOWN in self.symptom_groups:
            raise ValueError(f"{UNKNOWN!r} is no symptom group; unknown symptoms are an empty set")


@dataclass(frozen=True, slots=True)
class Window:
    """A span of days, both ends included, over which the rule holds.

    ``count`` is the number of distinct persons with onset in it; ``unknown`` says how many of them are
    counted only because their symptoms are unknown.
    """

    start: date
    end: date
    count: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Cluster(Generic[P]):
    """Windows of one symptom group that overlap or touch: one episode, one signal.

    ``windows`` are ordered by time and not empty; ``persons`` are all who are counted in any of them, sorted;
    ``peak`` is the largest count of any window.
    """

    symptom_group: str
    windows: tuple[Window, ...]
    persons: tuple[P, ...]
    peak: int

    @property
    def start(self) -> date:
        """First day of the first window."""
        return self.windows[0].start

    @property
    def end(self) -> date:
        """Last day of the last window: an onset day."""
        return self.windows[-1].end


def find_clusters(onsets: Iterable[Onset[P]], rule: CountRule) -> tuple[Cluster[P], ...]:
    """Every cluster among the onsets of *one* group of persons (a class, a dormitory room) under ``rule``.

    For each symptom group that occurs, the onsets with that group and those with unknown symptoms are taken.
    A window ends on an onset day e and spans [e - window_days + 1, e]; it holds when the number of distinct
    persons with onset in it is at least ``min_cases``. Holding windows that overlap or follow without a free
    day between them form one cluster. A cluster is kept if at least one of its persons is known to have the
    group: otherwise nothing says that the cases are of this kind.

    Unknown onsets alone are chained in the same way under :data:`UNKNOWN`, and kept where no known group has
    already claimed them. (Unknown onsets count in every group, so an unknown cluster lies wholly inside one
    candidate cluster of each group: it is claimed as a whole or not at all.)

    Several onsets of a person on a day are one onset with the symptom groups of all: a record with symptoms
    completes a record without.

    Ordered by start, end, symptom group. Empty input gives no cluster. O(n log n) a symptom group.
    """
    merged: dict[tuple[date, P], frozenset[str]] = {}
    for onset in onsets:
        key = (onset.on, onset.person)
        merged[key] = merged.get(key, frozenset()) | onset.symptom_groups
    cases = sorted(((on, person, groups) for (on, person), groups in merged.items()), key=lambda c: c[:2])

    kept: list[Cluster[P]] = []
    claimed: set[tuple[date, P]] = set()
    for group in sorted({name for _, _, groups in cases for name in groups}):
        eligible = [
            (on, person, group in groups) for on, person, groups in cases if group in groups or not groups
        ]
        for cluster, members in _chain(group, eligible, rule):
            if any(known for _, _, known in members):
                kept.append(cluster)
                claimed.update((on, person) for on, person, _ in members)

    unknown = [(on, person, False) for on, person, groups in cases if not groups]
    for cluster, members in _chain(UNKNOWN, unknown, rule):
        if not any((on, person) in claimed for on, person, _ in members):
            kept.append(cluster)
    return tuple(sorted(kept, key=lambda c: (c.start, c.end, c.symptom_group)))


def _chain(
    group: str, cases: Sequence[tuple[date, P, bool]], rule: CountRule
) -> list[tuple[Cluster[P], list[tuple[date, P, bool]]]]:
    """Candidate clusters with the (day, person, known to have the group) that each counts.

    ``cases`` are distinct by day and person and sorted by day. Two indices walk over them, so that a long
    term costs no more than its cases.
    """
    span = timedelta(days=rule.window_days - 1)
    in_window: Counter[P] = Counter()
    known_in_window: Counter[P] = Counter()
    chains: list[tuple[list[Window], int, int]] = []
    first = 0
    for last, (end, person, known) in enumerate(cases):
        in_window[person] += 1
        if known:
            known_in_window[person] += 1
        if last + 1 < len(cases) and cases[last + 1][0] == end:
            continue  # the day is not complete
        start = end - span
        while cases[first][0] < start:
            _, gone, was_known = cases[first]
            _take_one(in_window, gone)
            if was_known:
                _take_one(known_in_window, gone)
            first += 1
        count = len(in_window)
        if count < rule.min_cases or not rule.judges(end):
            continue
        window = Window(start, end, count, count - len(known_in_window))
        if chains and start <= chains[-1][0][-1].end + timedelta(days=1):
            windows, low, _ = chains[-1]
            chains[-1] = ([*windows, window], low, last + 1)
        else:
            chains.append(([window], first, last + 1))

    found = []
    for windows, low, high in chains:
        members = list(cases[low:high])
        persons = tuple(sorted({person for _, person, _ in members}))
        peak = max(window.count for window in windows)
        found.append((Cluster(group, tuple(windows), persons, peak), members))
    return found


def _take_one(counter: Counter[P], person: P) -> None:
    counter[person] -= 1
    if not counter[person]:
        del counter[person]
