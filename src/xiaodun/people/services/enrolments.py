"""Writes to enrolments: who belongs to which group from which day. Doors judge the right before they call.

Every change of an enrolment is announced as ``people.enrolment_changed`` with
``{"person": id, "groups": [ids], "since": the first day that changed}``; a batch as
``people.enrolments_loaded`` with ``{"persons": [ids], "groups": [ids], "since": …}``, at most
``ANNOUNCED_TOGETHER`` enrolments in one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import Actor
from xiaodun.kit import audit, outbox
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.people.faults import Fault, batch_refusal, parts, refusal_of, row_error
from xiaodun.people.models import Enrolment, Person

ENROLMENT_CHANGED = "people.enrolment_changed"
ENROLMENTS_LOADED = "people.enrolments_loaded"
ANNOUNCED_TOGETHER = 1_000

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    """One enrolment of a batch, as :func:`enrol` takes it."""

    person: Person
    group: Unit
    valid_from: date
    number: int | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One pupil of a batch who changes the group."""

    person: Person
    from_group: Unit
    to_group: Unit
    number: int | None = None


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
    known: dict[tuple[int, int], list[Enrolment]] = {}
    roots: dict[int, str] = {}
    for own in _locked_enrolments(enrolment.person_id for enrolment in enrolments).values():
        for row in own:
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
            errors.append(row_error(position, fault, enrolment.person_id))
    if errors:
        raise batch_refusal(errors)
    enrolments = Enrolment.objects.bulk_create(enrolments)
    audit.record(
        by=by, action="people.enrol_many", obj=unit, unit=unit, at=at, facts={"count": len(enrolments)}
    )
    _announce_batch(
        [(enrolment.person_id, enrolment.group_id, enrolment.valid_from) for enrolment in enrolments], at
    )
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
def transfer_many(*, by: Actor, unit: Unit, rows: Sequence[MoveRow], on: date, at: datetime) -> int:
    """From the day ``on`` each person belongs to the other group, all or none; ``unit`` hands them in.

    Whoever began in the old group on ``on`` or later never was there: that enrolment gets the right group.
    The number of statements does not depend on the rows but for the databases' limits on one statement.
    """
    known = _locked_enrolments([row.person.pk for row in rows])
    drills = _drill_roots()
    ended: list[Enrolment] = []
    changed: list[Enrolment] = []
    made: list[Enrolment] = []
    errors = []
    for position, row in enumerate(rows, start=1):
        own = known.get(row.person.pk, [])
        old = next(
            (
                each
                for each in own
                if each.group_id == row.from_group.pk and (each.valid_to is None or each.valid_to >= on)
            ),
            None,
        )
        if old is None:
            errors.append(row_error(position, _NOT_IN_GROUP, row.person.pk))
            continue
        new = Enrolment(
            person=row.person,
            group=row.to_group,
            number=row.number,
            valid_from=max(on, old.valid_from),
            valid_to=old.valid_to,
        )
        others = [each for each in own if each.group_id == row.to_group.pk]
        fault = _fault_in_enrolment(new, others)
        if fault is None and _mixed(drills, {_root_of(row.from_group), _root_of(row.to_group)}):
            fault = _DRILL_APART
        if fault is not None:
            errors.append(row_error(position, fault, row.person.pk))
        elif old.valid_from >= on:
            old.group, old.number = row.to_group, row.number
            changed.append(old)
        else:
            old.valid_to = on - _DAY
            ended.append(old)
            made.append(new)
    if errors:
        raise batch_refusal(errors)
    Enrolment.objects.bulk_update(ended, ["valid_to"], batch_size=ANNOUNCED_TOGETHER)
    Enrolment.objects.bulk_update(changed, ["group", "number"], batch_size=ANNOUNCED_TOGETHER)
    Enrolment.objects.bulk_create(made)
    facts = {"count": len(rows), "on": on.isoformat()}
    audit.record(by=by, action="people.transfer_many", obj=unit, unit=unit, at=at, facts=facts)
    touched = [(row.person.pk, group.pk, on) for row in rows for group in (row.from_group, row.to_group)]
    _announce_batch(touched, at)
    return len(rows)


