"""Writes to the guardians of a pupil: whom the school calls, in which order.

Old and new values stand in the audit under the pupil's own key. A phone that is a mask (``138****5678``) came
back from a page that did not show the real one: it leaves what is on record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import Actor
from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal, RowError
from xiaodun.organisations.models import Unit
from xiaodun.people import numbers
from xiaodun.people.choices import Relation
from xiaodun.people.faults import Fault, batch_refusal, parts, row_error
from xiaodun.people.models import Guardian, Person
from xiaodun.people.services.sealed import record_sealed

GUARDIANS_AT_MOST = 4


@dataclass(frozen=True, slots=True)
class GuardianValues:
    """One guardian as a list or a form gives them; ``relation`` one of ``Relation`` or nothing."""

    name: str
    relation: str = ""
    phone: str = ""


@transaction.atomic
def set_guardians(
    *, by: Actor, person: Person, guardians: Sequence[GuardianValues], at: datetime
) -> list[Guardian]:
    """The person's guardians are these, in this order, and nobody else.

    Raises:
        Refusal: lists every fault; ``guardians-too-many``.
    """
    person = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    before = list(Guardian.objects.filter(person=person))
    rows, faults = _guardians_of(person, guardians, before)
    if faults:
        raise batch_refusal([row_error(order, fault, person.pk) for order, fault in faults])
    old, new = _guardian_facts(before), _guardian_facts(rows)
    if old == new:
        return before
    Guardian.objects.filter(person=person).delete()
    rows = Guardian.objects.bulk_create(rows)
    audit.record(
        by=by,
        action="people.set_guardians",
        obj=person,
        at=at,
        facts={"count": len(rows)},
        subjects={person: {"old": old, "new": new}},
    )
    return rows


@transaction.atomic
def set_guardians_of_many(
    *, by: Actor, unit: Unit, rows: Iterable[tuple[Person, Sequence[GuardianValues]]], at: datetime
) -> int:
    """As :func:`set_guardians` for many persons, all or none; returns for how many something changed."""
    asked = {person.pk: (person, guardians) for person, guardians in rows}
    before: dict[int, list[Guardian]] = {}
    for part in parts(list(asked)):
        for row in Guardian.objects.filter(person__in=part):
            before.setdefault(row.person_id, []).append(row)
    made: list[Guardian] = []
    changed: dict[Person, dict[str, object]] = {}
    errors: list[RowError] = []
    renewed: list[int] = []
    touched = 0
    for position, (pk, (person, guardians)) in enumerate(asked.items(), start=1):
        new, faults = _guardians_of(person, guardians, before.get(pk, []))
        errors += [row_error(position, fault, pk) for _order, fault in faults]
        old_facts, new_facts = _guardian_facts(before.get(pk, [])), _guardian_facts(new)
        if old_facts == new_facts:
            continue
        touched += 1
        made += new
        if pk in before:
            renewed.append(pk)
            changed[person] = {"old": old_facts, "new": new_facts}
    if errors:
        raise batch_refusal(errors)
    for part in parts(renewed):
        Guardian.objects.filter(person__in=part).delete()
    Guardian.objects.bulk_create(made)
    record_sealed(
        by=by, verb="set_guardians_of_many", unit=unit, made=touched - len(changed), changed=changed, at=at
    )
    return touched


def _guardians_of(
    person: Person, values: Sequence[GuardianValues], before: Sequence[Guardian]
) -> tuple[list[Guardian], list[tuple[int, Fault]]]:
    if len(values) > GUARDIANS_AT_MOST:
        raise Refusal(
            "guardians-too-many",
            _("More guardians than the school can call in turn."),
            status=422,
            facts={"at_most": GUARDIANS_AT_MOST},
            lifts=_("Keep those who can be reached."),
        )
    rows: list[Guardian] = []
    faults: list[tuple[int, Fault]] = []
    for order, given in enumerate(values, start=1):
        name = given.name.strip()
        phone: str | None = None
        if numbers.is_masked(given.phone):
            phone = next((row.phone for row in before if row.order == order), None)
        elif given.phone.strip():
            phone = numbers.read_phone(given.phone)
            if phone is None:
                faults.append((order, numbers.NOT_A_PHONE))
        if not name or len(name) > 40:
            faults.append((order, _NAME_MISSING))
        if given.relation not in {"", *Relation.values}:
            faults.append((order, _RELATION_UNKNOWN))
        rows.append(
            Guardian(
                person=person,
                order=order,
                name=name,
                relation=given.relation,
                phone=phone,
                phone_index=numbers.phone_index(phone) if phone else None,
            )
        )
    return rows, faults


def _guardian_facts(guardians: Iterable[Guardian]) -> list[dict[str, object]]:
    return [{"name": row.name, "relation": row.relation, "phone": row.phone} for row in guardians]


_NAME_MISSING = Fault(
    "name-missing",
    _("A name of at most 40 characters is needed."),
    _("Give the name."),
    field="name",
)
_RELATION_UNKNOWN = Fault(
    "relation-unknown",
    _("This relation is not one that the system knows."),
    _("Use mother, father, grandparent or other."),
    field="relation",
)
