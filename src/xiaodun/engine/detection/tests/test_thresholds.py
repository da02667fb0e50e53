"""The count rule on small tables, against a naive reading of its text, and on a real outbreak."""

import csv
import doctest
import json
import random
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiaodun.engine.detection.thresholds import (
    UNKNOWN,
    Cluster,
    CountRule,
    Onset,
    Window,
    find_clusters,
)

ROOT = Path(__file__).parents[5]
OUTBREAKS = ROOT / "tests" / "data" / "outbreaks"

GASTRO = "gastrointestinal"
FEVER = "respiratory-fever"
THREE_IN_A_DAY = CountRule(min_cases=3, window_days=1)
FIVE_IN_THREE = CountRule(min_cases=5, window_days=3)
FRIDAY = date(2020, 11, 6)


def ill(person, offset, *groups):
    return Onset(person, FRIDAY + timedelta(days=offset), frozenset(groups))


def gastro(*offsets):
    """One onset a number: person 0, 1, 2… on that many days after Friday."""
    return [ill(person, offset, GASTRO) for person, offset in enumerate(offsets)]


@pytest.mark.parametrize(
    ("rule", "offsets", "peaks"),
    [
        (THREE_IN_A_DAY, [], []),
        (THREE_IN_A_DAY, [0, 0], []),
        (THREE_IN_A_DAY, [0, 0, 0], [3]),
        (THREE_IN_A_DAY, [0, 0, 0, 0], [4]),
        (THREE_IN_A_DAY, [0, 0, 1], []),
        (THREE_IN_A_DAY, [1, 1, 1], [3]),  # a Saturday counts as any day
        (THREE_IN_A_DAY, [0, 0, 0, 1, 1, 1], [3]),  # neighbouring days touch: one cluster
        (THREE_IN_A_DAY, [0, 0, 0, 2, 2, 2], [3, 3]),  # a free day between: two
        (FIVE_IN_THREE, [0, 0, 0, 0], []),
        (FIVE_IN_THREE, [0, 1, 1, 2, 2], [5]),  # Friday to Sunday
        (FIVE_IN_THREE, [0, 0, 0, 3, 3], []),  # Friday and Monday: four calendar days
        (FIVE_IN_THREE, [2, 2, 3, 3, 4], [5]),  # Sunday to Tuesday
        (FIVE_IN_THREE, [0, 0, 0, 0, 0, 0], [6]),
        (FIVE_IN_THREE, [0] * 5 + [3] * 5, [5]),  # windows [-2, 0] and [1, 3] touch
        (FIVE_IN_THREE, [0] * 5 + [4] * 5, [5, 5]),  # windows [-2, 0] and [2, 4] do not
        (CountRule(1, 1), [0], [1]),
    ],
)
def test_the_rule_holds_at_and_above_its_count_within_its_calendar_days(rule, offsets, peaks):
    assert [cluster.peak for cluster in find_clusters(gastro(*offsets), rule)] == peaks


def test_windows_end_on_onset_days_only_and_tell_their_span_and_count():
    (cluster,) = find_clusters(gastro(0, 1, 1, 2, 2, 4), FIVE_IN_THREE)
    assert cluster == Cluster(
        symptom_group=GASTRO,
        windows=(Window(FRIDAY, FRIDAY + timedelta(days=2), count=5, unknown=0),),
        persons=(0, 1, 2, 3, 4),
        peak=5,
    )
    assert (cluster.start, cluster.end) == (FRIDAY, FRIDAY + timedelta(days=2))


def test_a_person_counts_once_in_a_window_however_often_entered():
    twice = [ill("a", 0, GASTRO), ill("a", 0, GASTRO), ill("a", 1, GASTRO), ill("b", 0, GASTRO)]
    assert find_clusters(twice, CountRule(3, 3)) == ()
    (cluster,) = find_clusters([*twice, ill("c", 1, GASTRO)], CountRule(3, 3))
    assert (cluster.peak, cluster.persons) == (3, ("a", "b", "c"))


