"""What must hold for every method, whatever the counts."""

import dataclasses
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from xiaodun.engine.detection import (
    METHODS,
    Cusum,
    EarsC1,
    EarsC2,
    EarsC3,
    Farrington,
    FarringtonFlexible,
    ReproductionNumber,
    ScanStatistic,
)

TWO_YEARS = {"years_back": 2, "half_window": 2}

SERIES_METHODS = {
    "c1": EarsC1(),
    "c2": EarsC2(min_sigma=0.5),
    "c3": EarsC3(),
    "c3 as r": EarsC3(form="r"),
    "cusum": Cusum(baseline=20),
    "cusum rossi": Cusum(baseline=20, transform="rossi"),
    "cusum anscombe": Cusum(baseline=20, transform="anscombe", m=2.5),
    "cusum glm": Cusum(baseline=60, m="glm"),
    "farrington": Farrington(**TWO_YEARS),
    "farrington as r": Farrington(years_back=3, half_window=1, dispersion="r"),
    "flexible delta": FarringtonFlexible(**TWO_YEARS, limit_cases=0),
    "flexible with trend": FarringtonFlexible(years_back=3, half_window=1, trend_p_threshold=1.0),
    "flexible nbPlugin": FarringtonFlexible(
        **TWO_YEARS, periods=10, past_weeks_excluded=26, threshold_method="nbPlugin"
    ),
    "flexible muan": FarringtonFlexible(
        years_back=3, half_window=2, periods=5, threshold_method="muan", trend_p_threshold=1.0, limit_cases=0
    ),
    "rt": ReproductionNumber(mean_si=3.0, std_si=1.5),
}
HISTORY = {
    "c1": 7,
    "c2": 9,
    "c3": 11,
    "c3 as r": 11,
    "cusum": 20,
    "cusum rossi": 20,
    "cusum anscombe": 20,
    "cusum glm": 60,
    "farrington": 106,
    "farrington as r": 157,
    "flexible delta": 106,
    "flexible with trend": 157,
    "flexible nbPlugin": 106,
    "flexible muan": 158,
    "rt": 7,
}
N_TIMES = 175

each_method = pytest.mark.parametrize("name", SERIES_METHODS)

counts = arrays.arrays(
    np.int64,
    st.tuples(st.integers(1, 4), st.just(N_TIMES)),
    elements=st.integers(0, 12),
    fill=st.integers(0, 3),
)
few_examples = settings(max_examples=3, deadline=None)


def assert_equal(one, other):
    for field in ("expected", "upperbound", "score"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)
    np.testing.assert_array_equal(one.alarm.filled(False), other.alarm.filled(False))
    np.testing.assert_array_equal(np.ma.getmaskarray(one.alarm), np.ma.getmaskarray(other.alarm))


def rows(detection, index):
    return dataclasses.replace(
        detection,
        expected=detection.expected[index],
        upperbound=detection.upperbound[index],
        score=detection.score[index],
        alarm=detection.alarm[index],
        diagnostics={},
    )


def seasonal(n_series, n_times, seed=1, mean=6.0):
    rng = np.random.default_rng(seed)
    return rng.poisson(mean * np.exp(0.6 * np.sin(2 * np.pi * np.arange(n_times) / 52)), (n_series, n_times))


def test_the_registry_names_every_method_as_the_method_does():
    assert set(METHODS) >= {
        "ears-c1", "ears-c2", "ears-c3", "cusum", "farrington", "farrington-flexible", "scan", "rt",
    }  # fmt: skip
    assert all(METHODS[name].method == name for name in METHODS)


@each_method
@few_examples
@given(y=counts)
def test_results_have_the_shape_of_the_counts_and_do_not_depend_on_the_company(name, y):
    method = SERIES_METHODS[name]
    together = method.detect(y)
    assert together.expected.shape == together.alarm.shape == y.shape
    for row in range(y.shape[0]):
        assert_equal(rows(together, row), method.detect(y[row]))


@each_method
@few_examples
@given(y=counts, order=st.randoms(use_true_random=False))
def test_permuting_the_series_permutes_the_results(name, y, order):
    place = list(range(y.shape[0]))
    order.shuffle(place)
    method = SERIES_METHODS[name]
    assert_equal(method.detect(y[place]), rows(method.detect(y), place))


