"""Every error of the API as ``application/problem+json`` (RFC 9457)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import BaseModel

from xiaodun.kit import views
from xiaodun.kit.errors import Refusal, RowError, problem_json

# What pydantic finds most often, in the words of both languages; anything else is quoted.
_SAID = {
    "missing": _("This field is missing."),
    "extra_forbidden": _("This field is not known."),
    "too_long": _("This list is too long."),
    "too_short": _("This list is empty."),
}


def as_data(refusal: Refusal) -> dict[str, Any]:
    """The body of the problem, for an answer that holds several."""
    return dict(json.loads(problem_json(refusal).content))


def malformed(found: Sequence[Mapping[str, Any]], *, skip: int = 0) -> Refusal:
    """The faults that pydantic found; ``skip`` leaves out the first steps of each place (body, name)."""
    errors = [
        RowError(
            where=_place(fault["loc"][skip:]),
            message=_SAID.get(fault["type"])
            or _("This value does not have the form that is needed: %(reason)s") % {"reason": fault["msg"]},
            remedy=_("Correct it as the description of the API says (/api/v1/openapi.json)."),
            field=str(fault["loc"][-1]) if fault["loc"] else "",
        )
        for fault in found
    ]
    return Refusal(
        "request-malformed",
        _("This request does not have the form that is needed."),
        status=422,
        errors=errors,
        lifts=_("Correct the named fields and send again."),
    )


def _place(steps: Sequence[Any]) -> str:
    """``("checks", 3, "day")`` as ``checks[3].day``."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def refuse_unknown_parameters(request: HttpRequest, known: type[BaseModel]) -> None:
    """Refuse parameters of the address that are not described; ninja itself passes over them.

    Raises:
        Refusal: ``request-malformed`` (422) with each of them.
    """
    unknown = [name for name in request.GET if name not in known.model_fields]
    if unknown:
        raise malformed([{"type": "extra_forbidden", "loc": (name,), "msg": ""} for name in unknown])


def register(api: NinjaAPI) -> None:
    """Answer every error that ``api`` meets as a problem. A ``Refusal`` passes to the kit's middleware."""
    api.add_exception_handler(Http404, lambda request, error: views.not_found(request))
    api.add_exception_handler(AuthenticationError, lambda request, error: _unauthorised())
    api.add_exception_handler(ValidationError, _unreadable)
    api.add_exception_handler(HttpError, _other)


def _unauthorised() -> HttpResponse:
    response = problem_json(
        Refusal(
            "token-invalid",
            _("A valid token is needed."),
            status=401,
            lifts=_("Send it as Authorization: Bearer SECRET; it may have expired or been revoked."),
        )
    )
    response["WWW-Authenticate"] = "Bearer"
    return response


def _unreadable(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
    assert isinstance(error, ValidationError)  # ninja's type allows for a class, its code never passes one
    # The first steps are the source and ninja's own names: ("body", "batch", "checks", 3).
    return problem_json(malformed(error.errors, skip=2))


def _other(request: HttpRequest, error: HttpError | type[HttpError]) -> HttpResponse:
    assert isinstance(error, HttpError)
    refusal = Refusal(
        "request-unreadable",
        _("This request cannot be read."),
        status=error.status_code,
        lifts=_("Send JSON as the description of the API says (/api/v1/openapi.json)."),
    )
    return problem_json(refusal)


def method_not_allowed(allowed: str) -> HttpResponse:
    """The answer to a method that an address does not know; ``allowed`` as in the header."""
    response = problem_json(
        Refusal(
            "method-not-allowed",
            _("This address does not take this method."),
            status=405,
            facts={"allowed": allowed.split(", ")},
            lifts=_("Use one of the allowed methods."),
        )
    )
    response["Allow"] = allowed
    return response
