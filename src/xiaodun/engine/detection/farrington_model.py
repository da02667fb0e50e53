"""What the two Farrington methods share: parameters, training weeks, the fit and the bound.

Steps for one week t (Farrington et al. 1996; Noufaily et al. 2013):

1. training weeks: the windows of half-width ``half_window`` around the same week of each of ``years_back``
   earlier years, and with ``periods`` > 1 also the weeks between them as levels of a seasonal factor, without
   the last ``past_weeks_excluded`` weeks;
2. quasi-Poisson regression on level and trend, dispersion phi = max(1, Pearson chi2 / (n - k));
3. weeks with a large Anscombe residual (past outbreaks) get a smaller weight, and the model is fitted again;
4. the trend stays only if there are 3 years, its p-value is below ``trend_p_threshold`` and the prediction
   does not exceed the largest training count; otherwise 2 and 3 are done without it; the p-value is that of a
   t test with n - k degrees of freedom and the dispersion as estimated, not raised to 1;
5. a bound from the predicted mean, its standard error and phi;
6. an alarm when y_t exceeds the bound and enough cases were seen lately.

References:
  Farrington CP, Andrews NJ, Beale AD, Catchpole MA (1996) A statistical algorithm for the early detection of
    outbreaks of infectious disease. J R Stat Soc A 159:547-563.
  Noufaily A, Enki DG, Farrington P, Garthwaite P, Andrews N, Charlett A (2013) An improved algorithm for
    outbreak detection in multiple surveillance systems. Stat Med 32:1206-1222.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .base import (
    Detection,
    FloatArray,
    as_counts,
    as_dates,
    as_population,
    masked_alarm,
    require,
)
from .quasi_poisson import Coefficients, StartTerms, TrainingDesign, fit_quasi_poisson
from .special import negative_binomial_quantile, normal_quantile, student_t_critical

__all__ = ["Calendar", "Dispersion", "FarringtonParameters", "Power", "ThresholdMethod", "judge_weeks"]

ThresholdMethod = Literal["delta", "nbPlugin", "muan"]
Power = Literal["2/3", "1/2", "none"]
Dispersion = Literal["textbook", "r"]
Calendar = Literal["weeks", "dates"]

WEEKS_PER_YEAR = 52
MIN_YEARS_FOR_TREND = 3

# Problems solved together: wide enough to hide the cost of a NumPy call, narrow enough for the second-level
# cache.
_BLOCK = 256

# R stops after 25 steps; a level without any case needs some 30, its mean falling by e each step.
_R_ITERATIONS = 25
_TEXTBOOK_ITERATIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class FarringtonParameters:
    """Parameters of both methods, with the letters of the papers and the names of R in brackets.

    years_back [b]: earlier years used, >= 1.
    half_window [w]: weeks on each side of the same week of an earlier year, >= 0.
    periods [noPeriods]: levels of the seasonal factor, >= 1; 1 uses the windows alone.
    past_weeks_excluded [pastWeeksNotIncluded]: weeks before t that may belong to the current outbreak and are
        left out, >= 0; None means ``half_window``.
    reweight: give past outbreaks a smaller weight.
    weights_threshold [weightsThreshold]: Anscombe residual above which a week is held to be an outbreak, > 0.
    trend: fit a linear trend on the log scale where the rules above allow it.
    trend_p_threshold [pThresholdTrend]: significance the trend must have; 1 keeps every trend.
    alpha: false alarm probability of one week, in (0, 1).
    limit_cases, limit_weeks [limit54]: no alarm unless ``limit_cases`` cases in the last ``limit_weeks``
        weeks, the week judged included.
    threshold_method [thresholdMethod]: "delta", normal approximation on the scale of ``power``; "nbPlugin",
        quantile of the negative binomial at the predicted mean; "muan", the same at the upper limit of the
        mean.
    power [powertrans]: scale of the delta method; "2/3" removes the skewness of the Poisson law, "1/2"
        stabilises its variance, "none".
    dispersion: "textbook" scales the standard errors by phi. "r" does as R surveillance 1.20.3, for
        comparison: after reweighting it computes the dispersion of the standard errors without the factor mu
        in the working weights, and takes phi, leverage and standard errors from the weights one step before
        convergence; and a bound too large to compute is no alarm, where "textbook" masks the alarm.
    calendar: "weeks", the same week of an earlier year lies 52 weeks back a year; "dates", it is the week
        whose day is nearest to the same date i years earlier (``detect`` then needs ``dates``).

    Raises ``ValueError`` for a value outside its range.
    """

    years_back: int = 5
    half_window: int = 3
    periods: int = 1
    past_weeks_excluded: int | None = None
    reweight: bool = True
    weights_threshold: float = 2.58
    trend: bool = True
    trend_p_threshold: float = 0.05
    alpha: float = 0.05
    limit_cases: int = 5
    limit_weeks: int = 4
    threshold_method: ThresholdMethod = "delta"
    power: Power = "2/3"
    dispersion: Dispersion = "textbook"
    calendar: Calendar = "weeks"

    def __post_init__(self) -> None:
        require(self.years_back >= 1, f"years_back must be at least 1, not {self.years_back}")
        require(0 <= self.half_window <= 25, f"half_window must be 0 to 25 weeks, not {self.half_window}")
        gap = WEEKS_PER_YEAR - 2 * self.half_window - 1
        require(
            1 <= self.periods <= gap + 1,
            f"periods must be 1 to {gap + 1} with half_window {self.half_window}, not {self.periods}",
        )
        excluded = self.weeks_excluded
        require(
            0 <= excluded < WEEKS_PER_YEAR * self.years_back - self.half_window,
            f"past_weeks_excluded must leave a training week, not be {excluded}",
        )
        require(
            self.weights_threshold > 0, f"weights_threshold must be above 0, not {self.weights_threshold}"
        )
        require(
            0 <= self.trend_p_threshold <= 1,
            f"trend_p_threshold must be 0 to 1, not {self.trend_p_threshold}",
        )
        require(0 < self.alpha < 1, f"alpha must lie between 0 and 1, not be {self.alpha}")
        require(self.limit_cases >= 0, f"limit_cases must be at least 0, not {self.limit_cases}")
        require(self.limit_weeks >= 1, f"limit_weeks must be at least 1, not {self.limit_weeks}")
        choices: dict[str, tuple[str, tuple[str, ...]]] = {
            "threshold_method": (self.threshold_method, ("delta", "nbPlugin", "muan")),
            "power": (self.power, ("2/3", "1/2", "none")),
            "dispersion": (self.dispersion, ("textbook", "r")),
            "calendar": (self.calendar, ("weeks", "dates")),
        }
        for name, (value, allowed) in choices.items():
            require(value in allowed, f"{name} must be one of {', '.join(allowed)}, not {value!r}")

    @property
    def weeks_excluded(self) -> int:
        """``past_weeks_excluded`` with its default resolved."""
        return self.half_window if self.past_weeks_excluded is None else self.past_weeks_excluded


@dataclass(frozen=True, slots=True)
class _Variant:
    """Where the two methods differ beyond their defaults."""

    two_sided: bool  # the 1996 bound is the upper end of a two-sided interval
    r_reweighted_dispersion: bool  # the first habit of R belongs to its flexible method alone
    r_zero_bound: bool  # R's original method writes 0 where too few cases were seen


@dataclass(slots=True, eq=False)
class _Prediction:
    """Per problem: the fitted model at the week judged."""

    log_mean: FloatArray
    log_mean_se: FloatArray
    phi: FloatArray
    slope: FloatArray
    slope_t: FloatArray
    df: FloatArray
    usable: npt.NDArray[np.bool_]

    def put(self, columns: npt.NDArray[np.intp], other: _Prediction) -> None:
        for name in ("log_mean", "log_mean_se", "phi", "slope", "slope_t", "df", "usable"):
            getattr(self, name)[columns] = getattr(other, name)


@dataclass(frozen=True, slots=True, eq=False)
class _Training:
    """Training counts of a block of problems, each array of shape (n_rows, n_problems)."""

    cells: StartTerms
    known: FloatArray | None
    exposure: FloatArray | None

    def columns(self, index: npt.NDArray[np.intp]) -> _Training:
        return _Training(
            self.cells.columns(index),
            None if self.known is None else self.known.take(index, axis=1),
            None if self.exposure is None else self.exposure.take(index, axis=1),
        )


def judge_weeks(
    parameters: FarringtonParameters,
    variant_two_sided: bool,
    counts: npt.ArrayLike,
    dates: npt.ArrayLike | None,
    population: npt.ArrayLike | None,
) -> Detection:
    """Run the method on every week that has the history it needs; see :class:`FarringtonParameters`."""
    variant = _Variant(
        two_sided=variant_two_sided,
        r_reweighted_dispersion=parameters.dispersion == "r" and not variant_two_sided,
        r_zero_bound=parameters.dispersion == "r" and variant_two_sided,
    )
    values, shape = as_counts(counts)
    n_series, n_times = values.shape
    exposure = None if population is None else as_population(population, (n_series, n_times))
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    source = _Training(
        cells=StartTerms.of(filled),
        known=None if bool(known.all()) else known.astype(np.float64),
        exposure=exposure,
    )

    size = values.size
    log_mean, log_mean_se = np.full(size, np.nan), np.full(size, np.nan)
    phi, slope = np.full(size, np.nan), np.full(size, np.nan)
    slope_t = np.full(size, np.nan)
    for design, times in _designs(parameters, dates, n_times):
        cells = (np.arange(n_series)[:, None] * n_times + times[None, :]).ravel()
        for low in range(0, cells.size, _BLOCK):
            block = cells[low : low + _BLOCK]
            # The solver wants two columns (see there); the last block may hold one.
            padded = block if block.size > 1 else np.repeat(block, 2)
            prediction = _predict(_gather(source, design, padded), design, parameters, variant)
            take = slice(0, block.size)
            ok = prediction.usable[take]
            log_mean[block] = np.where(ok, prediction.log_mean[take], np.nan)
            log_mean_se[block] = np.where(ok, prediction.log_mean_se[take], np.nan)
            phi[block] = np.where(ok, prediction.phi[take], np.nan)
            slope[block] = np.where(ok, prediction.slope[take], np.nan)
            slope_t[block] = np.where(ok, prediction.slope_t[take], np.nan)

    if exposure is not None:
        log_mean = log_mean + np.log(exposure).ravel()
    with np.errstate(over="ignore"):
        expected = np.exp(log_mean)
    upper = _upper_bound(parameters, variant, log_mean, log_mean_se, phi)
    observed = values.ravel()
    few = (_recent_cases(filled, parameters.limit_weeks) < parameters.limit_cases).ravel()
    undefined = np.isnan(observed) | np.isnan(expected)
    if parameters.dispersion == "textbook":
        undefined |= np.isnan(upper) & ~few
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        above = (observed > upper) & (observed > 0)
        ratio = (observed - expected) / (upper - expected)
        # A bound at or below the mean (a history without cases) leaves no scale to measure the excess on.
        score = np.where(upper > expected, ratio, np.where(above, np.inf, np.nan))
    alarm = above & ~few
    # Too few cases: the rule says «no alarm» whatever the bound, so the alarm is known and the bound is not.
    shown = np.where(few, 0.0 if variant.r_zero_bound else np.nan, upper)
    shown = np.where(np.isnan(expected), np.nan, shown)
    score = np.where(undefined, np.nan, score)
    return Detection(
        expected=expected.reshape(shape),
        upperbound=shown.reshape(shape),
        score=score.reshape(shape),
        alarm=masked_alarm(alarm.reshape(shape), undefined.reshape(shape)),
        diagnostics={
            "dispersion": phi.reshape(shape),
            "slope": slope.reshape(shape),
            "slope_t": slope_t.reshape(shape),
        },
    )


def _designs(
    parameters: FarringtonParameters, dates: npt.ArrayLike | None, n_times: int
) -> Iterator[tuple[TrainingDesign, npt.NDArray[np.intp]]]:
    """Every training design that occurs, with the times (0-based) it serves; times with a short history in
    none.
    """
    years = range(1, parameters.years_back + 1)
    if parameters.calendar == "weeks":
        patterns = {tuple(WEEKS_PER_YEAR * i for i in years): np.arange(n_times)}
    else:
        require(dates is not None, "calendar 'dates' needs the dates of the weeks")
        assert dates is not None
        patterns = _patterns_by_date(as_dates(dates, n_times), parameters.years_back)
    for year_lags, times in patterns.items():
        enough = times[times >= year_lags[-1] + parameters.half_window]
        if enough.size:
            design = _training_design(parameters, year_lags)
            if design is not None:
                yield design, enough


def _patterns_by_date(
    dates: npt.NDArray[np.datetime64], years_back: int
) -> dict[tuple[int, ...], npt.NDArray[np.intp]]:
    """Lags in weeks of the weekday nearest to the same date 1, 2, ... years earlier, and the times that share
    them.
    """
    step = np.diff(dates)
    require(bool((step == np.timedelta64(7, "D")).all()), "dates must be 7 days apart, without a gap")
    months = dates.astype("datetime64[M]")
    day_of_month = dates - months.astype("datetime64[D]")
    lags = np.empty((dates.size, years_back), dtype=np.intp)
    for i in range(1, years_back + 1):
        # 29 February minus a year is 1 March, as the calendar of C counts; no weekday is nearer to another
        # day.
        same_date = (months - np.timedelta64(12 * i, "M")).astype("datetime64[D]") + day_of_month
        days_back = (dates - same_date).astype(np.int64)
        lags[:, i - 1] = (days_back + 3) // 7
    patterns: dict[tuple[int, ...], npt.NDArray[np.intp]] = {}
    unique, inverse = np.unique(lags, axis=0, return_inverse=True)
    for index, row in enumerate(unique):
        patterns[tuple(int(lag) for lag in row)] = np.flatnonzero(inverse.reshape(-1) == index)
    return patterns


def _training_design(parameters: FarringtonParameters, year_lags: tuple[int, ...]) -> TrainingDesign | None:
    """Weeks of the training set and their levels, counted back from the week judged; None if none is left."""
    w, p = parameters.half_window, parameters.periods
    lags: list[int] = []
    levels: list[int] = []
    for i in range(len(year_lags), 0, -1):
        older = year_lags[i - 1]
        newer = 0 if i == 1 else year_lags[i - 2]
        lags.extend(range(older + w, older - w - 1, -1))
        levels.extend([p] * (2 * w + 1))
        if p > 1:
            gap = list(range(older - w - 1, newer + w, -1))
            short, longer = divmod(len(gap), p - 1)
            lags.extend(gap)
            levels.extend(
                level for level in range(1, p) for _ in range(short + (1 if level <= longer else 0))
            )
    if p > 1:
        lags.extend(range(w, -1, -1))
        levels.extend([p] * (w + 1))
    rows = [(lag, level) for lag, level in zip(lags, levels, strict=True) if lag > parameters.weeks_excluded]
    if not any(level == p for _, level in rows):
        return None
    return TrainingDesign([lag for lag, _ in rows], [level for _, level in rows], p)


def _gather(source: _Training, design: TrainingDesign, cells: npt.NDArray[np.intp]) -> _Training:
    rows = cells[None, :] - design.lags[:, None]
    return _Training(
        source.cells.rows(rows),
        None if source.known is None else source.known.ravel()[rows],
        None if source.exposure is None else source.exposure.ravel()[rows],
    )


def _predict(
    training: _Training, design: TrainingDesign, parameters: FarringtonParameters, variant: _Variant
) -> _Prediction:
    """Steps 2 to 4 for a block of problems."""
    if not parameters.trend or parameters.years_back < MIN_YEARS_FOR_TREND:
        return _fit_and_reweight(training, design, parameters, variant, trend=False)
    prediction = _fit_and_reweight(training, design, parameters, variant, trend=True)
    with np.errstate(over="ignore", invalid="ignore"):
        # With a population both sides are rates: the prediction is compared at equal exposure.
        y, exposure = training.cells.y, training.exposure
        largest = (y if exposure is None else y / exposure).max(axis=0)
        significant = np.abs(prediction.slope_t) > _critical_t(parameters.trend_p_threshold, prediction.df)
        keep = prediction.usable & significant & (np.exp(prediction.log_mean) <= largest)
    again = np.flatnonzero(~keep)
    if again.size:
        columns = again if again.size > 1 else np.repeat(again, 2)
        without = _fit_and_reweight(training.columns(columns), design, parameters, variant, trend=False)
        prediction.put(columns, without)
    return prediction


def _critical_t(p_threshold: float, df: FloatArray) -> FloatArray:
    """The abs(t) whose two-sided p-value is ``p_threshold``, for each df; only a few different df occur."""
    distinct, inverse = np.unique(df, return_inverse=True)
    found = np.array([student_t_critical(p_threshold, float(value)) for value in distinct])
    result: FloatArray = found[inverse.reshape(df.shape)]
    return result


def _fit_and_reweight(
    training: _Training,
    design: TrainingDesign,
    parameters: FarringtonParameters,
    variant: _Variant,
    *,
    trend: bool,
) -> _Prediction:
    """Steps 2 and 3: fit, downweight past outbreaks, fit again; then the prediction with its standard
    error.
    """
    as_r = parameters.dispersion == "r"
    iterations = _R_ITERATIONS if as_r else _TEXTBOOK_ITERATIONS
    y, known, exposure = training.cells.y, training.known, training.exposure

    fit = fit_quasi_poisson(
        design,
        training.cells,
        weights=known,
        exposure=exposure,
        trend=trend,
        max_iterations=iterations,
    )
    usable = fit.converged.copy()
    n_rows: FloatArray = np.full(y.shape[1], float(design.n_rows)) if known is None else known.sum(axis=0)
    filled_levels = design.n_levels if known is None else (design.by_level(known) > 0).sum(axis=0)
    df = n_rows - filled_levels - (1 if trend else 0)
    usable &= df > 0
    df = np.maximum(df, 1.0)
    state = _FitState(design, training, fit.estimate, fit.previous if as_r else fit.estimate, known, trend)
    pearson = state.pearson() / df
    phi = np.maximum(pearson, 1.0)
    if parameters.reweight:
        weights = _outbreak_weights(state, phi, n_rows, parameters.weights_threshold)
        fit = fit_quasi_poisson(
            design,
            training.cells,
            weights=weights,
            exposure=exposure,
            trend=trend,
            max_iterations=iterations,
            # R starts afresh; where a level has no case, its mean depends on the start.
            start=None if as_r else fit.estimate,
        )
        usable &= fit.converged
        state = _FitState(
            design, training, fit.estimate, fit.previous if as_r else fit.estimate, weights, trend
        )
        pearson = state.pearson() / df
        phi = np.maximum(pearson, 1.0)
    # The bound must not profit from a dispersion below 1; the test of the slope takes it as estimated.
    se_dispersion, test_dispersion = phi, pearson
    if parameters.reweight and variant.r_reweighted_dispersion:
        se_dispersion = test_dispersion = (weights * state.relative**2).sum(axis=0) / df
    slope_variance, log_mean_variance = state.variances()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if trend:
            slope_t = fit.estimate.slope / np.sqrt(test_dispersion * slope_variance)
        else:
            slope_t = np.full(df.shape, np.nan)
        return _Prediction(
            log_mean=fit.estimate.log_mean_now(design),
            log_mean_se=np.sqrt(se_dispersion * log_mean_variance),
            phi=phi,
            slope=fit.estimate.slope,
            slope_t=slope_t,
            df=df,
            usable=usable,
        )


class _FitState:
    """Working weights of a fit and what follows from them.

    relative: (y - mu) / mu. working: prior weight x mu, mu of ``at``, which is the estimate or the step
        before it.
    """

    def __init__(
        self,
        design: TrainingDesign,
        training: _Training,
        estimate: Coefficients,
        at: Coefficients,
        weights: FloatArray | None,
        trend: bool,
    ) -> None:
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            self.mu = estimate.mean_power(design, training.exposure, 1.0)
            self.relative = (training.cells.y - self.mu) / self.mu
            working = self.mu if at is estimate else at.mean_power(design, training.exposure, 1.0)
            self.working = working if weights is None else weights * working
        self._design = design
        self._training = training
        self._estimate = estimate
        self.weights = weights
        self._trend = trend
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            self._by_level = design.by_level(self.working)
            if trend:
                weighted = self.working * design.x[:, None]
                self._centre = design.by_level(weighted) / self._by_level
                weighted *= design.x[:, None]
                per_level = design.by_level(weighted) - self._centre**2 * self._by_level
                self._spread = np.where(self._by_level > 0, per_level, 0.0).sum(axis=0)

    def pearson(self) -> FloatArray:
        """Pearson's chi-squared; shape (n_problems,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            result: FloatArray = (self.working * self.relative**2).sum(axis=0)
        return result

    def leverage(self) -> FloatArray:
        """Diagonal of the hat matrix; shape (n_rows, n_problems)."""
        level = self._design.level_of_row
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share = (1.0 / self._by_level)[level]
            if self._trend:
                share += (self._design.x[:, None] - self._centre[level]) ** 2 / self._spread
            return share * self.working

    def variances(self) -> tuple[FloatArray, FloatArray]:
        """Variance of the slope and of the linear predictor at the time judged, both at dispersion 1."""
        current = self._design.current
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            of_level: FloatArray = 1.0 / self._by_level[current]
            if not self._trend:
                return np.full(of_level.shape, np.nan), of_level
            of_slope = 1.0 / self._spread
            return of_slope, of_level + (self._design.x_now - self._centre[current]) ** 2 * of_slope

    def anscombe(self, phi: FloatArray) -> FloatArray:
        """Standardised Anscombe residuals 1.5 (y^(2/3) mu^(-1/6) - mu^(1/2)) / sqrt(phi (1 - h))."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            excess = self._estimate.mean_power(self._design, self._training.exposure, -1 / 6)
            excess *= self._training.cells.y_two_thirds
            excess -= np.sqrt(self.mu)
            excess *= 1.5
            # A week that alone determines its level has leverage 1 and residual 0: it tells nothing, and the
            # floor keeps 0 divided by the rounding error of 1 - h from looking like something.
            left = self.leverage()
            np.subtract(1.0, left, out=left)
            np.maximum(left, 1e-12, out=left)
            left *= phi
            np.sqrt(left, out=left)
            excess /= left
        return excess


def _outbreak_weights(state: _FitState, phi: FloatArray, n_rows: FloatArray, threshold: float) -> FloatArray:
    """Step 3: weight g s^-2 for residuals above the threshold, g for the others; g makes the weights sum to
    n.
    """
    residual = state.anscombe(phi)
    with np.errstate(invalid="ignore"):
        large = residual > threshold
        weights = np.ones_like(residual)
        weights[large] = residual[large] ** -2.0
    if state.weights is not None:
        weights *= state.weights
    weights *= n_rows / weights.sum(axis=0)
    return weights


def _upper_bound(
    parameters: FarringtonParameters,
    variant: _Variant,
    log_mean: FloatArray,
    log_mean_se: FloatArray,
    phi: FloatArray,
) -> FloatArray:
    """Step 5."""
    tail = parameters.alpha / 2 if variant.two_sided else parameters.alpha
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean = np.exp(log_mean)
        if parameters.threshold_method == "nbPlugin":
            return negative_binomial_quantile(1 - tail, mean, phi)
        z = normal_quantile(1 - tail)
        if parameters.threshold_method == "muan":
            return negative_binomial_quantile(1 - tail, np.exp(log_mean + z * log_mean_se), phi)
        tau = phi + mean * log_mean_se**2
        bound: FloatArray
        if parameters.power == "2/3":
            bound = np.maximum(mean ** (2 / 3) + z * np.sqrt(4 / 9 * np.cbrt(mean) * tau), 0.0) ** 1.5
        elif parameters.power == "1/2":
            bound = np.maximum(np.sqrt(mean) + z * np.sqrt(tau / 4), 0.0) ** 2
        else:
            bound = mean + z * np.sqrt(mean * tau)
        return np.where(np.isfinite(bound), bound, np.nan)


def _recent_cases(filled: FloatArray, weeks: int) -> FloatArray:
    """Cases of the last ``weeks`` weeks, each week itself included."""
    total = np.cumsum(filled, axis=1)
    before = np.zeros_like(total)
    before[:, weeks:] = total[:, :-weeks] if weeks < total.shape[1] else before[:, weeks:]
    return total - before
