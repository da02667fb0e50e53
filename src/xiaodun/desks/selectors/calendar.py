"""The days of a district or an institution: terms, days closed or opened, and the State's years."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.accounts.choices import Right
from xiaodun.accounts.policies import Scope
from xiaodun.engine.calendar import DayKind
from xiaodun.kit import clock
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import DayOverride, StateYear, Term, Unit
from xiaodun.organisations.selectors import paths_upwards, school_calendar

# How far back a day stays on the page.
_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class YearState:
    """A year of the State calendar: confirmed, or not known yet."""

    year: int
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class CalendarPage:
    """What makes the school days of one unit; ``own`` terms and days before those of the units above."""

    title: str
    unit: Unit
    today: date
    is_school_day: bool
    kind: str
    years: list[YearState]
    terms: list[Term]
    overrides: list[DayOverride]
    crumbs: list[dict[str, str]]


def unit_with_calendar(scope: Scope, unit_id: int | None) -> Unit:
    """A district or institution whose days the reader may change; without an id the reader's own.

    Raises:
        Http404: for a foreign unit exactly as for an unknown one.
    """
    units = Unit.objects.filter(
        scope.q(Right.MANAGE_CALENDAR), kind__in=[UnitKind.DISTRICT, UnitKind.DRILL, UnitKind.INSTITUTION]
    ).order_by("path")
    unit: Unit | None = units.first() if unit_id is None else units.filter(pk=unit_id).first()
    if unit is None:
        raise Http404
    return unit


def calendar_page(unit: Unit, *, at: datetime) -> CalendarPage:
    """Terms, days and State years as they bind the unit."""
    today = clock.local_day(at)
    chain = list(paths_upwards(unit.path))
    kind = school_calendar(unit).day_kind(today)
    known = dict(StateYear.objects.values_list("year", "is_confirmed"))
    return CalendarPage(
        title=_("Terms and days"),
        unit=unit,
        today=today,
        is_school_day=kind.is_school_day,
        kind=_WORDS[kind](),
        years=[YearState(year, known.get(year, False)) for year in (today.year, today.year + 1)],
        terms=list(
            Term.objects.filter(unit__path__in=chain, end__gte=today - _BACK)
            .select_related("unit")
            .order_by("start")
        ),
        overrides=list(
            DayOverride.objects.filter(unit__path__in=chain, day__gte=today - _BACK)
            .select_related("unit")
            .order_by("day")
        ),
        crumbs=[{"label": unit.label, "url": reverse("desks:calendar_of", args=[unit.pk])}],
    )


_WORDS = {
    DayKind.SCHOOL: lambda: _("school day"),
    DayKind.WEEKEND: lambda: _("no school: weekend"),
    DayKind.HOLIDAY: lambda: _("no school: day off of the State"),
    DayKind.MAKEUP: lambda: _("school day: make-up workday"),
    DayKind.OUT_OF_TERM: lambda: _("no school: out of term"),
    DayKind.CLOSED_BY_OVERRIDE: lambda: _("no school: closed"),
    DayKind.OPENED_BY_OVERRIDE: lambda: _("school day: opened"),
    DayKind.UNCONFIRMED_YEAR: lambda: _("unknown: the State's days off of this year are not loaded"),
}
