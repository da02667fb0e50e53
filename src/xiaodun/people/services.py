"""Writes to persons and their enrolments. Doors judge the right before they call.

Every change of an enrolment is announced as ``people.enrolment_changed`` with
``{"person": id, "groups": [ids], "since": the first day that changed}``; a batch as
``people.enrolments_loaded`` with ``{"persons": [ids], "groups": [ids], "since": …}``, at most
``ANNOUNCED_TOGETHER`` enrolments in one.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import Actor, User
from xiaodun.kit import audit, outbox
from xiaodun.kit.errors import Refusal, RowError
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Enrolment, Person
from xiaodun.people.pinyin import initials_of, pinyin_of, search_keys_of

ENROLMENT_CHANGED = "people.enrolment_changed"
ENROLMENTS_LOADED = "people.enrolments_loaded"
ANNOUNCED_TOGETHER = 1_000

Item = TypeVar("Item")

_DAY = timedelta(days=1)
# The citizen's ID number, also as the national student number (G or L before it): never kept here.
_ID_NUMBER = re.compile(r"[GL]?\d{17}[\dX]", re.IGNORECASE)
# Persons looked up in one query: below the number of parameters that SQLite takes.
_IDS_A_QUERY = 10_000


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
class EnrolmentRow:
    """One enrolment of a batch, as :func:`enrol` takes it."""

    person: Person
    group: Unit
    valid_from: date
    number: int | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a row cannot be taken: code, what is wrong, what to do."""

    code: str
    message: str | Promise
    remedy: str | Promise
    status: int = 422
    field: str = ""


# --- persons ---


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
        raise _refusal(fault, {"number": person.number})
    person.save(force_insert=True)
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
    for part in _parts([person.number for person in persons]):
        taken.update(Person.objects.filter(number__in=part).values_list("number", flat=True))
    errors = []
    for position, person in enumerate(persons, start=1):
        fault = _fault_in_person(person, at) or (_NUMBER_TAKEN if person.number in taken else None)
        taken.add(person.number)
        if fault is not None:
            errors.append(_row_error(position, fault))
    if errors:
        raise _batch_refusal(errors)
    persons = Person.objects.bulk_create(persons)
    audit.record(
        by=by, action="people.register_persons", obj=unit, unit=unit, at=at, facts={"count": len(persons)}
    )
    return persons


def _person_of(row: PersonRow) -> Person:
    name = unicodedata.normalize("NFC", row.name).strip()
    return Person(
        kind=row.kind,
        number=unicodedata.normalize("NFKC", row.number).strip(),
        name=name,
        pinyin=pinyin_of(name),
        initials=initials_of(name),
        search_keys=search_keys_of(name),
        sex=row.sex,
        birth_year=row.birth_year,
        user=row.user,
        audit_key=audit.new_subject_key(),
    )


def _fault_in_person(person: Person, at: datetime) -> _Fault | None:
    if not person.name or len(person.name) > 40:
        return _Fault(
            "name-missing", _("A name of at most 40 characters is needed."), _("Give the name."), field="name"
        )
    if not person.number or len(person.number) > 32:
        return _Fault(
            "number-missing",
            _("A number of at most 32 characters is needed."),
            _("Give the number that the school uses."),
            field="number",
        )
    if _ID_NUMBER.fullmatch(person.number):
        return _Fault(
            "number-is-id-number",
            _("This is an ID number. The system does not keep ID numbers."),
            _("Give the number that the school uses."),
            field="number",
        )
    if person.kind not in Person.Kind or person.sex not in {"", "M", "F"}:
        return _Fault(
            "person-kind-unknown",
            _("The kind of person or the sex is not one that the system knows."),
            _("Use pupil or staff, and M, F or nothing."),
            field="kind",
        )
    if person.birth_year is not None and not at.year - 120 <= person.birth_year <= at.year:
        return _Fault(
            "birth-year-impossible",
            _("Nobody here was born in this year."),
            _("Correct the year of birth or leave it out."),
            field="birth_year",
        )
    return None


