"""Early warning for schools: tiny counts, a short history, many classes that may lend each other strength.

A class has some 45 children and a new district has no past, so neither years of weeks (Farrington) nor a
spread of seven days (EARS) can be had. What can be had are the other classes: the rate of a class is drawn
towards that of its school, the school's towards the district's, in closed form (gamma-Poisson), anew every
school day. Counts of the last 1, 2, … ``max_days`` school days of every class, grade and school, and of the
district, are held against the negative binomial law that follows; all of these looks share one allowance of
false alarms, stated per school and term.

References:
  Clayton D, Kaldor J (1987) Empirical Bayes estimates of age-standardized relative risks for use in disease
    mapping. Biometrics 43:671-681. (gamma-Poisson shrinkage, moments)
  West M, Harrison J (1997) Bayesian forecasting and dynamic models, 2nd ed., ch. 10. Springer. (discounting
    of the past)
  Noufaily A et al. (2013) An improved algorithm for outbreak detection in multiple surveillance systems.
    Stat Med 32:1206-1222. (negative binomial bound with a dispersion of its own)
  Kulldorff M (2001) Prospective time periodic geographical disease surveillance using a scan statistic.
    J R Stat Soc A 164:61-72. (all sets of a hierarchy, all recent windows)
The combination, the allowance and the default numbers are this project's own; docs/algorithms/school.md
measures them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .base import Detection, as_counts, as_dates, as_population, masked_alarm, require
from .school_model import LEVELS, Judged, Memory, Tree, Windowed, judge, kinds_of_days, learn, window

__all__ = ["Hierarchy", "SchoolDetection", "SchoolDetector"]

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where each series (a class) belongs: the numbers of its grade and of its school, from 0, shape
    (n_series,).

    A grade lies in one school. Raises ``ValueError`` otherwise, and for numbers that leave gaps.
    """

    grade: IntArray
    school: IntArray

    def __post_init__(self) -> None:
        for name in ("grade", "school"):
            numbers = np.asarray(getattr(self, name), dtype=np.intp)
            require(numbers.ndim == 1 and numbers.size > 0, f"{name} must have one number a series")
            require(
                bool((np.bincount(numbers - numbers.min()) > 0).all()) and int(numbers.min()) == 0,
                f"the numbers of {name} must run from 0 without a gap",
            )
            object.__setattr__(self, name, numbers)
        require(self.grade.shape == self.school.shape, "grade and school must have the same shape")
        first = np.full(int(self.grade.max()) + 1, -1, dtype=np.intp)
        first[self.grade] = self.school
        require(bool((first[self.grade] == self.school).all()), "a grade must lie in one school")

    @classmethod
    def single(cls, n_series: int) -> Hierarchy:
        """All series as the classes of one grade of one school."""
        zeros = np.zeros(n_series, dtype=np.intp)
        return cls(zeros, zeros)


