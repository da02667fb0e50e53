"""The addresses of the API, version 1. Thin: read, ask a selector or service, answer."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from ninja import NinjaAPI, Query

from xiaodun import __version__
from xiaodun.accounts.choices import TokenScope
from xiaodun.api import problems, schemas, selectors
from xiaodun.api.auth import TokenAuth, scope_for, token_of
from xiaodun.api.checks import submit_batch
from xiaodun.kit import audit, clock
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import institutions_of
from xiaodun.people.selectors import roster
from xiaodun.surveillance.models import Signal

DESCRIPTION = """\
For school systems that keep their own registers, and for readers of figures. Each token is bound to a unit
and to scopes: what lies outside of the unit is answered as if it did not exist. Times carry an offset; days
are China's. Errors are RFC 9457 problems.
"""


def _errors(*statuses: int) -> dict[str, Any]:
    """The problems that an operation may answer with, for the description."""
    words = {
        401: "No token, or one that is unknown, expired or revoked",
        403: "The token lacks the scope",
        404: "Unknown or foreign",
        422: "The request does not have the form that is needed",
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "responses": {
            status: {
                "description": words[status],
                "content": {"application/problem+json": {"schema": schema}},
            }
            for status in statuses
        }
    }


api = NinjaAPI(
    title="Xiaodun API",
    version=__version__,
    description=DESCRIPTION,
    auth=TokenAuth(),
    openapi_url="/v1/openapi.json",
    # The viewers that ninja ships need inline scripts, which the content security policy refuses.
    docs_url=None,
    urls_namespace="api",
)
problems.register(api)


@api.post(
    "/v1/checks",
    response=schemas.CheckBatchResult,
    operation_id="submitChecks",
    summary="Send checks",
    openapi_extra=_errors(401, 403, 422),
)
def submit_checks(request: HttpRequest, batch: schemas.CheckBatch) -> schemas.CheckBatchResult:
    """Each check is stored, recognised as a repeat, or refused with its own problem; scope `checks:write`.

    Sending the batch again is safe: stored checks are answered as repeated.
    """
    scope = scope_for(request, TokenScope.CHECKS_WRITE)
    return submit_batch(token=token_of(request), scope=scope, checks=batch.checks, at=clock.now())


@api.get(
    "/v1/groups",
    response=schemas.Groups,
    operation_id="listGroups",
    summary="Groups of the token's unit",
    openapi_extra=_errors(401, 422),
)
def list_groups(request: HttpRequest, page: Query[schemas.GroupPage]) -> schemas.Groups:
    """Classes, dormitory rooms, lessons and departments by code; any scope. Holds no person."""
    problems.refuse_unknown_parameters(request, schemas.GroupPage)
    found = selectors.groups_of_token(token_of(request), after=page.after, limit=page.limit + 1)
    shown = found[: page.limit]
    institutions = institutions_of(shown)
    return schemas.Groups(
        items=[_group(group, institutions[group.pk]) for group in shown],
        next=shown[-1].code if len(found) > page.limit else None,
    )


@api.get(
    "/v1/groups/{code}/roster",
    response=schemas.Roster,
    operation_id="readRoster",
    summary="Members of a group on a day",
    openapi_extra=_errors(401, 403, 404, 422),
)
def read_roster(request: HttpRequest, code: str, query: Query[schemas.DayQuery]) -> schemas.Roster:
    """Numbers and names; scope `rosters:read`. The read is kept in the audit with the persons shown."""
    problems.refuse_unknown_parameters(request, schemas.DayQuery)
    scope = scope_for(request, TokenScope.ROSTERS_READ)
    group = selectors.group_with_roster(scope, code)
    rows = roster(group, query.day)
    with transaction.atomic():
        audit.record(
            by=token_of(request),
            action="api.roster.read",
            obj=group,
            at=clock.now(),
            unit=group,
            facts={"day": query.day.isoformat(), "persons": [row.person.pk for row in rows]},
        )
    members = [
        schemas.RosterMember(person=row.person.number, number=row.number, name=row.person.name)
        for row in rows
    ]
    return schemas.Roster(group=group.code, day=query.day, members=members)


@api.get(
    "/v1/signals",
    response=schemas.Signals,
    operation_id="listSignals",
    summary="Signals in counts",
    openapi_extra=_errors(401, 403, 422),
)
def list_signals(request: HttpRequest, page: Query[schemas.SignalPage]) -> schemas.Signals:
    """Signals at and below the token's unit, the newest first, withdrawn ones too; scope `figures:read`."""
    problems.refuse_unknown_parameters(request, schemas.SignalPage)
    scope = scope_for(request, TokenScope.FIGURES_READ)
    found = selectors.signals_counted_for(scope, after=page.after, limit=page.limit + 1)
    shown = found[: page.limit]
    return schemas.Signals(
        items=[_signal(signal) for signal in shown],
        next=shown[-1].pk if len(found) > page.limit else None,
    )


def _unit(unit: Unit) -> schemas.UnitOut:
    return schemas.UnitOut(code=unit.code, name=unit.name, name_en=unit.name_en)


def _group(group: Unit, institution: Unit | None) -> schemas.GroupOut:
    return schemas.GroupOut(
        id=group.pk,
        code=group.code,
        name=group.name,
        name_en=group.name_en,
        kind=group.group_kind,
        institution=None if institution is None else _unit(institution),
        first_day=group.first_day,
        last_day=group.last_day,
    )


def _signal(signal: Signal) -> schemas.SignalOut:
    return schemas.SignalOut(
        id=signal.pk,
        unit=_unit(signal.unit),
        rule=signal.rule.code,
        rule_version=signal.rule.version,
        symptom_group=signal.symptom_group,
        state=signal.state,
        count=signal.peak_count,
        windows=signal.windows,
        raised_at=signal.raised_at,
        deadline_at=signal.deadline_at,
        acknowledged_at=signal.acknowledged_at,
        decided_at=signal.decided_at,
    )
