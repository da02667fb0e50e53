"""A city of two and a half million people: whole, within memory, and each district as it is alone."""

import resource
from datetime import date

import numpy as np
import pytest

from xiaodun.engine.calendar import SchoolCalendar, Term, state_holidays
from xiaodun.engine.simulation import build_census, bulletin_district, city, simulate_term

pytestmark = pytest.mark.campaign

PERSONS = 2_500_000
MOST_MEMORY = 2 << 30


@pytest.fixture(scope="module")
def whole():
    return build_census(seed=1, school_year=2020, plans=city(PERSONS))


def test_a_city_is_whole_and_fits_into_memory(whole):
    assert PERSONS * 0.99 < len(whole.persons) < PERSONS * 1.01
    assert (np.diff(whole.persons["group"]) >= 0).all()
    sizes = np.bincount(whole.persons["group"], minlength=len(whole.groups))
    own = np.isin(whole.groups["kind"], (0, 1))
    assert (sizes[own] == whole.groups["size"][own]).all()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MOST_MEMORY


@pytest.mark.parametrize("district", [0, 17, 37])
def test_a_district_is_the_same_in_the_city_and_alone_and_lives_through_a_term(whole, district):
    alone = build_census(seed=1, school_year=2020, plans=bulletin_district(district))
    rows = np.flatnonzero(whole.institutions["district"] == district)
    first = whole.institutions["first_person"][rows[0]]
    own = whole.persons[first : first + len(alone.persons)]
    for field in ("is_staff", "sex", "born", "surname", "given", "number"):
        assert (own[field] == alone.persons[field]).all()
    calendar = SchoolCalendar.from_state(
        [state_holidays(2020), state_holidays(2021)], terms=(Term(date(2020, 9, 1), date(2021, 1, 29)),)
    )
    term = simulate_term(alone, seed=1, calendar=calendar, first=date(2020, 9, 1), last=date(2021, 1, 29))
    counts = term.counts("district")
    assert (counts.absent_ill + counts.absent_other <= counts.checked).all()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MOST_MEMORY
