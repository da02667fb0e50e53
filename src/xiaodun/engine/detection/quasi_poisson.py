"""Quasi-Poisson regression on a level factor and a linear trend, for many series at once.

Model, for row i of the training set: log mu_i = a_[level(i)] + b x_i (+ log exposure_i), variance phi mu_i.

Each row has exactly one level, so the normal equations X'WX form an arrow matrix: a diagonal with the sums of
the weights by level, bordered by the row of the trend. Eliminating the diagonal leaves one equation for the
slope, and
the whole step needs three sums by level: of w, w x and w x^2. Further, mu_i = exp(a_l) exp(b x_i): the
level's factor comes out of the sums, and exp(b x) of whole weeks x is the product of two short tables. A step
is thus a few passes over an array of shape (n_rows, n_problems), with no exponential and no matrix in it.

Iteration, start and stop follow the usual iteratively reweighted least squares (McCullagh & Nelder 1989,
2.5): start at mu = y + 0.1, stop when the deviance changes by less than 1e-8 of (itself + 0.1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Coefficients", "Fit", "StartTerms", "TrainingDesign", "fit_quasi_poisson"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.intp]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

_TABLE = 16  # rows of the fine table of exp(b x); the coarse one steps by as many weeks
_TOLERANCE = 1e-8
_SLOPE_RANGE = 600.0  # exp(slope * half range of x) must stay a finite number


class TrainingDesign:
    """Rows of a training set relative to the time judged, the same for every series.

    lags: how many times before the time judged each row lies, sorted by level; shape (n_rows,).
    levels: half-open row ranges, one a level, in order.
    current: index in ``levels`` of the level of the time judged.
    x: the trend's variable of each row, centred, in times; ``x_now`` its value at the time judged.
    """

    def __init__(self, lags: npt.ArrayLike, level_of_row: npt.ArrayLike, current_level: int) -> None:
        lag = np.asarray(lags, dtype=np.intp)
        level = np.asarray(level_of_row, dtype=np.intp)
        order = np.lexsort((-lag, level))
        self.lags: IntArray = lag[order]
        level = level[order]
        names, starts = np.unique(level, return_index=True)
        edges = [*(int(s) for s in starts), int(level.size)]
        self.levels = tuple(pairwise(edges))
        self.current = int(np.flatnonzero(names == current_level)[0])
        self.level_of_row: IntArray = np.repeat(np.arange(len(names)), np.diff(edges))
        centre = float(self.lags.mean())
        self.x: FloatArray = centre - self.lags.astype(np.float64)
        self.x_now = centre
        position = int(self.lags.max()) - self.lags
        self._coarse, self._fine = np.divmod(position, _TABLE)
        self._x_first = centre - float(self.lags.max())
        self._n_coarse = int(self._coarse.max()) + 1
        self.half_range = float(np.abs(self.x).max())

    @property
    def n_rows(self) -> int:
        return int(self.lags.size)

    @property
    def n_levels(self) -> int:
        return len(self.levels)

    def growth(self, slope: FloatArray) -> FloatArray:
        """exp(slope * x) for every row and problem; shape (n_rows, n_problems)."""
        fine = _powers(np.exp(slope), _TABLE)
        coarse = _powers(np.exp(slope * _TABLE), self._n_coarse)
        coarse *= np.exp(slope * self._x_first)
        result: FloatArray = coarse[self._coarse]
        result *= fine[self._fine]
        return result

    def by_level(self, values: FloatArray) -> FloatArray:
        """Sums over the rows of each level; shape (n_levels, n_problems)."""
        result = np.empty((self.n_levels, values.shape[1]))
        for index, (low, high) in enumerate(self.levels):
            np.add.reduce(values[low:high], axis=0, out=result[index])
        return result


@dataclass(frozen=True, slots=True, eq=False)
class StartTerms:
    """Counts and what the fit needs of them alone; cell by cell, so the caller tabulates it once for all
    windows.

    working: (y + 0.1) log(y + 0.1) - 0.1, the weighted working response at the start.
    deviance: y log y - y log(y + 0.1) + 0.1, half the deviance at the start.
    y_two_thirds: y^(2/3), for Anscombe's residuals.
    """

    y: FloatArray
    y_log_y: FloatArray
    working: FloatArray
    deviance: FloatArray
    y_two_thirds: FloatArray

    @classmethod
    def of(cls, y: FloatArray) -> StartTerms:
        log_start = np.log(y + 0.1)
        y_log_y = y * np.log(np.where(y > 0, y, 1.0))
        return cls(y, y_log_y, (y + 0.1) * log_start - 0.1, y_log_y - y * log_start + 0.1, np.cbrt(y) ** 2)

    def columns(self, index: IntArray) -> StartTerms:
        """The problems of these columns."""
        return self._each(lambda values: values.take(index, axis=1))

    def rows(self, index: IntArray) -> StartTerms:
        """The cells of these flat indices, in the shape of the index."""
        return self._each(lambda values: values.ravel()[index])

    def _each(self, take: Callable[[FloatArray], FloatArray]) -> StartTerms:
        return StartTerms(
            take(self.y),
            take(self.y_log_y),
            take(self.working),
            take(self.deviance),
            take(self.y_two_thirds),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """intercepts: shape (n_levels, n_problems), at the centre of x; slope: shape (n_problems,), per time."""

    intercepts: FloatArray
    slope: FloatArray

    def mean_power(self, design: TrainingDesign, exposure: FloatArray | None, power: float) -> FloatArray:
        """mu^power of every row; shape (n_rows, n_problems). The tables make it far cheaper than a power of
        mu.
        """
        mu: FloatArray = np.exp(power * self.intercepts)[design.level_of_row]
        if bool(self.slope.any()):
            mu *= design.growth(power * self.slope)
        if exposure is not None:
            mu *= exposure if power == 1.0 else exposure**power
        return mu

    def log_mean_now(self, design: TrainingDesign) -> FloatArray:
        """The linear predictor at the time judged, without its exposure; shape (n_problems,)."""
        result: FloatArray = self.intercepts[design.current] + self.slope * design.x_now
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Estimates; ``previous`` are those one step before the last, where the last step took its weights."""

    estimate: Coefficients
    previous: Coefficients
    converged: BoolArray


