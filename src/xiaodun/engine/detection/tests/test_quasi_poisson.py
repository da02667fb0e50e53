"""The arrow-matrix solver against the same regression with a dense design matrix."""

import numpy as np
import pytest

from xiaodun.engine.detection.quasi_poisson import StartTerms, TrainingDesign, fit_quasi_poisson


def dense_fit(design, y, weights, exposure, trend):
    """Newton's method on the full design matrix, one problem."""
    columns = [np.where(design.level_of_row == level, 1.0, 0.0) for level in range(design.n_levels)]
    if trend:
        columns.append(design.x)
    x = np.stack(columns, axis=1)
    beta = np.linalg.lstsq(x, np.log((y + 0.1) / exposure), rcond=None)[0]
    for _ in range(100):
        mu = exposure * np.exp(x @ beta)
        beta = beta + np.linalg.solve((x * (weights * mu)[:, None]).T @ x, x.T @ (weights * (y - mu)))
    return beta


@pytest.fixture
def design():
    lags = np.arange(27, 264)
    return TrainingDesign(lags, lags // 6 % 10, current_level=4)


@pytest.mark.parametrize("trend", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("exposed", [True, False])
def test_the_estimates_are_those_of_the_dense_regression(design, trend, weighted, exposed):
    rng = np.random.default_rng(5)
    n = 6
    level = rng.uniform(-0.5, 2.5, design.n_levels)
    mean = np.exp(level[design.level_of_row] + 0.002 * design.x)[:, None]
    exposure = rng.uniform(0.5, 3.0, (design.n_rows, n))
    y = rng.poisson(mean * exposure if exposed else np.repeat(mean, n, axis=1)).astype(float)
    weights = rng.uniform(0.1, 1.5, y.shape)
    fit = fit_quasi_poisson(
        design,
        StartTerms.of(y),
        weights=weights if weighted else None,
        exposure=exposure if exposed else None,
        trend=trend,
        max_iterations=40,
    )
    assert fit.converged.all()
    for problem in range(n):
        beta = dense_fit(
            design,
            y[:, problem],
            weights[:, problem] if weighted else np.ones(design.n_rows),
            exposure[:, problem] if exposed else np.ones(design.n_rows),
            trend,
        )
        np.testing.assert_allclose(
            fit.estimate.intercepts[:, problem], beta[: design.n_levels], rtol=1e-6, atol=1e-7
        )
        if trend:
            assert fit.estimate.slope[problem] == pytest.approx(beta[-1], rel=1e-5, abs=1e-8)


def test_the_powers_of_the_trend_are_the_exponential(design):
    slope = np.array([0.0, 0.01, -0.02, 1.5])
    np.testing.assert_allclose(design.growth(slope), np.exp(design.x[:, None] * slope), rtol=1e-12)


def test_a_level_without_weight_takes_no_part(design):
    rng = np.random.default_rng(6)
    y = rng.poisson(5.0, (design.n_rows, 2)).astype(float)
    weights = np.where(design.level_of_row == 7, 0.0, 1.0)[:, None] * np.ones(2)
    changed = np.where(weights > 0, y, 99.0)
    common = {"weights": weights, "exposure": None, "trend": True, "max_iterations": 40}
    one = fit_quasi_poisson(design, StartTerms.of(y), **common)
    other = fit_quasi_poisson(design, StartTerms.of(changed), **common)
    assert one.converged.all()
    np.testing.assert_array_equal(one.estimate.slope, other.estimate.slope)
