"""EARS and CUSUM on small series worked out by hand."""

import numpy as np
import pytest

from xiaodun.engine.detection import Cusum, EarsC1, EarsC2, EarsC3, ReproductionNumber
from xiaodun.engine.detection.special import normal_quantile

WEEK = [1, 2, 3, 4, 3, 2, 1]  # mean 16/7, sum of squares about it 52/7


def test_c1_is_the_mean_of_the_week_before_plus_z_standard_deviations():
    detection = EarsC1(alpha=0.01).detect([*WEEK, 9])
    mean, sd = 16 / 7, (52 / 7 / 6) ** 0.5
    assert detection.expected[7] == pytest.approx(mean)
    assert detection.upperbound[7] == pytest.approx(mean + normal_quantile(0.99) * sd)
    assert detection.score[7] == pytest.approx((9 - mean) / sd)
    assert bool(detection.alarm[7])


def test_c2_leaves_two_days_between_the_baseline_and_today():
    detection = EarsC2().detect([*WEEK, 50, 60, 9])
    assert detection.expected[9] == pytest.approx(16 / 7)
    assert bool(detection.alarm[9])


def test_c3_adds_the_excess_of_three_days_and_today_counts():
    y = [*WEEK, 1, 4, 4, 4, 20]
    cdc = EarsC3().detect(y)
    assert bool(cdc.alarm[11])
    without_today = EarsC3().detect([*y[:-1], 2])
    assert not without_today.alarm[11]
    assert cdc.score[11] > without_today.score[11]
    # R's form has the count of today on both sides, so it does not matter.
    as_r = [EarsC3(form="r").detect([*y[:-1], today]) for today in (2, 20)]
    assert bool(as_r[0].alarm[11]) == bool(as_r[1].alarm[11])


def test_the_bound_of_c3_is_the_count_at_which_the_limit_is_met():
    y = np.array([*WEEK, 2, 4, 4, 4, 0], dtype=float)
    bound = EarsC3().detect(y).upperbound[11]
    for today, alarms in ((bound - 1e-6, False), (bound + 1e-6, True)):
        y[11] = today
        assert bool(EarsC3().detect(y).alarm[11]) is alarms


def test_a_constant_baseline_makes_any_excess_infinite_and_no_excess_none():
    same = EarsC1().detect([4] * 8)
    more = EarsC1().detect([*[4] * 7, 5])
    assert (same.score[7], bool(same.alarm[7])) == (0.0, False)
    assert (more.score[7], bool(more.alarm[7])) == (np.inf, True)
    assert not EarsC1(min_sigma=0.5).detect([*[4] * 7, 5]).alarm[7]


@pytest.mark.parametrize("transform", ["standard", "rossi", "anscombe"])
def test_the_bound_of_cusum_is_the_smallest_count_that_alarms(transform):
    rng = np.random.default_rng(2)
    y = rng.poisson(3.0, 60).astype(float)
    method = Cusum(baseline=20, transform=transform, k=0.5, h=3.0)
    bound = method.detect(y).upperbound
    for t in range(20, 60, 3):
        for count, alarms in ((bound[t], True), (bound[t] - 1, False)):
            if count < 0:
                continue
            changed = y.copy()
            changed[t] = count
            assert bool(method.detect(changed).alarm[t]) is alarms


def test_cusum_adds_up_small_excesses():
    y = [*[4] * 20, *[6] * 8]
    detection = Cusum(baseline=20, k=0.5, h=2.0).detect(y)
    np.testing.assert_allclose(detection.score[20:25], [0.5, 1.0, 1.5, 2.0, 2.5])
    assert detection.alarm[20:25].tolist() == [False, False, False, True, True]


def test_the_bound_of_the_reproduction_number_divides_alarm_from_no_alarm():
    y = np.array([1, 0, 2, 1, 3, 2, 4, 3, 5, 0], dtype=float)
    method = ReproductionNumber(mean_si=3.0, std_si=1.5, window=5)
    bound = method.detect(y).upperbound[9]
    assert bound > 0
    for today, alarms in ((bound * 0.999, False), (bound * 1.001, True)):
        y[9] = today
        assert bool(method.detect(y).alarm[9]) is alarms


def test_a_first_case_tells_nothing_of_transmission():
    y = [0] * 10 + [1]
    assert np.ma.getmaskarray(ReproductionNumber(mean_si=3.0, std_si=1.5).detect(y).alarm)[10]
