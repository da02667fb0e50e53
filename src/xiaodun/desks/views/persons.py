"""Find a person. The words go by POST: a name does not stand in an address."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks.selectors.persons import search_page
from xiaodun.kit import clock


@require_GET
@requires(Right.SEE_ROSTER)
def persons(request: ScopedRequest) -> HttpResponse:
    """The empty box."""
    return _page(request, "", "")


@require_POST
@requires(Right.SEE_ROSTER)
def search(request: ScopedRequest) -> HttpResponse:
    """Who begins with what was typed, within the reader's classes."""
    return _page(request, request.POST.get("words", ""), request.POST.get("after", ""))


def _page(request: ScopedRequest, words: str, after: str) -> HttpResponse:
    page = search_page(request.scope, words, after, by=request.user, at=clock.now())
    return render(request, "desks/persons.html", {"page": page, "page_title": page.title})