@pytest.mark.parametrize("name", [n for n in SERIES_METHODS if not n.startswith(("cusum", "rt"))])
@few_examples
@given(y=counts, earlier=st.integers(1, 30))
def test_a_longer_past_shifts_the_results_and_changes_nothing(name, y, earlier):
    # CUSUM and R_t remember all of the past; the other methods look at a window.
    method = SERIES_METHODS[name]
    longer = np.concatenate([np.full((y.shape[0], earlier), 3), y], axis=1)
    shifted = rows(method.detect(longer), (slice(None), slice(earlier + HISTORY[name], None)))
    assert_equal(shifted, rows(method.detect(y), (slice(None), slice(HISTORY[name], None))))


@each_method
@few_examples
@given(y=counts, cut=st.integers(1, N_TIMES - 1))
def test_a_result_does_not_know_the_future(name, y, cut):
    if name == "cusum glm":
        cut = max(cut, 61)
    method = SERIES_METHODS[name]
    assert_equal(method.detect(y[:, :cut]), rows(method.detect(y), (slice(None), slice(None, cut))))


@each_method
def test_a_constant_zero_never_alarms(name):
    assert not SERIES_METHODS[name].detect(np.zeros((2, 300))).alarm.filled(False).any()


@each_method
def test_a_short_history_is_masked_and_not_zero(name):
    detection = SERIES_METHODS[name].detect(seasonal(3, 300))
    first = HISTORY[name]
    assert np.ma.getmaskarray(detection.alarm)[:, :first].all()
    assert not np.ma.getmaskarray(detection.alarm)[:, first:].any()
    for values in (detection.expected, detection.upperbound, detection.score):
        assert np.isnan(values[:, :first]).all()
    assert not np.isnan(detection.expected[:, first:]).any()


@each_method
def test_a_series_shorter_than_the_history_is_masked_throughout(name):
    detection = SERIES_METHODS[name].detect(np.ones(HISTORY[name]))
    assert np.ma.getmaskarray(detection.alarm).all()
    assert np.isnan(detection.upperbound).all()


@pytest.mark.parametrize("name", [n for n in SERIES_METHODS if n != "rt"])
def test_an_unknown_count_is_not_judged_and_does_not_stop_the_later_ones(name):
    y = seasonal(2, 300).astype(float)
    y[0, 250] = np.nan
    detection = SERIES_METHODS[name].detect(y)
    masked = np.ma.getmaskarray(detection.alarm)
    assert masked[0, 250]
    assert not masked[:, -20:].any()


@each_method
def test_many_series_in_one_call_are_judged_as_in_parts(name):
    y = seasonal(40, 190, mean=2.0)
    method = SERIES_METHODS[name]
    whole = method.detect(y)
    for part in (slice(0, 1), slice(1, 14), slice(14, 40)):
        assert_equal(rows(whole, part), method.detect(y[part]))


@each_method
def test_counts_that_are_no_counts_are_refused(name):
    method = SERIES_METHODS[name]
    for bad, word in [
        ([1, -1], "negative"),
        ([1, np.inf], "finite"),
        (np.ones((2, 2, 2)), "dimensions"),
        (["x"], "numbers"),
    ]:
        with pytest.raises(ValueError, match=word):
            method.detect(bad)


@pytest.mark.parametrize("name", ["c1", "c2", "c3", "cusum", "rt"])
def test_a_population_is_refused_where_there_is_no_term_for_it(name):
    with pytest.raises(ValueError, match="population"):
        SERIES_METHODS[name].detect(np.ones(50), population=100)


@few_examples
@given(y=counts, factor=st.sampled_from([2.0, 4.0, 0.5]))
def test_scaling_the_counts_scales_the_bounds_of_ears(y, factor):
    # Powers of two: the arithmetic is exact, so the alarms must be the same to the last.
    for method in (EarsC1(), EarsC2(), EarsC3()):
        one, scaled = method.detect(y), method.detect(y * factor)
        np.testing.assert_array_equal(scaled.upperbound, one.upperbound * factor)
        np.testing.assert_array_equal(scaled.score, one.score)
        np.testing.assert_array_equal(scaled.alarm.filled(False), one.alarm.filled(False))


@few_examples
@given(y=counts, shift=st.integers(1, 50))
def test_adding_a_constant_shifts_the_bounds_of_ears(y, shift):
    for method in (EarsC1(), EarsC2(), EarsC3()):
        one, shifted = method.detect(y), method.detect(y + shift)
        np.testing.assert_allclose(shifted.upperbound, one.upperbound + shift, rtol=1e-9)


