"""The scope of the signed-in user at every request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from xiaodun.accounts.selectors import scope_of
from xiaodun.kit import clock


class ScopeMiddleware:
    """``request.scope``: read from the database at its first use in a request, never kept for the next."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.scope = SimpleLazyObject(  # type: ignore[attr-defined]  # ScopedRequest declares it
            lambda: scope_of(request.user, clock.local_day(clock.now()))
        )
        return self.get_response(request)