@transaction.atomic
def renumber_many(
    *, by: Actor, unit: Unit, rows: Sequence[tuple[Enrolment, int | None]], at: datetime
) -> int:
    """The numbers by which groups know their members are these; ``unit`` hands them in."""
    for enrolment, number in rows:
        enrolment.number = number
    enrolments = [enrolment for enrolment, _number in rows]
    Enrolment.objects.bulk_update(enrolments, ["number"], batch_size=ANNOUNCED_TOGETHER)
    facts = {"count": len(enrolments)}
    audit.record(by=by, action="people.renumber_many", obj=unit, unit=unit, at=at, facts=facts)
    return len(enrolments)


@transaction.atomic
def move_transfer(
    *, by: Actor, person: Person, from_group: Unit, to_group: Unit, was_on: date, on: date, at: datetime
) -> Enrolment:
    """Correct the day of a transfer that was entered as ``was_on``; returns the new enrolment.

    All days between the two change their group: the earlier of them is announced.
    """
    _lock(person)
    old, new = _halves(person, from_group, to_group, was_on)
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


@transaction.atomic
def undo_transfer(
    *, by: Actor, person: Person, from_group: Unit, to_group: Unit, on: date, at: datetime
) -> Enrolment:
    """As if the transfer of the day ``on`` had never been entered; returns the enrolment that goes on."""
    _lock(person)
    old, new = _halves(person, from_group, to_group, on)
    new.delete()
    old.valid_to = new.valid_to
    old.save(update_fields=["valid_to"])
    _record(by, "undo_transfer", old, at=at, to_group=to_group.pk, was_on=on.isoformat())
    _announce(person, [from_group.pk, to_group.pk], on, at)
    return old


@transaction.atomic
def undo_leave(*, by: Actor, person: Person, group: Unit, last_day: date, at: datetime) -> Enrolment:
    """The enrolment that was to end with ``last_day`` goes on without an end."""
    _lock(person)
    enrolment = Enrolment.objects.filter(person=person, group=group, valid_to=last_day).first()
    if enrolment is None:
        raise _not_enrolled(person, group, last_day)
    enrolment.valid_to = None
    _check(enrolment, Enrolment.objects.filter(person=person, group=group).exclude(pk=enrolment.pk))
    enrolment.save(update_fields=["valid_to"])
    _record(by, "undo_leave", enrolment, at=at, was_last_day=last_day.isoformat())
    _announce(person, [group.pk], last_day + _DAY, at)
    return enrolment


def _halves(person: Person, from_group: Unit, to_group: Unit, on: date) -> tuple[Enrolment, Enrolment]:
    """The two enrolments that a transfer on that day left, the old one first."""
    old = Enrolment.objects.filter(person=person, group=from_group, valid_to=on - _DAY).first()
    new = Enrolment.objects.filter(person=person, group=to_group, valid_from=on).first()
    if old is None or new is None:
        raise Refusal(
            "transfer-unknown",
            _("There was no transfer between these groups on that day."),
            facts={"from_group": from_group.pk, "to_group": to_group.pk, "on": on.isoformat()},
            lifts=_("Look up the transfer in the person's history and give its day."),
        )
    return old, new


def _locked_enrolments(person_ids: Iterable[int]) -> dict[int, list[Enrolment]]:
    """All enrolments of these persons by person id; the persons stay locked to the end of the transaction."""
    known: dict[int, list[Enrolment]] = {}
    for part in parts(sorted(set(person_ids))):
        # Evaluated for its locks; in one order, so that two batches cannot wait for each other.
        locked = Person.objects.select_for_update(no_key=True).filter(pk__in=part).order_by("pk")
        list(locked.values_list("pk"))
        for row in Enrolment.objects.filter(person__in=part).select_related("group"):
            known.setdefault(row.person_id, []).append(row)
    return known


def _lock(person: Person) -> None:
    # The person's row is the lock: two doors that enrol the same person at once must not both succeed. Not
    # its key: who writes rows that refer to the person need not wait, and cannot come to wait in a ring.
    Person.objects.select_for_update(no_key=True).filter(pk=person.pk).values_list("pk").first()


def _running(person: Person, group: Unit, on: date) -> Enrolment:
    enrolment = Enrolment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=on), person=person, group=group, valid_from__lte=on
    ).first()
    if enrolment is None:
        raise _not_enrolled(person, group, on)
    return enrolment