@few_examples
@given(factor=st.integers(2, 50), seed=st.integers(0, 10_000))
def test_scaling_the_counts_scales_the_mean_and_the_dispersion_of_farrington(factor, seed):
    # With overdispersion above 1 on both scales the quasi-likelihood is the same but for phi.
    y = seasonal(2, 175, seed) * 3
    method = FarringtonFlexible(years_back=3, half_window=2, reweight=False, trend_p_threshold=1.0)
    one, scaled = method.detect(y), method.detect(y * factor)
    np.testing.assert_allclose(scaled.expected, one.expected * factor, rtol=1e-6)
    phi = one.diagnostics["dispersion"]
    over = phi > 1
    np.testing.assert_allclose(scaled.diagnostics["dispersion"][over], phi[over] * factor, rtol=1e-5)


def test_a_population_that_is_the_same_every_week_changes_nothing():
    y = seasonal(2, 300)
    for method in (FarringtonFlexible(), FarringtonFlexible.noufaily(alpha=0.01)):
        plain, with_population = method.detect(y), method.detect(y, population=1000.0)
        np.testing.assert_allclose(with_population.expected, plain.expected, rtol=1e-6)
        np.testing.assert_allclose(with_population.upperbound, plain.upperbound, rtol=1e-5)


def test_a_population_that_doubles_lets_the_expectation_double():
    y = seasonal(1, 290, mean=20.0)
    population = np.full(290, 500.0)
    population[-1] = 1000.0
    plain = FarringtonFlexible().detect(y)
    grown = FarringtonFlexible().detect(y, population=population[None, :])
    assert grown.expected[0, -1] == pytest.approx(2 * plain.expected[0, -1], rel=1e-6)


def test_dates_move_the_windows_to_the_same_date_of_earlier_years():
    first = date(2015, 1, 5)
    days = [first + timedelta(weeks=i) for i in range(330)]
    y = seasonal(1, 330)
    by_week = FarringtonFlexible().detect(y)
    by_date = FarringtonFlexible(calendar="dates").detect(y, dates=days)
    # Five years are 260.9 weeks: a date's fifth year back lies a week beyond 260.
    assert not np.array_equal(by_week.expected, by_date.expected, equal_nan=True)
    with pytest.raises(ValueError, match="needs the dates"):
        FarringtonFlexible(calendar="dates").detect(y)
    with pytest.raises(ValueError, match="7 days apart"):
        FarringtonFlexible(calendar="dates").detect(y, dates=[*days[:-1], days[-1] + timedelta(days=1)])


@pytest.mark.parametrize(
    ("method", "parameters", "word"),
    [
        (EarsC1, {"baseline": 1}, "baseline"),
        (EarsC2, {"alpha": 0.0}, "alpha"),
        (EarsC3, {"form": "x"}, "form"),
        (EarsC3, {"min_sigma": -1.0}, "min_sigma"),
        (Cusum, {"h": 0.0}, "h must"),
        (Cusum, {"m": -2.0}, "m must"),
        (Cusum, {"transform": "log"}, "transform"),
        (Cusum, {"m": "glm", "baseline": 2}, "baseline"),
        (Farrington, {"periods": 10}, "periods"),
        (Farrington, {"threshold_method": "muan"}, "threshold_method"),
        (FarringtonFlexible, {"years_back": 0}, "years_back"),
        (FarringtonFlexible, {"half_window": 26}, "half_window"),
        (FarringtonFlexible, {"periods": 60}, "periods"),
        (FarringtonFlexible, {"past_weeks_excluded": 400}, "past_weeks_excluded"),
        (FarringtonFlexible, {"power": "3"}, "power"),
        (FarringtonFlexible, {"dispersion": "R"}, "dispersion"),
        (ScanStatistic, {"replicates": 0}, "replicates"),
        (ScanStatistic, {"history": 5}, "history"),
        (ReproductionNumber, {"mean_si": 1.0, "std_si": 1.0}, "mean_si"),
        (ReproductionNumber, {"mean_si": 3.0, "std_si": 1.0, "window": 0}, "window"),
    ],
)  # fmt: skip
def test_a_parameter_outside_its_range_is_refused_by_name(method, parameters, word):
    with pytest.raises(ValueError, match=word):
        method(**parameters)


def test_parameters_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FarringtonFlexible().alpha = 0.5
