"""The class page: a shell without personal data, its roster as JSON, submit, and what became of it."""

import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Level, Right
from xiaodun.desks import selectors
from xiaodun.desks.views.days import day_in
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal, RowError
from xiaodun.messages import services as messages
from xiaodun.organisations.selectors import groups_on
from xiaodun.screening import services as screening
from xiaodun.screening.choices import CheckKind
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.selectors import (
    group_for_check,
    open_group_for_check,
    refuse_foreign_tap,
    session_visible_to,
)

# The class page sends one body to submit and to correct.
_FIELDS = frozenset(
    {"client_id", "day", "tapped_at", "clock_offset_ms", "base_version", "findings", "reason"}
)
_FIELDS_OF_A_FINDING = frozenset({"person", "status", "symptoms", "onset"})


@require_GET
@requires(Right.SUBMIT_CHECK, at_least=Level.DEVICE)
def own_checks(request: ScopedRequest) -> HttpResponse:
    """Where a phone leads that was opened with its PIN: the check of the only group, or a choice."""
    groups = list(groups_on(clock.local_day(clock.now()), request.scope.q(Right.SUBMIT_CHECK)))
    if len(groups) == 1:
        return redirect("desks:class_check", groups[0].pk)
    return render(request, "desks/own_checks.html", {"groups": groups, "page_title": _("My checks")})


@require_GET
@requires(Right.SUBMIT_CHECK, at_least=Level.DEVICE)
def class_check(request: ScopedRequest, group_id: int) -> HttpResponse:
    """The shell; names and findings come with the roster only, so that the shell may be cached."""
    day = day_in(request)
    group = open_group_for_check(request.scope, group_id, day)
    page = selectors.check_shell(group, CheckKind.MORNING, day, at=clock.now())
    return render(request, "desks/class_check.html", {"page": page, "page_title": page.title})


@require_GET
@requires(Right.SUBMIT_CHECK, at_least=Level.DEVICE)
def class_roster(request: ScopedRequest, group_id: int) -> JsonResponse:
    """Who belongs to the group, what is known of them today, and the words that the page needs."""
    day = day_in(request)
    group = open_group_for_check(request.scope, group_id, day)
    roster = selectors.check_roster(
        group, CheckKind.MORNING, day, request.scope, by=request.user, at=clock.now()
    )
    messages.mark_read_at(by=request.user, urls=[selectors.check_url(group, day)], at=clock.now())
    return JsonResponse(roster)


@require_POST
@requires(Right.SUBMIT_CHECK, at_least=Level.DEVICE)
def submit(request: ScopedRequest, group_id: int) -> JsonResponse:
    """One tap: the whole class is checked. Repeats of the same client id get the first answer."""
    group = group_for_check(request.scope, group_id)
    body = _body(request)
    now, tapped_at, offset = clock.now(), _required(body, "tapped_at", parse_datetime), _offset(body)
    refuse_foreign_tap(request.user, group, tapped_at=tapped_at, clock_offset_ms=offset, received_at=now)
    answer = screening.submit_check(
        by=request.user,
        group=group,
        kind=CheckKind.MORNING,
        day=_required(body, "day", parse_date),
        findings=_findings(body),
        tapped_at=tapped_at,
        received_at=now,
        clock_offset_ms=offset,
        client_id=_required(body, "client_id", UUID),
        source=f"web:{request.user.pk}",
    )
    return _answer(answer)


@require_GET
@requires(Right.SEE_CHILDREN, at_least=Level.DEVICE)
def check_done(request: ScopedRequest, session_id: int) -> HttpResponse:
    """Am I finished? What was sent, who does what next, and what was corrected."""
    session = session_visible_to(request.scope, session_id)
    page = selectors.check_done_page(session, request.scope, by=request.user, at=clock.now())
    return render(request, "desks/check_done.html", {"page": page, "page_title": page.title})


@require_POST
@requires(Right.SUBMIT_CHECK, at_least=Level.DEVICE)
def correct(request: ScopedRequest, session_id: int) -> JsonResponse:
    """Replace what was sent by what is true; both stay on record."""
    session = session_visible_to(request.scope, session_id)
    group_for_check(request.scope, session.group_id)
    body = _body(request)
    answer = screening.correct_check(
        by=request.user,
        session=session,
        base_version=_required(body, "base_version", int),
        findings=_findings(body),
        reason=str(body.get("reason", ""))[:200],
        at=clock.now(),
        client_id=_required(body, "client_id", UUID),
        source=f"web:{request.user.pk}",
    )
    return _answer(answer)


def _answer(answer: dict[str, Any]) -> JsonResponse:
    url = reverse("desks:check_done", args=[answer["session"]])
    return JsonResponse(answer | {"next": url}, status=201)


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _malformed("body")
    _refuse_unknown(body, _FIELDS)
    return body


def _refuse_unknown(row: dict[str, Any], known: frozenset[str], where: str = "") -> None:
    """What no client sends is a mistake or an attempt to write what is not the client's to write."""
    for name in row:
        if name not in known:
            raise _malformed(f"{where}{name}")


def _required(body: dict[str, Any], field: str, parse: Any) -> Any:
    """The field parsed, or a refusal that names it. A moment without a zone would be a guess."""
    try:
        value = parse(body[field])
    except (KeyError, TypeError, ValueError, AttributeError):
        value = None
    if value is None or (isinstance(value, datetime) and value.tzinfo is None):
        raise _malformed(field)
    return value


def _offset(body: dict[str, Any]) -> int | None:
    value = body.get("clock_offset_ms")
    # A day is more than any clock can be wrong and still mean something; the column holds 32 bits.
    return value if isinstance(value, int) and abs(value) < 86_400_000 else None


def _findings(body: dict[str, Any]) -> list[FindingInput]:
    rows = body.get("findings")
    if not isinstance(rows, list):
        raise _malformed("findings")
    findings = []
    for number, row in enumerate(rows, start=1):
        if isinstance(row, dict):
            _refuse_unknown(row, _FIELDS_OF_A_FINDING, f"findings[{number}].")
        try:
            onset = row["onset"]
            findings.append(
                FindingInput(
                    person_id=int(row["person"]),
                    status=str(row["status"]),
                    symptoms=tuple(str(code) for code in row["symptoms"]),
                    onset=None if onset is None else date.fromisoformat(onset),
                )
            )
        except (KeyError, TypeError, ValueError):
            raise _malformed(f"findings[{number}]") from None
    return findings


def _malformed(field: str) -> Refusal:
    return Refusal(
        "request-malformed",
        _("The request could not be read; nothing was stored."),
        status=422,
        errors=[
            RowError(
                where=field,
                message=_("Missing or malformed."),
                remedy=_("Reload the page and send again."),
                field=field,
            )
        ],
    )
