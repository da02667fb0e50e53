"""A simulated term: what the checks say follows from what was true, and a seed means one term."""

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml

from xiaodun.engine.calendar import SchoolCalendar, Term, state_holidays
from xiaodun.engine.simulation import (
    SYMPTOM_GROUPS,
    Setting,
    build_census,
    bulletin_district,
    diseases,
    simulate_term,
)

FIRST, LAST = date(2020, 9, 1), date(2021, 1, 29)
AT_SCHOOL = [Setting.CLASS, Setting.GRADE, Setting.SCHOOL, Setting.ROOM]


@pytest.fixture(scope="module")
def calendar():
    return SchoolCalendar.from_state([state_holidays(2020), state_holidays(2021)], terms=(Term(FIRST, LAST),))


@pytest.fixture(scope="module")
def census():
    codes = {"p01", "p07", "n01", "s01", "k01", "k02", "t01", "t02"}
    plans = [plan for plan in bulletin_district() if plan.code in codes]
    return build_census(seed=3, school_year=2020, plans=plans)


@pytest.fixture(scope="module")
def term(census, calendar):
    return simulate_term(census, seed=3, calendar=calendar, first=FIRST, last=LAST)


def fingerprint(term):
    parts = (term.cases, term.background, *term.leave, *term.late, term.submitted, term.sent_late)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def everybody(term):
    return np.concatenate([term.cases, term.background])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(term, census, calendar):
    again = simulate_term(census, seed=3, calendar=calendar, first=FIRST, last=LAST)
    other = simulate_term(census, seed=4, calendar=calendar, first=FIRST, last=LAST)
    assert fingerprint(again) == fingerprint(term)
    assert fingerprint(other) != fingerprint(term)


def test_these_bytes_are_the_same_on_every_machine(term):
    assert fingerprint(term) == "8806fd51cc5f5504745b47a3a244e2e77be5928a94880f7c87daa3c89d1fb307"


def test_a_schools_everyday_is_the_same_alone_and_with_others(census, calendar):
    dates = {"calendar": calendar, "first": FIRST, "last": LAST}
    together = simulate_term(census, seed=3, **dates, only=())
    plans = [plan for plan in census.plans if plan.code == "p07"]
    alone = simulate_term(build_census(seed=3, school_year=2020, plans=plans), seed=3, **dates, only=())
    row = [plan.code for plan in census.plans].index("p07")
    first = census.institutions[row]["first_person"]
    own = together.background[census.persons["institution"][together.background["person"]] == row].copy()
    own["person"] -= first
    assert own.tobytes() == alone.background.tobytes()
    of_school = together.tree["institution"] == row
    assert (together.submitted[of_school] == alone.submitted).all()


def test_a_disease_runs_the_same_alone_and_beside_others(term, census, calendar):
    alone = simulate_term(census, seed=3, calendar=calendar, first=FIRST, last=LAST, only={"norovirus"}).cases
    beside = term.cases[term.cases["disease"] == diseases()["norovirus"].number]
    for field in ("person", "infected", "onset", "setting", "reported"):
        assert (alone[field] == beside[field]).all()


def test_infections_follow_from_earlier_ones_of_people_who_meet(term):
    cases, persons = term.cases, term.census.persons
    passed = cases[cases["infector"] >= 0]
    source = cases[passed["infector"]]
    assert len(passed) > 500
    assert (source["infected"] < passed["infected"]).all()
    assert (source["disease"] == passed["disease"]).all()
    assert (source["outbreak"] == passed["outbreak"]).all()
    here, there = persons[passed["person"]], persons[source["person"]]
    for setting, field in (
        (Setting.CLASS, "group"),
        (Setting.SCHOOL, "institution"),
        (Setting.ROOM, "room"),
        (Setting.LESSON, "lesson"),
        (Setting.HOUSEHOLD, "household"),
    ):
        of = passed["setting"] == setting
        assert of.any() or setting is Setting.LESSON  # rare: the ill stay away from lessons too
        assert (here[field][of] == there[field][of]).all()
        assert (here[field][of] >= 0).all()
    roots = cases[cases["infector"] < 0]
    assert set(roots["setting"]) <= {Setting.COMMUNITY, Setting.SOURCE}


def test_nobody_is_infected_twice_with_a_disease_nor_at_school_when_it_is_closed(term):
    assert len(np.unique(term.cases[["person", "disease"]])) == len(term.cases)
    at_school = np.isin(term.cases["setting"], AT_SCHOOL)
    assert term.is_school_day[term.cases["infected"][at_school]].all()
    assert (term.cases["onset"] >= term.cases["infected"]).all()
    assert (term.cases["ill_until"] >= term.cases["onset"]).all()


def test_checks_are_made_on_school_days_shifted_ones_included(term):
    on = dict(zip(term.days, term.submitted.any(axis=0), strict=True))
    assert on[date(2020, 9, 27)]  # a Sunday that stands in for a day of National Day
    assert on[date(2020, 10, 10)]
    assert not on[date(2020, 10, 5)]
    assert not term.submitted[:, ~term.is_school_day].any()
    missing = 1 - term.submitted[:, term.is_school_day].mean()
    assert 0.006 < missing < 0.02


def test_counts_are_those_of_a_plain_count_over_the_rows(term):
    counts = term.counts()
    reported, absent = np.zeros_like(counts.by_report), np.zeros_like(counts.absent_ill)
    home = np.searchsorted(term.groups, term.census.persons["group"])
    for case in everybody(term):
        if case["reported"] < 0:
            continue
        row = home[case["person"]]
        for group in term.picture(case).groups:
            reported[SYMPTOM_GROUPS.index(group), row, case["reported"]] += 1
        if case["stays_home"]:
            for day in range(case["reported"], min(case["ill_until"] + 1, len(term.days))):
                absent[row, day] += term.submitted[row, day]
    assert (counts.by_report == reported).all()
    assert (counts.absent_ill == absent).all()


