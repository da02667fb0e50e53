"""Sign-in by an account elsewhere, and its binding to one's account here."""

import secrets

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, login_required, requires_fresh_factor
from xiaodun.accounts.protection import bound_user, own_binding
from xiaodun.accounts.providers import Provider, provider_named
from xiaodun.accounts.providers.vendor import VendorError
from xiaodun.accounts.services import bindings
from xiaodun.accounts.views.sign_in import go_on_as
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal

# What this browser left for: the provider, a secret that must come back, and what to do then.
_LEFT_FOR = "left-for-provider"


@require_GET
@never_cache
def leave(request: HttpRequest, provider: str) -> HttpResponse:
    """To the vendor, to sign in from there."""
    return _leave(request, provider, "sign-in")


@require_GET
@login_required
@requires_fresh_factor
def connect(request: ScopedRequest, provider: str) -> HttpResponse:
    """To the vendor, to connect the account there with the one here."""
    return _leave(request, provider, "bind")


@require_GET
@never_cache
def come_back(request: HttpRequest, provider: str) -> HttpResponseBase:
    """From the vendor, with a code that this server exchanges itself."""
    found = _provider(provider)
    left_for, state, purpose = request.session.pop(_LEFT_FOR, ("", "", ""))
    if left_for != provider or not constant_time_compare(state, request.GET.get("state", "")):
        raise _refused()
    try:
        external_id = found.external_id(request.GET.get("code", ""))
    except VendorError:
        raise _refused() from None
    if purpose == "bind":
        return _bind(request, provider, external_id)
    user = bound_user(provider, external_id)
    if user is None:
        raise _refused()
    return go_on_as(request, user, provider, "", clock.now())


@require_POST
@login_required
@requires_fresh_factor
def disconnect(request: ScopedRequest, provider: str) -> HttpResponse:
    """End the connection of one's own account."""
    found = own_binding(request.user, provider)
    if found is None:
        raise Http404
    bindings.unbind(by=request.user, binding=found, at=clock.now())
    return redirect("accounts:security")


def _leave(request: HttpRequest, name: str, purpose: str) -> HttpResponse:
    provider = _provider(name)
    state = secrets.token_urlsafe(24)
    request.session[_LEFT_FOR] = (name, state, purpose)
    back = request.build_absolute_uri(reverse("accounts:come_back", args=[name]))
    return redirect(provider.authorization_url(state=state, redirect_uri=back))


@login_required
def _bind(request: ScopedRequest, provider: str, external_id: str) -> HttpResponse:
    bindings.bind(by=request.user, provider=provider, external_id=external_id, at=clock.now())
    return redirect("accounts:security")


def _provider(name: str) -> Provider:
    found = provider_named(name)
    if found is None:
        raise Http404
    return found


def _refused() -> Refusal:
    """One answer whether the vendor failed, the page was old, or nobody here has connected that account."""
    return Refusal(
        "provider-sign-in-failed",
        _("This did not sign you in: the connection is missing, or the other side did not confirm it."),
        status=403,
        lifts=_("Sign in with your password. Under sign-in and security you can connect the other account."),
    )
