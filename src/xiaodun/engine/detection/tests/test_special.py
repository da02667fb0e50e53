"""Distribution functions against closed forms, other routes and tabulated values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiaodun.engine.detection.special import (
    gamma_cdf,
    gamma_quantile,
    log_gamma,
    negative_binomial_quantile,
    normal_quantile,
    regularised_incomplete_beta,
    student_t_critical,
    student_t_two_sided_p,
)


def test_log_gamma_agrees_with_the_standard_library():
    x = np.array([1e-8, 0.1, 0.5, 1.0, 1.5, 2.0, 3.7, 25.0, 1e3, 1e8, 1e16, 1e40])
    np.testing.assert_allclose(log_gamma(x), [math.lgamma(v) for v in x], rtol=1e-12, atol=1e-14)
    assert np.isnan(log_gamma([0.0, -1.5])).all()


def test_the_incomplete_beta_function_of_whole_numbers_is_a_binomial_tail():
    for a, b, x in [(3, 4, 0.2), (1, 1, 0.7), (10, 2, 0.9), (2, 30, 0.05)]:
        n = a + b - 1
        tail = sum(math.comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1))
        assert regularised_incomplete_beta(a, b, x) == pytest.approx(tail, rel=1e-12)
    np.testing.assert_array_equal(regularised_incomplete_beta(2.0, 3.0, [0.0, 1.0]), [0.0, 1.0])
    assert np.isnan(regularised_incomplete_beta(2.0, 3.0, [-0.1, 1.1])).all()


def test_students_t_has_its_closed_forms_and_table_values():
    # One degree of freedom is the Cauchy law, two have an elementary form.
    for t in (0.0, 0.3, 1.0, 12.706, 500.0):
        assert student_t_two_sided_p(t, 1) == pytest.approx(1 - 2 / math.pi * math.atan(t), rel=1e-10)
        assert student_t_two_sided_p(-t, 2) == pytest.approx(
            1 - t / math.sqrt(2 + t * t), rel=1e-9, abs=1e-12
        )
    assert student_t_critical(0.05, 10) == pytest.approx(2.228138852, rel=1e-9)
    assert student_t_critical(0.05, 1e6) == pytest.approx(normal_quantile(0.975), rel=1e-5)
    assert student_t_critical(1.0, 10) == 0.0
    assert student_t_critical(0.0, 10) == math.inf
    assert student_t_two_sided_p(math.inf, 5) == 0.0


def test_the_gamma_law_of_whole_shapes_is_a_poisson_tail():
    for shape, x in [(1, 0.5), (3, 2.0), (7, 12.0), (40, 35.0)]:
        tail = 1 - sum(math.exp(-x) * x**j / math.factorial(j) for j in range(shape))
        assert gamma_cdf(x, shape) == pytest.approx(tail, rel=1e-11)
    np.testing.assert_array_equal(gamma_cdf([-1.0, 0.0, np.inf], 2.0), [0.0, 0.0, 1.0])
    assert np.isnan(gamma_cdf(1.0, -1.0))


@pytest.mark.parametrize("probability", [0.001, 0.025, 0.5, 0.975, 0.999])
def test_the_gamma_quantile_inverts_the_distribution(probability):
    shape = np.geomspace(0.01, 3000, 25)
    quantile = gamma_quantile(probability, shape)
    # Below 1e-300 there is no number left to invert.
    reachable = quantile > 1e-290
    np.testing.assert_allclose(gamma_cdf(quantile, shape)[reachable], probability, rtol=1e-9)
    assert quantile[::6].tolist() == [float(gamma_quantile(probability, one)) for one in shape[::6]]


def naive_quantile(probability, mean, dispersion):
    """Summation from zero in exact fractions of doubles: slow, plain."""
    term = math.exp(-mean) if dispersion == 1 else math.exp(-mean / (dispersion - 1) * math.log(dispersion))
    total, k = term, 0
    while total < probability * (1 - 1e-13):
        term *= (k * (1 - 1 / dispersion) + mean / dispersion) / (k + 1)
        k += 1
        total = math.fsum([total, term])
    return k


@settings(max_examples=80, deadline=None)
@given(
    mean=st.floats(0, 300),
    dispersion=st.one_of(st.just(1.0), st.floats(1.0001, 30)),
    probability=st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.99, 0.995, 0.999]),
)
def test_the_quantile_of_counts_is_that_of_the_plain_sum(mean, dispersion, probability):
    assert negative_binomial_quantile(probability, mean, dispersion) == naive_quantile(
        probability, mean, dispersion
    )


def test_the_quantile_of_large_counts_is_near_the_normal_one():
    mean = np.array([1e4, 1e6, 1e8])
    quantile = negative_binomial_quantile(0.99, mean, 2.0)
    np.testing.assert_allclose((quantile - mean) / np.sqrt(2 * mean), normal_quantile(0.99), atol=0.03)


def test_the_quantile_of_counts_does_not_depend_on_the_company():
    mean = np.geomspace(0.01, 2000, 60)
    together = negative_binomial_quantile(0.99, mean, 1.7)
    assert together.tolist() == [float(negative_binomial_quantile(0.99, m, 1.7)) for m in mean]


def test_a_mean_that_is_no_forecast_has_no_quantile():
    quantile = negative_binomial_quantile(0.99, [np.nan, np.inf, -1.0, 1e300, 5.0, 0.0], [1, 1, 1, 2, 0.5, 1])
    np.testing.assert_array_equal(quantile, [np.nan, np.nan, np.nan, np.nan, np.nan, 0.0])
