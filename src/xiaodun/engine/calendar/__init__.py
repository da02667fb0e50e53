"""School days of a unit, school weeks, epidemiological weeks and the State's days off with 调休."""

from xiaodun.engine.calendar.school import (
    DayKind,
    NoSchoolDayError,
    Override,
    SchoolCalendar,
    Term,
    UnconfirmedYearError,
)
from xiaodun.engine.calendar.state import StateYear, state_holidays
from xiaodun.engine.calendar.weeks import epi_week, school_week

__all__ = [
    "DayKind",
    "NoSchoolDayError",
    "Override",
    "SchoolCalendar",
    "StateYear",
    "Term",
    "UnconfirmedYearError",
    "epi_week",
    "school_week",
    "state_holidays",
]
