"""The step of a school into its next school year, as its clerk prepares it."""

from dataclasses import dataclass
from datetime import date, datetime

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.kit import clock
from xiaodun.organisations.grades import school_year_of
from xiaodun.organisations.models import Unit
from xiaodun.people.models import RollOver
from xiaodun.people.years import YearPlan, year_plan

# From this month on one prepares the school year that begins in the same calendar year.
_PREPARED_FROM_MONTH = 6


@dataclass(frozen=True, slots=True)
class YearPage:
    """What the step would do; or, when it has been taken, what it did."""

    title: str
    unit: Unit
    school_year: int
    plan: YearPlan
    done: RollOver | None
    moved: int
    left: int
    is_early: bool
    crumbs: list[dict[str, str]]


def year_to_prepare(day: date) -> int:
    """The school year that is prepared, or has just begun, on ``day``."""
    running = school_year_of(day)
    return running + 1 if _PREPARED_FROM_MONTH <= day.month < 9 else running


def year_page(unit: Unit, *, at: datetime) -> YearPage:
    """The plan for the year that is prepared now, or the step already taken into it."""
    day = clock.local_day(at)
    school_year = year_to_prepare(day)
    done = RollOver.objects.filter(institution=unit, school_year=school_year, undone_at__isnull=True).first()
    pairs = done.steps["classes"] if done else []
    return YearPage(
        title=_("New school year"),
        unit=unit,
        school_year=school_year,
        plan=year_plan(unit, school_year),
        done=done,
        moved=sum(new is not None for _old, new in pairs),
        left=sum(new is None for _old, new in pairs),
        is_early=school_year == school_year_of(day) and done is None,
        crumbs=[{"label": unit.label, "url": reverse("desks:clerk_school", args=[unit.pk])}],
    )


def step_of(unit: Unit, day: date) -> RollOver:
    """The step that was taken into the year prepared on ``day``.

    Raises:
        Http404: when none was.
    """
    made = RollOver.objects.filter(
        institution=unit, school_year=year_to_prepare(day), undone_at__isnull=True
    ).first()
    if made is None:
        raise Http404
    return made
