"""Writes to identities: the numbers by which a person is recognised beyond the school's own.

Old and new values stand in the audit under the person's own key. A value that is a mask (``41****2X``) came
back from a page that did not show the real one: it leaves what is on record.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import Actor
from xiaodun.kit import audit
from xiaodun.kit.clock import local_day
from xiaodun.kit.errors import RowError
from xiaodun.organisations.models import Unit
from xiaodun.people import numbers
from xiaodun.people.choices import DocumentKind
from xiaodun.people.faults import Fault, batch_refusal, parts, refusal_of, row_error
from xiaodun.people.models import Identity, Person
from xiaodun.people.services.sealed import SEALED_TOGETHER, record_sealed


@dataclass(frozen=True, slots=True)
class IdentityValues:
    """What to keep about a person; None leaves what is on record, an empty text erases it.

    A number without ``document_kind`` is a resident's ID number.
    """

    document_kind: str | None = None
    document_number: str | None = None
    student_number: str | None = None
    birth_date: date | None = None
    address: str | None = None


@transaction.atomic
def keep_identity(*, by: Actor, person: Person, values: IdentityValues, at: datetime) -> Identity:
    """The person's identity with ``values`` in it.

    Raises:
        Refusal: the fault of a number; ``identity-taken`` when it stands with somebody else already.
    """
    # The person's row is the lock: two clerks who write at once must both see what the audit says.
    person = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    identity = Identity.objects.filter(person=person).first() or Identity(person=person)
    old = _as_facts(identity)
    fault = _change(identity, values, on=local_day(at))
    if fault is None and _taken([identity]):
        fault = _TAKEN
    if fault is not None:
        raise refusal_of(fault, {"person": person.pk})
    new = _as_facts(identity)
    if new == old:
        return identity
    identity.save()
    audit.record(
        by=by,
        action="people.keep_identity",
        obj=identity,
        at=at,
        facts={"person": person.pk, "fields": sorted(name for name in new if new[name] != old[name])},
        subjects={person: {"old": old, "new": new}},
    )
    return identity


@transaction.atomic
def keep_identities(
    *, by: Actor, unit: Unit, rows: Sequence[tuple[Person, IdentityValues]], at: datetime
) -> int:
    """Many identities at once, all or none; returns how many changed. ``unit`` hands them in.

    The number of statements does not depend on the rows but for the databases' limits on one statement. Old
    and new values of those who were on record are sealed one audit row for every few hundred of them.
    """
    known: dict[int, Identity] = {}
    for part in parts([person.pk for person, _values in rows]):
        known.update((row.person_id, row) for row in Identity.objects.filter(person__in=part))
    made: list[Identity] = []
    kept: list[Identity] = []
    changed: dict[Person, dict[str, object]] = {}
    errors: list[RowError] = []
    for position, (person, values) in enumerate(rows, start=1):
        identity = known.setdefault(person.pk, Identity(person=person))
        old = _as_facts(identity)
        fault = _change(identity, values, on=local_day(at))
        if fault is not None:
            errors.append(row_error(position, fault, person.pk))
            continue
        new = _as_facts(identity)
        if new == old:
            continue
        if identity.pk is None:
            made.append(identity)
        else:
            kept.append(identity)
            changed[person] = {"old": old, "new": new}
    taken = _taken([*made, *kept])
    errors += [
        row_error(position, _TAKEN, person.pk)
        for position, (person, _values) in enumerate(rows, start=1)
        if person.pk in taken
    ]
    if errors:
        raise batch_refusal(errors)
    Identity.objects.bulk_create(made)
    Identity.objects.bulk_update(kept, _STORED, batch_size=SEALED_TOGETHER)
    record_sealed(by=by, verb="keep_identities", unit=unit, made=len(made), changed=changed, at=at)
    return len(made) + len(kept)


_STORED = [
    "document_kind",
    "document_number",
    "document_index",
    "student_number",
    "student_index",
    "birth_date",
    "address",
]


def _change(identity: Identity, values: IdentityValues, *, on: date) -> Fault | None:
    given = {
        each.name: value
        for each in fields(values)
        if (value := getattr(values, each.name)) is not None
        and not (isinstance(value, str) and numbers.is_masked(value))
    }
    if "document_kind" in given or "document_number" in given:
        number = given.get("document_number")
        number = (identity.document_number or "") if number is None else numbers.written(number)
        kind = given.get("document_kind") or (identity.document_kind if number else "")
        kind = kind or (DocumentKind.RESIDENT if number else "")
        if kind and (number or kind != DocumentKind.OTHER):
            fault = numbers.fault_in_document(kind, number, on=on) if number else _NUMBER_MISSING
            if fault is not None:
                return fault
        identity.document_kind = kind
        identity.document_number = number or None
        identity.document_index = numbers.document_index(kind, number) if number else None
    if "student_number" in given:
        number = numbers.written(given["student_number"])
        fault = numbers.fault_in_student_number(number, on=on) if number else None
        if fault is not None:
            return fault
        identity.student_number = number or None
        identity.student_index = numbers.student_index(number) if number else None
    if "birth_date" in given:
        if given["birth_date"] > on:
            return _BORN_LATER
        identity.birth_date = given["birth_date"]
    if "address" in given:
        identity.address = given["address"].strip() or None
    return None


def _taken(identities: Sequence[Identity]) -> set[int]:
    """Persons among these whose number stands with somebody else, on record or earlier in the list."""
    taken: set[int] = set()
    for name in ("document_index", "student_index"):
        owners: dict[str, int] = {}
        for identity in identities:
            index = getattr(identity, name)
            if index is not None and owners.setdefault(index, identity.person_id) != identity.person_id:
                taken.add(identity.person_id)
        for part in parts(list(owners)):
            rows = Identity.objects.filter(**{f"{name}__in": part}).values_list(name, "person_id")
            taken.update(owners[index] for index, owner in rows if owners[index] != owner)
    return taken


def _as_facts(identity: Identity) -> dict[str, object]:
    return {
        "document_kind": identity.document_kind,
        "document_number": identity.document_number,
        "student_number": identity.student_number,
        "birth_date": identity.birth_date.isoformat() if identity.birth_date else None,
        "address": identity.address,
    }


_TAKEN = Fault(
    "identity-taken",
    _("This number already stands with another person."),
    _("Compare both with their documents. A pupil who came from another school is moved, not entered anew."),
    status=409,
    field="document_number",
)
_NUMBER_MISSING = Fault(
    "document-number-missing",
    _("A document of this kind has a number."),
    _("Give the number, or use kind Z."),
    field="document_number",
)
_BORN_LATER = Fault(
    "birth-date-in-future",
    _("The date of birth lies in the future."),
    _("Correct the date of birth."),
    field="birth_date",
)
