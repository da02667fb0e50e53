"""The instantaneous reproduction number R_t from daily incidence.

Reference:
  Cori A, Ferguson NM, Fraser C, Cauchemez S (2013) A new framework and software to estimate time-varying
    reproduction numbers during epidemics. Am J Epidemiol 178:1505-1512.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .base import Detection, FloatArray, as_counts, masked_alarm, refuse_population, require
from .special import gamma_cdf, gamma_quantile

__all__ = ["ReproductionNumber", "ReproductionNumberEstimate", "discrete_serial_interval"]

_ROOT_STEPS = 80
_ROOT_TOLERANCE = 1e-11


@dataclass(frozen=True, slots=True, eq=False)
class ReproductionNumberEstimate:
    """Posterior of R_t; arrays of the shape of the incidence, NaN before the first full window.

    mean, sd: of the gamma posterior. shape, scale: its parameters. infection_pressure: Lambda_t, the cases
    expected on day t if R_t were 1. At days whose window saw no pressure the posterior is the prior plus
    imported cases only.
    """

    mean: FloatArray
    sd: FloatArray
    shape: FloatArray
    scale: FloatArray
    infection_pressure: FloatArray

    def quantile(self, probability: float) -> FloatArray:
        """Posterior quantile of R_t, e.g. 0.025 and 0.975 for the 95 % credible interval."""
        require(0 < probability < 1, f"probability must lie between 0 and 1, not be {probability}")
        return gamma_quantile(probability, self.shape) * self.scale

    def probability_not_above(self, reproduction_number: float) -> FloatArray:
        """Posterior probability that R_t <= ``reproduction_number``."""
        with np.errstate(invalid="ignore"):
            return gamma_cdf(reproduction_number / self.scale, self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproductionNumber:
    """Cori's estimator: the cases of a window are Poisson with mean R_t times the infection pressure.

    mean_si, std_si: mean and standard deviation of the serial interval, in days; mean_si > 1, std_si > 0.
        There is no
        default: they belong to the disease.
    window: days over which R_t is held constant, >= 1.
    mean_prior, std_prior: of the gamma prior of R_t (5 and 5 in the literature: without cases R_t is not
        small).
    alpha: for ``detect``: alarm when the posterior probability of R_t <= 1 is below it, in (0, 1).

    Raises ``ValueError`` for a parameter outside its range, for a population and for an unknown count.
    """

    method: ClassVar[str] = "rt"

    mean_si: float
    std_si: float
    window: int = 7
    mean_prior: float = 5.0
    std_prior: float = 5.0
    alpha: float = 0.025

    def __post_init__(self) -> None:
        require(1 < self.mean_si < float("inf"), f"mean_si must be above 1 day, not {self.mean_si}")
        require(0 < self.std_si < float("inf"), f"std_si must be above 0 days, not {self.std_si}")
        require(self.window >= 1, f"window must be at least 1 day, not {self.window}")
        require(self.mean_prior > 0 and self.std_prior > 0, "mean_prior and std_prior must be above 0")
        require(0 < self.alpha < 1, f"alpha must lie between 0 and 1, not be {self.alpha}")

    def estimate(self, incidence: npt.ArrayLike) -> ReproductionNumberEstimate:
        """Posterior of R_t for every day from day window + 1 on.

        incidence: new cases by day of onset, shape (n_series, n_times) or (n_times,).
        """
        cases, shape = as_counts(incidence)
        require(
            not bool(np.isnan(cases).any()),
            "incidence must have no unknown day: one gap spoils all later days",
        )
        n_times = cases.shape[1]
        interval = discrete_serial_interval(self.mean_si, self.std_si, max(n_times - 1, 0))
        pressure = np.zeros_like(cases)
        for lag in range(1, n_times):
            if interval[lag] > 0:
                pressure[:, lag:] += interval[lag] * cases[:, :-lag]
        prior_shape = (self.mean_prior / self.std_prior) ** 2
        prior_scale = self.std_prior**2 / self.mean_prior
        posterior_shape = prior_shape + _window_sum(cases, self.window)
        posterior_scale = 1.0 / (1.0 / prior_scale + _window_sum(pressure, self.window))
        # Day 1 has no pressure by definition, so the first window ends on day window + 1.
        posterior_shape[:, : self.window] = np.nan
        posterior_scale[:, : self.window] = np.nan
        return ReproductionNumberEstimate(
            mean=(posterior_shape * posterior_scale).reshape(shape),
            sd=(np.sqrt(posterior_shape) * posterior_scale).reshape(shape),
            shape=posterior_shape.reshape(shape),
            scale=posterior_scale.reshape(shape),
            infection_pressure=pressure.reshape(shape),
        )

    def detect(
        self,
        counts: npt.ArrayLike,
        *,
        dates: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
    ) -> Detection:
        """Alarm on the days when R_t is above 1 with posterior probability above 1 - alpha.

        Result: expected, Lambda_t, the cases of the day if R_t were 1; upperbound, the count of the day above
        which the rule alarms, NaN where the earlier days of the window alone suffice; score, the posterior
        mean of R_t; diagnostics "lower" and "upper", the credible limits at alpha and 1 - alpha. Masked until
        the window is full and
        where no earlier case lies within reach: a first case tells nothing of transmission. ``dates`` play no
            part.
        """
        refuse_population(population, self.method)
        cases, shape = as_counts(counts)
        posterior = self.estimate(cases)
        in_window = _window_sum(posterior.infection_pressure, self.window)
        undefined = np.isnan(posterior.mean) | ~(in_window > 0)
        not_above = posterior.probability_not_above(1.0)
        with np.errstate(invalid="ignore"):
            alarm = not_above < self.alpha
            needed = _shape_with_cdf(self.alpha, np.where(undefined, np.nan, 1.0 / posterior.scale))
            bound = needed - (posterior.shape - cases)
            bound = np.where(bound >= 0, bound, np.nan)
        expected = np.where(np.isnan(posterior.mean), np.nan, posterior.infection_pressure)
        return Detection(
            expected=expected.reshape(shape),
            upperbound=np.where(undefined, np.nan, bound).reshape(shape),
            score=np.where(undefined, np.nan, posterior.mean).reshape(shape),
            alarm=masked_alarm(alarm.reshape(shape), undefined.reshape(shape)),
            diagnostics={
                "lower": np.where(undefined, np.nan, posterior.quantile(self.alpha)).reshape(shape),
                "upper": np.where(undefined, np.nan, posterior.quantile(1 - self.alpha)).reshape(shape),
            },
        )


def discrete_serial_interval(mean: float, std: float, longest: int) -> FloatArray:
    """Probabilities w_0 .. w_longest of a serial interval of 0, 1, ... days; w_0 = 0.

    A gamma variable shifted by one day, discretised as in Cori 2013, web appendix 11:
    w_k = k F(k) + (k-2) F(k-2) - 2 (k-1) F(k-1) + a b (2 G(k-1) - G(k-2) - G(k)), with shape a =
    ((mean-1)/std)^2, scale b = std^2/(mean-1), F its distribution function and G that of shape a + 1.
    """
    require(mean > 1, f"the mean serial interval must be above 1 day, not {mean}")
    require(std > 0, f"the standard deviation of the serial interval must be above 0, not {std}")
    shape, scale = ((mean - 1) / std) ** 2, std**2 / (mean - 1)
    k = np.arange(longest + 1, dtype=np.float64)

    def cdf(days: FloatArray, of_shape: float) -> FloatArray:
        return gamma_cdf(np.maximum(days, 0.0) / scale, of_shape)

    weights = k * cdf(k, shape) + (k - 2) * cdf(k - 2, shape) - 2 * (k - 1) * cdf(k - 1, shape)
    weights += shape * scale * (2 * cdf(k - 1, shape + 1) - cdf(k - 2, shape + 1) - cdf(k, shape + 1))
    weights[0] = 0.0
    result: FloatArray = np.maximum(weights, 0.0)
    return result


def _window_sum(values: FloatArray, window: int) -> FloatArray:
    """Sum of the last ``window`` days of each day, fewer at the start."""
    total = np.zeros_like(values)
    for lag in range(min(window, values.shape[1])):
        total[:, lag:] += values[:, : values.shape[1] - lag]
    return total


def _shape_with_cdf(probability: float, x: FloatArray) -> FloatArray:
    """The gamma shape at which P(X <= x) equals ``probability``, by the Illinois form of the false position.

    The distribution function falls as the shape grows, so the bracket is 0 and a shape well above x.
    """
    known = np.isfinite(x)
    point = x[known]
    low, high = np.full_like(point, 1e-9), 2.0 * point + 1.0
    while bool((too_low := gamma_cdf(point, high) > probability).any()):
        high = np.where(too_low, 2 * high, high)
    at_low, at_high = gamma_cdf(point, low) - probability, gamma_cdf(point, high) - probability
    root, last_side = high, np.zeros_like(point)
    going = np.ones(point.shape, dtype=np.bool_)
    for _ in range(_ROOT_STEPS):
        flat = at_high == at_low
        middle = low - at_low * (high - low) / np.where(flat, 1.0, at_high - at_low)
        root = np.where(going, middle, root)
        value = gamma_cdf(point, middle) - probability
        going &= np.abs(value) >= _ROOT_TOLERANCE * probability
        if not bool(going.any()):
            break
        above = value > 0
        # An end that stays put a second time gives up half its height, or it would never move.
        at_high = np.where(above, np.where(last_side > 0, at_high / 2, at_high), value)
        at_low = np.where(above, value, np.where(last_side < 0, at_low / 2, at_low))
        low, high = np.where(above, middle, low), np.where(above, high, middle)
        last_side = np.where(above, 1.0, -1.0)
    result = np.full(x.shape, np.nan)
    result[known] = root
    return result
