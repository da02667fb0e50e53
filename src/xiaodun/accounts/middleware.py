"""Who is signed in, how surely, and the scope, at every request."""

from collections.abc import Callable

from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from xiaodun.accounts.access import level_of
from xiaodun.accounts.assurance import Assurance
from xiaodun.accounts.choices import Level
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope, device_scope
from xiaodun.accounts.selectors import scope_of
from xiaodun.accounts.services import sign_in
from xiaodun.kit import clock

GetResponse = Callable[[HttpRequest], HttpResponse]


class SessionMiddleware:
    """``request.user``, unless the session has been idle or has lasted for too long: then nobody.

    Stands after Django's AuthenticationMiddleware and looks, as that does, when the user is first asked for.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: _user_of(request))  # type: ignore[assignment]  # as Django does
        return self.get_response(request)


class ScopeMiddleware:
    """``request.scope``: read from the database at its first use in a request, never kept for the next."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.scope = SimpleLazyObject(  # type: ignore[attr-defined]  # ScopedRequest declares it
            lambda: _scope_of(request)
        )
        return self.get_response(request)


def _scope_of(request: HttpRequest) -> Scope:
    scope = scope_of(request.user, clock.local_day(clock.now()))
    return device_scope(scope) if level_of(request) == Level.DEVICE else scope


def _user_of(request: HttpRequest) -> User | AnonymousUser:
    user = get_user(request)
    if not isinstance(user, User):
        return AnonymousUser()
    at = clock.now()
    assurance = Assurance.of(request.session)
    if assurance is None or assurance.is_over(at):
        sign_in.leave_session(request=request, by=user, why="idle", at=at)
        return AnonymousUser()
    if assurance.is_stale(at):
        sign_in.mark_session_seen(request=request, at=at)
    return user
