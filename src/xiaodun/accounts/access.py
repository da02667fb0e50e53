"""The door of a view: who may come in at all. What they see inside, selectors decide by ``request.scope``."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
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
    return _door(view, None)


def requires(right: Right) -> Callable[[View[Params]], Door[Params]]:
    """Signed-in users who hold ``right`` on some unit; others get 403."""
    return lambda view: _door(view, right)


def _door(view: View[Params], right: Right | None) -> Door[Params]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _ask_to_sign_in(request)
        scoped = cast(ScopedRequest, request)
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


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    if wants_json(request) or request.headers.get("HX-Request") == "true":
        raise Refusal(
            "sign-in-needed", _("You are not signed in."), status=401, lifts=_("Sign in and send it again.")
        )
    # What was posted cannot be repeated by a redirect: back to the start instead of a page that answers 405.
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
