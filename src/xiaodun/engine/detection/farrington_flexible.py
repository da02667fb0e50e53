"""Farrington's flexible method (Noufaily 2013)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy.typing as npt

from .base import Detection
from .farrington_model import FarringtonParameters, judge_weeks

__all__ = ["FarringtonFlexible"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FarringtonFlexible(FarringtonParameters):
    """Noufaily et al. 2013: weekly counts against all weeks of earlier years, the season as a factor.

    The defaults are those of R's ``farringtonFlexible``. The setting of the paper is
    ``FarringtonFlexible.noufaily()``. The bound is one-sided at 1 - alpha. Parameters as in
    :class:`~xiaodun.engine.detection.farrington_model.FarringtonParameters`.

    Result: expected, the predicted mean in cases; upperbound, alarm when the count is above it; score,
    (y - expected) / (upperbound - expected), above 1 exactly where the count is above the bound (R computes
    it with the logarithm of the mean under nbPlugin and muan; this does not); diagnostics "dispersion" (phi),
    "slope" (of the log mean, a week) and "slope_t" (its t statistic). Defined from week 52 years_back +
    half_window + 1 on. Where fewer than ``limit_cases`` cases were seen lately the bound is NaN and there is
    no alarm.

    Raises ``ValueError`` for a parameter outside its range.
    """

    method: ClassVar[str] = "farrington-flexible"

    @classmethod
    def noufaily(cls, *, alpha: float = 0.005) -> FarringtonFlexible:
        """The setting recommended in the paper: 10 periods, 26 weeks left out, trend kept, nbPlugin."""
        return cls(
            periods=10,
            past_weeks_excluded=26,
            weights_threshold=2.58,
            trend_p_threshold=1.0,
            threshold_method="nbPlugin",
            alpha=alpha,
        )

    def detect(
        self,
        counts: npt.ArrayLike,
        *,
        dates: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
    ) -> Detection:
        """Judge every week; see :meth:`xiaodun.engine.detection.base.Detector.detect`."""
        return judge_weeks(self, False, counts, dates, population)
