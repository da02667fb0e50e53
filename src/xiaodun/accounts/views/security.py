"""One's own account: password, second factors, and the browsers in which one is signed in."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from xiaodun.accounts import passwords
from xiaodun.accounts.access import ScopedRequest, entrance, level_of, login_required
from xiaodun.accounts.choices import Level
from xiaodun.accounts.forms import ChangePasswordForm
from xiaodun.accounts.protection import own_session, security_page
from xiaodun.accounts.services import sign_in
from xiaodun.accounts.services.attempts import Origin, prove_password
from xiaodun.accounts.services.passwords import set_password
from xiaodun.accounts.views.proof import answer_status
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal


@login_required
def security(request: ScopedRequest) -> HttpResponse:
    """What protects one's account."""
    page = security_page(request.user, request.session.session_key, host=request.get_host())
    return render(request, "accounts/security.html", {"page_title": _("Sign-in and security"), "page": page})


@require_POST
@login_required
def end_session(request: ScopedRequest, session: int) -> HttpResponse:
    """End one of one's own sessions."""
    found = own_session(request.user, session)
    if found is None:
        raise Http404
    sign_in.end_session(by=request.user, session=found, at=clock.now())
    return redirect("accounts:security")


@require_POST
@login_required
def end_other_sessions(request: ScopedRequest) -> HttpResponse:
    """End all of one's own sessions but this one."""
    sign_in.end_sessions(
        by=request.user,
        user=request.user,
        why="by the user",
        keep=request.session.session_key,
        at=clock.now(),
    )
    return redirect("accounts:security")


@sensitive_post_parameters("present", "password", "again")
@require_http_methods(["GET", "POST"])
@entrance
def change_password(request: ScopedRequest) -> HttpResponse:
    """The present password, then a new one. All other sessions end, and this one goes on under a new key."""
    at = clock.now()
    form = ChangePasswordForm(request.POST if request.method == "POST" else None, user=request.user)
    refused: Refusal | None = None
    if form.is_bound and form.is_valid():
        try:
            prove_password(
                username=request.user.username,
                password=form.cleaned_data["present"],
                origin=Origin.of_session(request),
                at=at,
            )
        except Refusal as refusal:
            refused = refusal
            form.refuse(refusal, "present")
        else:
            try:
                level = level_of(request) or Level.PASSWORD
                user = set_password(
                    by=request.user, user=request.user, password=form.cleaned_data["password"], at=at
                )
            except Refusal as refusal:
                refused = refusal
                form.refuse(refusal, "password")
            else:
                sign_in.start_session(request=request, user=user, level=level, how="new password", at=at)
                return redirect("accounts:security")
    context = {"page_title": _("Change the password"), "form": form}
    if passwords.is_due(request.user, at):
        context |= {"is_due": True, "nav_items": []}
    return answer_status(render(request, "accounts/password.html", context), form, refused)
