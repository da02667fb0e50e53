"""Farrington's original method (1996)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy.typing as npt

from .base import Detection, require
from .farrington_model import FarringtonParameters, judge_weeks

__all__ = ["Farrington"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Farrington(FarringtonParameters):
    """Farrington et al. 1996: weekly counts against the same weeks of earlier years.

    The training set is the windows alone (``periods`` 1), the bound the upper end of a two-sided interval by
    the
    delta method: z is the quantile at 1 - alpha/2. Defaults are those of R's ``farrington``. Parameters as in
    :class:`~xiaodun.engine.detection.farrington_model.FarringtonParameters`.

    Result: expected, the predicted mean in cases; upperbound, alarm when the count is above it; score,
    (y - expected) / (upperbound - expected), above 1 exactly where the count is above the bound; diagnostics
    "dispersion" (phi), "slope" (of the log mean, a week) and "slope_t" (its t statistic). Defined from week
    52 years_back + half_window + 1 on. Where fewer than ``limit_cases`` cases were seen lately there is no
    alarm and the bound is NaN (0 with ``dispersion="r"``, as R writes).

    Raises ``ValueError`` for a parameter outside its range.
    """

    method: ClassVar[str] = "farrington"

    weights_threshold: float = 1.0

    def __post_init__(self) -> None:
        # Named base: a dataclass with slots is a new class, which the short form of super() does not know.
        FarringtonParameters.__post_init__(self)
        require(
            self.periods == 1,
            "farrington has no seasonal factor: periods must be 1 (see farrington-flexible)",
        )
        require(
            self.threshold_method == "delta",
            "farrington has the delta bound only: threshold_method must be delta (see farrington-flexible)",
        )

    def detect(
        self,
        counts: npt.ArrayLike,
        *,
        dates: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
    ) -> Detection:
        """Judge every week; see :meth:`xiaodun.engine.detection.base.Detector.detect`."""
        return judge_weeks(self, True, counts, dates, population)
