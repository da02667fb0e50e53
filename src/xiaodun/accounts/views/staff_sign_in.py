"""How the staff of a clerk or an officer sign in: paused accounts, lost phones."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from xiaodun.accounts.access import ScopedRequest, requires, requires_fresh_factor
from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.protection import staff_managed_by, staff_page
from xiaodun.accounts.services.attempts import lift_pause
from xiaodun.accounts.services.factors import reissue_factor
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal


@requires(Right.MANAGE_ACCOUNTS)
def staff(request: ScopedRequest) -> HttpResponse:
    """Who is paused, who has a second factor, who still needs one."""
    at = clock.now()
    asked = request.GET.get("after", "")
    after = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
    page = staff_page(request.scope, at, clock.local_day(at), after=after)
    return render(
        request, "accounts/staff_sign_in.html", {"page_title": _("How staff sign in"), "page": page}
    )


@require_POST
@requires(Right.MANAGE_ACCOUNTS)
@requires_fresh_factor
def reissue(request: ScopedRequest, user: int) -> HttpResponse:
    """For a lost phone: take away all factors, end all sessions, show a code for one sign-in."""
    found = _managed(request, user)
    if found == request.user:
        raise Refusal(
            "own-factor",
            _("Nobody issues a code for one's own account."),
            status=403,
            lifts=_("Ask somebody else who manages accounts."),
        )
    code = reissue_factor(by=request.user, user=found, at=clock.now())
    context = {"page_title": _("Code for one sign-in"), "person": found, "code": code}
    return render(request, "accounts/code_issued.html", context)


@require_POST
@requires(Right.MANAGE_ACCOUNTS)
def unpause(request: ScopedRequest, user: int) -> HttpResponse:
    """Let somebody try again at once."""
    lift_pause(by=request.user, user=_managed(request, user), at=clock.now())
    return redirect("accounts:staff_sign_in")


def _managed(request: ScopedRequest, pk: int) -> User:
    found = staff_managed_by(request.scope, clock.local_day(clock.now())).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
