"""How early, how often, at what price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.detection.school.terms import BoolArray, Term, days_with_linked_cases, outbreaks_of

LEAST_SIZE = 5
"""Known linked cases from which on a chain in a school is called an outbreak."""

BEFORE, AFTER = 0, 5
"""School days around linked cases within which an alarm is not false: windows look back up to five days."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One method at one setting on one term.

    found: for each outbreak, the school day of the first alarm within it, infinite where none.
    false_alarms: runs of alarm days away from linked cases. school_terms: schools with a whole term.
    alarms: runs of alarm days, true or false.
    """

    found: npt.NDArray[np.float64]
    false_alarms: int
    alarms: int
    school_terms: int


def measure(term: Term, alarms: BoolArray) -> Result:
    near = days_with_linked_cases(term, BEFORE, AFTER)
    starts = alarms & ~np.pad(alarms, ((0, 0), (1, 0)))[:, :-1]
    found = []
    for outbreak in outbreaks_of(term, LEAST_SIZE):
        days = np.flatnonzero(alarms[outbreak.school, outbreak.first : outbreak.last + 1])
        found.append(float(outbreak.first + days[0]) if days.size else np.inf)
    return Result(np.array(found), int((starts & ~near).sum()), int(starts.sum()), term.n_schools)


def leads(own: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """School days by which ``own`` was earlier, over the outbreaks that either found; infinite where only
    one did.
    """
    either = np.isfinite(own) | np.isfinite(reference)
    return reference[either] - own[either]
