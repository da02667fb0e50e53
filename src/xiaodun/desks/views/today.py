"""The first page of every role."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from xiaodun.accounts.access import ScopedRequest, login_required
from xiaodun.desks import selectors
from xiaodun.kit import clock


@require_GET
@login_required
def home(request: ScopedRequest) -> HttpResponse:
    """The bare address leads to the reader's day."""
    return redirect("desks:today")


@require_GET
@login_required
def today(request: ScopedRequest) -> HttpResponse:
    """What must I decide, what is late, what is done, how bad is it: in this order, by widest role."""
    page = selectors.today_page(request.scope, at=clock.now())
    return render(request, "desks/today.html", {"page": page, "page_title": page.title})