@dataclass(frozen=True, slots=True, eq=False)
class SchoolDetection:
    """One :class:`Detection` a level ("class", "grade", "school", "district"), units in the order of their
    numbers.

    ``expected`` and ``upperbound`` belong to the one-day window; ``score`` is -log10 of the smallest tail
    probability of any window (at most 9). Diagnostics: ``price``, the false alarms a term that a school (for
    the district: the district) would have if everything as unusual as this alarmed, from the model: a unit
    alarms where its price is within the budget; ``days``, the length of the window with the smallest
    probability; ``observed`` and ``usual``, its count and expectation.
    """

    levels: Mapping[str, Detection]

    def __getitem__(self, level: str) -> Detection:
        return self.levels[level]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolDetector:
    """Gamma-Poisson early warning over classes, grades, schools and the district.

    max_days: longest window, in school days, >= 1.
    wait: school days after which a day is learnt, so that an outbreak does not raise its own bound, >= 1.
    memory: school days after which a day of the past counts half, > 0.
    level_memory: the same for the common level of the district, which follows seasons, > 0.
    school_shape, class_shape: prior belief how like each other schools of the district, and classes of a
        school, are:
        shape of the gamma law of their relative rates (its squared coefficient of variation is 1 / shape),
        > 0; the data take over as they come.
    min_cases: a window with fewer cases never alarms, >= 1.
    warm_up: school days at the start that are never judged, >= 1.
    budget: false alarms allowed for a school in a term, for these series together; several syndromes share
        one budget, each judged with its part, > 0. The district as a whole has the same allowance once.
    term_days: school days in a term, over which the budget is spread, >= 1.
    overlap: looks at overlapping windows and following days alarm together; this many of them are taken for
        one, >= 1.

    Raises ``ValueError`` for a parameter outside its range.
    """

    method: ClassVar[str] = "school"

    max_days: int = 5
    wait: int = 4
    memory: float = 30.0
    level_memory: float = 10.0
    school_shape: float = 10.0
    class_shape: float = 20.0
    min_cases: int = 2
    warm_up: int = 5
    budget: float = 1.0
    term_days: int = 90
    overlap: float = 2.0

    def __post_init__(self) -> None:
        for name, least in (("max_days", 1), ("wait", 1), ("min_cases", 1), ("warm_up", 1), ("term_days", 1)):
            require(
                getattr(self, name) >= least, f"{name} must be at least {least}, not {getattr(self, name)}"
            )
        for name in ("memory", "level_memory", "school_shape", "class_shape", "budget"):
            require(getattr(self, name) > 0, f"{name} must be above 0, not {getattr(self, name)}")
        require(self.overlap >= 1, f"overlap must be at least 1, not {self.overlap}")

    def detect(
        self,
        counts: npt.ArrayLike,
        *,
        dates: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
    ) -> Detection:
        """Judge every series as a class of one school; see
        :meth:`xiaodun.engine.detection.base.Detector.detect`.
        """
        values, shape = as_counts(counts)
        found = self.detect_tree(values, Hierarchy.single(len(values)), dates=dates, population=population)[
            "class"
        ]
        return Detection(
            expected=found.expected.reshape(shape),
            upperbound=found.upperbound.reshape(shape),
            score=found.score.reshape(shape),
            alarm=found.alarm.reshape(shape),
            diagnostics={name: array.reshape(shape) for name, array in found.diagnostics.items()},
        )

    def detect_tree(
        self,
        counts: npt.ArrayLike,
        hierarchy: Hierarchy,
        *,
        dates: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
    ) -> SchoolDetection:
        """Judge every class, grade and school, and the district, on every school day by the days before it.

        counts: shape (n_classes, n_days), new cases known on each school day since the one before (those
            who fell ill on a weekend are known on Monday); NaN where a class was not checked.
        hierarchy: of the classes. dates: the school days; without them every day counts alike.
        population: children, broadcastable to the counts; without it every class counts alike.

        Raises ``ValueError`` for shapes that do not fit.
        """
        values, _ = as_counts(counts)
        n_classes, n_days = values.shape
        require(
            hierarchy.school.shape == (n_classes,),
            f"hierarchy has {hierarchy.school.size} series, the counts have {n_classes}",
        )
        children = as_population(1.0 if population is None else population, values.shape)
        tree = Tree(hierarchy.grade, hierarchy.school)
        past = learn(
            values,
            children,
            kinds_of_days(None if dates is None else as_dates(dates, n_days), n_days),
            tree,
            Memory(
                self.memory,
                self.level_memory,
                self.wait,
                self.school_shape,
                self.class_shape,
            ),
        )
        lengths = range(1, self.max_days + 1)
        windows = {
            level: [window(past, tree, level, length, self.wait, self.warm_up) for length in lengths]
            for level in LEVELS
        }
        judged = judge(
            windows, tree, least=self.min_cases, looks=self.term_days / self.overlap, budget=self.budget
        )
        return SchoolDetection(
            {level: _as_detection(windows[level], judged[level], self.budget) for level in LEVELS}
        )


def _as_detection(windows: list[Windowed], judged: Judged, budget: float) -> Detection:
    undefined = np.isnan(judged.score)
    with np.errstate(invalid="ignore"):
        alarm = judged.price <= budget
    return Detection(
        expected=windows[0].usual,
        upperbound=judged.upperbound,
        score=judged.score,
        alarm=masked_alarm(alarm, undefined),
        diagnostics={
            "price": judged.price,
            "days": judged.days,
            "observed": judged.observed,
            "usual": judged.usual,
        },
    )
