"""The first page of every role."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from xiaodun.accounts import cookies
from xiaodun.accounts.access import ScopedRequest, level_of, login_required
from xiaodun.accounts.choices import Level
from xiaodun.desks import selectors
from xiaodun.kit import clock


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The bare address leads to the reader's day, on an enrolled phone to the check."""
    level = level_of(request)
    is_phone = level == Level.DEVICE or (level is None and cookies.secret_in(request, cookies.DEVICE))
    return redirect("desks:own_checks" if is_phone else "desks:today")


@require_GET
@login_required
def today(request: ScopedRequest) -> HttpResponse:
    """What must I decide, what is late, what is done, how bad is it: in this order, by widest role."""
    page = selectors.today_page(request.scope, at=clock.now())
    return render(request, "desks/today.html", {"page": page, "page_title": page.title})
