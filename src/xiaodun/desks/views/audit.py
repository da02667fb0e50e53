"""The audit log for its readers; each look at it stands in it."""

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks import selectors
from xiaodun.desks.services import log_audit_read
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal


@require_GET
@requires(Right.READ_AUDIT)
def audit_log(request: ScopedRequest) -> HttpResponse:
    """Who did what to whom, newest first."""
    page = selectors.audit_page(request.scope, request.GET, at=clock.now())
    log_audit_read(by=request.user, scope=request.scope, filters=request.GET.dict(), at=clock.now())
    return render(request, "desks/audit_log.html", {"page": page, "page_title": page.title})


@require_POST
@requires(Right.READ_AUDIT)
def find_person(request: ScopedRequest) -> HttpResponse:
    """From the number that a school knows a person by to the person's log: a number stands in no address."""
    number = request.POST.get("number", "").strip()
    try:
        person = selectors.person_in_reach(request.scope, Q(number=number), at=clock.now())
    except Http404:
        raise Refusal(
            "person-not-found",
            _("Nobody with this number belongs to your units today."),
            status=422,
            lifts=_("Enter the school's own number of the person, as it stands in the roster."),
        ) from None
    return redirect(f"{reverse('desks:audit_log')}?person={person.pk}")
