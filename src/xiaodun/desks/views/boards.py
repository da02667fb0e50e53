"""The district's board, an institution's page, and any figure opened."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from xiaodun.accounts.access import ScopedRequest, login_required, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks import selectors
from xiaodun.desks.views.days import day_in
from xiaodun.kit import clock
from xiaodun.messages import services as messages


@require_GET
@requires(Right.SEE_COUNTS)
def district_board(request: ScopedRequest) -> HttpResponse:
    """Which units are late, ill or have a signal: worst first within each kind."""
    page = selectors.board(request.scope, request.GET, day=day_in(request), at=clock.now())
    return render(request, "desks/board.html", {"page": page, "page_title": page.title})


@require_GET
@login_required
def institution_page(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """One institution: the next step, its figures, its groups over the school days."""
    page = selectors.institution_page(request.scope, unit_id, day=day_in(request), at=clock.now())
    # A page that refreshes itself in an empty room has been read by nobody.
    if request.headers.get("HX-Request") != "true":
        messages.mark_read_at(by=request.user, urls=page.check_urls, at=page.at)
    return render(request, "desks/institution.html", {"page": page, "page_title": page.title})


@require_GET
@login_required
def figure_page(request: ScopedRequest, code: str, unit_id: int) -> HttpResponse:
    """A number with its parts, its rows, its definition and the moment of its query."""
    page = selectors.figure_page(
        request.scope,
        code,
        unit_id,
        day=day_in(request),
        after=request.GET.get("after", ""),
        by=request.user,
        at=clock.now(),
    )
    return render(request, "desks/figure.html", {"page": page, "page_title": page.title})
