"""Where users set up their second factor, and take it away."""

import base64

import segno
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from xiaodun.accounts.access import ScopedRequest, entrance, requires_fresh_factor
from xiaodun.accounts.choices import FactorKind, Level
from xiaodun.accounts.factors import passkeys, totp
from xiaodun.accounts.forms import AppCodeForm, PasskeyForm
from xiaodun.accounts.models import Factor
from xiaodun.accounts.policies import needs_second_factor
from xiaodun.accounts.protection import own_factor
from xiaodun.accounts.services import factors as services
from xiaodun.accounts.services.sign_in import start_session
from xiaodun.accounts.views.proof import answer_status
from xiaodun.kit import clock, crypto
from xiaodun.kit.errors import Refusal

_NEW_SECRET = "new-totp"  # noqa: S105 - a key of the session
_SECRET_CONTEXT = "accounts.new_totp"  # noqa: S105 - where the secret is, for its encryption
_CHALLENGE = "new-passkey"


@entrance
def enrol(request: ScopedRequest) -> HttpResponse:
    """Which second factor shall it be? The first page of whoever must have one and has none."""
    context = {
        "page_title": _("Set up your second factor"),
        "is_owed": needs_second_factor(request.scope),
        "passkeys_work": passkeys.works_at(request.get_host()),
        "has_app": request.user.factors.filter(kind=FactorKind.TOTP).exists(),
        "nav_items": [],
    }
    return render(request, "accounts/enrol.html", context)


@require_http_methods(["GET", "POST"])
@entrance
@requires_fresh_factor
def enrol_app(request: ScopedRequest) -> HttpResponse:
    """A QR code for an authenticator app; a code of the app completes it."""
    at = clock.now()
    secret = _secret_on_the_screen(request)
    form = AppCodeForm(request.POST if request.method == "POST" else None)
    refused: Refusal | None = None
    if form.is_bound and form.is_valid():
        try:
            factor = services.add_totp(
                by=request.user,
                secret=secret,
                code=form.cleaned_data["code"],
                keep=request.session.session_key,
                at=at,
            )
        except Refusal as refusal:
            refused = refusal
            form.refuse(refusal, "code")
        else:
            del request.session[_NEW_SECRET]
            return _go_on_surer(request, factor)
    address = totp.address(secret, username=request.user.username, issuer=settings.SITE_NAME)
    context = {
        "page_title": _("Authenticator app"),
        "form": form,
        "qr": segno.make(address, error="m").svg_data_uri(scale=5, border=3),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "nav_items": [],
    }
    return answer_status(render(request, "accounts/enrol_app.html", context), form, refused)


@require_http_methods(["GET", "POST"])
@entrance
@requires_fresh_factor
def enrol_passkey(request: ScopedRequest) -> HttpResponse:
    """The browser or the phone makes a key for this server."""
    host = request.get_host()
    if not passkeys.works_at(host):
        raise Http404
    form = PasskeyForm(request.POST if request.method == "POST" else None)
    refused: Refusal | None = None
    if form.is_bound and form.is_valid():
        try:
            answer = passkeys.finish_registration(
                host, settings.SITE_NAME, request.session.pop(_CHALLENGE, {}), form.cleaned_data["credential"]
            )
        except passkeys.BadPasskeyError:
            refused = Refusal("passkey-wrong", _("The passkey was not accepted. Try again."), status=422)
            form.refuse(refused)
        else:
            factor = services.add_passkey(
                by=request.user,
                answer=answer,
                name=form.cleaned_data["name"],
                keep=request.session.session_key,
                at=clock.now(),
            )
            return _go_on_surer(request, factor)
    user = request.user
    known = user.factors.filter(kind=FactorKind.PASSKEY).values_list("secret", flat=True)
    options, request.session[_CHALLENGE] = passkeys.begin_registration(
        host, settings.SITE_NAME, user_id=user.pk, username=user.username, name=user.name, known=known
    )
    context = {
        "page_title": _("Passkey"),
        "form": form,
        "passkey_options": options,
        "nav_items": [],
    }
    return answer_status(render(request, "accounts/enrol_passkey.html", context), form, refused)


@require_http_methods(["GET", "POST"])
@entrance
@requires_fresh_factor
def recovery_codes(request: ScopedRequest) -> HttpResponse:
    """New recovery codes, shown by the answer to the post and never again."""
    context = {
        "page_title": _("Recovery codes"),
        "left": request.user.factors.filter(kind=FactorKind.RECOVERY, counter=0).count(),
        "codes": services.make_recovery_codes(by=request.user, at=clock.now())
        if request.method == "POST"
        else [],
        "nav_items": [],
    }
    return render(request, "accounts/recovery_codes.html", context)


@require_POST
@entrance
@requires_fresh_factor
def remove(request: ScopedRequest, factor: int) -> HttpResponse:
    """Take away an app or a passkey of one's own."""
    found = own_factor(request.user, factor)
    if found is None:
        raise Http404
    services.remove_factor(by=request.user, factor=found, keep=request.session.session_key, at=clock.now())
    return redirect("accounts:security")


def _go_on_surer(request: ScopedRequest, factor: Factor) -> HttpResponse:
    """The factor has just been shown, so the session goes on with it, under a new key."""
    how = str(factor.kind)
    if not request.user.factors.filter(kind=FactorKind.RECOVERY).exists():
        onwards = "accounts:recovery_codes"
    else:
        onwards = "accounts:security"
    start_session(request=request, user=request.user, level=Level.MFA, how=how, at=clock.now())
    return redirect(onwards)


def _secret_on_the_screen(request: ScopedRequest) -> str:
    """The secret of the QR code that this user looks at; encrypted, since sessions stand in the database."""
    kept = request.session.get(_NEW_SECRET)
    if kept is not None:
        return crypto.decrypt(base64.b64decode(kept), context=_SECRET_CONTEXT).decode()
    secret = totp.new_secret()
    sealed = crypto.encrypt(secret.encode(), context=_SECRET_CONTEXT)
    request.session[_NEW_SECRET] = base64.b64encode(sealed).decode()
    return secret
