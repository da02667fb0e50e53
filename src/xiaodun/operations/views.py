"""Pages of whoever keeps the system running: its state, never a person's."""

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.kit import clock
from xiaodun.operations import jobs, selectors, services


@require_GET
@requires(Right.RUN_SYSTEM)
def health(request: ScopedRequest) -> HttpResponse:
    """What is wrong, what to do about it, and what was done lately."""
    page = selectors.health_page(at=clock.now())
    response = render(
        request, "operations/health.html", {"page": page, "page_title": _("State of the system")}
    )
    if page.is_busy:
        response["Refresh"] = "5"
    return response


@require_POST
@requires(Right.RUN_SYSTEM)
def back_up(request: ScopedRequest) -> HttpResponse:
    """Ask the worker for a backup with its proof; the page shows how far it is."""
    run = services.ask_for_backup(by=request.user, at=clock.now())
    transaction.on_commit(lambda: jobs.back_up(run.pk), robust=True)
    return redirect("operations:health")


@require_POST
@requires(Right.RUN_SYSTEM)
def keys_seen(request: ScopedRequest) -> HttpResponse:
    """Note that the copies of the keys were seen where they should be."""
    services.note_keys_seen(by=request.user, at=clock.now())
    return redirect("operations:health")
