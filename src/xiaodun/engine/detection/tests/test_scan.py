"""The scan statistic: planted clusters, hand-made expectations, calibration."""

import math

import numpy as np
import pytest

from xiaodun.engine.detection import ScanStatistic, zones_of_distances, zones_of_tree

PATHS = [(f"School {s}", f"Grade {g}", f"Class {c}") for s in (1, 2) for g in (1, 2) for c in (1, 2, 3)]
TREE = zones_of_tree(PATHS)
NAMES, ZONES = list(TREE), list(TREE.values())


def quiet(seed=0, n_times=40):
    return np.random.default_rng(seed).poisson(0.3, (len(PATHS), n_times))


def test_a_tree_has_a_zone_for_every_node():
    assert len(TREE) == 1 + 2 + 4 + 12
    assert TREE[()] == tuple(range(12))
    assert TREE["School 2",] == (6, 7, 8, 9, 10, 11)
    assert TREE["School 1", "Grade 2"] == (3, 4, 5)
    with pytest.raises(ValueError, match="same path"):
        zones_of_tree([("a",), ("a",)])


def test_neighbours_are_taken_nearest_first():
    x = np.array([0.0, 1.0, 3.0, 7.0])
    assert set(zones_of_distances(abs(x[:, None] - x), largest=2)) == {
        (0,), (1,), (2,), (3,), (0, 1), (1, 2), (2, 3),
    }  # fmt: skip


@pytest.mark.parametrize("model", ["permutation", "poisson"])
def test_an_outbreak_in_a_grade_is_found_as_that_grade(model):
    y = quiet()
    y[3:6, -3:] += 3
    population = np.full(12, 40.0)[:, None] if model == "poisson" else None
    best, *_ = ScanStatistic(model=model, replicates=199, seed=3).scan(y, ZONES, population=population)
    assert NAMES[best.zone] == ("School 1", "Grade 2")
    assert best.groups == (3, 4, 5)
    assert best.last == 39
    assert best.first in (36, 37)
    assert best.observed == y[3:6, best.first :].sum()
    assert best.p_value == 1 / 200
    assert best.recurrence_interval == 200


def test_the_expectation_and_the_ratio_are_those_of_the_definition():
    y = quiet(4)
    y[0, -1] += 6
    best, *_ = ScanStatistic(replicates=9, max_days=1).scan(y, [(0,)])
    total, row, column = y.sum(), y[0].sum(), y[:, -1].sum()
    expected = row * column / total
    c = y[0, -1]
    assert best.expected == pytest.approx(expected)
    ratio = c * math.log(c / expected) + (total - c) * math.log((total - c) / (total - expected))
    assert best.log_likelihood_ratio == pytest.approx(ratio)


def test_clusters_share_no_group():
    y = quiet(1)
    y[0, -2:] += 4
    y[8, -2:] += 4
    clusters = ScanStatistic(replicates=99).scan(y, ZONES)
    groups = [g for cluster in clusters for g in cluster.groups]
    assert len(groups) == len(set(groups))
    assert {clusters[0].groups, clusters[1].groups} == {(0,), (8,)}


def test_the_same_seed_gives_the_same_p_value_and_each_time_its_own_replicates():
    y = quiet(2)
    method = ScanStatistic(replicates=99, seed=8)
    assert method.scan(y, ZONES) == method.scan(y, ZONES)
    whole = method.detect(y, zones=ZONES)
    some = method.detect(y, zones=ZONES, times=[30, 35])
    np.testing.assert_array_equal(whole.score[:, [30, 35]], some.score[:, [30, 35]])
    assert np.ma.getmaskarray(some.alarm)[:, 31].all()


def test_the_p_value_is_honest_without_an_outbreak():
    zones = [(0,), (1,), (2,), (3,), (0, 1), (2, 3), (0, 1, 2, 3)]
    rejected = 0
    for seed in range(150):
        y = np.random.default_rng(1000 + seed).poisson(0.5, (4, 15))
        clusters = ScanStatistic(replicates=19, max_days=3, seed=seed).scan(y, zones)
        rejected += bool(clusters) and clusters[0].p_value <= 0.1
    # 15 expected; 3.7 is the binomial standard deviation.
    assert 3 <= rejected <= 27


def test_a_day_on_which_every_group_has_more_is_no_cluster_of_one():
    y = np.ones((4, 20), dtype=int)
    y[:, -1] = 5
    assert ScanStatistic(replicates=19).scan(y, [(g,) for g in range(4)]) == ()


def test_detect_marks_the_groups_of_the_cluster():
    y = quiet(5)
    y[6, -2:] += 5
    detection = ScanStatistic(replicates=99, alpha=0.02).detect(y, zones=ZONES, times=[39])
    assert np.flatnonzero(detection.alarm[:, 39]).tolist() == [6]
    assert detection.score[6, 39] == 100
    assert np.isnan(detection.upperbound).all()


def test_no_case_is_no_cluster():
    assert ScanStatistic().scan(np.zeros((3, 20)), [(0,), (1,), (2,)]) == ()
    assert not ScanStatistic().detect(np.zeros((3, 20))).alarm.filled(False).any()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"zones": []}, "at least one zone"),
        ({"zones": [(0, 9)]}, "zone 0"),
        ({"zones": [(0,)], "at": 99}, "at must"),
        ({"zones": [(0,)], "population": 3.0}, "needs no population"),
    ],
)
def test_a_wrong_question_is_refused(arguments, word):
    with pytest.raises(ValueError, match=word):
        ScanStatistic().scan(np.ones((3, 20)), **arguments)


def test_broken_or_unknown_counts_and_a_missing_population_are_refused():
    with pytest.raises(ValueError, match="whole counts"):
        ScanStatistic().scan([[0.5, 1.0]], [(0,)])
    with pytest.raises(ValueError, match="whole counts"):
        ScanStatistic().scan([[np.nan, 1.0]], [(0,)])
    with pytest.raises(ValueError, match="population or expected"):
        ScanStatistic(model="poisson").scan(np.ones((2, 20)), [(0,)])
