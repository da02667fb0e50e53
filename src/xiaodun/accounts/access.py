"""The door of a view: who may come in at all. What they see inside, selectors decide by ``request.scope``."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts import cookies
from xiaodun.accounts.assurance import Assurance
from xiaodun.accounts.choices import Level, Right
from xiaodun.accounts.models import User
from xiaodun.accounts.passwords import is_due
from xiaodun.accounts.policies import Scope, needs_second_factor
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal, wants_json

Params = ParamSpec("Params")


class ScopedRequest(HttpRequest):
    """A request behind one of these doors: somebody is signed in and has a scope."""

    user: User
    scope: Scope


View = Callable[Concatenate[ScopedRequest, Params], HttpResponseBase]
Door = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]


def login_required(view: View[Params]) -> Door[Params]:
    """Signed-in users only. Pages lead to the sign-in page and back; scripts and machines get 401."""
    return _door(view, None, Level.PASSWORD)


def entrance(view: View[Params]) -> Door[Params]:
    """Signed-in users, also those who owe a new password or a second factor: where they settle that."""
    return _door(view, None, Level.PASSWORD, is_entrance=True)


def requires(right: Right, *, at_least: Level = Level.PASSWORD) -> Callable[[View[Params]], Door[Params]]:
    """Signed-in users who hold ``right`` on some unit; others get 403.

    ``at_least``: how surely. ``Level.DEVICE`` opens the door to an enrolled device with its PIN as well.
    """
    return lambda view: _door(view, right, at_least)


def requires_fresh_factor(view: View[Params]) -> View[Params]:
    """Ask for the factor (without one: the password) again, unless it was shown within the last minutes.

    Stands inside of a door, before exports, reveals, changes of factor, phone or rights::

        @requires(Right.REVEAL)
        @requires_fresh_factor
        def reveal(request: ScopedRequest, person: int) -> HttpResponse: ...

    A page leads to the confirmation and back to itself; a posted form to the confirmation and back to the
    page that held it, where it is sent again; scripts get 403 with code ``factor-not-fresh``.
    """

    @wraps(view)
    def asked(request: ScopedRequest, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponseBase:
        assurance = Assurance.of(request.session)
        if assurance is not None and assurance.is_fresh(clock.now()):
            return view(request, *args, **kwargs)
        if _is_script(request):
            raise Refusal(
                "factor-not-fresh",
                _("This needs your confirmation once more."),
                status=403,
                lifts=_("Confirm on the page for it, then send it again."),
            )
        back = request.get_full_path() if request.method == "GET" else _page_before(request)
        return HttpResponseRedirect(f"{reverse('accounts:confirm')}?{urlencode({'next': back})}")

    return cast("View[Params]", asked)


def level_of(request: HttpRequest) -> Level | None:
    """How surely somebody is signed in; none for a visitor."""
    assurance = Assurance.of(request.session) if request.user.is_authenticated else None
    return assurance.level if assurance else None


def _door(
    view: View[Params], right: Right | None, at_least: Level, *, is_entrance: bool = False
) -> Door[Params]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponseBase:
        level = level_of(request)
        if level is None or not level.reaches(at_least):
            return _ask_to_sign_in(request, at_least)
        scoped = cast(ScopedRequest, request)
        if not is_entrance and (owed := _owed_first(scoped, level)):
            return owed
        if right is not None and not scoped.scope.has(right):
            raise Refusal(
                "right-missing",
                _("Your role does not include this."),
                status=403,
                facts={"right": right.value},
                lifts=_("The district office assigns roles. Ask it if you need this for your work."),
            )
        return view(scoped, *args, **kwargs)

    # Read by the test that holds every address against the access matrix.
    guarded.required_right = right  # type: ignore[attr-defined]  # a function takes attributes
    return cast("Door[Params]", guarded)


def _owed_first(request: ScopedRequest, level: Level) -> HttpResponse | None:
    """The way to what the user must do before anything else; none when nothing is owed."""
    if level in {Level.DEVICE, Level.DEMO}:
        return None
    if is_due(request.user, clock.now()):
        return _lead_to(
            request,
            "accounts:password",
            Refusal(
                "password-due",
                _("Your password has had its time."),
                status=403,
                lifts=_("Choose a new one on the page for it, then send it again."),
            ),
        )
    if level == Level.PASSWORD and needs_second_factor(request.scope):
        return _lead_to(
            request,
            "accounts:enrol",
            Refusal(
                "factor-needed",
                _("Your role sees more than one class: it needs a second factor beside the password."),
                status=403,
                lifts=_("Set one up on the page for it, then send it again."),
            ),
        )
    return None


def _lead_to(request: HttpRequest, page: str, refusal: Refusal) -> HttpResponse:
    if _is_script(request):
        raise refusal
    return HttpResponseRedirect(reverse(page))


def _ask_to_sign_in(request: HttpRequest, at_least: Level) -> HttpResponse:
    if _is_script(request):
        raise Refusal(
            "sign-in-needed", _("You are not signed in."), status=401, lifts=_("Sign in and send it again.")
        )
    # What was posted cannot be repeated by a redirect: back to the start instead of a page that answers 405.
    back = request.get_full_path() if request.method == "GET" else "/"
    # On an enrolled phone its PIN, where that is enough; elsewhere it would only be asked in vain.
    if at_least == Level.DEVICE and cookies.secret_in(request, cookies.DEVICE):
        return redirect_to_login(back, login_url=reverse("accounts:unlock"))
    return redirect_to_login(back)


def _is_script(request: HttpRequest) -> bool:
    return wants_json(request) or request.headers.get("HX-Request") == "true"


def is_own_address(request: HttpRequest, address: str) -> bool:
    """Whether ``address`` leads to a page of this server, and nowhere else."""
    return url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )


def _page_before(request: HttpRequest) -> str:
    referer = request.headers.get("Referer", "")
    if not is_own_address(request, referer):
        return "/"
    parts = urlsplit(referer)
    return urlunsplit(("", "", parts.path, parts.query, "")) or "/"
