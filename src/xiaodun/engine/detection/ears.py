"""EARS C1, C2 and C3: a moving mean of the last days, for series without a history.

References:
  Hutwagner L, Thompson W, Seeman GM, Treadwell T (2003) The bioterrorism preparedness and response Early
    Aberration Reporting System (EARS). J Urban Health 80(2 Suppl 1):i89-96.
  Fricker RD, Hegler BL, Dunfee DA (2008) Comparing syndromic surveillance detection methods: EARS' versus a
    CUSUM-based methodology. Stat Med 27:3407-3429.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from .base import Detection, FloatArray, as_counts, masked_alarm, refuse_population, require
from .special import normal_quantile

__all__ = ["EarsC1", "EarsC2", "EarsC3"]

C2_GAP = 2
"""Days between the baseline of C2 and C3 and the day judged, so that an outbreak does not raise its own
bound.
"""

C3_DAYS = 3
"""Days whose excess C3 adds up: the day judged and the two before it."""

CDC_C3_LIMIT = 2.0
"""Limit of C3 in CDC's program."""

R_C3_ALPHA = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class _MeanAndSpread:
    """C1 and C2: alarm when y_t > U = mean + z max(sd, min_sigma)."""

    baseline: int = 7
    alpha: float = 0.001
    min_sigma: float = 0.0

    def __post_init__(self) -> None:
        _check(self.baseline, self.alpha, self.min_sigma)

    def _judge(self, counts: npt.ArrayLike, gap: int) -> Detection:
        values, shape = as_counts(counts)
        mean, spread = _baseline(values, self.baseline, gap, self.min_sigma)
        bound = mean + normal_quantile(1 - self.alpha) * spread
        undefined = np.isnan(values) | np.isnan(bound)
        with np.errstate(invalid="ignore"):
            alarm = values > bound
        return Detection(
            expected=mean.reshape(shape),
            upperbound=bound.reshape(shape),
            score=_standardised(values, mean, spread).reshape(shape),
            alarm=masked_alarm(alarm.reshape(shape), undefined.reshape(shape)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EarsC1(_MeanAndSpread):
    """C1: the mean of the ``baseline`` times just before the time judged.

    baseline: times in the baseline (7 in the literature), >= 2.
    alpha: false alarm probability under the normal law; z is its upper quantile (3.09 at 0.001; CDC's program
        uses 3).
    min_sigma: lower limit of the standard deviation, in cases; 0.5 or 1 for sparse counts (Burkom).

    Result: expected, the baseline's mean; upperbound U = mean + z max(sd, min_sigma), sd with divisor
    baseline - 1, alarm when the count is above it; score (y - mean) / max(sd, min_sigma), where 0/0 is 0 («no
    excess») and x/0 is infinite. Defined from time baseline + 1 on.

    Raises ``ValueError`` for a parameter outside its range, and for a population, which the method has no
    term for.
    """

    method: ClassVar[str] = "ears-c1"

    def detect(
        self,
        counts: npt.ArrayLike,
        *,
        dates: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
    ) -> Detection:
        """Judge every time; see :meth:`xiaodun.engine.detection.base.Detector.detect`. ``dates`` play no
        part.
        """
        refuse_population(population, self.method)
        return self._judge(counts, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarsC2(_MeanAndSpread):
    """C2: as C1 with two times between the baseline and the time judged; defined from time baseline + 3 on.

    Parameters and result as in :class:`EarsC1`.
    """

    method: ClassVar[str] = "ears-c2"

    def detect(
        self,
        counts: npt.ArrayLike,
        *,
        dates: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
    ) -> Detection:
        """Judge every time; see :meth:`xiaodun.engine.detection.base.Detector.detect`. ``dates`` play no
        part.
        """
        refuse_population(population, self.method)
        return self._judge(counts, C2_GAP)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarsC3:
    """C3: the excess of three times over C2, added up.

    C3_t = sum over i = t, t-1, t-2 of max(0, C2(i) - 1), C2(i) = (y_i - mean_i) / max(sd_i, min_sigma) on the
    baseline of C2 for i.

    baseline, min_sigma: as in :class:`EarsC1`.
    alpha: None takes the form's own limit: CDC's 2, R's z at 0.025. A number sets the limit of both forms to
        z.
    form: "cdc", alarm when C3_t is above the limit. "r" does as R surveillance 1.20.3, for comparison only:
        the two earlier times alone enter S, and U = max(0, y_t + max(sd_t, min_sigma) (z - S)) has the count
        on both sides, so the count of the day itself plays no part and the alarm comes a day late.

    Result, "cdc": expected, the mean of C2's baseline; score, C3_t; upperbound, the count above which C3_t
    passes the limit, NaN where the two earlier times pass it alone (then every count alarms). 0/0 counts as
    no excess. "r": upperbound U; score S; NaN and masked where R has 0/0. Defined from time baseline + 5 on.

    Raises ``ValueError`` for a parameter outside its range, and for a population, which the method has no
    term for.
    """

    method: ClassVar[str] = "ears-c3"

    baseline: int = 7
    alpha: float | None = None
    min_sigma: float = 0.0
    form: Literal["cdc", "r"] = "cdc"

    def __post_init__(self) -> None:
        _check(self.baseline, 0.5 if self.alpha is None else self.alpha, self.min_sigma)
        require(self.form in ("cdc", "r"), f"form must be one of cdc, r, not {self.form!r}")

    @property
    def limit(self) -> float:
        """What C3 must exceed."""
        if self.alpha is None:
            return CDC_C3_LIMIT if self.form == "cdc" else normal_quantile(1 - R_C3_ALPHA)
        return normal_quantile(1 - self.alpha)

    def detect(
        self,
        counts: npt.ArrayLike,
        *,
        dates: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
    ) -> Detection:
        """Judge every time; see :meth:`xiaodun.engine.detection.base.Detector.detect`. ``dates`` play no
        part.
        """
        refuse_population(population, self.method)
        values, shape = as_counts(counts)
        mean, spread = _baseline(values, self.baseline, C2_GAP, self.min_sigma)
        with np.errstate(invalid="ignore", divide="ignore"):
            c2 = (values - mean) / spread if self.form == "r" else _standardised(values, mean, spread)
            excess = np.maximum(c2 - 1.0, 0.0)
        earlier = np.full_like(excess, np.nan)
        earlier[:, C3_DAYS - 1 :] = excess[:, 1:-1] + excess[:, :-2]
        with np.errstate(invalid="ignore"):
            if self.form == "r":
                score = earlier
                bound = np.maximum(values + spread * (self.limit - earlier), 0.0)
                bound = np.where(np.isfinite(bound), bound, np.nan)
                alarm = values > bound
                undefined = np.isnan(values) | np.isnan(bound)
            else:
                score = earlier + excess
                room = self.limit - earlier
                # With no spread and no earlier excess the bound is the mean itself: x/0 passes every limit.
                reach = np.where(spread > 0, spread * (1.0 + room), 0.0)
                bound = np.where(room >= 0, mean + reach, np.nan)
                bound = np.where(np.isnan(score), np.nan, bound)
                alarm = score > self.limit
                undefined = np.isnan(score)
        expected = np.where(np.isnan(earlier), np.nan, mean)
        return Detection(
            expected=expected.reshape(shape),
            upperbound=bound.reshape(shape),
            score=score.reshape(shape),
            alarm=masked_alarm(alarm.reshape(shape), undefined.reshape(shape)),
        )


def _check(baseline: int, alpha: float, min_sigma: float) -> None:
    require(baseline >= 2, f"baseline must be at least 2 times, not {baseline}")
    require(0 < alpha < 1, f"alpha must lie between 0 and 1, not be {alpha}")
    require(0 <= min_sigma < float("inf"), f"min_sigma must be a number of at least 0, not {min_sigma}")


def _baseline(values: FloatArray, length: int, gap: int, min_sigma: float) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation (at least ``min_sigma``) of the times t-gap-length .. t-gap-1; NaN where
    short.
    """
    mean, spread = np.full_like(values, np.nan), np.full_like(values, np.nan)
    first = length + gap
    if values.shape[1] > first:
        windows = sliding_window_view(values[:, : values.shape[1] - 1 - gap], length, axis=1)
        mean[:, first:] = windows.mean(axis=2)
        # Two passes: a constant baseline of any height has a spread of exactly 0.
        deviations = windows - mean[:, first:, None]
        spread[:, first:] = np.maximum(np.sqrt((deviations**2).sum(axis=2) / (length - 1)), min_sigma)
    return mean, spread


def _standardised(values: FloatArray, mean: FloatArray, spread: FloatArray) -> FloatArray:
    """(y - mean) / spread; 0 where both are 0, so that a constant series shows no excess."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = (values - mean) / spread
        result: FloatArray = np.where((spread == 0) & (values == mean), 0.0, ratio)
    return result
