"""Writes to persons. Doors judge the right before they call."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import Actor, User
from xiaodun.kit import audit
from xiaodun.organisations.models import Unit
from xiaodun.people.faults import Fault, batch_refusal, parts, refusal_of, row_error
from xiaodun.people.models import Person, SearchKey
from xiaodun.people.pinyin import initials_of, pinyin_of
from xiaodun.people.policies import search_keys_of
from xiaodun.people.services.sealed import SEALED_TOGETHER, record_sealed

# The citizen's ID number, also as the national student number (G or L before it): kept encrypted, not here.
_ID_NUMBER = re.compile(r"[GL]?\d{17}[\dX]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of a batch, as :func:`register_person` takes it."""

    kind: str
    number: str
    name: str
    sex: str = ""
    birth_year: int | None = None
    user: User | None = None


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What is corrected about one person of a batch; None leaves what is on record."""

    name: str | None = None
    sex: str | None = None
    birth_year: int | None = None


@transaction.atomic
def register_person(
    *,
    by: Actor,
    kind: str,
    number: str,
    name: str,
    sex: str = "",
    birth_year: int | None = None,
    user: User | None = None,
    at: datetime,
) -> Person:
    """A person with a key of their own for the audit and with the readings of the name. Enrols nowhere."""
    row = PersonRow(kind, number, name, sex, birth_year, user)
    person = _person_of(row)
    fault = _fault_in_person(person, at)
    if fault is None and Person.objects.filter(number=person.number).exists():
        fault = _NUMBER_TAKEN
    if fault is not None:
        raise refusal_of(fault, {"number": person.number})
    person.save(force_insert=True)
    _make_findable([person])
    audit.record(
        by=by,
        action="people.register_person",
        obj=person,
        at=at,
        facts={"kind": kind},
        subjects={person: {"old": None, "new": _identity(person)}},
    )
    return person


@transaction.atomic
def register_persons(*, by: Actor, unit: Unit, rows: Iterable[PersonRow], at: datetime) -> list[Person]:
    """Many persons at once, all or none, in the order of ``rows``; ``unit`` is the one that hands them in.

    The number of statements does not depend on the rows but for the databases' limits on one statement.
    Raises a ``Refusal`` that lists every faulty row. One audit row for the batch.
    """
    persons = [_person_of(row) for row in rows]
    taken: set[str] = set()
    for part in parts([person.number for person in persons]):
        taken.update(Person.objects.filter(number__in=part).values_list("number", flat=True))
    errors = []
    for position, person in enumerate(persons, start=1):
        fault = _fault_in_person(person, at) or (_NUMBER_TAKEN if person.number in taken else None)
        taken.add(person.number)
        if fault is not None:
            errors.append(row_error(position, fault))
    if errors:
        raise batch_refusal(errors)
    persons = Person.objects.bulk_create(persons)
    _make_findable(persons)
    audit.record(
        by=by, action="people.register_persons", obj=unit, unit=unit, at=at, facts={"count": len(persons)}
    )
    return persons


@transaction.atomic
def correct_person(
    *,
    by: Actor,
    unit: Unit,
    person: Person,
    name: str,
    number: str,
    sex: str = "",
    birth_year: int | None = None,
    at: datetime,
) -> Person:
    """What was typed wrong about a person is put right; ``unit`` is the one that corrects it.

    Old and new values stay in the audit, readable with the person's key.
    """
    person = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    before = _identity(person)
    corrected = _person_of(PersonRow(person.kind, number, name, sex, birth_year))
    fault = _fault_in_person(corrected, at)
    if fault is None and Person.objects.filter(number=corrected.number).exclude(pk=person.pk).exists():
        fault = _NUMBER_TAKEN
    if fault is not None:
        raise refusal_of(fault, {"number": corrected.number})
    for field in _CORRECTED:
        setattr(person, field, getattr(corrected, field))
    after = _identity(person)
    if after != before:
        person.save(update_fields=_CORRECTED)
        SearchKey.objects.filter(person=person).delete()
        _make_findable([person])
        audit.record(
            by=by,
            action="people.correct_person",
            obj=person,
            unit=unit,
            at=at,
            facts={"fields": [name for name in after if after[name] != before[name]]},
            subjects={person: {"old": before, "new": after}},
        )
    return person


_CORRECTED = ("number", "name", "pinyin", "initials", "sex", "birth_year")


def _make_findable(persons: Iterable[Person]) -> None:
    SearchKey.objects.bulk_create(
        SearchKey(person=person, key=key)
        for person in persons
        for key in search_keys_of(person.number, person.name)
    )


@transaction.atomic
def correct_persons(
    *, by: Actor, unit: Unit, rows: Sequence[tuple[Person, PersonChange]], at: datetime
) -> int:
    """Names, sexes and years of birth are corrected, all or none; returns how many persons changed.

    The number of statements does not depend on the rows but for the databases' limits on one statement. Old
    and new values are sealed under each person's key.
    """
    changed: dict[Person, dict[str, object]] = {}
    errors = []
    for position, (person, change) in enumerate(rows, start=1):
        old = _identity(person)
        _correct(person, change)
        fault = _fault_in_person(person, at)
        if fault is not None:
            errors.append(row_error(position, fault, person.pk))
        elif _identity(person) != old:
            changed[person] = {"old": old, "new": _identity(person)}
    if errors:
        raise batch_refusal(errors)
    fields = ["name", "pinyin", "initials", "sex", "birth_year"]
    Person.objects.bulk_update(list(changed), fields, batch_size=SEALED_TOGETHER)
    renamed = [person for person, change in rows if change.name is not None and person in changed]
    for part in parts([person.pk for person in renamed]):
        SearchKey.objects.filter(person__in=part).delete()
    _make_findable(renamed)
    record_sealed(by=by, verb="correct_persons", unit=unit, made=0, changed=changed, at=at)
    return len(changed)


def _correct(person: Person, change: PersonChange) -> None:
    if change.name is not None:
        _take_name(person, change.name)
    if change.sex is not None:
        person.sex = change.sex
    if change.birth_year is not None:
        person.birth_year = change.birth_year


def _take_name(person: Person, name: str) -> None:
    """The name with its readings."""
    name = unicodedata.normalize("NFC", name).strip()
    person.name = name
    person.pinyin = pinyin_of(name)
    person.initials = initials_of(name)


def _person_of(row: PersonRow) -> Person:
    person = Person(
        kind=row.kind,
        number=unicodedata.normalize("NFKC", row.number).strip(),
        sex=row.sex,
        birth_year=row.birth_year,
        user=row.user,
        audit_key=audit.new_subject_key(),
    )
    _take_name(person, row.name)
    return person


def _fault_in_person(person: Person, at: datetime) -> Fault | None:
    if not person.name or len(person.name) > 40:
        return Fault(
            "name-missing", _("A name of at most 40 characters is needed."), _("Give the name."), field="name"
        )
    if not person.number or len(person.number) > 32:
        return Fault(
            "number-missing",
            _("A number of at most 32 characters is needed."),
            _("Give the number that the school uses."),
            field="number",
        )
    if _ID_NUMBER.fullmatch(person.number):
        return Fault(
            "number-is-id-number",
            _("This is an ID number. It has a place of its own and never serves as the school's number."),
            _("Give the number that the school uses."),
            field="number",
        )
    if person.kind not in Person.Kind or person.sex not in {"", "M", "F"}:
        return Fault(
            "person-kind-unknown",
            _("The kind of person or the sex is not one that the system knows."),
            _("Use pupil or staff, and M, F or nothing."),
            field="kind",
        )
    if person.birth_year is not None and not at.year - 120 <= person.birth_year <= at.year:
        return Fault(
            "birth-year-impossible",
            _("Nobody here was born in this year."),
            _("Correct the year of birth or leave it out."),
            field="birth_year",
        )
    return None


_NUMBER_TAKEN = Fault(
    "person-number-taken",
    _("Another person already has this number."),
    _("Enrol that person, or give another number."),
    status=409,
    field="number",
)


def _identity(person: Person) -> dict[str, object]:
    return {
        "number": person.number,
        "name": person.name,
        "sex": person.sex,
        "birth_year": person.birth_year,
        "user": person.user_id,
    }
