"""Line lists of school outbreaks, real and simulated, on one footing: attack rates, clustering, curve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt

from xiaodun.engine.simulation.plan import InstitutionPlan, Kind, streets
from xiaodun.engine.simulation.term import SimulatedTerm
from xiaodun.engine.simulation.world import Ints

__all__ = ["LineList"]

_FIRST_AGE = 5  # of a pupil in the year before the first grade
_NEAR_DAYS = (1, 4)
_WEEK = 7


@dataclass(frozen=True, slots=True, eq=False)
class LineList:
    """Cases with onset day (from ``first``) and class, over classes with their sizes, schools and grades."""

    first: date
    onset: Ints
    group: Ints
    size: Ints
    school: Ints
    grade: Ints

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, str]], *, first: date) -> Self:
        """From rows with ``school``, ``grade``, ``class`` and ``onset_date`` (empty for who stayed well)."""
        listed = [((int(row["school"]), int(row["grade"]), row["class"]), row["onset_date"]) for row in rows]
        sizes = Counter(group for group, _ in listed)
        groups = sorted(sizes)
        schools = sorted({school for school, _, _ in groups})
        place = {group: number for number, group in enumerate(groups)}
        ill = [(date.fromisoformat(onset), place[group]) for group, onset in listed if onset]
        return cls(
            first=first,
            onset=np.array([(onset - first).days for onset, _ in ill], dtype=np.int64),
            group=np.array([group for _, group in ill], dtype=np.int64),
            size=np.array([sizes[group] for group in groups], dtype=np.int64),
            school=np.array([schools.index(school) for school, _, _ in groups], dtype=np.int64),
            grade=np.array([grade for _, grade, _ in groups], dtype=np.int64),
        )

    @classmethod
    def of_term(cls, term: SimulatedTerm, disease: int) -> Self:
        """The pupils who fell ill with one disease (its number) before the end of a simulated term."""
        rows = np.flatnonzero(term.is_class)
        groups = term.census.groups[term.groups[rows]]
        place = np.full(len(term.census.groups), -1, dtype=np.int64)
        place[term.groups[rows]] = np.arange(len(rows))
        cases = term.cases[(term.cases["disease"] == disease) & term.cases["symptomatic"]]
        cases = cases[cases["onset"] < len(term.days)]
        group = place[term.census.persons["group"][cases["person"]]]
        return cls(
            first=term.days[0],
            onset=cases["onset"][group >= 0].astype(np.int64),
            group=group[group >= 0],
            size=groups["size"].astype(np.int64),
            school=np.unique(groups["institution"], return_inverse=True)[1].astype(np.int64),
            grade=term.census.grades["year"][groups["grade"]].astype(np.int64) + 1,
        )

    def plans(self) -> tuple[InstitutionPlan, ...]:
        """Primary schools with as many classes in each grade and about the same class sizes."""
        plans = []
        for school in range(int(self.school.max()) + 1):
            own = self.school == school
            classes = Counter(self.grade[own].tolist())
            middle = round(float(self.size[own].mean()))
            spread = min(4, middle - 1)
            plans.append(
                InstitutionPlan(
                    district=0,
                    kind=Kind.PRIMARY,
                    number=school + 1,
                    is_public=True,
                    machines=0,
                    street=school % streets(),
                    grades=tuple((_FIRST_AGE + grade, classes[grade]) for grade in sorted(classes)),
                    class_size=(middle - spread, middle + spread),
                )
            )
        return tuple(plans)

    @property
    def attack_rate(self) -> float:
        """Cases by pupils."""
        return len(self.onset) / int(self.size.sum())

    @property
    def attack_rate_by_class(self) -> npt.NDArray[np.float64]:
        return np.asarray(np.bincount(self.group, minlength=len(self.size)) / self.size)

    @property
    def dispersion(self) -> float:
        """Variance of class counts around their school's rate, by the binomial's: 1 without clustering."""
        cases = np.bincount(self.group, minlength=len(self.size))
        of_school = np.bincount(self.school, cases) / np.bincount(self.school, self.size)
        rate = of_school[self.school]
        return float(((cases - self.size * rate) ** 2).sum() / (self.size * rate * (1 - rate)).sum())

    @property
    def same_class_ratio(self) -> float:
        """How much more often cases of a school 1 to 4 days apart share a class than pupils do by chance."""
        seen = expected = 0.0
        for school in range(int(self.school.max()) + 1):
            size = self.size[self.school == school].astype(np.float64)
            own = self.school[self.group] == school
            apart = self.onset[own][:, None] - self.onset[own]
            is_near = (apart >= _NEAR_DAYS[0]) & (apart <= _NEAR_DAYS[1])
            seen += float(((self.group[own][:, None] == self.group[own]) & is_near).sum())
            chance = (size * (size - 1)).sum() / (size.sum() * (size.sum() - 1))
            expected += float(is_near.sum() * chance)
        return seen / expected if expected else float("nan")

    @property
    def by_week(self) -> Ints:
        """Onsets of each week from ``first``."""
        return np.bincount(self.onset // _WEEK).astype(np.int64)

    @property
    def peak_share(self) -> float:
        """The largest week's share of all cases."""
        return float(self.by_week.max() / len(self.onset)) if len(self.onset) else float("nan")