_NUMBER_TAKEN = _Fault(
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


# --- enrolments ---


@transaction.atomic
def enrol(
    *,
    by: Actor,
    person: Person,
    group: Unit,
    number: int | None = None,
    valid_from: date,
    valid_to: date | None = None,
    at: datetime,
) -> Enrolment:
    """``person`` belongs to ``group`` from ``valid_from`` to ``valid_to`` inclusive, beside other groups."""
    _lock(person)
    enrolment = Enrolment(person=person, group=group, number=number, valid_from=valid_from, valid_to=valid_to)
    _check(enrolment, Enrolment.objects.filter(person=person, group=group))
    _keep_drills_apart(enrolment)
    enrolment.save(force_insert=True)
    _record(by, "enrol", enrolment, at=at)
    _announce(person, [group.pk], valid_from, at)
    return enrolment


@transaction.atomic
def enrol_many(*, by: Actor, unit: Unit, rows: Iterable[EnrolmentRow], at: datetime) -> list[Enrolment]:
    """Many enrolments at once, all or none, in the order of ``rows``; ``unit`` is the one that hands them in.

    The number of statements does not depend on the rows but for the databases' limits on one statement.
    Raises a ``Refusal`` that lists every faulty row. One audit row for the batch.
    """
    enrolments = [
        Enrolment(
            person=row.person,
            group=row.group,
            number=row.number,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in rows
    ]
    person_ids = sorted({enrolment.person_id for enrolment in enrolments})
    known: dict[tuple[int, int], list[Enrolment]] = {}
    roots: dict[int, str] = {}
    for part in _parts(person_ids):
        # Evaluated for its locks; in one order, so that two batches cannot wait for each other.
        locked = Person.objects.select_for_update(no_key=True).filter(pk__in=part).order_by("pk")
        list(locked.values_list("pk"))
        for row in Enrolment.objects.filter(person__in=part).select_related("group"):
            known.setdefault((row.person_id, row.group_id), []).append(row)
            roots.setdefault(row.person_id, _root_of(row.group))
    drills = _drill_roots()
    errors = []
    for position, enrolment in enumerate(enrolments, start=1):
        others = known.setdefault((enrolment.person_id, enrolment.group_id), [])
        root = roots.setdefault(enrolment.person_id, _root_of(enrolment.group))
        fault = _fault_in_enrolment(enrolment, others)
        if fault is None and _mixed(drills, {root, _root_of(enrolment.group)}):
            fault = _DRILL_APART
        others.append(enrolment)
        if fault is not None:
            errors.append(_row_error(position, fault, enrolment.person_id))
    if errors:
        raise _batch_refusal(errors)
    enrolments = Enrolment.objects.bulk_create(enrolments)
    audit.record(
        by=by, action="people.enrol_many", obj=unit, unit=unit, at=at, facts={"count": len(enrolments)}
    )
    for start in range(0, len(enrolments), ANNOUNCED_TOGETHER):
        part_of_batch = enrolments[start : start + ANNOUNCED_TOGETHER]
        payload = {
            "persons": sorted({enrolment.person_id for enrolment in part_of_batch}),
            "groups": sorted({enrolment.group_id for enrolment in part_of_batch}),
            "since": min(enrolment.valid_from for enrolment in part_of_batch).isoformat(),
        }
        outbox.announce(ENROLMENTS_LOADED, payload, at=at)
    return enrolments


@transaction.atomic
def transfer(
    *,
    by: Actor,
    person: Person,
    from_group: Unit,
    to_group: Unit,
    on: date,
    number: int | None = None,
    at: datetime,
) -> Enrolment:
    """From the day ``on`` the person belongs to ``to_group`` instead of ``from_group``.

    The old enrolment ends the day before; the new one, which is returned, runs as long as the old one would.
    """
    _lock(person)
    old = _running(person, from_group, on)
    if from_group.pk == to_group.pk:
        raise Refusal(
            "transfer-to-same-group",
            _("The person already belongs to this group."),
            status=422,
            facts={"group": to_group.pk},
            lifts=_("Choose another group."),
        )
    if old.valid_from == on:
        raise Refusal(
            "transfer-on-first-day",
            _("On this day the person only begins in the old group and cannot leave it the day before."),
            facts={"valid_from": old.valid_from.isoformat()},
            lifts=_("Choose a later day, or correct the earlier transfer."),
        )
    new = Enrolment(person=person, group=to_group, number=number, valid_from=on, valid_to=old.valid_to)
    _check(new, Enrolment.objects.filter(person=person, group=to_group))
    _keep_drills_apart(new)
    old.valid_to = on - _DAY
    old.save(update_fields=["valid_to"])
    new.save(force_insert=True)
    _record(by, "transfer", new, at=at, ended=old.pk, from_group=from_group.pk)
    _announce(person, [from_group.pk, to_group.pk], on, at)
    return new


@transaction.atomic
def move_transfer(
    *, by: Actor, person: Person, from_group: Unit, to_group: Unit, was_on: date, on: date, at: datetime
) -> Enrolment:
    """Correct the day of a transfer that was entered as ``was_on``; returns the new enrolment.

    All days between the two change their group: the earlier of them is announced.
    """
    _lock(person)
    new = Enrolment.objects.filter(person=person, group=to_group, valid_from=was_on).first()
    old = Enrolment.objects.filter(person=person, group=from_group, valid_to=was_on - _DAY).first()
    if old is None or new is None:
        raise Refusal(
            "transfer-unknown",
            _("There was no transfer between these groups on that day."),
            facts={"from_group": from_group.pk, "to_group": to_group.pk, "was_on": was_on.isoformat()},
            lifts=_("Look up the transfer in the person's history and give its day."),
        )
    old.valid_to, new.valid_from = on - _DAY, on
    for changed in (old, new):
        others = Enrolment.objects.filter(person=person, group=changed.group_id).exclude(pk=changed.pk)
        _check(changed, others)
    old.save(update_fields=["valid_to"])
    new.save(update_fields=["valid_from"])
    _record(by, "move_transfer", new, at=at, from_group=from_group.pk, was_on=was_on.isoformat())
    _announce(person, [from_group.pk, to_group.pk], min(was_on, on), at)
    return new


@transaction.atomic
def leave_group(*, by: Actor, person: Person, group: Unit, last_day: date, at: datetime) -> Enrolment:
    """The person's enrolment in ``group`` that holds on ``last_day`` ends with it."""
    _lock(person)
    enrolment = _running(person, group, last_day)
    if enrolment.valid_to == last_day:
        return enrolment
    enrolment.valid_to = last_day
    enrolment.save(update_fields=["valid_to"])
    _record(by, "leave_group", enrolment, at=at)
    _announce(person, [group.pk], last_day + _DAY, at)
    return enrolment


def _lock(person: Person) -> None:
    # The person's row is the lock: two doors that enrol the same person at once must not both succeed. Not
    # its key: who writes rows that refer to the person need not wait, and cannot come to wait in a ring.
    Person.objects.select_for_update(no_key=True).filter(pk=person.pk).values_list("pk").first()


def _running(person: Person, group: Unit, on: date) -> Enrolment:
    enrolment = Enrolment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=on), person=person, group=group, valid_from__lte=on
    ).first()
    if enrolment is None:
        raise Refusal(
            "not-enrolled-on-that-day",
            _("The person does not belong to this group on that day."),
            facts={"person": person.pk, "group": group.pk, "day": on.isoformat()},
            lifts=_("Choose a day on which the person belongs to the group."),
        )
    return enrolment


