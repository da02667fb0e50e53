"""The school detector: what it learns, what it lets pass, and what it costs in false alarms."""

import numpy as np
import pytest

from xiaodun.engine.detection.school import Hierarchy, SchoolDetector

SCHOOLS, GRADES, CLASSES, DAYS = 8, 3, 3, 60
SCHOOL = np.repeat(np.arange(SCHOOLS), GRADES * CLASSES)
GRADE = np.repeat(np.arange(SCHOOLS * GRADES), CLASSES)
HIERARCHY = Hierarchy(GRADE, SCHOOL)
PUPILS = np.full(SCHOOL.size, 42.0)
LEVELS = ("class", "grade", "school", "district")


def school_days(count: int = DAYS) -> np.ndarray:
    every = np.arange("2020-09-01", "2021-02-01", dtype="datetime64[D]")
    return every[(every.astype(int) + 3) % 7 < 5][:count]


def quiet_term(seed: int, daily_rate: float = 0.0025) -> np.ndarray:
    """Background alone: schools and classes differ, Mondays bring the weekend's cases as well."""
    rng = np.random.default_rng(seed)
    relative = rng.gamma(10, 1 / 10, SCHOOLS)[SCHOOL] * rng.gamma(20, 1 / 20, SCHOOL.size)
    weekday = np.where((school_days().astype(int) + 3) % 7 == 0, 2.0, 1.0)
    return rng.poisson((PUPILS * daily_rate * relative)[:, None] * weekday).astype(float)


def judge(counts, **parameters):
    return SchoolDetector(**parameters).detect_tree(
        counts, HIERARCHY, dates=school_days(counts.shape[1]), population=PUPILS
    )


def alarm_starts(detection, levels=("class", "grade", "school")) -> int:
    """Runs of days on which some unit of a school alarms, over all schools."""
    any_unit = np.zeros((SCHOOLS, detection["school"].alarm.shape[1]), dtype=bool)
    owners = {"class": SCHOOL, "grade": SCHOOL[::CLASSES], "school": np.arange(SCHOOLS)}
    for level in levels:
        np.logical_or.at(any_unit, owners[level], detection[level].alarm.filled(False))
    return int((any_unit[:, 1:] & ~any_unit[:, :-1]).sum() + any_unit[:, 0].sum())


def test_a_quiet_term_costs_no_more_false_alarms_than_the_budget():
    terms = 4
    starts = sum(alarm_starts(judge(quiet_term(seed), term_days=DAYS)) for seed in range(terms))
    assert 0 < starts / (SCHOOLS * terms) <= 1.0


def test_a_larger_budget_never_silences_an_alarm():
    counts = quiet_term(3)
    strict, lax = judge(counts, budget=0.5), judge(counts, budget=4.0)
    for level in LEVELS:
        assert not (strict[level].alarm.filled(False) & ~lax[level].alarm.filled(False)).any()
    assert alarm_starts(lax) > alarm_starts(strict)


def test_three_cases_of_a_rare_kind_in_a_class_alarm_on_their_first_day():
    counts = quiet_term(1, daily_rate=0.0001)
    counts[5, 40:] = 0
    counts[5, 40] = 3
    found = judge(counts)["class"]
    assert found.alarm[5, 40]
    assert found.diagnostics["price"][5, 40] <= SchoolDetector().budget
    assert (found.diagnostics["observed"][5, 40], found.diagnostics["days"][5, 40]) == (3, 1)
    assert not found.alarm[5, 39]


def test_one_case_more_in_each_class_alarms_the_school_though_no_class_stands_out():
    counts = quiet_term(2)
    members = np.flatnonzero(SCHOOL == 4)
    counts[members, 45:48] += 1
    found = judge(counts)
    assert found["school"].alarm[4, 45:48].any()
    assert not found["class"].alarm[members, 45].any()


def test_a_rise_of_the_whole_district_alarms_the_district():
    counts = quiet_term(5)
    counts[:, 50:] += np.random.default_rng(9).poisson(PUPILS[:, None] * 0.0025 * np.ones(10))
    assert judge(counts)["district"].alarm[0, 50:].any()


def test_nobody_ever_ill_never_alarms_and_is_judged_all_the_same():
    found = judge(np.zeros((SCHOOL.size, DAYS)))
    for level in LEVELS:
        assert not found[level].alarm.filled(False).any()
        assert not np.ma.getmaskarray(found[level].alarm)[:, -1].any()


