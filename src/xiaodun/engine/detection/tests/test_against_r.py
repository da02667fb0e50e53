"""Every shared result of R ``surveillance`` and ``EpiEstim`` is reproduced."""

import json

import numpy as np
import pytest

from xiaodun.engine.detection import (
    Cusum,
    EarsC1,
    EarsC2,
    EarsC3,
    Farrington,
    FarringtonFlexible,
    ReproductionNumber,
    discrete_serial_interval,
)

from .reference_results import EPIESTIM, judged, numbers, run_name, runs_of

TOLERANCE = 1e-6


def ears(run, **form):
    control = run["control"]
    parameters = {
        "baseline": control["baseline"],
        "alpha": control["alpha"],
        "min_sigma": control["minSigma"],
    }
    if control["method"] == "C3":
        return EarsC3(**parameters, **form)
    return {"C1": EarsC1, "C2": EarsC2}[control["method"]](**parameters)


def cusum(run):
    control = run["control"]
    return Cusum(
        k=control["k"],
        h=control["h"],
        transform=control["trans"],
        m="mean" if control["m"] is None else control["m"],
        baseline=run["first"] - 1,
        form="r",
    )


def farrington(run, dispersion):
    control = run["control"]
    parameters = {
        "years_back": control["b"],
        "half_window": control["w"],
        "reweight": control["reweight"],
        "trend": control["trend"],
        "alpha": control["alpha"],
        "limit_cases": control["limit54"][0],
        "limit_weeks": control["limit54"][1],
        "power": control["powertrans"],
        "dispersion": dispersion,
    }
    if run["function"] == "farrington":
        return Farrington(**parameters)
    return FarringtonFlexible(
        **parameters,
        periods=control["noPeriods"],
        past_weeks_excluded=control["pastWeeksNotIncluded"],
        weights_threshold=control["weightsThreshold"],
        trend_p_threshold=control["pThresholdTrend"],
        threshold_method=control["thresholdMethod"],
        calendar="dates" if run["epoch_dates"] else "weeks",
    )


def assert_same(run, detection):
    cells = judged(run)
    alarm = detection.alarm.astype(float).filled(np.nan)[cells]
    bound = numbers(run["upperbound"])
    np.testing.assert_array_equal(alarm, numbers(run["alarm"]))
    np.testing.assert_allclose(detection.upperbound[cells], bound, rtol=TOLERANCE, atol=0)


@pytest.mark.parametrize(("series", "run"), runs_of("earsC"), ids=run_name)
def test_ears_gives_the_alarms_and_bounds_of_r(series, run):
    assert_same(run, ears(run, form="r").detect(series["observed"]))


@pytest.mark.parametrize(
    ("series", "run"), [(s, r) for s, r in runs_of("earsC") if r["control"]["method"] != "C3"], ids=run_name
)
def test_ears_c1_and_c2_need_no_habit_of_r(series, run):
    assert_same(run, ears(run).detect(series["observed"]))


@pytest.mark.parametrize(("series", "run"), runs_of("cusum"), ids=run_name)
def test_cusum_gives_the_alarms_bounds_and_means_of_r(series, run):
    detection = cusum(run).detect(series["observed"])
    assert_same(run, detection)
    mean = numbers(run["m"]) if isinstance(run["m"], list) else run["m"]
    np.testing.assert_allclose(detection.expected[judged(run)], mean, rtol=1e-8)


@pytest.mark.parametrize(("series", "run"), runs_of("farrington", "farringtonFlexible"), ids=run_name)
def test_farrington_gives_the_alarms_and_bounds_of_r(series, run):
    dates = series["dates"] if run["epoch_dates"] else None
    detection = farrington(run, "r").detect(series["observed"], dates=dates)
    assert_same(run, detection)
    if run["function"] == "farringtonFlexible":
        cells = judged(run)
        assert_close_where_r_has_it(detection.expected[cells], run["expected"])
        assert_close_where_r_has_it(detection.diagnostics["dispersion"][cells], run["phiVector"])
        if run["control"]["thresholdMethod"] == "delta":
            assert_close_where_r_has_it(detection.score[cells], run["score"], atol=1e-6)
        else:
            np.testing.assert_array_equal(detection.upperbound[cells], numbers(run["upperbound"]))


def assert_close_where_r_has_it(ours, theirs, atol=0.0):
    """R leaves out the weeks with too few cases; we know the mean there too."""
    theirs = numbers(theirs)
    known = ~np.isnan(theirs)
    np.testing.assert_allclose(ours[known], theirs[known], rtol=TOLERANCE, atol=atol)


@pytest.mark.parametrize(
    ("series", "run"),
    [
        (series, run)
        for series, run in runs_of("farringtonFlexible")
        if run["control"]["thresholdMethod"] == "nbPlugin"
        and (run["control"]["pThresholdTrend"] == 1 or not run["control"]["trend"])
    ],
    ids=run_name,
)
def test_the_noufaily_setting_needs_no_habit_of_r(series, run):
    dates = series["dates"] if run["epoch_dates"] else None
    detection = farrington(run, "textbook").detect(series["observed"], dates=dates)
    cells = judged(run)
    np.testing.assert_array_equal(detection.alarm.filled(False)[cells], numbers(run["alarm"]).astype(bool))
    np.testing.assert_array_equal(detection.upperbound[cells], numbers(run["upperbound"]))


def test_the_two_forms_of_the_dispersion_differ_where_the_reference_says_they_do():
    # 12 other alarms in 11,126 points of four series are reported for delta and muan; some must show here.
    differing = points = 0
    for series, run in runs_of("farringtonFlexible"):
        if run["control"]["thresholdMethod"] == "nbPlugin" or run["epoch_dates"]:
            continue
        cells = judged(run)
        as_r = farrington(run, "r").detect(series["observed"]).alarm.filled(False)[cells]
        textbook = farrington(run, "textbook").detect(series["observed"]).alarm.filled(False)[cells]
        differing += int((as_r != textbook).sum())
        points += as_r.size
    assert 0 < differing < 0.01 * points


@pytest.mark.parametrize("name", ["matsumoto_w7", "matsumoto_w3"])
def test_the_reproduction_number_is_that_of_epiestim(name):
    reference = json.loads(EPIESTIM.read_text(encoding="utf-8"))[name]
    method = ReproductionNumber(
        mean_si=reference["mean_si"],
        std_si=reference["std_si"],
        window=reference["window"],
        mean_prior=reference["mean_prior"],
        std_prior=reference["std_prior"],
    )
    posterior = method.estimate(reference["incidence"])
    days = np.array(reference["t_end"]) - 1
    for key, ours in {
        "mean": posterior.mean,
        "sd": posterior.sd,
        "q025": posterior.quantile(0.025),
        "median": posterior.quantile(0.5),
        "q975": posterior.quantile(0.975),
    }.items():
        np.testing.assert_allclose(ours[days], reference[key], rtol=TOLERANCE, err_msg=key)
    assert np.flatnonzero(~np.isnan(posterior.mean)).tolist() == days.tolist()
    interval = discrete_serial_interval(
        reference["mean_si"], reference["std_si"], len(reference["si_distr"]) - 1
    )
    np.testing.assert_allclose(interval, reference["si_distr"], atol=1e-8)