def test_different_symptom_groups_do_not_add_up():
    assert find_clusters([ill(1, 0, GASTRO), ill(2, 0, GASTRO), ill(3, 0, FEVER)], THREE_IN_A_DAY) == ()


def test_a_person_with_two_groups_counts_in_both():
    onsets = [ill(person, 0, GASTRO, FEVER) for person in (1, 2, 3)]
    assert [c.symptom_group for c in find_clusters(onsets, THREE_IN_A_DAY)] == [GASTRO, FEVER]


def test_unknown_symptoms_count_in_every_group_that_is_known_and_are_marked():
    onsets = [ill(1, 0), ill(2, 0), ill(3, 0, GASTRO), ill(4, 0, FEVER)]
    assert [(c.symptom_group, c.persons, c.windows[0].count, c.windows[0].unknown)
            for c in find_clusters(onsets, THREE_IN_A_DAY)] == [
        (GASTRO, (1, 2, 3), 3, 2),
        (FEVER, (1, 2, 4), 3, 2),
    ]  # fmt: skip


def test_unknown_symptoms_alone_form_an_unknown_cluster():
    (cluster,) = find_clusters([ill(1, 0), ill(2, 0), ill(3, 0)], THREE_IN_A_DAY)
    assert (cluster.symptom_group, cluster.windows[0].unknown) == (UNKNOWN, 3)


def test_a_group_that_is_known_only_elsewhere_in_time_does_not_name_a_cluster():
    onsets = [ill(1, 0), ill(2, 0), ill(3, 0), ill(4, 20, GASTRO)]
    assert [c.symptom_group for c in find_clusters(onsets, THREE_IN_A_DAY)] == [UNKNOWN]


def test_an_unknown_cluster_survives_a_known_cluster_of_the_same_persons_at_another_time():
    september = [ill(person, 0) for person in (1, 2, 3)]
    december = [ill(person, 90, GASTRO) for person in (1, 2, 3)]
    assert [c.symptom_group for c in find_clusters(september + december, THREE_IN_A_DAY)] == [UNKNOWN, GASTRO]


def test_learning_one_symptom_turns_the_unknown_cluster_into_a_known_one():
    onsets = [ill(1, 0), ill(2, 0), ill(3, 0)]
    learnt = [*onsets, ill(3, 0, FEVER)]
    (cluster,) = find_clusters(learnt, THREE_IN_A_DAY)
    assert (cluster.symptom_group, cluster.persons, cluster.windows[0].unknown) == (FEVER, (1, 2, 3), 2)


@pytest.mark.parametrize(("cases", "days"), [(0, 1), (-1, 1), (3, 0), (2.5, 1), (True, 1), (3, "1")])
def test_a_rule_without_sense_is_refused(cases, days):
    with pytest.raises(ValueError, match="at least 1"):
        CountRule(cases, days)


def test_an_onset_refuses_a_moment_and_the_reserved_group():
    with pytest.raises(ValueError, match="falls on a date"):
        Onset(1, datetime(2020, 11, 6, 8, 0))  # noqa: DTZ001 - the wrong type is the point
    with pytest.raises(ValueError, match="empty set"):
        Onset(1, FRIDAY, frozenset({UNKNOWN}))


def naive(onsets, rule):
    """The text of the rule, word for word, without any care for speed."""
    symptoms = {}
    for onset in onsets:
        symptoms[onset.person, onset.on] = (
            symptoms.get((onset.person, onset.on), set()) | onset.symptom_groups
        )

    def chained(group):
        taken = {key: value for key, value in symptoms.items() if group in value or not value}
        windows = []
        for end in sorted({on for _, on in taken}):
            start = end - timedelta(days=rule.window_days - 1)
            inside = {(person, on) for person, on in taken if start <= on <= end}
            persons = {person for person, _ in inside}
            if len(persons) >= rule.min_cases:
                known = {person for person, on in inside if group in taken[person, on]}
                windows.append((Window(start, end, len(persons), len(persons - known)), inside))
        chains = []
        for window, inside in windows:
            if chains and window.start <= chains[-1][-1][0].end + timedelta(days=1):
                chains[-1].append((window, inside))
            else:
                chains.append([(window, inside)])
        for chain in chains:
            members = set().union(*(inside for _, inside in chain))
            only = tuple(window for window, _ in chain)
            persons = tuple(sorted({person for person, _ in members}))
            yield Cluster(group, only, persons, max(w.count for w in only)), members

    kept, claimed = [], set()
    for group in set().union(*symptoms.values()) if symptoms else ():
        for cluster, members in chained(group):
            if any(group in symptoms[key] for key in members):
                kept.append(cluster)
                claimed |= members
    kept += [cluster for cluster, members in chained(UNKNOWN) if not members & claimed]
    return tuple(sorted(kept, key=lambda c: (c.start, c.end, c.symptom_group)))


