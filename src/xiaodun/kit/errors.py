"""A refusal explains itself: machine code, the facts used, the rule, what would lift it.

::

    Exception
     └─ Refusal          the caller may read every part of it; rendered by
     ``kit.middleware.RefusalMiddleware``
"""

import errno
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from xiaodun.kit.requestid import current_request_id

logger = logging.getLogger(__name__)

Text = str | Promise


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong with one row or field of what was sent.

    ``where`` names the place as the sender knows it ("row 12", "findings[3]"); ``remedy`` says what to do
    about it.
    """

    where: Text
    message: Text
    remedy: Text
    person: int | None = None
    field: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "where": str(self.where),
            "message": str(self.message),
            "remedy": str(self.remedy),
            "person": self.person,
            "field": self.field,
        }


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818  (the domain's word; it is not a fault)
    """The system declines, and says why. Holds nothing that the caller may not read.

    ``code`` is stable and for machines (``receipt-mismatch``); ``rule`` names the rule and its version;
    ``lifts`` says in words what would change the answer; ``labels`` names, in words, the facts that the
    page shows.
    """

    code: str
    message: Text
    status: int = field(default=409, kw_only=True)
    facts: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    rule: str = field(default="", kw_only=True)
    lifts: Text = field(default="", kw_only=True)
    errors: Sequence[RowError] = field(default=(), kw_only=True)
    labels: Mapping[str, Text] = field(default_factory=dict, kw_only=True)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def labelled_facts(self) -> list[tuple[Text, Any]]:
        """The facts that a person should see, with their names in words."""
        return [(label, self.facts[name]) for name, label in self.labels.items()]


def not_found() -> Refusal:
    """What is unknown, deleted or somebody else's: the same words for all."""
    return Refusal(
        "not-found",
        _("This page does not exist, or it is not open to you."),
        status=404,
        lifts=_("Check the address, or go on from the start page."),
    )


def problem_json(refusal: Refusal) -> JsonResponse:
    """The refusal as ``application/problem+json`` (RFC 9457), its own members beside the standard ones."""
    body = {
        "type": f"urn:xiaodun:problem:{refusal.code}",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": str(refusal.message),
        "code": refusal.code,
        "facts": dict(refusal.facts),
        "rule": refusal.rule,
        "lifts": str(refusal.lifts),
        "errors": [error.as_json() for error in refusal.errors],
        "request_id": current_request_id(),
    }
    return JsonResponse(
        body, status=refusal.status, content_type="application/problem+json", encoder=DjangoJSONEncoder
    )


def wants_json(request: HttpRequest) -> bool:
    """Whether a machine or script asks: the API, a JSON body, or an ``Accept`` that prefers JSON to HTML."""
    if request.path.startswith("/api/") or request.content_type in {
        "application/json",
        "application/problem+json",
    }:
        return True
    return request.get_preferred_type(["text/html", "application/json", "application/problem+json"]) in {
        "application/json",
        "application/problem+json",
    }


def page_above(path: str) -> str:
    """The page with the form that sends to ``path``: the nearest address above that exists, or ""."""
    above = path.rstrip("/")
    while above := above.rpartition("/")[0]:
        try:
            resolve(f"{above}/")
        except Resolver404:
            continue
        return f"{above}/"
    return ""


def respond(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The refusal in the form in which the caller can read it: problem JSON, or the page
    ``kit/refusal.html``.

    From status 500 on the page is ``plain_error.html``, which needs neither database nor session nor assets.
    """
    if wants_json(request):
        return problem_json(refusal)
    is_of_form = refusal.status == HTTPStatus.METHOD_NOT_ALLOWED or request.method not in {"GET", "HEAD"}
    # From what does not exist for the reader nothing leads back to it either.
    is_there = refusal.status != HTTPStatus.NOT_FOUND
    back_url = page_above(request.path) if is_of_form and is_there else ""
    context = {"refusal": refusal, "request_id": current_request_id(), "back_url": back_url}
    if refusal.status >= 500:
        return HttpResponse(render_to_string("plain_error.html", context), status=refusal.status)
    return render(request, "kit/refusal.html", context, status=refusal.status)


# Seconds after which a client may try again.
RETRY_AFTER = "5"
# Disk full, quota reached, file larger than the process may write.
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def unavailable(request: HttpRequest, exception: BaseException | None) -> HttpResponse | None:
    """503 with ``Retry-After`` for a locked, full or lost database and a full disk; None for anything else.

    The transaction was rolled back on the way here: nothing was saved.
    """
    lost = isinstance(exception, OperationalError | InterfaceError)
    if not lost and not (isinstance(exception, OSError) and exception.errno in _NO_SPACE):
        return None
    logger.error("Database or disk did not answer", exc_info=exception)
    busy = Refusal(
        "database-unavailable",
        _("The system is busy or being repaired. Nothing was saved."),
        status=503,
        lifts=_("Try again in a few seconds."),
    )
    response = respond(request, busy)
    response["Retry-After"] = RETRY_AFTER
    return response
