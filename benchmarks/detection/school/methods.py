"""The methods compared. Each gives, for a setting, the school days on which each school has an alarm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.detection.school.terms import ALL, BoolArray, Term
from xiaodun.engine.detection import Cusum, EarsC1, EarsC2, EarsC3
from xiaodun.engine.detection.school import SchoolDetector

Alarms = Callable[[Term, float], BoolArray]

LEAST = 2
"""Cases that a day must have before any method may alarm: one child is no cluster."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method and the settings tried, from strict to lax; what the setting is, in words."""

    name: str
    alarms: Callable[[Term, Sequence[float]], list[BoolArray]]
    settings: tuple[float, ...]
    setting: str


def norm_2006(term: Term, setting: float) -> BoolArray:
    """Three similar cases in a class by onset on one day, or five in three calendar days; unknown counts
    everywhere.
    """
    del setting
    return _count_rules(term, ((3, 1), (5, 3)))


def lower_norm(term: Term, setting: float) -> BoolArray:
    """The norm's rule with other numbers: ``setting`` cases in a class within three calendar days."""
    return _count_rules(term, ((int(setting), 3),))


def _count_rules(term: Term, rules: tuple[tuple[int, int], ...]) -> BoolArray:
    first = term.days.min() - np.timedelta64(21, "D")
    place = (term.case_onset - first).astype(int)
    n_calendar = int(max((term.days.max() - first).astype(int), place.max(initial=0))) + 1
    alarms = np.zeros((term.n_schools, term.days.size), bool)
    unknown = ~term.case_groups.any(axis=1)
    order = np.argsort(term.case_known, kind="stable")
    starts = np.searchsorted(term.case_known[order], np.arange(term.days.size + 1))
    for group in term.groups:
        counted = term.has(group) | unknown
        onsets = np.zeros((term.pupils.size, n_calendar), int)
        for day in range(term.days.size):
            new = order[starts[day] : starts[day + 1]]
            new = new[counted[new]]
            if not new.size:
                continue
            touched = np.unique(term.case_class[new])
            before = onsets[touched].copy()
            np.add.at(onsets, (term.case_class[new], place[new]), 1)
            low = max(int(place[new].min()) - 3, 0)
            for least, length in rules:
                grew = _sums(onsets[touched, low:], length)
                holds = (grew >= least) & (grew > _sums(before[:, low:], length))
                alarms[term.hierarchy.school[touched[holds.any(axis=1)]], day] = True
    return alarms


def _sums(values: npt.NDArray[np.int_], length: int) -> npt.NDArray[np.int_]:
    sums = np.cumsum(values, axis=1)
    sums[:, length:] = sums[:, length:] - sums[:, :-length].copy()
    return sums


def absence_share(term: Term, setting: float) -> BoolArray:
    """A class in which at least this share of the children became ill within the last three school days."""
    new = term.new_cases(ALL)
    away = _sums(new.astype(int), 3)
    return _of_schools(term, away >= setting * term.pupils[:, None], term.hierarchy.school)


def _levels(term: Term) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Number of the unit of each class, and school of each unit: classes, grades, schools."""
    hierarchy = term.hierarchy
    yield np.arange(hierarchy.school.size), hierarchy.school
    school_of_grade = np.zeros(int(hierarchy.grade.max()) + 1, dtype=np.intp)
    school_of_grade[hierarchy.grade] = hierarchy.school
    yield hierarchy.grade, school_of_grade
    yield hierarchy.school, np.arange(term.n_schools)


def _of_schools(term: Term, alarm: BoolArray, owner: npt.NDArray[np.intp]) -> BoolArray:
    found = np.zeros((term.n_schools, term.days.size), bool)
    np.logical_or.at(found, owner, alarm)
    return found


def _over_units(term: Term, judge: Callable[[npt.NDArray[np.float64]], BoolArray]) -> BoolArray:
    """Any series of any unit: the published methods know no tree, so each is given every level's counts."""
    found = np.zeros((term.n_schools, term.days.size), bool)
    for group in term.series():
        new = term.new_cases(group)
        for unit, owner in _levels(term):
            counts = np.zeros((owner.size, term.days.size))
            np.add.at(counts, unit, new)
            found |= _of_schools(term, judge(counts), owner)
    return found


def ears(detector: EarsC1 | EarsC2 | EarsC3) -> Alarms:
    """``setting`` is the limit of the score: standard deviations above the mean, for C3 the sum of three
    days.
    """
    return lambda term, setting: _over_units(
        term, lambda counts: (np.nan_to_num(detector.detect(counts).score) > setting) & (counts >= LEAST)
    )


def cusum(term: Term, setting: float) -> BoolArray:
    """``setting`` is h; the mean is that of the first school days, of which there are no more in a new
    district.
    """
    detector = Cusum(h=setting, baseline=15)
    return _over_units(term, lambda counts: detector.detect(counts).alarm.filled(False) & (counts >= LEAST))


def school(**parameters: float) -> Callable[[Term, Sequence[float]], list[BoolArray]]:
    """One pass gives the price of every day of every school; a setting is the budget that the price must
    not exceed.
    """

    def alarms(term: Term, settings: Sequence[float]) -> list[BoolArray]:
        detector = SchoolDetector(term_days=term.days.size, **parameters)
        series = term.series()
        cheapest = np.full((term.n_schools, term.days.size), np.inf)
        for group in series:
            judged = detector.detect_tree(
                term.new_cases(group), term.hierarchy, dates=term.days, population=term.pupils
            )
            for level, (_, owner) in zip(("class", "grade", "school"), _levels(term), strict=True):
                price = np.nan_to_num(judged[level].diagnostics["price"], nan=np.inf)
                np.minimum.at(cheapest, owner, price)
        # Each series has its share of the budget.
        return [cheapest * len(series) <= setting for setting in settings]

    return alarms


def _each(alarms: Alarms) -> Callable[[Term, Sequence[float]], list[BoolArray]]:
    return lambda term, settings: [alarms(term, setting) for setting in settings]


_DEVIATIONS = (40, 30, 24, 20, 17, 14, 12, 10, 8, 6.5, 5, 4, 3)

NORM = "2006 norm"

METHODS = (
    Method(NORM, _each(norm_2006), (0.0,), "3 in a day or 5 in 3 days"),
    Method("norm with other numbers", _each(lower_norm), (9, 8, 7, 6, 5, 4, 3), "cases in a class in 3 days"),
    Method(
        "share of the class",
        _each(absence_share),
        (0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1),
        "new in 3 school days",
    ),
    Method("EARS C1", _each(ears(EarsC1(min_sigma=0.5))), _DEVIATIONS, "standard deviations"),
    Method("EARS C2", _each(ears(EarsC2(min_sigma=0.5))), _DEVIATIONS, "standard deviations"),
    Method("EARS C3", _each(ears(EarsC3(min_sigma=0.5))), (60, *_DEVIATIONS, 2), "limit"),
    Method("CUSUM", _each(cusum), (120, 90, 60, *_DEVIATIONS, 2.26), "h"),
    Method(
        "school", school(), (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0), "nominal budget"
    ),
)
