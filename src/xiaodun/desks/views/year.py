"""The step of a school into its next school year: the plan with its counts, the step, and back."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks.selectors.clerk import school_of
from xiaodun.desks.selectors.year import step_of, year_page, year_to_prepare
from xiaodun.kit import clock
from xiaodun.people.services import years


@require_GET
@requires(Right.MANAGE_PEOPLE)
def year(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """Who would move up, who would leave, whose name says no grade; or what was done."""
    page = year_page(school_of(request.scope, unit_id), at=clock.now())
    return render(request, "desks/year.html", {"page": page, "page_title": page.title})


@require_POST
@requires(Right.MANAGE_PEOPLE)
def roll_over(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """Take the step, all of it at once."""
    unit, at = school_of(request.scope, unit_id), clock.now()
    years.roll_over(
        by=request.user,
        institution=unit,
        school_year=year_to_prepare(clock.local_day(at)),
        teachers_move=request.POST.get("teachers") == "move",
        at=at,
    )
    return redirect("desks:year", unit_id)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def undo_roll_over(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """Take it back, as long as nothing hangs on a new class."""
    unit, at = school_of(request.scope, unit_id), clock.now()
    years.undo_roll_over(by=request.user, made=step_of(unit, clock.local_day(at)), at=at)
    return redirect("desks:year", unit_id)