def _check(enrolment: Enrolment, others: Iterable[Enrolment]) -> None:
    fault = _fault_in_enrolment(enrolment, others)
    if fault is not None:
        facts = {"person": enrolment.person_id, "group": enrolment.group_id, **_period(enrolment)}
        raise _refusal(fault, facts)


def _keep_drills_apart(enrolment: Enrolment) -> None:
    """Who has ever belonged to a real group takes no part in a drill, nor the other way round.

    A made-up case of a drill would else count with the person's real ones.
    """
    paths = Enrolment.objects.filter(person=enrolment.person_id).values_list("group__path", flat=True)
    roots = {path[: Unit.steplen] for path in paths} | {_root_of(enrolment.group)}
    # Nearly everybody stays under one root: only who does not is worth a second query.
    if len(roots) > 1 and _mixed(_drill_roots(), roots):
        raise _refusal(_DRILL_APART, {"person": enrolment.person_id, "group": enrolment.group_id})


def _root_of(group: Unit) -> str:
    return str(group.path[: Unit.steplen])


def _drill_roots() -> frozenset[str]:
    return frozenset(Unit.objects.filter(depth=1, kind=UnitKind.DRILL).values_list("path", flat=True))


def _mixed(drills: frozenset[str], roots: set[str]) -> bool:
    """Whether some of these roots are drills and some are not."""
    return 0 < len(roots & drills) < len(roots)


