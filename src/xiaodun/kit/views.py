"""Answers that belong to no app: errors and the state of health."""

import logging
import sys

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from xiaodun.kit import clock, errors, outbox
from xiaodun.kit.errors import Refusal, respond, unavailable

logger = logging.getLogger(__name__)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose protection token is missing or old, mostly a page left open over a sign-out."""
    return respond(
        request,
        Refusal(
            "stale-page",
            _("This page was open for too long, or cookies are switched off. Nothing was saved."),
            status=403,
            lifts=_("Go back, reload the page and send it again."),
        ),
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return respond(request, Refusal("bad-request", _("This request cannot be understood."), status=400))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return respond(
        request,
        Refusal(
            "forbidden",
            _("Your role does not include this."),
            status=403,
            lifts=_("Ask whoever manages people at your school or at the bureau."),
        ),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The same answer for what is unknown, deleted or somebody else's."""
    return respond(request, errors.not_found())


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while the exception is being handled; one that passes by itself is 503."""
    return unavailable(request, sys.exception()) or respond(
        request,
        Refusal(
            "internal-error",
            _("Something went wrong on our side. It has been written to the log."),
            status=500,
            lifts=_("Try again later; if it stays, tell your administrator the number below."),
        ),
    )


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """For monitors, without sign-in and without personal data: 200 while the database answers, 503 otherwise.

    ``outbox_oldest_seconds`` is the age of the oldest undelivered announcement; minutes mean that no job
    process runs, ``outbox_failing`` counts those that failed at least once.
    """
    now = clock.now()
    try:
        waiting = outbox.pending(now)
    except OperationalError:
        logger.exception("The database does not answer")
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse(
        {
            "database": "reachable",
            "outbox_waiting": waiting.waiting,
            "outbox_oldest_seconds": int(waiting.oldest_age(now).total_seconds()),
            "outbox_failing": len(waiting.failing),
        }
    )
