"""School days around 调休, terms and overrides; the State's calendar against the published list."""

import doctest
import pickle
from datetime import date, timedelta
from pathlib import Path

import pytest

from xiaodun.engine.calendar import (
    DayKind,
    NoSchoolDayError,
    Override,
    SchoolCalendar,
    Term,
    UnconfirmedYearError,
    epi_week,
    school_week,
    state_holidays,
)

PAGE = Path(__file__).parents[5] / "docs" / "engine" / "calendar.md"

AUTUMN = Term(date(2020, 9, 1), date(2021, 1, 29))
SPRING = Term(date(2021, 3, 1), date(2021, 7, 9))


def days(start, end):
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    return {first + timedelta(days=n) for n in range((last - first).days + 1)}


# Announcements of the State Council for the autumn of 2020 and for 2021: from, to.
OFF_2020_AUTUMN = [("2020-10-01", "2020-10-08")]
OFF_2021 = [
    ("2021-01-01", "2021-01-03"),
    ("2021-02-11", "2021-02-17"),
    ("2021-04-03", "2021-04-05"),
    ("2021-05-01", "2021-05-05"),
    ("2021-06-12", "2021-06-14"),
    ("2021-09-19", "2021-09-21"),
    ("2021-10-01", "2021-10-07"),
]
WORK_2020_AUTUMN = {"2020-09-27", "2020-10-10"}
WORK_2021 = {
    "2021-02-07",
    "2021-02-20",
    "2021-04-25",
    "2021-05-08",
    "2021-09-18",
    "2021-09-26",
    "2021-10-09",
}
WORK_2026 = {"2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"}


@pytest.fixture(scope="module")
def school():
    return SchoolCalendar.from_state([state_holidays(2020), state_holidays(2021)], terms=(AUTUMN, SPRING))


def test_the_days_off_of_2021_are_the_published_ones_to_the_day():
    assert set(state_holidays(2021).days_off) == set().union(*(days(*span) for span in OFF_2021))


def test_the_days_off_of_the_autumn_of_2020_are_the_published_ones():
    autumn = {day for day in state_holidays(2020).days_off if day >= date(2020, 9, 1)}
    assert autumn == set().union(*(days(*span) for span in OFF_2020_AUTUMN))


@pytest.mark.parametrize(
    ("year", "since", "expected"),
    [
        (2020, "2020-09-01", WORK_2020_AUTUMN),
        (2021, "2021-01-01", WORK_2021),
        (2026, "2026-01-01", WORK_2026),
    ],
)
def test_the_make_up_workdays_are_the_published_ones(year, since, expected):
    state = state_holidays(year)
    assert {str(day) for day in state.workdays if str(day) >= since} == expected
    assert state.confirmed


def test_a_year_without_working_weekends_is_not_confirmed():
    state = state_holidays(2027)
    assert not state.confirmed
    assert not state.workdays
    assert date(2027, 10, 1) in state.days_off


def test_the_last_days_of_december_can_belong_to_the_new_year_holiday():
    assert date(2022, 12, 31) in state_holidays(2022).days_off


def test_days_off_carry_their_chinese_name():
    assert state_holidays(2021).days_off[date(2021, 10, 1)] == "国庆节"


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2020-09-01", DayKind.SCHOOL),
        ("2020-09-05", DayKind.WEEKEND),
        ("2020-09-27", DayKind.MAKEUP),  # a Sunday
        ("2020-10-01", DayKind.HOLIDAY),
        ("2020-10-10", DayKind.MAKEUP),  # a Saturday
        ("2021-01-29", DayKind.SCHOOL),
        ("2021-01-30", DayKind.OUT_OF_TERM),
        ("2021-02-20", DayKind.OUT_OF_TERM),  # the State works, the winter holiday goes on
        ("2021-03-01", DayKind.SCHOOL),
        ("2030-09-02", DayKind.OUT_OF_TERM),
    ],
)
def test_every_day_has_a_kind(school, day, kind):
    on = date.fromisoformat(day)
    assert school.day_kind(on) is kind
    assert school.is_school_day(on) is kind.is_school_day


def test_an_override_goes_before_the_state_and_the_term():
    snow, sports = date(2020, 12, 29), date(2020, 12, 26)
    school = SchoolCalendar.from_state(
        [state_holidays(2020)],
        terms=(AUTUMN,),
        overrides={snow: Override(False, "暴雪停课"), sports: Override(True, "运动会"),
                   date(2020, 10, 1): Override(True, "值班"), date(2025, 1, 6): Override(True, "补课")},
    )  # fmt: skip
    assert school.day_kind(snow) is DayKind.CLOSED_BY_OVERRIDE
    assert school.day_kind(sports) is DayKind.OPENED_BY_OVERRIDE
    assert school.is_school_day(date(2020, 10, 1))
    assert school.is_school_day(date(2025, 1, 6))
    assert school.overrides[snow].reason == "暴雪停课"