some_onsets = st.lists(
    st.builds(ill, st.integers(0, 7), st.integers(0, 14))
    | st.builds(ill, st.integers(0, 7), st.integers(0, 14), st.sampled_from([GASTRO, FEVER, "rash"]))
    | st.builds(ill, st.integers(0, 7), st.integers(0, 14), st.just(GASTRO), st.just(FEVER)),
    max_size=30,
)
some_rules = st.builds(CountRule, st.integers(1, 5), st.integers(1, 5))


@settings(max_examples=300, deadline=None)
@given(some_onsets, some_rules)
def test_the_clusters_equal_a_naive_reading_of_the_rule(onsets, rule):
    assert find_clusters(onsets, rule) == naive(onsets, rule)


@settings(max_examples=100, deadline=None)
@given(some_onsets, some_rules, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(onsets, rule, shuffler: random.Random):
    again = onsets + onsets[: len(onsets) // 2]
    shuffler.shuffle(again)
    assert find_clusters(again, rule) == find_clusters(onsets, rule)


@settings(max_examples=100, deadline=None)
@given(some_onsets, some_rules)
def test_an_unknown_cluster_shares_no_onset_with_a_known_one(onsets, rule):
    clusters = find_clusters(onsets, rule)
    for unknown in (c for c in clusters if c.symptom_group == UNKNOWN):
        for known in (c for c in clusters if c.symptom_group != UNKNOWN):
            overlap = known.start <= unknown.end and unknown.start <= known.end
            assert not (overlap and set(known.persons) & set(unknown.persons))


@pytest.mark.parametrize(("cases", "days"), [(3, 1), (5, 3)])
def test_derbyshire_2001_meets_the_oracle(cases, days):
    """The first holding day of every class and each count on an onset day, computed by another program."""
    oracle = json.loads((OUTBREAKS / "rules_norovirus_derbyshire.json").read_text(encoding="utf-8"))
    expected = next(
        rule for rule in oracle["rules"] if (rule["min_cases"], rule["window_days"]) == (cases, days)
    )
    day_one = date(2001, 1, 2)
    onsets_of: dict[str, list[Onset[str]]] = {}
    with (OUTBREAKS / "norovirus_derbyshire_2001_linelist.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["day_absent"]:
                on = day_one + timedelta(days=int(row["day_absent"]) - 1)
                onsets_of.setdefault(row["class"], []).append(Onset(row["child_id"], on, frozenset({GASTRO})))

    found = {
        name: [
            ((window.end - day_one).days + 1, window.count)
            for cluster in find_clusters(onsets, CountRule(cases, days))
            for window in cluster.windows
        ]
        for name, onsets in onsets_of.items()
    }
    assert [[name, windows[0][0]] for name, windows in sorted(found.items()) if windows] == expected["first"]
    onset_days = {
        name: {(onset.on - day_one).days + 1 for onset in onsets} for name, onsets in onsets_of.items()
    }
    assert [[name, day, count] for name, windows in sorted(found.items()) for day, count in windows] == [
        hit for hit in expected["all"] if hit[1] in onset_days[hit[0]]
    ]
    assert any(hit[1] in onset_days[hit[0]] for hit in expected["all"])


def test_the_page_of_this_room_runs():
    failed, tried = doctest.testfile(str(ROOT / "docs" / "engine" / "thresholds.md"), module_relative=False)
    assert (failed, tried > 0) == (0, True)
