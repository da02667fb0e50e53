"""Sign-in, sign-out and the choice of language."""

from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from xiaodun.accounts import services
from xiaodun.accounts.access import is_own_address, level_of
from xiaodun.accounts.choices import FactorKind, Level
from xiaodun.accounts.forms import CodeForm, SignInForm
from xiaodun.accounts.known_browsers import KnownBrowser
from xiaodun.accounts.models import User
from xiaodun.accounts.pending import Pending
from xiaodun.accounts.providers import offered_providers
from xiaodun.accounts.selectors import DemoUser, demo_users
from xiaodun.accounts.services import sign_in as sessions
from xiaodun.accounts.services.attempts import Origin, prove_password
from xiaodun.accounts.views.proof import answer_status, proof_context, prove
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal

# A language chosen before signing in. It goes with the session: the next user of a shared PC has their own.
_CHOSEN_LANGUAGE = "language"


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """User name and password; in a demonstration also one button a role."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    onwards = asked if is_own_address(request, asked) else ""
    level = level_of(request)
    # An enrolled device opens little; whoever needs more signs in here.
    if level is not None and level.reaches(Level.PASSWORD):
        return redirect(onwards or settings.LOGIN_REDIRECT_URL)
    form = SignInForm(request.POST if request.method == "POST" else None)
    refused: Refusal | None = None
    if form.is_bound and form.is_valid():
        try:
            return _with_password(request, form, onwards)
        except Refusal as refusal:
            refused = refusal
            form.refuse(refusal)
    context = {
        "page_title": _("Sign in"),
        "form": form,
        "next": onwards,
        "demo_users": _offered_demo_users(),
        "providers": offered_providers(),
    }
    return answer_status(render(request, "accounts/sign_in.html", context), form, refused)


@never_cache
@require_http_methods(["GET", "POST"])
def challenge(request: HttpRequest) -> HttpResponse:
    """After the password: a code or a passkey. Without a password shown lately, back to the start."""
    at = clock.now()
    pending = Pending.of(request.session, at)
    if pending is None:
        return redirect("accounts:sign_in")
    form = CodeForm(request.POST if request.method == "POST" else None)
    refused: Refusal | None = None
    if form.is_bound:
        try:
            factor = prove(request, pending.user, form, at=at)
        except Refusal as refusal:
            refused = refusal
            form.refuse(refusal)
        else:
            if factor is not None:
                # What an office hands over opens the door to enrolment, not those that need a second factor.
                level = Level.PASSWORD if factor.kind == FactorKind.ISSUED else Level.MFA
                return _enter(request, pending.user, level, factor.kind, pending.onwards, at)
    context = {
        "page_title": _("Second step of signing in"),
        "form": form,
        "address": resolve_url("accounts:challenge"),
        **proof_context(request, pending.user),
    }
    return answer_status(render(request, "accounts/challenge.html", context), form, refused)


@require_POST
@never_cache
def sign_in_to_demo(request: HttpRequest) -> HttpResponse:
    """Sign in as the user whom the demonstration offers for the posted role; 404 anywhere else."""
    chosen = next((demo for demo in _offered_demo_users() if demo.role == request.POST.get("role")), None)
    if chosen is None:
        raise Http404
    return _enter(request, chosen.user, Level.DEMO, "demo", "", clock.now())


@require_POST
@never_cache
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session. The page that posts here has sent its queue and wiped its store before."""
    if isinstance(request.user, User):
        sessions.leave_session(request=request, by=request.user, why="signed out", at=clock.now())
    return redirect("accounts:sign_in")


@require_POST
@never_cache
def choose_language(request: HttpRequest) -> HttpResponse:
    """Read on in the posted ``language``: kept in a cookie and, when signed in, with the user."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        raise Http404
    if isinstance(request.user, User):
        services.set_language(by=request.user, language=language, at=clock.now())
    else:
        request.session[_CHOSEN_LANGUAGE] = language
    back = request.POST.get("next", "")
    response = HttpResponseRedirect(back if is_own_address(request, back) else resolve_url("/"))
    return _with_language(response, language)


def _with_password(request: HttpRequest, form: SignInForm, onwards: str) -> HttpResponse:
    """On to the second factor, or in: whoever must have one and has none is led to enrolment by the doors."""
    at = clock.now()
    user = prove_password(**form.cleaned_data, origin=Origin.of(request), at=at)
    return go_on_as(request, user, "password", onwards, at)


def go_on_as(request: HttpRequest, user: User, how: str, onwards: str, at: datetime) -> HttpResponse:
    """The first step of signing in is done: on to the second factor, or in."""
    if user.factors.exists():
        Pending(user, onwards).keep_in(request.session, at)
        return redirect("accounts:challenge")
    return _enter(request, user, Level.PASSWORD, how, onwards, at)


def _enter(
    request: HttpRequest, user: User, level: Level, how: str, onwards: str, at: datetime
) -> HttpResponse:
    chosen = request.session.pop(_CHOSEN_LANGUAGE, None)
    Pending.forget(request.session)
    sessions.start_session(request=request, user=user, level=level, how=how, at=at)
    if chosen is not None and chosen != user.language:
        services.set_language(by=user, language=chosen, at=at)
    response = _with_language(redirect(onwards or settings.LOGIN_REDIRECT_URL), user.language)
    if level != Level.DEMO:
        KnownBrowser.of(request).remember(user, response)
    return response


def _offered_demo_users() -> list[DemoUser]:
    is_demo = settings.IS_DEMO and settings.MODE in {"demo", "test"}
    return demo_users(clock.local_day(clock.now())) if is_demo else []


def _with_language(response: HttpResponse, language: str) -> HttpResponse:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 60 * 60,
        path=settings.LANGUAGE_COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