def test_counts_stay_inside_what_was_checked(term):
    counts = term.counts()
    sizes = term.census.groups["size"][term.groups]
    assert (counts.headcount == sizes[:, None] * term.is_school_day).all()
    assert (counts.checked == sizes[:, None] * term.submitted).all()
    assert (counts.absent_ill + counts.absent_other <= counts.checked).all()
    assert not counts.by_report[:, ~term.submitted].any()


@pytest.mark.parametrize("level", ["grade", "institution", "district"])
def test_levels_add_up(term, level):
    classes, above = term.counts(), term.counts(level)
    unit = term.tree[level]
    for name in ("headcount", "checked", "absent_ill", "absent_other"):
        for position, row in enumerate(above.units):
            assert (getattr(classes, name)[unit == row].sum(axis=0) == getattr(above, name)[position]).all()
    for name in ("by_report", "by_onset"):
        for position, row in enumerate(above.units):
            below = getattr(classes, name)[:, unit == row].sum(axis=1)
            assert (below == getattr(above, name)[:, position]).all()


def test_rooms_count_their_boarders(term):
    rooms = term.counts("room")
    assert (rooms.headcount.max(axis=1) == term.census.groups["size"][rooms.units]).all()
    assert (rooms.absent_ill <= rooms.checked).all()
    assert rooms.by_report.sum() > 0


def test_what_is_known_on_a_day_does_not_change_by_what_comes_later(term):
    day = 90
    then, later = term.counts(known_on=day), term.counts()
    for name in ("absent_ill", "checked", "by_report"):
        assert (getattr(then, name)[..., : day + 1] == getattr(later, name)[..., : day + 1]).all()
        assert not getattr(then, name)[..., day + 1 :].any()
    assert (then.by_onset <= later.by_onset).all()
    assert then.by_onset[..., day - 3 : day + 1].sum() < later.by_onset[..., day - 3 : day + 1].sum()


def test_every_illness_is_told_after_it_began_and_most_are_told(term):
    rows = everybody(term)
    known = rows[rows["reported"] >= 0]
    assert (known["reported"] >= known["onset"]).all()
    assert known["symptomatic"].all()
    home = np.searchsorted(term.groups, term.census.persons["group"][known["person"]])
    assert term.submitted[home, known["reported"]].all()
    assert 0.7 < len(known) / rows["symptomatic"].sum() < 0.95


def test_mondays_hear_of_the_weekend(term):
    by_onset = term.counts("district").by_onset[:, 0].sum(axis=0)
    by_report = term.counts("district").by_report[:, 0].sum(axis=0)
    weekday = term.world.weekday
    assert by_report[weekday == 0].sum() > 1.6 * by_report[weekday == 2].sum()
    assert by_onset[weekday >= 5].sum() > 0.2 * by_onset.sum()


def test_winter_is_worse_than_september(term):
    absent = term.counts("district")
    rate = absent.absent_ill[0] / np.maximum(absent.checked[0], 1)
    september = np.array([day.month == 9 for day in term.days]) & term.is_school_day
    january = np.array([day.month == 1 for day in term.days]) & term.is_school_day
    assert rate[january].mean() > 1.5 * rate[september].mean()


def test_a_window_holds_the_cases_that_it_says(term):
    windows = term.windows(min_cases=3)
    assert len(windows) > 10
    cases, persons = term.cases, term.census.persons
    for window in windows:
        own = cases[(persons["group"][cases["person"]] == window["unit"]) & cases["symptomatic"]]
        own = own[own["disease"] == window["disease"]]
        inside = own[(own["onset"] >= window["start"]) & (own["onset"] <= window["end"])]
        assert len(inside) == window["cases"] >= 3
        assert (inside["reported"] >= 0).sum() == window["reported"]
        assert window["linked"] >= 1
    assert len(term.windows("institution", min_cases=3)) < len(windows)


def test_outbreaks_sum_to_the_cases(term):
    outbreaks = term.outbreaks()
    assert outbreaks["infections"].sum() == len(term.cases)
    assert outbreaks["cases"].sum() == term.cases["symptomatic"].sum()
    assert (outbreaks["end"] >= outbreaks["start"]).all()
    assert (term.cases[outbreaks["outbreak"]]["infector"] == -1).all()


def test_a_hard_season_has_more_influenza(census, calendar):
    dates = {"calendar": calendar, "first": FIRST, "last": LAST, "only": {"influenza"}}
    mild, usual, hard = (
        len(simulate_term(census, seed=3, severity=severity, **dates).cases) for severity in (0.0, 1.0, 2.0)
    )
    assert mild == 0
    assert usual < hard


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed"),
        ({"severity": -1.0}, "severity"),
        ({"only": {"plague"}}, "plague"),
        ({"last": date(2020, 8, 1)}, "cannot end"),
    ],
)
def test_what_cannot_be_simulated_is_refused(census, calendar, arguments, message):
    usual = {"seed": 1, "calendar": calendar, "first": FIRST, "last": LAST}
    with pytest.raises(ValueError, match=message):
        simulate_term(census, **{**usual, **arguments})


def test_parameters_name_a_source_and_a_mark_and_symptoms_group_as_the_norm_does():
    for disease in diseases().values():
        assert disease.source
        assert disease.source_mark in {"V", "V2", "M", "M?", "P"}
    package = Path(__file__).parents[3]
    norm, own = (
        yaml.safe_load((package / path).read_text(encoding="utf-8"))
        for path in ("surveillance/data/norm-2006.yaml", "engine/simulation/data/diseases.yaml")
    )
    assert own["similarity"] == norm["similarity"]