def fit_quasi_poisson(
    design: TrainingDesign,
    cells: StartTerms,
    *,
    weights: FloatArray | None,
    exposure: FloatArray | None,
    trend: bool,
    max_iterations: int,
    start: Coefficients | None = None,
) -> Fit:
    """Fit the model to every column of ``cells``, n_problems >= 2.

    weights: prior weights, None for 1; a row of weight 0 takes no part.
    exposure: multiplies the mean, None for 1.
    start: coefficients to start from; None starts at mu = y + 0.1.

    Two columns at least, since NumPy adds a single column in another order and the last digit of a result
    must not depend on how many problems are solved together.
    """
    n = cells.y.shape[1]
    x = design.x[:, None]
    y, y_log_y = cells.y, cells.y_log_y
    if weights is not None:
        y, y_log_y = y * weights, y_log_y * weights
    gy, observed_log = design.by_level(y), y_log_y.sum(axis=0)
    gxy = (y * x).sum(axis=0) if trend else np.zeros(n)
    if exposure is not None:
        observed_log = observed_log - (y * np.log(exposure)).sum(axis=0)
    if start is None:
        intercepts, slope, deviance = _first_step(design, cells, weights, exposure, trend)
    else:
        intercepts, slope, deviance = start.intercepts.copy(), start.slope.copy(), np.full(n, np.inf)

    mass = _product(weights, exposure)
    flat = None if trend else (design.by_level(mass) if mass is not None else _rows_by_level(design, n))
    final = Coefficients(intercepts.copy(), slope.copy())
    before = Coefficients(intercepts.copy(), slope.copy())
    converged = np.zeros(n, dtype=np.bool_)

    # The columns still iterating: `at` is their place; every array below holds only them.
    at = np.arange(n)
    for step in range(1, max_iterations + 1):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            level_factor = np.exp(intercepts)
            if trend:
                rows = design.growth(slope)
                if mass is not None:
                    rows *= mass
                s0 = design.by_level(rows)
                rows *= x
                s1 = design.by_level(rows)
                rows *= x
                s2 = design.by_level(rows)
                sw, swx = level_factor * s0, level_factor * s1
            else:
                assert flat is not None
                s0 = flat
                sw = level_factor * s0
            fitted_log = (np.where(gy > 0, intercepts * gy, 0.0)).sum(axis=0) + slope * gxy
            new_deviance = 2.0 * (observed_log - fitted_log - gy.sum(axis=0) + sw.sum(axis=0))
            done = np.abs(new_deviance - deviance) < _TOLERANCE * (0.1 + np.abs(new_deviance))
            lost = ~np.isfinite(new_deviance) | (np.abs(slope) * design.half_range > _SLOPE_RANGE)
        deviance = new_deviance
        final.intercepts[:, at], final.slope[at] = intercepts, slope
        converged[at] = done & ~lost
        going = ~(done | lost)
        if step == max_iterations or not bool(going.any()):
            break
        if int(going.sum()) <= 0.7 * at.size and at.size > 2:
            # take, not an index: it keeps the rows contiguous, and with them the order of the additions.
            keep = np.flatnonzero(going)
            if keep.size == 1:
                keep = np.append(keep, keep[0])
            at, gy, gxy, observed_log, deviance = (
                at[keep],
                gy.take(keep, axis=1),
                gxy[keep],
                observed_log[keep],
                deviance[keep],
            )
            intercepts, slope, s0, sw = (
                intercepts.take(keep, axis=1),
                slope[keep],
                s0.take(keep, axis=1),
                sw.take(keep, axis=1),
            )
            level_factor, going = level_factor.take(keep, axis=1), going[keep]
            if trend:
                s1, s2, swx = s1.take(keep, axis=1), s2.take(keep, axis=1), swx.take(keep, axis=1)
            mass = None if mass is None else mass.take(keep, axis=1)
            flat = None if flat is None else flat.take(keep, axis=1)
        before.intercepts[:, at[going]] = intercepts[:, going]
        before.slope[at[going]] = slope[going]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            residual = gy - sw
            change = _ratio(residual, sw)
            if trend:
                centre = _ratio(s1, s0)
                sxx = (level_factor * (s2 - s1 * centre)).sum(axis=0)
                slope_change = (gxy - swx.sum(axis=0) - (residual * centre).sum(axis=0)) / sxx
                change = change - slope_change * centre
                slope = np.where(going, slope + slope_change, slope)
            intercepts = np.where(going, intercepts + change, intercepts)
    return Fit(final, before, converged)


