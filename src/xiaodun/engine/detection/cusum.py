"""CUSUM for counts: small excesses of several times add up to an alarm.

References:
  Page ES (1954) Continuous inspection schemes. Biometrika 41:100-115.
  Rossi G, Lampugnani L, Marchi M (1999) An approximate CUSUM procedure for surveillance of health events.
    Stat Med 18:2111-2122.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from .base import Detection, FloatArray, as_counts, masked_alarm, refuse_population, require

__all__ = ["Cusum"]

_GLM_ITERATIONS = 50
_GLM_TOLERANCE = 1e-10
_BOUND_SLACK = 1e-9  # a bound that is a whole number must not be raised by one through rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Cusum:
    """CUSUM of standardised counts: S_t = max(0, S_{t-1} + z_t - k), alarm when S_t >= h, no reset after an
    alarm.

    k: reference value, >= 0; an excess of 2k standard deviations is found fastest. h: decision limit, > 0.
    transform: z of the count y and the mean m: "standard" (y - m) / sqrt(m); "rossi" (y - 3m + 2 sqrt(ym)) /
        (2 sqrt m); "anscombe" 1.5 (y^(2/3) - m^(2/3)) / m^(1/6), the last two nearer to normal for small
        counts.
    m: "mean", the mean of the first ``baseline`` times; "glm", a Poisson regression with one harmonic of the
        year fitted to them; or a number > 0, in cases.
    baseline: times before monitoring starts, >= 1 (>= 3 for "glm"); S starts at 0 after them.
    frequency: times a year, for the harmonic.
    form: of the bound alone; alarms are the same. "textbook": the smallest whole count that alarms. "r": as R
        surveillance 1.20.3, for comparison: not rounded under rossi and anscombe, and under rossi the square
        of the root even where the root is negative, that is where every count alarms.

    Result: expected m_t; score S_t; upperbound, the smallest whole count that would alarm at t given S_{t-1}
    (an alarm is a count on it or above it; 0 where S_{t-1} alarms without any case). Defined from time
    baseline + 1 on. A count that is unknown leaves S as it is. A baseline without a case has mean 0 and gives
    no scale: everything is masked.

    Raises ``ValueError`` for a parameter outside its range, and for a population, which the method has no
    term for.
    """

    method: ClassVar[str] = "cusum"

    k: float = 1.04
    h: float = 2.26
    transform: Literal["standard", "rossi", "anscombe"] = "standard"
    m: Literal["mean", "glm"] | float = "mean"
    baseline: int = 52
    frequency: int = 52
    form: Literal["textbook", "r"] = "textbook"

    def __post_init__(self) -> None:
        require(0 <= self.k < float("inf"), f"k must be a number of at least 0, not {self.k}")
        require(0 < self.h < float("inf"), f"h must be a number above 0, not {self.h}")
        require(
            self.transform in ("standard", "rossi", "anscombe"),
            f"transform must be one of standard, rossi, anscombe, not {self.transform!r}",
        )
        if isinstance(self.m, str):
            require(self.m in ("mean", "glm"), f"m must be mean, glm or a number of cases, not {self.m!r}")
        else:
            require(0 < self.m < float("inf"), f"m must be a number of cases above 0, not {self.m}")
        least = 3 if self.m == "glm" else 1
        require(
            self.baseline >= least,
            f"baseline must be at least {least} times with m {self.m}, not {self.baseline}",
        )
        require(self.form in ("textbook", "r"), f"form must be one of textbook, r, not {self.form!r}")
        require(self.frequency >= 3, f"frequency must be at least 3 times a year, not {self.frequency}")

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
        mean = self._mean(values)
        mean[:, : self.baseline] = np.nan
        mean = np.where(mean > 0, mean, np.nan)
        z = self._standardise(values, mean)

        n_series, n_times = values.shape
        statistic, bound = np.full_like(values, np.nan), np.full_like(values, np.nan)
        state = np.zeros(n_series)
        for t in range(min(self.baseline, n_times), n_times):
            bound[:, t] = self._smallest_alarming(mean[:, t], self.h + self.k - state)
            moved = np.maximum(state + z[:, t] - self.k, 0.0)
            statistic[:, t] = moved
            state = np.where(np.isnan(moved), state, moved)
        undefined = np.isnan(statistic)
        with np.errstate(invalid="ignore"):
            alarm = statistic >= self.h
        return Detection(
            expected=mean.reshape(shape),
            upperbound=bound.reshape(shape),
            score=statistic.reshape(shape),
            alarm=masked_alarm(alarm.reshape(shape), undefined.reshape(shape)),
        )

    def _mean(self, values: FloatArray) -> FloatArray:
        if not isinstance(self.m, str):
            return np.full_like(values, self.m)
        if values.shape[1] <= self.baseline:
            return np.full_like(values, np.nan)
        training = values[:, : self.baseline]
        if self.m == "glm":
            return _seasonal_mean(training, values.shape[1], self.frequency)
        known = ~np.isnan(training)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(known, training, 0.0).sum(axis=1) / known.sum(axis=1)
        return np.repeat(mean[:, None], values.shape[1], axis=1)

    def _standardise(self, y: FloatArray, m: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore"):
            z: FloatArray
            if self.transform == "standard":
                z = (y - m) / np.sqrt(m)
            elif self.transform == "rossi":
                z = (y - 3 * m + 2 * np.sqrt(y * m)) / (2 * np.sqrt(m))
            else:
                z = 1.5 * (np.cbrt(y) ** 2 - np.cbrt(m) ** 2) / np.cbrt(np.sqrt(m))
        return z

    def _smallest_alarming(self, m: FloatArray, wanted: FloatArray) -> FloatArray:
        """Smallest whole count whose z is at least ``wanted``: the inverse of the transform, rounded up."""
        with np.errstate(invalid="ignore"):
            if self.transform == "standard":
                y = m + np.sqrt(m) * wanted
            elif self.transform == "rossi":
                # y + 2 sqrt(m) sqrt(y) - (3m + 2 sqrt(m) wanted) = 0, solved for sqrt(y).
                root = np.sqrt(4 * m + 2 * np.sqrt(m) * wanted) - np.sqrt(m)
                if self.form == "r":
                    return np.where(np.isnan(root) & ~np.isnan(m), 0.0, root**2)
                y = np.where(root > 0, root, 0.0) ** 2
            else:
                y = np.maximum(np.cbrt(m) ** 2 + wanted * np.cbrt(np.sqrt(m)) / 1.5, 0.0) ** 1.5
                if self.form == "r":
                    return y
            y = np.where(np.isnan(m), np.nan, y)
            result: FloatArray = np.maximum(np.ceil(y - _BOUND_SLACK), 0.0)
        return result


def _seasonal_mean(training: FloatArray, n_times: int, frequency: int) -> FloatArray:
    """Poisson regression log m_t = a + b cos(2 pi t / frequency) + c sin(...) on the training times, for all
    times.

    Newton's method for all series together. A series without a case has no finite estimate and stays NaN.
    """
    t = np.arange(1, n_times + 1)
    angle = 2 * np.pi * t / frequency
    design = np.stack([np.ones(n_times), np.cos(angle), np.sin(angle)], axis=1)
    known = ~np.isnan(training)
    y = np.where(known, training, 0.0)
    x = design[: training.shape[1]]
    usable = (y > 0).sum(axis=1) >= x.shape[1]
    result = np.full((training.shape[0], n_times), np.nan)
    if not bool(usable.any()):
        return result
    y, weight = y[usable], known[usable].astype(np.float64)
    coefficients = np.zeros((y.shape[0], 3))
    coefficients[:, 0] = np.log(y.sum(axis=1) / weight.sum(axis=1))
    going = np.ones(y.shape[0], dtype=np.bool_)
    # Sums along contiguous rows, no matrix product: a series' digits must not depend on the others.
    for _ in range(_GLM_ITERATIONS):
        mu = _harmonic(coefficients, x) * weight
        residual = y - mu
        gradient = np.stack([(residual * x[:, i]).sum(axis=1) for i in range(3)], axis=1)
        information = np.empty((y.shape[0], 3, 3))
        for i in range(3):
            for j in range(i, 3):
                information[:, i, j] = information[:, j, i] = (mu * (x[:, i] * x[:, j])).sum(axis=1)
        step = np.linalg.solve(information, gradient[:, :, None])[:, :, 0]
        coefficients = np.where(going[:, None], coefficients + step, coefficients)
        going &= np.abs(step).max(axis=1) >= _GLM_TOLERANCE * (1 + np.abs(coefficients).max(axis=1))
        if not bool(going.any()):
            break
    result[usable] = np.where(going[:, None], np.nan, _harmonic(coefficients, design))
    return result


def _harmonic(coefficients: FloatArray, design: FloatArray) -> FloatArray:
    """exp of the linear predictor of every series (rows) at every time (columns)."""
    predictor = sum(coefficients[:, i, None] * design[:, i] for i in range(design.shape[1]))
    result: FloatArray = np.exp(np.clip(predictor, -700, 700))
    return result
