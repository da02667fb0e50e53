"""School days of units: the State, terms and overrides of the unit and of those above it, weekdays."""

from datetime import date, timedelta

import pytest

from xiaodun.engine.calendar import DayKind
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations import selectors, services
from xiaodun.organisations.models import StateDay, Unit
from xiaodun.organisations.tests.cast import AT, make_district

pytestmark = pytest.mark.django_db

AUTUMN = {"name": "第一学期", "name_en": "Autumn term", "start": date(2020, 9, 1), "end": date(2021, 1, 29)}
SPRING = {"name": "第二学期", "name_en": "Spring term", "start": date(2021, 3, 1), "end": date(2021, 7, 9)}


@pytest.fixture
def tree():
    tree = make_district()
    services.load_state_calendar(by=None, years=[2020, 2021], at=AT)
    for term in (AUTUMN, SPRING):
        services.open_term(by=None, unit=tree.district, at=AT, **term)
    return tree


def kind(unit: Unit, day: str) -> DayKind:
    return selectors.school_calendar(unit).day_kind(date.fromisoformat(day))


def test_a_class_keeps_the_days_of_its_district(tree):
    assert kind(tree.class_1, "2020-11-30") is DayKind.SCHOOL
    assert kind(tree.class_1, "2020-10-01") is DayKind.HOLIDAY
    assert kind(tree.class_1, "2020-10-10") is DayKind.MAKEUP
    assert kind(tree.class_1, "2021-02-01") is DayKind.OUT_OF_TERM


def test_the_weekdays_are_those_of_the_institution(tree):
    assert kind(tree.lesson, "2020-11-28") is DayKind.SCHOOL
    assert kind(tree.lesson, "2020-11-30") is DayKind.WEEKEND
    assert kind(tree.class_1, "2020-11-28") is DayKind.WEEKEND


def test_the_nearest_override_wins_and_binds_all_below(tree):
    snow = date(2020, 12, 1)
    services.override_day(by=None, unit=tree.district, day=snow, is_open=False, reason="暴雪", at=AT)
    services.override_day(by=None, unit=tree.school, day=snow, is_open=True, reason="期中考试", at=AT)
    assert kind(tree.class_1, "2020-12-01") is DayKind.OPENED_BY_OVERRIDE
    assert kind(tree.lesson, "2020-12-01") is DayKind.CLOSED_BY_OVERRIDE
    services.override_day(by=None, unit=tree.class_2, day=snow, is_open=False, reason="消毒", at=AT)
    assert kind(tree.class_2, "2020-12-01") is DayKind.CLOSED_BY_OVERRIDE
    assert kind(tree.class_1, "2020-12-01") is DayKind.OPENED_BY_OVERRIDE


def test_a_later_word_on_the_same_day_replaces_the_first_and_both_stay_in_the_audit(tree):
    day = date(2020, 12, 1)
    services.override_day(by=None, unit=tree.school, day=day, is_open=False, reason="停水", at=AT)
    services.override_day(by=None, unit=tree.school, day=day, is_open=True, reason="水已恢复", at=AT)
    assert selectors.school_calendar(tree.school).is_school_day(day)
    facts = list(
        AuditEntry.objects.filter(action="organisations.override_day")
        .order_by("pk")
        .values_list("facts", flat=True)
    )
    assert [(row["old"], row["new"]) for row in facts] == [(None, False), (False, True)]


def test_an_override_without_reason_is_refused(tree):
    with pytest.raises(Refusal, match="reason-missing"):
        services.override_day(
            by=None, unit=tree.school, day=date(2020, 12, 1), is_open=False, reason=" ", at=AT
        )


def test_an_own_term_replaces_only_the_terms_above_that_it_overlaps(tree):
    services.open_term(
        by=None, unit=tree.training, name="全年", start=date(2020, 9, 1), end=date(2021, 2, 28), at=AT
    )
    assert kind(tree.lesson, "2021-02-06") is DayKind.SCHOOL
    assert kind(tree.lesson, "2021-03-06") is DayKind.SCHOOL
    assert kind(tree.lesson, "2021-07-31") is DayKind.OUT_OF_TERM
    assert kind(tree.class_1, "2021-02-01") is DayKind.OUT_OF_TERM


def test_where_nobody_entered_a_term_every_day_is_in_term():
    tree = make_district()
    services.load_state_calendar(by=None, years=[2020], at=AT)
    assert kind(tree.class_1, "2020-07-28") is DayKind.SCHOOL


def test_a_unit_has_no_two_terms_on_one_day(tree):
    with pytest.raises(Refusal, match="term-overlaps") as refused:
        services.open_term(
            by=None, unit=tree.district, name="短学期", start=date(2021, 1, 29), end=date(2021, 2, 5), at=AT
        )
    assert refused.value.facts["end"] == "2021-01-29"
    with pytest.raises(Refusal, match="term-ends-before-it-starts"):
        services.open_term(
            by=None, unit=tree.district, name="?", start=date(2022, 2, 1), end=date(2022, 1, 31), at=AT
        )


def test_a_year_that_was_not_announced_is_stored_but_not_trusted(tree):
    services.load_state_calendar(by=None, years=[2027], at=AT)
    services.open_term(
        by=None, unit=tree.district, name="春", start=date(2027, 3, 1), end=date(2027, 7, 9), at=AT
    )
    assert kind(tree.class_1, "2027-03-01") is DayKind.UNCONFIRMED_YEAR


def test_loading_a_year_again_changes_nothing(tree):
    before = list(StateDay.objects.values_list("day", "is_working").order_by("day"))
    services.load_state_calendar(by=None, years=[2020, 2021], at=AT)
    assert list(StateDay.objects.values_list("day", "is_working").order_by("day")) == before


def test_one_calendar_and_those_of_88_institutions_take_three_queries(tree, django_assert_num_queries):
    schools = [
        services.create_unit(
            by=None, parent=tree.district, kind="institution", institution_kind="primary", code=f"S{n}",
            name=f"第{n}小学", first_day=date(2020, 9, 1), at=AT,
        )
        for n in range(88)
    ]  # fmt: skip
    closed = date(2020, 12, 2)
    for school in schools[::2]:
        services.override_day(by=None, unit=school, day=closed, is_open=False, reason="消毒", at=AT)
    with django_assert_num_queries(3):
        calendars = selectors.school_calendars(schools)
    assert [calendars[school.pk].is_school_day(closed) for school in schools] == [
        n % 2 == 1 for n in range(88)
    ]
    with django_assert_num_queries(3):
        one = selectors.school_calendar(tree.class_1)
    assert one.is_school_day(closed)


def test_many_at_once_are_equal_to_one_by_one(tree):
    services.override_day(
        by=None, unit=tree.grade, day=date(2020, 12, 3), is_open=False, reason="春游", at=AT
    )
    units = list(Unit.objects.all())
    calendars = selectors.school_calendars(units)
    days = [date(2020, 9, 1) + timedelta(days=n) for n in range(320)]
    for unit in units:
        alone = selectors.school_calendar(unit)
        assert [calendars[unit.pk].day_kind(day) for day in days] == [alone.day_kind(day) for day in days]