_DRILL_APART = _Fault(
    "drill-and-real-mixed",
    _("Real persons and those of a drill are kept apart; this person belongs to the other side."),
    _("Make a person with an invented name for the drill, or choose a group on the person's own side."),
    status=409,
    field="group",
)


def _fault_in_enrolment(enrolment: Enrolment, others: Iterable[Enrolment]) -> _Fault | None:
    group = enrolment.group
    if group.kind != UnitKind.GROUP:
        return _Fault(
            "not-a-group",
            _("Persons belong to groups: classes, dormitory rooms, lessons, departments."),
            _("Choose a group."),
            field="group",
        )
    if enrolment.valid_to is not None and enrolment.valid_to < enrolment.valid_from:
        return _Fault(
            "enrolment-ends-before-it-starts",
            _("An enrolment cannot end before it starts."),
            _("Choose a last day on or after the first day."),
            field="valid_to",
        )
    if group.last_day is not None and enrolment.valid_from > group.last_day:
        return _Fault(
            "group-closed",
            _("The group is closed by that day."),
            _("Choose another group or an earlier day."),
            status=409,
            field="group",
        )
    if enrolment.number is not None and not 0 < enrolment.number < 32_768:
        return _Fault(
            "number-in-group-impossible",
            _("The number in the group lies between 1 and 32767."),
            _("Correct the number or leave it out."),
            field="number",
        )
    if any(_overlap(enrolment, other) for other in others):
        return _Fault(
            "enrolment-overlaps",
            _("The person already belongs to this group on some of these days."),
            _("End the other enrolment first, or choose other days."),
            status=409,
            field="valid_from",
        )
    return None


def _overlap(one: Enrolment, other: Enrolment) -> bool:
    return (one.valid_to is None or other.valid_from <= one.valid_to) and (
        other.valid_to is None or one.valid_from <= other.valid_to
    )


def _period(enrolment: Enrolment) -> dict[str, str | None]:
    return {
        "valid_from": enrolment.valid_from.isoformat(),
        "valid_to": enrolment.valid_to.isoformat() if enrolment.valid_to else None,
    }


def _record(by: Actor, verb: str, enrolment: Enrolment, *, at: datetime, **facts: object) -> None:
    audit.record(
        by=by,
        action=f"people.{verb}",
        obj=enrolment,
        unit=enrolment.group,
        at=at,
        facts={"person": enrolment.person_id, "group": enrolment.group_id, **_period(enrolment), **facts},
    )


def _announce(person: Person, groups: list[int], since: date, at: datetime) -> None:
    outbox.announce(
        ENROLMENT_CHANGED, {"person": person.pk, "groups": groups, "since": since.isoformat()}, at=at
    )


# --- refusals ---


def _refusal(fault: _Fault, facts: Mapping[str, object]) -> Refusal:
    return Refusal(fault.code, fault.message, status=fault.status, facts=facts, lifts=fault.remedy)


def _row_error(position: int, fault: _Fault, person: int | None = None) -> RowError:
    where = format_lazy(_("row {number}"), number=position)
    return RowError(where, fault.message, fault.remedy, person=person, field=fault.field)


def _batch_refusal(errors: Sequence[RowError]) -> Refusal:
    return Refusal(
        "rows-faulty",
        _("Some rows cannot be taken. Nothing was saved."),
        status=422,
        facts={"faulty": len(errors)},
        lifts=_("Correct the rows listed and send the whole again."),
        errors=errors,
    )


def _parts(items: Sequence[Item]) -> Iterable[Sequence[Item]]:
    return (items[start : start + _IDS_A_QUERY] for start in range(0, len(items), _IDS_A_QUERY))
