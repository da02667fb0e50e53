"""A batch of checks, each judged on its own through the service that the class page uses."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from xiaodun.accounts.models import ApiToken
from xiaodun.accounts.policies import Scope
from xiaodun.api import problems, schemas, selectors
from xiaodun.kit.errors import Refusal, RowError, not_found
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Person
from xiaodun.people.selectors import roster
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.services import submit_check


def submit_batch(
    *,
    token: ApiToken,
    scope: Scope,
    checks: Sequence[schemas.CheckIn | schemas.Malformed],
    at: datetime,
) -> schemas.CheckBatchResult:
    """Store each check of the batch that may be stored. A batch that broke off may be sent again whole."""
    source = f"api:{token.pk}"
    readable = [check for check in checks if isinstance(check, schemas.CheckIn)]
    groups = selectors.groups_by_key(scope, (check.group for check in readable))
    known = selectors.answered_before(source, {check.client_id for check in readable})
    results = []
    for index, check in enumerate(checks):
        if isinstance(check, schemas.Malformed):
            results.append(_refused_as_malformed(index, check))
            continue
        results.append(
            _submit_one(index, check, token=token, groups=groups, known=known, source=source, at=at)
        )
        if results[-1].outcome == "stored":
            known.add(check.client_id)
    outcomes = [result.outcome for result in results]
    return schemas.CheckBatchResult(
        stored=outcomes.count("stored"),
        repeated=outcomes.count("repeated"),
        refused=outcomes.count("refused"),
        results=results,
    )


def _submit_one(
    index: int,
    check: schemas.CheckIn,
    *,
    token: ApiToken,
    groups: Mapping[str | int, Unit],
    known: set[UUID],
    source: str,
    at: datetime,
) -> schemas.CheckResult:
    try:
        group = groups.get(check.group)
        if group is None:
            raise not_found()
        answer = submit_check(
            by=token,
            group=group,
            kind=check.kind,
            day=check.day,
            findings=_findings_again(check) if check.client_id in known else _findings(check, group),
            tapped_at=check.tapped_at,
            received_at=at,
            clock_offset_ms=check.clock_offset_ms,
            client_id=check.client_id,
            source=source,
        )
    except Refusal as refusal:
        return _refused(index, str(check.client_id), refusal)
    return schemas.CheckResult(
        index=index,
        client_id=str(check.client_id),
        outcome="repeated" if check.client_id in known else "stored",
        session=answer["session"],
        version=answer["version"],
    )


def _findings(check: schemas.CheckIn, group: Unit) -> list[FindingInput]:
    """The findings with the persons' ids.

    Raises:
        Refusal: ``check-invalid`` (422) with every number that nobody in the group has on that day.
    """
    if not check.findings:
        return []
    person_ids = {row.person.number: row.person.pk for row in roster(group, check.day)}
    errors = [
        RowError(
            where=f"findings[{position}]",
            message=_("This person is not in the group on this day."),
            remedy=_("Read the roster of the group for this day and send a number that stands in it."),
            field="person",
        )
        for position, finding in enumerate(check.findings)
        if finding.person not in person_ids
    ]
    if errors:
        raise Refusal(
            "check-invalid",
            _("The check could not be stored."),
            status=422,
            errors=errors,
            lifts=_("Correct the named rows and send again."),
        )
    return _as_inputs(check, person_ids)


def _findings_again(check: schemas.CheckIn) -> list[FindingInput]:
    """The findings of a check that was sent before, whoever belongs to the group by now.

    The receipt answers it, or refuses it for its other content: a number that nobody has is other content.
    """
    numbers = {finding.person for finding in check.findings}
    person_ids = dict(Person.objects.filter(number__in=numbers).values_list("number", "pk"))
    return _as_inputs(check, defaultdict(int, person_ids))


def _as_inputs(check: schemas.CheckIn, person_ids: Mapping[str, int]) -> list[FindingInput]:
    return [
        FindingInput(
            person_ids[finding.person],
            finding.status.value,
            tuple(symptom.value for symptom in finding.symptoms),
            finding.onset,
        )
        for finding in check.findings
    ]


def _refused_as_malformed(index: int, check: schemas.Malformed) -> schemas.CheckResult:
    error = check.error
    assert isinstance(error, ValidationError)
    named: Any = check.raw.get("client_id") if isinstance(check.raw, dict) else None
    client_id = named if isinstance(named, str) else None
    return _refused(index, client_id, problems.malformed(error.errors(include_url=False)))


def _refused(index: int, client_id: str | None, refusal: Refusal) -> schemas.CheckResult:
    problem = schemas.Problem.model_validate(problems.as_data(refusal))
    return schemas.CheckResult(index=index, client_id=client_id, outcome="refused", problem=problem)
