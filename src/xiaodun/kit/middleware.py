"""Request id, refusals as answers, and no stored copies of personal pages."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext_lazy as _

from xiaodun.kit.errors import Refusal, not_found, respond, unavailable, wants_json
from xiaodun.kit.requestid import current_request_id, request_id

__all__ = ["NoStoreMiddleware", "RefusalMiddleware", "RequestIdMiddleware", "current_request_id"]

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Gives each request an id of our own making (a client's could carry anything) and returns it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with request_id() as made:
            response = self.get_response(request)
            response["X-Request-ID"] = made
            return response


class RefusalMiddleware:
    """Answers a ``Refusal`` raised in a view; a busy or lost database or a full disk is 503.

    What other middleware meets (the session that cannot be saved) reaches ``kit.views.server_error``.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return self._explain_method(request, response)
        return response

    def _explain_method(self, request: HttpRequest, response: HttpResponseNotAllowed) -> HttpResponse:
        """An address that only takes forms was opened like a page, or the other way round."""
        refusal = Refusal(
            "method-not-allowed",
            _("This address takes what a form sends; it is no page to open."),
            status=405,
            facts={"allowed": response["Allow"]},
            lifts=_("Go back to the page with the form and press its button there."),
        )
        explained = respond(request, refusal)
        explained["Allow"] = response["Allow"]
        return explained

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refusal):
            return respond(request, exception)
        if isinstance(exception, Http404) and wants_json(request):
            return respond(request, not_found())
        return unavailable(request, exception)


class NoStoreMiddleware:
    """Every answer is ``no-store`` unless its view said otherwise: a page without personal data says so."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store, private"
        return response
