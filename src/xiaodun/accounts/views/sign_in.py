"""Sign-in, sign-out and the choice of language."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from xiaodun.accounts import services
from xiaodun.accounts.access import is_own_address, level_of
from xiaodun.accounts.choices import Level
from xiaodun.accounts.forms import SignInForm
from xiaodun.accounts.models import User
from xiaodun.accounts.selectors import DemoUser, demo_users
from xiaodun.accounts.services import sign_in as sessions
from xiaodun.kit import clock

# A language chosen before signing in. It goes with the session: the next user of a shared PC has their own.
_CHOSEN_LANGUAGE = "language"


class SignIn(LoginView):
    """User name and password; in a demonstration also one button a role."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        level = level_of(request)
        # An enrolled device opens little; whoever needs more signs in here.
        if level is not None and level.reaches(Level.PASSWORD):
            return HttpResponseRedirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponseRedirect:
        user: User = form.get_user()
        sessions.start_session(
            request=self.request, user=user, level=Level.PASSWORD, how="password", at=clock.now()
        )
        return _in_own_language(self.request, user, HttpResponseRedirect(self.get_success_url()))

    def form_invalid(self, form: Form) -> HttpResponse:
        if form.non_field_errors():
            sessions.record_failed_sign_in(username=form.data.get("username", "").strip(), at=clock.now())
        # 422: scripts and tests can tell a refused form from an empty one.
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            page_title=_("Sign in"),
            demo_users=_offered_demo_users(),
        )


sign_in = SignIn.as_view()


@require_POST
@never_cache
def sign_in_to_demo(request: HttpRequest) -> HttpResponse:
    """Sign in as the user whom the demonstration offers for the posted role; 404 anywhere else."""
    chosen = next((demo for demo in _offered_demo_users() if demo.role == request.POST.get("role")), None)
    if chosen is None:
        raise Http404
    sessions.start_session(request=request, user=chosen.user, level=Level.DEMO, how="demo", at=clock.now())
    return _in_own_language(request, chosen.user, redirect(settings.LOGIN_REDIRECT_URL))


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
    allowed = is_own_address(request, back)
    return _with_language(HttpResponseRedirect(back if allowed else resolve_url("/")), language)


def _offered_demo_users() -> list[DemoUser]:
    is_demo = settings.IS_DEMO and settings.MODE in {"demo", "test"}
    return demo_users(clock.local_day(clock.now())) if is_demo else []


def _in_own_language(
    request: HttpRequest, user: User, response: HttpResponseRedirect
) -> HttpResponseRedirect:
    chosen = request.session.pop(_CHOSEN_LANGUAGE, None)
    if chosen is not None and chosen != user.language:
        services.set_language(by=user, language=chosen, at=clock.now())
    return _with_language(response, user.language)


def _with_language(response: HttpResponseRedirect, language: str) -> HttpResponseRedirect:
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
