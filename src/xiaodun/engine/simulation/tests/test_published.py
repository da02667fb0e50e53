"""Simulated outbreaks look like published ones, within tolerances that the page of results explains."""

import csv
from dataclasses import replace
from datetime import date, timedelta
from math import exp, log
from pathlib import Path

import numpy as np
import pytest

from xiaodun.engine.calendar import SchoolCalendar, Term, state_holidays
from xiaodun.engine.simulation import (
    InstitutionPlan,
    Kind,
    Setting,
    build_census,
    bulletin_district,
    diseases,
    simulate_term,
)
from xiaodun.engine.simulation.epidemic import spread
from xiaodun.engine.simulation.linelist import LineList
from xiaodun.engine.simulation.streams import lognormal_days
from xiaodun.engine.simulation.world import World

MATSUMOTO = Path(__file__).parents[5] / "tests/data/outbreaks/influenza_matsumoto_2014_linelist.csv"
FIRST, LAST = date(2014, 10, 20), date(2015, 2, 28)


@pytest.fixture(scope="module")
def matsumoto():
    with MATSUMOTO.open(encoding="utf-8") as file:
        return LineList.of_rows(csv.DictReader(file), first=FIRST)


@pytest.fixture(scope="module")
def winters(matsumoto):
    """Ten winters in schools like Matsumoto's, with a break over the New Year."""
    calendar = SchoolCalendar(
        days_off=frozenset(date(2014, 12, 26) + timedelta(days=day) for day in range(13)),
        workdays=frozenset(),
        confirmed_years=frozenset({2014, 2015}),
    )
    census = build_census(seed=1, school_year=2014, plans=matsumoto.plans())
    number = diseases()["influenza"].number
    dates = {"calendar": calendar, "first": FIRST, "last": LAST, "only": {"influenza"}}
    return [LineList.of_term(simulate_term(census, seed=seed, **dates), number) for seed in range(10)]


def test_the_line_list_is_read_whole(matsumoto):
    assert (len(matsumoto.onset), len(matsumoto.size), matsumoto.size.sum()) == (1192, 241, 5711)
    assert [len(matsumoto.plans()), sum(n for plan in matsumoto.plans() for _, n in plan.grades)] == [15, 241]


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("attack_rate", 0.05), ("dispersion", 0.6), ("same_class_ratio", 0.3), ("peak_share", 0.06)],
)
def test_a_winter_of_influenza_is_like_matsumotos(matsumoto, winters, name, tolerance):
    simulated = np.mean([getattr(winter, name) for winter in winters])
    assert simulated == pytest.approx(getattr(matsumoto, name), abs=tolerance)


def test_attack_rates_of_classes_spread_as_in_matsumoto(matsumoto, winters):
    pooled = np.concatenate([winter.attack_rate_by_class for winter in winters])
    quarters = [0.25, 0.5, 0.75, 0.9]
    published = np.quantile(matsumoto.attack_rate_by_class, quarters)
    assert np.quantile(pooled, quarters) == pytest.approx(published, abs=0.07)


@pytest.fixture(scope="module")
def world():
    calendar = SchoolCalendar.from_state(
        [state_holidays(2020), state_holidays(2021)], terms=(Term(date(2020, 9, 1), date(2021, 1, 29)),)
    )
    plans = [plan for plan in bulletin_district() if plan.kind in {Kind.PRIMARY, Kind.NINE_YEAR}]
    census = build_census(seed=1, school_year=2020, plans=plans)
    return World.of(census, calendar, date(2020, 9, 1), date(2021, 1, 29))


def cases_of(world, code):
    """Many introductions, so that chains of every disease are there to be measured."""
    disease = diseases()[code]
    return spread(world, replace(disease, introductions=150.0), seed=1)


@pytest.mark.parametrize(
    ("code", "tolerance"),
    [("influenza", 0.5), ("norovirus", 0.6), ("varicella", 1.2), ("mumps", 1.2), ("measles", 1.8)],
)
def test_serial_intervals_are_near_the_published_ones(world, code, tolerance):
    cases = cases_of(world, code)
    passed = cases[(cases["infector"] >= 0) & cases["symptomatic"]]
    source = cases[passed["infector"]]
    interval = (passed["onset"].astype(int) - source["onset"])[source["symptomatic"]]
    assert len(interval) > 40
    published = diseases()[code].published["serial_interval"]
    assert interval.mean() == pytest.approx(published, abs=tolerance)


@pytest.mark.parametrize("code", list(diseases()))
def test_incubation_and_silent_infection_are_those_of_the_file(world, code):
    disease, cases = diseases()[code], cases_of(world, code)
    length = cases["onset"] - cases["infected"]
    days = np.arange(len(disease.incubation))
    mean = days @ disease.incubation
    error = 4 * np.sqrt(disease.incubation @ (days - mean) ** 2 / len(cases))
    assert length.mean() == pytest.approx(mean, abs=error)
    share = disease.symptomatic
    error = 4 * np.sqrt(share * (1 - share) / len(cases)) + 1e-9
    assert cases["symptomatic"].mean() == pytest.approx(share, abs=error)


def test_whole_days_keep_the_median_and_the_mean_of_the_log_normal():
    chances = lognormal_days(12.5, 1.23, 30)
    assert np.searchsorted(np.cumsum(chances), 0.5) in {12, 13}
    assert np.arange(31) @ chances == pytest.approx(12.5 * exp(log(1.23) ** 2 / 2), rel=0.01)


def test_most_introductions_of_norovirus_die_out_and_some_run_through_the_school():
    plan = InstitutionPlan(
        0, Kind.PRIMARY, 1, True, 0, 0, tuple((6 + year, 3) for year in range(5)), (29, 37)
    )
    calendar = SchoolCalendar(frozenset(), frozenset(), frozenset({2001}))
    census = build_census(seed=1, school_year=2001, plans=[plan])
    world = World.of(census, calendar, date(2001, 3, 5), date(2001, 5, 20))
    disease = diseases()["norovirus"]
    often = replace(disease, introductions=disease.introductions * 50, common_source=None)
    rates = []
    for seed in range(120):
        cases = spread(world, often, seed=seed)
        first = cases[(cases["outbreak"] == 0) & cases["symptomatic"]]
        rates.append(len(first) / len(census.persons))
    assert np.mean(np.array(rates) < 0.02) > 0.5
    assert max(rates) > 0.1


def test_a_common_meal_makes_one_outbreak_of_many_on_one_day(world):
    disease = diseases()["norovirus"]
    assert disease.common_source is not None
    meals = replace(disease, introductions=0.0, common_source=replace(disease.common_source, rate=0.05))
    cases = spread(world, meals, seed=1)
    eaten = cases[cases["setting"] == Setting.SOURCE]
    outbreaks, size = np.unique(eaten["outbreak"], return_counts=True)
    assert size.max() > 20
    for outbreak in outbreaks:
        own = eaten[eaten["outbreak"] == outbreak]
        assert len(np.unique(own["infected"])) == 1
        assert len(np.unique(world.census.persons["institution"][own["person"]])) == 1
