"""One term of one district as the methods see it, and the truth beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xiaodun.engine.detection.school import Hierarchy

IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

ALL = "all"
"""Series of every new case, whatever its symptoms."""


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """Cases as the school learns of them.

    days: the school days, shape (n_days,). hierarchy, pupils: of the classes.
    case_class, case_onset, case_known: class of each case, calendar day of onset, number of the school day
        on whose morning it was known. case_groups: (n_cases, n_groups), which symptom groups it has; all
        false: unknown.
    case_outbreak: number of the outbreak that it belongs to, -1 for background.
    groups: names of the symptom groups.
    """

    name: str
    days: npt.NDArray[np.datetime64]
    hierarchy: Hierarchy
    pupils: npt.NDArray[np.float64]
    groups: tuple[str, ...]
    case_class: IntArray
    case_onset: npt.NDArray[np.datetime64]
    case_known: IntArray
    case_groups: BoolArray
    case_outbreak: IntArray

    @property
    def n_schools(self) -> int:
        return int(self.hierarchy.school.max()) + 1

    def new_cases(self, group: str) -> npt.NDArray[np.float64]:
        """(n_classes, n_days): cases of the group (or of all) that became known on each school day."""
        chosen = np.ones(len(self.case_class), bool) if group == ALL else self.has(group)
        counts = np.zeros((self.pupils.size, self.days.size))
        np.add.at(counts, (self.case_class[chosen], self.case_known[chosen]), 1)
        return counts

    def has(self, group: str) -> BoolArray:
        found: BoolArray = self.case_groups[:, self.groups.index(group)]
        return found

    def series(self) -> tuple[str, ...]:
        """What is watched: all illness, and each symptom group that occurs."""
        return (ALL, *(group for group in self.groups if self.has(group).any()))


@dataclass(frozen=True, slots=True)
class Outbreak:
    """Linked cases of one school: school days from the first known case to the last."""

    school: int
    first: int
    last: int
    size: int


def outbreaks_of(term: Term, least: int) -> tuple[Outbreak, ...]:
    """Outbreaks with at least ``least`` known cases in a school; those that touch in time there are one.

    Two outbreaks of one school that overlap cannot be told apart by a count, so they are taken for one.
    """
    linked = term.case_outbreak >= 0
    school = term.hierarchy.school[term.case_class[linked]]
    known, number = term.case_known[linked], term.case_outbreak[linked]
    spans = []
    for key in sorted(set(zip(school.tolist(), number.tolist(), strict=True))):
        days = known[(school == key[0]) & (number == key[1])]
        if days.size >= least:
            spans.append((key[0], int(days.min()), int(days.max()), int(days.size)))
    merged: list[Outbreak] = []
    for each in sorted(spans):
        if merged and merged[-1].school == each[0] and each[1] <= merged[-1].last + 1:
            before = merged.pop()
            merged.append(
                Outbreak(before.school, before.first, max(before.last, each[2]), before.size + each[3])
            )
        else:
            merged.append(Outbreak(*each))
    return tuple(merged)


def days_with_linked_cases(term: Term, before: int, after: int) -> BoolArray:
    """(n_schools, n_days): whether a linked case became known within so many school days before or after.

    An alarm on such a day is not false, however small the chain.
    """
    near = np.zeros((term.n_schools, term.days.size), bool)
    linked = term.case_outbreak >= 0
    school = term.hierarchy.school[term.case_class[linked]]
    for shift in range(-before, after + 1):
        day = term.case_known[linked] + shift
        inside = (day >= 0) & (day < term.days.size)
        near[school[inside], day[inside]] = True
    return near
