"""A school's practice copy, and the cards of its roles."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks.selectors.clerk import school_of
from xiaodun.desks.selectors.practice import practice_page, school_to_practise
from xiaodun.kit import clock
from xiaodun.people.services.practice import copy_for_practice

# How long the staff hold their posts on the copy.
_PRACTICE = timedelta(days=14)


@require_GET
@requires(Right.MANAGE_PEOPLE)
def practice(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """One card a role to print, and the way to the practice school."""
    page = practice_page(school_of(request.scope, unit_id))
    return render(request, "desks/practice.html", {"page": page, "page_title": page.title})


@require_POST
@requires(Right.MANAGE_PEOPLE)
def make_practice(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """Copy the school into the drill area."""
    unit, drill = school_to_practise(request.scope, unit_id)
    at = clock.now()
    last_day = clock.local_day(at) + _PRACTICE
    copy_for_practice(by=request.user, institution=unit, drill=drill, last_day=last_day, at=at)
    return redirect("desks:practice", unit_id)