def test_days_without_enough_past_are_masked_and_not_zero():
    detector = SchoolDetector()
    found = judge(quiet_term(0))["class"]
    first = detector.warm_up + detector.wait
    assert np.ma.getmaskarray(found.alarm)[:, :first].all()
    assert np.isnan(found.score[:, :first]).all()
    assert not np.ma.getmaskarray(found.alarm)[:, first].any()


def test_a_class_that_was_not_checked_is_masked_and_teaches_nothing():
    counts = quiet_term(7)
    counts[8, 30] = np.nan
    found = judge(counts)
    assert np.ma.getmaskarray(found["class"].alarm)[8, 30]
    assert not np.ma.getmaskarray(found["school"].alarm)[0, 30]
    # An unchecked day is no evidence of health: the expectation stays where it was.
    zero = counts.copy()
    zero[8, 30] = 0
    assert judge(counts)["class"].expected[8, 35] > judge(zero)["class"].expected[8, 35]


def test_an_outbreak_does_not_become_the_new_normal():
    counts = quiet_term(4)
    before = judge(counts)["class"].expected[0, 50]
    counts[0, 40:46] += 12
    assert judge(counts)["class"].expected[0, 50] < 4 * before


def test_a_class_is_drawn_towards_its_school_and_a_school_towards_the_district():
    counts = np.zeros((SCHOOL.size, DAYS))
    counts[SCHOOL < 4] = quiet_term(6, daily_rate=0.004)[SCHOOL < 4]
    expected = judge(counts)["class"].expected[:, -1]
    assert expected[SCHOOL < 4].min() > expected[SCHOOL >= 4].max() > 0


def test_order_of_the_classes_plays_no_part():
    counts = quiet_term(8)
    order = np.random.default_rng(0).permutation(SCHOOL.size)
    shuffled = SchoolDetector().detect_tree(
        counts[order], Hierarchy(GRADE[order], SCHOOL[order]), dates=school_days(), population=PUPILS
    )
    straight = judge(counts)
    np.testing.assert_allclose(shuffled["class"].score, straight["class"].score[order], rtol=1e-9)
    np.testing.assert_allclose(shuffled["school"].score, straight["school"].score, rtol=1e-9)
    assert (shuffled["class"].alarm.filled(False) == straight["class"].alarm.filled(False)[order]).all()


def test_what_comes_later_changes_no_earlier_judgement():
    counts = quiet_term(10)
    whole, part = judge(counts), judge(counts[:, :40])
    for level in LEVELS:
        np.testing.assert_array_equal(whole[level].score[:, :40], part[level].score)
        np.testing.assert_array_equal(whole[level].upperbound[:, :40], part[level].upperbound)


def test_a_count_of_one_day_above_the_bound_alarms_and_one_on_it_does_not_by_itself():
    counts = quiet_term(11)
    counts[:, 44:51] = 0
    bound = judge(counts)["class"].upperbound[20, 50]
    counts[20, 50] = bound
    assert not judge(counts, max_days=1)["class"].alarm[20, 50]
    bound = judge(counts, max_days=1)["class"].upperbound[20, 50]
    counts[20, 50] = bound + 1
    assert judge(counts, max_days=1)["class"].alarm[20, 50]


def test_series_without_a_tree_are_the_classes_of_one_school():
    counts = quiet_term(12)[:6]
    found = SchoolDetector().detect(counts)
    assert found.alarm.shape == counts.shape
    one = SchoolDetector().detect(counts[0])
    assert one.score.shape == (DAYS,)


@pytest.mark.parametrize(
    ("grade", "school", "message"),
    [
        ([0, 0], [0, 1], "a grade must lie in one school"),
        ([0, 2], [0, 0], "without a gap"),
        ([0, 1], [0], "the same shape"),
        ([], [], "one number a series"),
    ],
)
def test_a_broken_hierarchy_is_refused(grade, school, message):
    with pytest.raises(ValueError, match=message):
        Hierarchy(np.array(grade, dtype=int), np.array(school, dtype=int))


@pytest.mark.parametrize(
    "parameters",
    [{"max_days": 0}, {"wait": 0}, {"budget": 0.0}, {"overlap": 0.5}, {"memory": 0.0}],
)
def test_a_parameter_outside_its_range_is_refused(parameters):
    with pytest.raises(ValueError, match="must be"):
        SchoolDetector(**parameters)


def test_counts_and_hierarchy_must_fit():
    with pytest.raises(ValueError, match="hierarchy has"):
        SchoolDetector().detect_tree(np.zeros((3, 20)), HIERARCHY)
