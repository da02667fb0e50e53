"""Writes of announced absences."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal
from xiaodun.leave.choices import LeaveKind, LeaveSource
from xiaodun.leave.models import Leave
from xiaodun.people.models import Person


def announce_leave(
    *,
    by: User | None,
    person: Person,
    kind: LeaveKind,
    source: LeaveSource,
    start: date,
    end: date,
    at: datetime,
) -> Leave:
    """Record that a person will be away from ``start`` to ``end``, both inclusive.

    Raises:
        Refusal: ``leave-ends-before-start``, or ``leave-overlaps`` when a leave of these days is on record.
    """
    if end < start:
        raise Refusal(
            "leave-ends-before-start",
            _("The leave ends before it starts."),
            status=422,
            facts={"start": start.isoformat(), "end": end.isoformat()},
            lifts=_("Give a last day on or after the first."),
        )
    with transaction.atomic():
        # The person's row is the lock: of two announcements at once the second must find the first.
        Person.objects.select_for_update(no_key=True).get(pk=person.pk)
        other = Leave.objects.filter(
            person=person, cancelled_at__isnull=True, start__lte=end, end__gte=start
        ).first()
        if other is not None:
            raise Refusal(
                "leave-overlaps",
                _("A leave for these days is already on record."),
                facts={"start": other.start.isoformat(), "end": other.end.isoformat()},
                lifts=_("Cancel the recorded leave first."),
            )
        leave = Leave.objects.create(
            person=person, kind=kind, source=source, start=start, end=end, announced_by=by, announced_at=at
        )
        audit.record(
            by=by,
            action="leave.announced",
            obj=leave,
            at=at,
            facts={"start": start.isoformat(), "end": end.isoformat(), "source": source},
            subjects={person: {"new": {"kind": str(kind)}}},
        )
    return leave


def cancel_leave(*, by: User | None, leave: Leave, at: datetime) -> Leave:
    """Cancel a leave; the row stays. Cancelling twice changes nothing.

    Raises:
        Leave.DoesNotExist: when the row has been deleted meanwhile.
    """
    with transaction.atomic():
        leave = Leave.objects.select_for_update(no_key=True).get(pk=leave.pk)
        if leave.cancelled_at is None:
            leave.cancelled_at = at
            leave.save(update_fields=["cancelled_at"])
            audit.record(by=by, action="leave.cancelled", obj=leave, at=at)
    return leave
