"""A term of checks: what the schools wrote down, and what was true."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from xiaodun.engine.calendar import SchoolCalendar
from xiaodun.engine.simulation.cases import CASE, Setting
from xiaodun.engine.simulation.census import Census, GroupKind
from xiaodun.engine.simulation.epidemic import spread
from xiaodun.engine.simulation.everyday import everyday
from xiaodun.engine.simulation.parameters import SYMPTOM_GROUPS, Picture, background, diseases
from xiaodun.engine.simulation.world import Flags, Ints, World

__all__ = ["OUTBREAK", "WINDOW", "Counts", "Level", "SimulatedTerm", "simulate_term"]

Rows = npt.NDArray[np.void]
Level = Literal["class", "room", "grade", "institution", "district"]

OUTBREAK = np.dtype(
    [
        ("outbreak", "i4"), ("disease", "u1"), ("institution", "i4"), ("group", "i4"), ("start", "i2"),
        ("end", "i2"), ("infections", "i4"), ("cases", "i4"), ("reported", "i4"), ("setting", "u1"),
    ]
)  # fmt: skip
WINDOW = np.dtype(
    [
        ("unit", "i4"), ("disease", "u1"), ("start", "i2"), ("end", "i2"), ("first_report", "i2"),
        ("cases", "i4"), ("reported", "i4"), ("linked", "i4"),
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Daily counts of units (rows) on days (columns), as the checks say.

    units: row numbers in the census (groups, grades, institutions) or district numbers.
    headcount: members of the unit's groups that met; 0 on days without school.
    checked: members of those whose check was made; the counts say nothing about the others.
    absent_ill, absent_other: persons missing with and without a known illness.
    by_report: (symptom groups, units, days) illnesses by the day of the first check that holds them.
    by_onset: the same by day of onset, for illnesses known at the end of the term.
    symptom_groups: names of the first axis. An illness with symptoms of two groups counts in both.
    """

    units: Ints
    headcount: npt.NDArray[np.int32]
    checked: npt.NDArray[np.int32]
    absent_ill: npt.NDArray[np.int32]
    absent_other: npt.NDArray[np.int32]
    by_report: npt.NDArray[np.int32]
    by_onset: npt.NDArray[np.int32]
    symptom_groups: tuple[str, ...] = SYMPTOM_GROUPS


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedTerm:
    """Checks of a term with the truth beside.

    groups: rows of the census of the classes and departments, which are the units of level ``class``.
    cases: infections with the diseases, all of them (:data:`CASE`), by disease, day and person.
    background: illness outside the outbreaks, likewise; both hold the day on which a check first said so.
    leave, late: (person, day) of other absence and of coming late.
    submitted, sent_late: (groups, days).
    """

    seed: int
    world: World
    groups: Ints
    cases: Rows
    background: Rows
    leave: tuple[Ints, Ints]
    late: tuple[Ints, Ints]
    submitted: Flags
    sent_late: Flags

    @property
    def census(self) -> Census:
        return self.world.census

    @property
    def days(self) -> tuple[date, ...]:
        return self.world.days

    @property
    def is_school_day(self) -> Flags:
        return self.world.is_school_day

    @property
    def is_class(self) -> Flags:
        """Of each row of ``groups``, whether it is a class (the others are departments of staff)."""
        return np.asarray(self.census.groups["kind"][self.groups] == GroupKind.CLASS)

    @property
    def tree(self) -> Mapping[Level, Ints]:
        """For each row of ``groups`` its unit of each level above; -1 where it has none."""
        groups = self.census.groups[self.groups]
        institutions = groups["institution"].astype(np.int64)
        return {
            "class": self.groups,
            "grade": groups["grade"].astype(np.int64),
            "institution": institutions,
            "district": self.census.institutions["district"][institutions].astype(np.int64),
        }

    def picture(self, case: np.void) -> Picture:
        """The symptoms of one row of ``cases`` or ``background``."""
        return _pictures()[int(case["disease"])][int(case["picture"])]

    def counts(self, level: Level = "class", *, known_on: int | None = None) -> Counts:
        """The counts of each unit of a level (rooms hold boarders only and have no checks of their own).

        Args:
            known_on: as they stood after the checks of this day, later days 0; the whole term if not given.
        """
        last = self.world.n_days - 1 if known_on is None else known_on
        unit_of_person, units = self._units(level)
        shape = (len(units), self.world.n_days)
        rows = np.concatenate([self.cases, self.background])
        rows = rows[(rows["reported"] >= 0) & (rows["reported"] <= last)]
        rows = rows[unit_of_person[rows["person"]] >= 0]
        unit = unit_of_person[rows["person"]]
        home = self._home_row(rows["person"])
        masks = _group_masks()[rows["disease"], rows["picture"]]
        by_report = np.zeros((len(SYMPTOM_GROUPS), *shape), dtype=np.int32)
        by_onset = by_report.copy()
        for number in range(len(SYMPTOM_GROUPS)):
            is_of = (masks >> number & 1).astype(bool)
            for found, field in ((by_report, "reported"), (by_onset, "onset")):
                day = rows[field][is_of].astype(np.int64)
                found[number] = _tally(unit[is_of], day, shape)
        away = rows["stays_home"] & (rows["reported"] <= rows["ill_until"])
        absent_ill = self._stays(rows[away], unit[away], home[away], "reported", "ill_until", shape, last)
        other = self._absent_otherwise(unit_of_person, shape, last)
        headcount, checked = self._heads(unit_of_person, units)
        if known_on is not None:
            checked[:, known_on + 1 :] = 0
        return Counts(units, headcount, checked, absent_ill, other, by_report, by_onset)

    def outbreaks(self) -> Rows:
        """One row of :data:`OUTBREAK` for each introduction and all that came from it.

        ``outbreak`` is the row of the first case, ``group`` and ``institution`` where it happened, ``start``
        and ``end`` the first and last day of infection; ``cases`` are those that showed, ``reported`` of them
        known.
        """
        cases = self.cases
        first, inverse, size = np.unique(cases["outbreak"], return_inverse=True, return_counts=True)
        found = np.zeros(len(first), dtype=OUTBREAK)
        found["outbreak"], found["infections"] = first, size
        root = cases[first]
        found["disease"], found["setting"], found["start"] = (
            root["disease"],
            root["setting"],
            root["infected"],
        )
        found["end"] = -1
        np.maximum.at(found["end"], inverse, cases["infected"])
        found["cases"] = np.bincount(inverse, cases["symptomatic"], len(first))
        found["reported"] = np.bincount(inverse, cases["reported"] >= 0, len(first))
        found["group"] = self.census.persons["group"][root["person"]]
        found["institution"] = self.census.persons["institution"][root["person"]]
        return found

    def windows(self, level: Level = "class", *, min_cases: int = 3) -> Rows:
        """Stretches of time in which a unit had a cluster of a disease, as rows of :data:`WINDOW`.

        Cases that showed in the unit belong together while the next onset follows within the disease's
        longest incubation; a window has ``min_cases`` of them, at least one ``linked``: infected by a case of
        the unit or by a common source. ``start`` and ``end`` are the first and last onset, ``first_report``
        the first check that held one of them (-1 if none did).
        """
        unit_of_person, units = self._units(level)
        cases = self.cases[self.cases["symptomatic"] & (self.cases["onset"] < self.world.n_days)]
        unit = unit_of_person[cases["person"]]
        infector = self.cases["person"][np.maximum(cases["infector"], 0)]
        linked = (cases["infector"] >= 0) & (unit_of_person[infector] == unit)
        linked |= cases["setting"] == Setting.SOURCE
        belongs = unit >= 0
        cases, unit, linked = cases[belongs], unit[belongs], linked[belongs]
        order = np.lexsort((cases["onset"], cases["disease"], unit))
        cases, unit, linked = cases[order], unit[order], linked[order]
        if not len(cases):
            return np.zeros(0, dtype=WINDOW)
        longest = np.zeros(max(d.number for d in diseases().values()) + 1, dtype=np.int64)
        for disease in diseases().values():
            longest[disease.number] = len(disease.incubation) - 1
        gap = np.diff(cases["onset"].astype(np.int64)) > longest[cases["disease"][1:]]
        differs = (unit[1:] != unit[:-1]) | (cases["disease"][1:] != cases["disease"][:-1]) | gap
        window = np.concatenate([[0], np.cumsum(differs)])
        found = np.zeros(int(window[-1]) + 1, dtype=WINDOW)
        first = np.flatnonzero(np.concatenate([[True], differs]))
        last = np.concatenate([first[1:], [len(cases)]]) - 1
        found["unit"], found["disease"] = units[unit[first]], cases["disease"][first]
        found["start"], found["end"] = cases["onset"][first], cases["onset"][last]
        found["cases"] = np.bincount(window)
        found["linked"] = np.bincount(window, linked)
        is_reported = cases["reported"] >= 0
        found["reported"] = np.bincount(window, is_reported)
        earliest = np.full(len(found), self.world.n_days, dtype=np.int64)
        np.minimum.at(earliest, window[is_reported], cases["reported"][is_reported])
        found["first_report"] = np.where(earliest < self.world.n_days, earliest, -1)
        return found[(found["cases"] >= min_cases) & (found["linked"] > 0)]

    # --- parts of the counts ----------------------------------------------------------------------------

    def _home_row(self, person: npt.NDArray[np.integer]) -> Ints:
        return np.asarray(np.searchsorted(self.groups, self.census.persons["group"][person]))

    def _units(self, level: Level) -> tuple[Ints, Ints]:
        """The unit of each person as a position among the units of the level (-1 none), and these units."""
        persons = self.census.persons
        if level == "room":
            unit = persons["room"].astype(np.int64)
        else:
            unit = self.tree[level][self._home_row(np.arange(len(persons)))]
        units = np.unique(unit[unit >= 0])
        position = np.searchsorted(units, unit)
        return np.where(unit >= 0, position, -1), units

    def _heads(
        self, unit_of_person: Ints, units: Ints
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Members who met, and of those the ones whose check was made."""
        home = self._home_row(np.arange(len(unit_of_person)))
        belongs = unit_of_person >= 0
        keys, number = np.unique(
            unit_of_person[belongs] * len(self.groups) + home[belongs], return_counts=True
        )
        unit, group = np.divmod(keys, len(self.groups))
        meets = self.world.meets(self.groups)
        headcount = np.zeros((len(units), self.world.n_days), dtype=np.int32)
        checked = headcount.copy()
        np.add.at(headcount, unit, number[:, None].astype(np.int32) * meets[group])
        np.add.at(checked, unit, number[:, None].astype(np.int32) * self.submitted[group])
        return headcount, checked

    def _stays(
        self, rows: Rows, unit: Ints, home: Ints, first: str, end: str, shape: tuple[int, int], last: int
    ) -> npt.NDArray[np.int32]:
        """Person-days from ``first`` to ``end`` on which the home group's check was made."""
        start = rows[first].astype(np.int64)
        length = np.maximum(np.minimum(rows[end].astype(np.int64), last) - start + 1, 0)
        day = (
            np.repeat(start, length) + np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        )
        unit, home = np.repeat(unit, length), np.repeat(home, length)
        seen = self.submitted[home, day]
        return _tally(unit[seen], day[seen], shape)

    def _absent_otherwise(
        self, unit_of_person: Ints, shape: tuple[int, int], last: int
    ) -> npt.NDArray[np.int32]:
        """Leave, and absence of which the school does not know yet, or never, that it is an illness."""
        rows = np.concatenate([self.cases, self.background])
        rows = rows[rows["symptomatic"] & rows["stays_home"] & (unit_of_person[rows["person"]] >= 0)].copy()
        known = (rows["reported"] >= 0) & (rows["reported"] <= last)
        until = np.where(known, rows["reported"].astype(np.int64) - 1, rows["ill_until"])
        rows["ill_until"] = np.minimum(until, rows["ill_until"])
        rows = rows[rows["missed_from"] < self.world.n_days]
        unit, home = unit_of_person[rows["person"]], self._home_row(rows["person"])
        found = self._stays(rows, unit, home, "missed_from", "ill_until", shape, last)
        person, day = self.leave
        is_in = (unit_of_person[person] >= 0) & (day <= last)
        person, day = person[is_in], day[is_in]
        seen = self.submitted[self._home_row(person), day]
        return found + _tally(unit_of_person[person][seen], day[seen], shape)


def simulate_term(
    census: Census,
    *,
    seed: int,
    calendar: SchoolCalendar,
    first: date,
    last: date,
    only: Collection[str] | None = None,
    severity: float = 1.0,
) -> SimulatedTerm:
    """Let a term pass over ``census``, from ``first`` to ``last``, both included.

    The same arguments give the same bytes on every machine; another seed another term of the same people.

    Args:
        calendar: the schools' days; 调休 and holidays are taken from it.
        only: codes of the diseases that occur; all if not given, none for the background alone.
        severity: factor on infection from the community, for seasonal diseases; 1 is a usual season.

    Raises ``ValueError`` for a negative seed or severity, an unknown disease, or days that do not ascend.
    """
    if seed < 0:
        raise ValueError(f"a seed is a whole number from 0, not {seed}")
    if severity < 0:
        raise ValueError(f"a season's severity is a factor from 0, not {severity}")
    known = diseases()
    codes = list(known) if only is None else [code for code in known if code in only]
    if only is not None and (unknown := set(only) - set(known)):
        raise ValueError(f"unknown disease {min(unknown)}; known are {', '.join(known)}")
    world = World.of(census, calendar, first, last)
    kinds = census.groups["kind"]
    groups = np.flatnonzero((kinds == GroupKind.CLASS) | (kinds == GroupKind.DEPARTMENT))
    usual = everyday(world, groups, seed=seed)
    parts: list[Rows] = []
    rows_before = 0
    for code in codes:
        rows = spread(world, known[code], seed=seed, severity=severity)
        rows["infector"][rows["infector"] >= 0] += rows_before
        rows["outbreak"] += rows_before
        rows_before += len(rows)
        parts.append(rows)
    cases = np.concatenate(parts) if parts else np.zeros(0, dtype=CASE)
    usual_cases = _without_overlap(cases, usual.cases)
    group_of = census.persons["group"]
    for rows in (cases, usual_cases):
        rows["reported"] = _first_check(
            rows, np.searchsorted(groups, group_of[rows["person"]]), usual.submitted
        )
    return SimulatedTerm(
        seed, world, groups, cases, usual_cases, usual.leave, usual.late, usual.submitted, usual.sent_late
    )


def _first_check(rows: Rows, home: Ints, submitted: Flags) -> Ints:
    """The day of the first check that holds each illness, -1 if none does."""
    days = submitted.shape[1]
    following = np.full((len(submitted), days + 1), days, dtype=np.int64)
    following[:, :-1] = np.where(submitted, np.arange(days), days)
    following = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
    told_after = np.where(rows["stays_home"], rows["told_after"], 0).astype(np.int64)
    earliest = np.minimum(rows["missed_from"] + np.maximum(told_after, 0), days)
    day = following[home, earliest]
    is_ill = day <= rows["ill_until"]
    remembered = day - rows["ill_until"] <= background().reporting["remembered_days"]
    is_told = rows["tells_on_return"] & remembered
    is_seen = np.where(rows["stays_home"], told_after >= 0, rows["noticed"])
    known = rows["symptomatic"] & (day < days) & is_seen & (is_ill | is_told)
    return np.where(known, day, -1)


def _without_overlap(cases: Rows, usual: Rows) -> Rows:
    """Background illness without what meets an outbreak's illness, or an earlier one, of the same person."""
    showing = cases[cases["symptomatic"]]
    rows = np.concatenate([showing, usual])
    is_usual = np.arange(len(rows)) >= len(showing)
    drop = np.zeros(len(rows), dtype=bool)
    order = np.lexsort((rows["onset"], rows["person"]))
    end_of: dict[int, int] = {}
    person, onset, until = rows["person"][order], rows["onset"][order], rows["ill_until"][order]
    again = np.zeros(len(order), dtype=bool)
    again[1:] = person[1:] == person[:-1]
    again[:-1] |= again[1:]
    for at in np.flatnonzero(again):  # few are ill twice
        row, who = order[at], int(person[at])
        if is_usual[row] and onset[at] <= end_of.get(who, -2) + 1:
            drop[row] = True
        else:
            end_of[who] = max(int(until[at]), end_of.get(who, -2))
    later = {}
    for at in np.flatnonzero(again)[::-1]:
        row, who = order[at], int(person[at])
        if not is_usual[row]:
            later[who] = int(onset[at])
        elif not drop[row] and until[at] >= later.get(who, 1 << 30) - 1:
            drop[row] = True
    return rows[is_usual & ~drop]


def _pictures() -> Mapping[int, tuple[Picture, ...]]:
    return {0: background().pictures, **{each.number: each.pictures for each in diseases().values()}}


def _group_masks() -> Ints:
    """Symptom groups as bits by disease and picture."""
    pictures = _pictures()
    masks = np.zeros((max(pictures) + 1, max(len(each) for each in pictures.values())), dtype=np.int64)
    for number, each in pictures.items():
        for place, picture in enumerate(each):
            masks[number, place] = sum(1 << SYMPTOM_GROUPS.index(group) for group in picture.groups)
    return masks


def _tally(unit: Ints, day: Ints, shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    inside = (day >= 0) & (day < shape[1])
    flat = np.bincount(unit[inside] * shape[1] + day[inside], minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.int32)