def _first_step(
    design: TrainingDesign,
    cells: StartTerms,
    weights: FloatArray | None,
    exposure: FloatArray | None,
    trend: bool,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Intercepts and slope after one step from mu = y + 0.1, and the deviance before it.

    There w = g mu and w z = g (mu (log mu - log exposure) - 0.1).
    """
    x = design.x[:, None]
    w, z = cells.y + 0.1, cells.working
    if exposure is not None:
        z = z - w * np.log(exposure)
    deviance_terms = cells.deviance
    if weights is not None:
        w *= weights
        z = z * weights
        deviance_terms = deviance_terms * weights
    sw, swz = design.by_level(w), design.by_level(z)
    deviance = 2.0 * deviance_terms.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        if not trend:
            return _ratio(swz, sw), np.zeros(w.shape[1]), deviance
        swxz = (z * x).sum(axis=0)
        w *= x
        swx = design.by_level(w)
        w *= x
        centre = _ratio(swx, sw)
        sxx = w.sum(axis=0) - (swx * centre).sum(axis=0)
        slope = (swxz - (swz * centre).sum(axis=0)) / sxx
        return _ratio(swz, sw) - slope * centre, slope, deviance


def _powers(base: FloatArray, n: int) -> FloatArray:
    """base^0 .. base^(n-1); by halving the exponent, so that rounding grows with its logarithm only."""
    result = np.empty((n, base.size))
    result[0] = 1.0
    if n > 1:
        result[1] = base
    for k in range(2, n):
        np.multiply(result[k // 2], result[k - k // 2], out=result[k])
    return result


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """The quotient, 0 where a level has no weight left: such a level takes no part and must spoil nothing."""
    result: FloatArray = np.where(denominator > 0, numerator / denominator, 0.0)
    return result


def _product(first: FloatArray | None, second: FloatArray | None) -> FloatArray | None:
    if first is None:
        return second
    return first if second is None else first * second


def _rows_by_level(design: TrainingDesign, n: int) -> FloatArray:
    sizes = np.array([high - low for low, high in design.levels], dtype=np.float64)
    return np.repeat(sizes[:, None], n, axis=1)
