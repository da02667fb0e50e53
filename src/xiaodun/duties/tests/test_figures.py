"""The figures of checks: they add up, open to their groups, and cost the same for any district."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from tests.factories import staff
from xiaodun.accounts.selectors import scope_of
from xiaodun.duties.services import excuse
from xiaodun.duties.tests.world import DUTY, make_schools, moment, prove
from xiaodun.figures.registry import State, Value
from xiaodun.figures.selectors import rows, value, values

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

CODES = ["duties.checks_owed", "duties.checks_done", "duties.checks_late", "duties.checks_missing"]


@pytest.fixture
def morning(cast):
    """class_a in time, class_b in time but sent late, class_c late, class_d and the other school missing."""
    prove(cast.class_a, moment(cast.day, "08:00"))
    prove(cast.class_b, moment(cast.day, "08:00"), received=moment(cast.day, "09:00"))
    prove(cast.class_c, moment(cast.day, "08:47"))
    return cast


def numbers(cast, unit, clock="12:00", day=None):
    day = day or cast.day
    found = [value(code, unit, day, moment(day, clock)) for code in CODES]
    return [(each.number, each.of, str(each.state)) for each in found]


def test_what_is_owed_is_in_time_or_late_or_missing(morning):
    assert numbers(morning, morning.school) == [
        (4, None, "now"),
        (2, 4, "now"),
        (1, 4, "due"),
        (1, 4, "now"),
    ]
    assert numbers(morning, morning.district)[0] == (5, None, "now")
    assert numbers(morning, morning.class_a) == [
        (1, None, "done"),
        (1, 1, "done"),
        (0, 1, "zero"),
        (0, 1, "zero"),
    ]


def test_before_the_deadline_what_has_not_come_is_due_and_not_missing(morning):
    found = value("duties.checks_done", morning.school, morning.day, moment(morning.day, "08:05"))
    assert (found.number, found.of, found.state) == (1, 4, State.DUE)
    assert (
        value("duties.checks_missing", morning.school, morning.day, moment(morning.day, "08:05")).number == 0
    )


def test_the_parts_of_a_figure_make_the_figure(morning):
    for code in CODES[:2]:
        found = value(code, morning.school, morning.day, moment(morning.day, "12:00"))
        assert sum(part.number if part.sign == "+" else -part.number for part in found.parts) == found.number
    with override("zh-hans"):
        assert [str(part.label) for part in found.parts] == ["应检", "迟交", "未交"]


def test_where_nothing_is_owed_there_is_a_dash_and_no_nought(morning):
    saturday = morning.day + timedelta(days=3)
    assert numbers(morning, morning.school, day=saturday) == [(None, None, "na")] * 4
    assert value(CODES[0], morning.room, morning.day, morning.at) == Value(None, state=State.NA)


def test_an_excused_group_leaves_every_figure(morning):
    excuse(
        by=morning.officer,
        unit=morning.class_d,
        duty_code=DUTY,
        day=morning.day,
        reason="隔离停课",
        at=moment(morning.day, "10:00"),
    )
    assert [number for number, _of, _state in numbers(morning, morning.school)] == [3, 2, 1, 0]


def test_each_figure_opens_to_as_many_rows_as_it_counts(morning):
    noon = moment(morning.day, "12:00")
    viewer = scope_of(morning.officer, morning.day)
    for code in CODES:
        opened = rows(code, morning.district, morning.day, noon, viewer)
        assert opened.total == len(opened.rows) == value(code, morning.district, morning.day, noon).number
        assert not opened.is_masked
    with override("zh-hans"):
        late = rows("duties.checks_late", morning.district, morning.day, noon, viewer).rows[0].cells
        assert (late["institution"], late["group"], late["late_by"]) == ("育才小学", "四(1)班", 27)
        assert (late["state"].state, str(late["state"].label)) == ("due", "迟交")
        done = rows("duties.checks_done", morning.district, morning.day, noon, viewer).rows
        assert [(row.cells["responsible"], str(row.cells["state"].label)) for row in done] == [
            ("赵老师", "按时"),
            ("钱老师", "按时（网络晚到）"),
        ]


def test_a_figure_costs_the_same_for_6_and_for_88_institutions(morning):
    _small, few, _ = make_schools("S", 6)
    _large, many, _ = make_schools("L", 88)

    def cost(units):
        with CaptureQueriesContext(connection) as context:
            found = values("duties.checks_missing", units, morning.day, moment(morning.day, "19:00"))
        assert {each.number for each in found.values()} == {1}
        return len(context.captured_queries)

    assert cost(few) == cost(many) == 11


def test_opening_a_figure_costs_the_same_for_6_and_for_88_institutions(morning):
    small, _, _ = make_schools("S", 6)
    large, _, _ = make_schools("L", 88)
    scopes = {unit.pk: _officer_of(unit, morning.day) for unit in (small, large)}

    def cost(district):
        with CaptureQueriesContext(connection) as context:
            rows(
                "duties.checks_missing",
                district,
                morning.day,
                moment(morning.day, "19:00"),
                scopes[district.pk],
            )
        return len(context.captured_queries)

    assert cost(small) == cost(large) == 12


def _officer_of(unit, day):
    return scope_of(staff(f"officer-{unit.pk}", "吴科长", "district_officer", unit), day)
