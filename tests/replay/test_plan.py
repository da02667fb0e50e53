"""On which day a class teacher enters what."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaodun.config.replay_files import ClassKey, Member
from xiaodun.config.replay_plan import NoCheckDayError, ReplayCalendar, plan_entries
from xiaodun.engine.calendar import StateYear

CLASS = ClassKey("", "", "1")
# A Monday; no day of the State lies near.
MONDAY = date(2020, 11, 30)


def case(onset: date, end: date | None = None, name: str = "a") -> Member:
    return Member(name, CLASS, onset, end, ("fever",), "")


def plan(*members: Member, days_off=(), named=None, ill_days: int = 3):
    year = StateYear(2020, dict.fromkeys(days_off, "day off"), {}, confirmed=True)
    next_year = StateYear(2021, {}, {}, confirmed=True)
    return plan_entries(members, ReplayCalendar.of([year, next_year], named or {}), ill_days=ill_days)


def entered(found) -> list[tuple[int, str, date | None]]:
    """(day counted from the Monday, status, onset given) of every entry."""
    return [
        ((day - MONDAY).days, entry.status, entry.onset)
        for (day, _place), entries in sorted(found.entries.items())
        for entry in entries
    ]


def test_an_illness_is_entered_on_each_school_day_from_onset_to_end():
    found = plan(case(MONDAY + timedelta(days=1), MONDAY + timedelta(days=3)))
    assert entered(found) == [(1, "absent_ill", None), (2, "absent_ill", None), (3, "absent_ill", None)]


def test_an_onset_on_a_weekend_is_entered_on_monday_with_its_day():
    saturday = MONDAY + timedelta(days=5)
    found = plan(case(saturday, saturday + timedelta(days=3)))
    assert entered(found) == [(7, "absent_ill", saturday), (8, "absent_ill", None)]


def test_an_illness_over_before_the_next_school_day_is_entered_as_past():
    saturday = MONDAY + timedelta(days=5)
    assert entered(plan(case(saturday, saturday))) == [(7, "recovered", saturday)]


def test_without_an_end_the_illness_lasts_the_days_asked_for():
    friday = MONDAY + timedelta(days=4)
    assert entered(plan(case(friday), ill_days=3)) == [(4, "absent_ill", None)]
    assert entered(plan(case(friday), ill_days=5)) == [
        (4, "absent_ill", None),
        (7, "absent_ill", None),
        (8, "absent_ill", None),
    ]


def test_the_replay_ends_on_the_school_day_on_which_everybody_is_back():
    friday = MONDAY + timedelta(days=4)
    assert plan(case(friday)).last_day == MONDAY + timedelta(days=7)


def test_days_that_the_calendar_file_names_go_before_the_state_calendar():
    saturday = MONDAY + timedelta(days=5)
    found = plan(case(saturday, saturday), days_off=[MONDAY + timedelta(days=7)], named={saturday: True})
    assert entered(found) == [(5, "absent_ill", None)]
    assert found.last_day == MONDAY + timedelta(days=8)


def test_a_calendar_without_any_school_day_after_the_illness_is_refused():
    off = {MONDAY + timedelta(days=n): False for n in range(200)}
    with pytest.raises(NoCheckDayError):
        plan(case(MONDAY), named=off)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), min_size=1, max_size=8),
    st.sets(st.integers(0, 60)),
)
def test_every_case_is_entered_and_its_onset_can_be_read_from_its_first_entry(cases, off):
    members = [
        case(MONDAY + timedelta(days=start), MONDAY + timedelta(days=start + length), f"p{number}")
        for number, (start, length) in enumerate(cases)
    ]
    found = plan(*members, days_off=[MONDAY + timedelta(days=n) for n in off])
    for member in members:
        own = [
            (day, entry)
            for (day, _place), entries in sorted(found.entries.items())
            for entry in entries
            if entry.person_id == member.person_id
        ]
        assert own
        first_day, first = own[0]
        assert (first.onset or first_day) == member.onset
        assert all(day in found.school_days for day, _entry in own)
        assert len({day for day, _entry in own}) == len(own)
