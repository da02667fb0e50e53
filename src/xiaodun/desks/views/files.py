"""Illness files: the list to work from, and one child's thread."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from xiaodun.absence.selectors import file_visible_to
from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks import selectors
from xiaodun.kit import clock


@require_GET
@requires(Right.SEE_CHILDREN)
def file_list(request: ScopedRequest) -> HttpResponse:
    """Who is ill since when with what, by how long it has lasted."""
    page = selectors.file_list(request.scope, request.GET, by=request.user, at=clock.now())
    return render(request, "desks/files.html", {"page": page, "page_title": page.title})


@require_GET
@requires(Right.SEE_CHILDREN)
def file_page(request: ScopedRequest, episode_id: int) -> HttpResponse:
    """One thread: every tap that made this file, in order. The look is logged."""
    episode = file_visible_to(request.scope, episode_id)
    page = selectors.file_page(episode, request.scope, by=request.user, at=clock.now())
    return render(request, "desks/file.html", {"page": page, "page_title": page.title})