def test_the_next_and_the_previous_school_day_pass_over_holidays_and_stop_at_make_up_days(school):
    assert school.next_school_day(date(2020, 10, 1)) == date(2020, 10, 9)
    assert school.next_school_day(date(2020, 10, 9)) == date(2020, 10, 9)
    assert school.next_school_day(date(2020, 10, 9), inclusive=False) == date(2020, 10, 10)
    assert school.previous_school_day(date(2020, 9, 28)) == date(2020, 9, 27)
    assert school.previous_school_day(date(2020, 10, 5)) == date(2020, 9, 30)
    assert school.previous_school_day(date(2020, 9, 28), inclusive=True) == date(2020, 9, 28)
    assert school.next_school_day(date(2021, 1, 30)) == date(2021, 3, 1)


def test_the_sunday_before_national_day_is_a_school_day(school):
    assert [day.day for day in school.school_days(date(2020, 9, 26), date(2020, 10, 8))] == [27, 28, 29, 30]
    assert school.school_days(date(2020, 10, 8), date(2020, 10, 1)) == ()


def test_a_training_body_teaches_on_its_own_weekdays():
    weekends = frozenset({5, 6})
    body = SchoolCalendar.from_state([state_holidays(2020)], weekdays=weekends)
    assert body.is_school_day(date(2020, 9, 5))
    assert body.day_kind(date(2020, 9, 7)) is DayKind.WEEKEND
    assert body.day_kind(date(2020, 10, 3)) is DayKind.HOLIDAY  # the Saturday inside National Day
    assert body.day_kind(date(2020, 10, 10)) is DayKind.MAKEUP
    saturdays = SchoolCalendar.from_state([state_holidays(2020)], weekdays=frozenset({5}))
    assert saturdays.day_kind(date(2020, 9, 27)) is DayKind.WEEKEND  # stands in for a weekday it never taught


def test_an_unconfirmed_year_is_marked_and_never_guessed():
    school = SchoolCalendar.from_state([state_holidays(2026), state_holidays(2027)])
    new_year = date(2027, 1, 4)
    assert school.day_kind(new_year) is DayKind.UNCONFIRMED_YEAR
    with pytest.raises(UnconfirmedYearError, match="2027") as refused:
        school.is_school_day(new_year)
    assert refused.value.year == 2027
    with pytest.raises(UnconfirmedYearError):
        school.next_school_day(date(2026, 12, 31), inclusive=False)
    with pytest.raises(UnconfirmedYearError):
        school.school_days(date(2026, 12, 30), new_year)


def test_where_no_term_follows_there_is_no_next_school_day(school):
    with pytest.raises(NoSchoolDayError, match="after 2021-07-10"):
        school.next_school_day(date(2021, 7, 10))
    with pytest.raises(NoSchoolDayError, match="before 2020-08-31"):
        school.previous_school_day(date(2020, 9, 1))


def test_equal_calendars_are_equal_values_and_can_be_keys():
    one, two = (SchoolCalendar.from_state([state_holidays(2021)], terms=terms)
                for terms in ((AUTUMN, SPRING), (SPRING, AUTUMN)))  # fmt: skip
    assert one == two
    assert hash(one) == hash(two)
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - our own bytes, as a cache would hold them


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weekdays": frozenset()}, "0 .Monday. to 6"),
        ({"weekdays": frozenset({7})}, "0 .Monday. to 6"),
        ({"days_off": frozenset({date(2021, 1, 1)}), "workdays": frozenset({date(2021, 1, 1)})}, "both"),
        ({"terms": (AUTUMN, Term(AUTUMN.end, SPRING.end))}, "begins before"),
    ],
)
def test_a_calendar_without_sense_is_refused(changes, message):
    values = {"days_off": frozenset(), "workdays": frozenset(), "confirmed_years": frozenset({2021})}
    with pytest.raises(ValueError, match=message):
        SchoolCalendar(**values | changes)


def test_a_term_does_not_end_before_it_starts():
    with pytest.raises(ValueError, match="cannot end"):
        Term(AUTUMN.end, AUTUMN.start)


@pytest.mark.parametrize(
    ("day", "week"),
    [("2020-08-31", 1), ("2020-09-01", 1), ("2020-09-06", 1), ("2020-09-07", 2), ("2021-01-29", 22)],
)
def test_school_weeks_run_from_monday_and_the_first_holds_the_first_day(day, week):
    assert school_week(AUTUMN.start, date.fromisoformat(day)) == week


def test_there_is_no_school_week_before_the_term():
    with pytest.raises(ValueError, match="before the first week"):
        school_week(AUTUMN.start, date(2020, 8, 30))


@pytest.mark.parametrize(
    ("day", "week"),
    [
        ("2020-12-27", (2020, 52)),
        ("2020-12-28", (2020, 53)),
        ("2021-01-03", (2020, 53)),
        ("2021-01-04", (2021, 1)),
        ("2024-12-30", (2025, 1)),
    ],
)
def test_epidemiological_weeks_run_from_monday_and_belong_to_the_year_of_their_thursday(day, week):
    assert epi_week(date.fromisoformat(day)) == week


def test_the_page_of_this_room_runs():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, tried > 0) == (0, True)
