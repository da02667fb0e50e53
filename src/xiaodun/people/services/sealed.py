"""The audit of a batch that changes values about persons."""

from collections.abc import Mapping
from datetime import datetime

from xiaodun.accounts.models import Actor
from xiaodun.kit import audit
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Person

# Persons whose old and new values stand in one audit row.
SEALED_TOGETHER = 500


def record_sealed(
    *,
    by: Actor,
    verb: str,
    unit: Unit,
    made: int,
    changed: Mapping[Person, Mapping[str, object]],
    at: datetime,
) -> None:
    """One row for the new ones, and the old and new values of the others in rows of bounded size."""
    persons = list(changed)
    facts = {"made": made, "changed": len(persons)}
    audit.record(by=by, action=f"people.{verb}", obj=unit, unit=unit, at=at, facts=facts)
    for start in range(0, len(persons), SEALED_TOGETHER):
        part = persons[start : start + SEALED_TOGETHER]
        audit.record(
            by=by,
            action=f"people.{verb}",
            obj=unit,
            unit=unit,
            at=at,
            facts={"changed": len(part)},
            subjects={person: changed[person] for person in part},
        )