def _not_enrolled(person: Person, group: Unit, day: date) -> Refusal:
    return Refusal(
        "not-enrolled-on-that-day",
        _("The person does not belong to this group on that day."),
        facts={"person": person.pk, "group": group.pk, "day": day.isoformat()},
        lifts=_("Choose a day on which the person belongs to the group."),
    )


def _check(enrolment: Enrolment, others: Iterable[Enrolment]) -> None:
    fault = _fault_in_enrolment(enrolment, others)
    if fault is not None:
        facts = {"person": enrolment.person_id, "group": enrolment.group_id, **_period(enrolment)}
        raise refusal_of(fault, facts)


def _keep_drills_apart(enrolment: Enrolment) -> None:
    """Who has ever belonged to a real group takes no part in a drill, nor the other way round.

    A made-up case of a drill would else count with the person's real ones.
    """
    paths = Enrolment.objects.filter(person=enrolment.person_id).values_list("group__path", flat=True)
    roots = {path[: Unit.steplen] for path in paths} | {_root_of(enrolment.group)}
    # Nearly everybody stays under one root: only who does not is worth a second query.
    if len(roots) > 1 and _mixed(_drill_roots(), roots):
        raise refusal_of(_DRILL_APART, {"person": enrolment.person_id, "group": enrolment.group_id})


def _root_of(group: Unit) -> str:
    return str(group.path[: Unit.steplen])


def _drill_roots() -> frozenset[str]:
    return frozenset(Unit.objects.filter(depth=1, kind=UnitKind.DRILL).values_list("path", flat=True))


def _mixed(drills: frozenset[str], roots: set[str]) -> bool:
    """Whether some of these roots are drills and some are not."""
    return 0 < len(roots & drills) < len(roots)


_NOT_IN_GROUP = Fault(
    "not-in-group",
    _("The person does not belong to this group then."),
    _("Choose the group to which the person belongs."),
    status=409,
    field="group",
)
_DRILL_APART = Fault(
    "drill-and-real-mixed",
    _("Real persons and those of a drill are kept apart; this person belongs to the other side."),
    _("Make a person with an invented name for the drill, or choose a group on the person's own side."),
    status=409,
    field="group",
)


def _fault_in_enrolment(enrolment: Enrolment, others: Iterable[Enrolment]) -> Fault | None:
    group = enrolment.group
    if group.kind != UnitKind.GROUP:
        return Fault(
            "not-a-group",
            _("Persons belong to groups: classes, dormitory rooms, lessons, departments."),
            _("Choose a group."),
            field="group",
        )
    if enrolment.valid_to is not None and enrolment.valid_to < enrolment.valid_from:
        return Fault(
            "enrolment-ends-before-it-starts",
            _("An enrolment cannot end before it starts."),
            _("Choose a last day on or after the first day."),
            field="valid_to",
        )
    if group.last_day is not None and enrolment.valid_from > group.last_day:
        return Fault(
            "group-closed",
            _("The group is closed by that day."),
            _("Choose another group or an earlier day."),
            status=409,
            field="group",
        )
    if enrolment.number is not None and not 0 < enrolment.number < 32_768:
        return Fault(
            "number-in-group-impossible",
            _("The number in the group lies between 1 and 32767."),
            _("Correct the number or leave it out."),
            field="number",
        )
    if any(_overlap(enrolment, other) for other in others):
        return Fault(
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


def _announce_batch(touched: Sequence[tuple[int, int, date]], at: datetime) -> None:
    """Announce person, group and first changed day of each, a bounded number in one row."""
    for start in range(0, len(touched), ANNOUNCED_TOGETHER):
        part = touched[start : start + ANNOUNCED_TOGETHER]
        payload = {
            "persons": sorted({person for person, _group, _since in part}),
            "groups": sorted({group for _person, group, _since in part}),
            "since": min(since for _person, _group, since in part).isoformat(),
        }
        outbox.announce(ENROLMENTS_LOADED, payload, at=at)


def _announce(person: Person, groups: list[int], since: date, at: datetime) -> None:
    outbox.announce(
        ENROLMENT_CHANGED, {"person": person.pk, "groups": groups, "since": since.isoformat()}, at=at
    )
