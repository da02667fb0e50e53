"""How good a detector is, against series whose outbreaks are known.

Definitions of Bédubourg & Le Strat (2017) PLoS ONE 12(7):e0181227, after Noufaily et al. (2013). The arrays
all have shape (n_series, n_times), or (n_times,) for one series, and are restricted by the caller to the
times under test:

alarms: what a detector said. A masked alarm counts as «no alarm»: a method that cannot judge has not warned.
outbreak: True at the times that have cases of a planted or known outbreak.

A rate without any case to compute it from (no outbreak, no alarm) is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .base import FloatArray, require

__all__ = [
    "Confusion",
    "confusion",
    "false_positive_rate",
    "lead_times",
    "probability_of_detection",
    "probability_of_detection_in_first_week",
]

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Times by truth and alarm; the rates are shares in 0..1, NaN where their base is empty.

    true_positive: outbreak and alarm. false_positive: alarm alone. false_negative: outbreak alone.
        true_negative: neither.
    """

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def sensitivity(self) -> float:
        """Share of the outbreak times with an alarm."""
        return _share(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> float:
        """Share of the other times without an alarm."""
        return _share(self.true_negative, self.true_negative + self.false_positive)

    @property
    def positive_predictive_value(self) -> float:
        """Share of the alarms at outbreak times."""
        return _share(self.true_positive, self.true_positive + self.false_positive)

    @property
    def negative_predictive_value(self) -> float:
        """Share of the times without an alarm that have no outbreak."""
        return _share(self.true_negative, self.true_negative + self.false_negative)

    @property
    def f1(self) -> float:
        """Harmonic mean of sensitivity and positive predictive value."""
        return _share(
            2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative
        )


def confusion(alarms: npt.ArrayLike, outbreak: npt.ArrayLike) -> Confusion:
    """Count every time of every series in one of four cells. Raises ``ValueError`` if the shapes differ."""
    alarm, truth = _pair(alarms, outbreak)
    return Confusion(
        true_positive=int((alarm & truth).sum()),
        false_positive=int((alarm & ~truth).sum()),
        false_negative=int((~alarm & truth).sum()),
        true_negative=int((~alarm & ~truth).sum()),
    )


def false_positive_rate(alarms_without_outbreak: npt.ArrayLike) -> float:
    """FPR: share of the times with an alarm in the same series without the current outbreak."""
    alarm = _alarms(alarms_without_outbreak)
    return _share(int(alarm.sum()), alarm.size)


def probability_of_detection(alarms: npt.ArrayLike, outbreak: npt.ArrayLike) -> float:
    """POD: share of the series with an outbreak that have an alarm in at least one of its times."""
    alarm, truth = _pair(alarms, outbreak)
    with_outbreak = np.asarray(truth.any(axis=1))
    detected = np.asarray((alarm & truth).any(axis=1))
    return _share(int(detected[with_outbreak].sum()), int(with_outbreak.sum()))


def probability_of_detection_in_first_week(alarms: npt.ArrayLike, outbreak: npt.ArrayLike) -> float:
    """POD1week: share of the series with an outbreak that have an alarm in the first of its times."""
    alarm, truth = _pair(alarms, outbreak)
    with_outbreak = np.asarray(truth.any(axis=1))
    first = truth.argmax(axis=1)
    hit = alarm[np.arange(alarm.shape[0]), first]
    return _share(int(hit[with_outbreak].sum()), int(with_outbreak.sum()))


def lead_times(alarms: npt.ArrayLike, reference_alarms: npt.ArrayLike, outbreak: npt.ArrayLike) -> FloatArray:
    """How many times earlier the first alarm within each series' outbreak came than the reference's; shape
    (n_series,).

    Positive: earlier than the reference; negative: later. Infinite where only these alarms found the
    outbreak, minus infinity where only the reference did, NaN where neither did or the series has none.
    """
    alarm, truth = _pair(alarms, outbreak)
    reference, _ = _pair(reference_alarms, outbreak)

    def first(found: BoolArray) -> FloatArray:
        hits = found & truth
        return np.where(hits.any(axis=1), hits.argmax(axis=1).astype(np.float64), np.inf)

    own, other = first(alarm), first(reference)
    neither = np.isinf(own) & np.isinf(other)
    return np.subtract(other, own, out=np.full_like(own, np.nan), where=~neither)


def _alarms(alarms: npt.ArrayLike) -> BoolArray:
    if isinstance(alarms, np.ma.MaskedArray):
        alarms = alarms.filled(False)
    array = np.atleast_2d(np.asarray(alarms))
    require(array.dtype == np.bool_, f"alarms must be boolean, not {array.dtype}")
    return array


def _pair(alarms: npt.ArrayLike, outbreak: npt.ArrayLike) -> tuple[BoolArray, BoolArray]:
    alarm, truth = _alarms(alarms), _alarms(outbreak)
    require(alarm.shape == truth.shape, f"alarms {alarm.shape} and outbreak {truth.shape} differ in shape")
    return alarm, truth


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
