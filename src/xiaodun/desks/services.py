"""What a page writes: that somebody looked, and acts that need the facts of more than one app."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.desks.selectors.readiness import ready_rows
from xiaodun.kit import audit, clock
from xiaodun.kit.errors import Refusal, RowError
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import school_calendar
from xiaodun.organisations.services import join_unit
from xiaodun.people.models import Person
from xiaodun.people.services.enrolments import undo_leave, undo_transfer
from xiaodun.screening.choices import CheckKind, FindingStatus
from xiaodun.screening.models import Finding
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.selectors import findings_in_force, session_of
from xiaodun.screening.services import correct_check, submit_check


def log_read(
    *, by: User, page: str, unit: Unit, person_ids: Iterable[int], at: datetime, obj: Model | None = None
) -> None:
    """Log that these persons were shown in a list, in one row. Nothing is logged when nobody was shown.

    unit: where the persons belong. obj: what was opened, if not the unit itself.
    """
    shown = sorted(set(person_ids))
    if shown:
        with transaction.atomic():
            audit.record(
                by=by,
                action=f"desks.{page}.read",
                obj=obj or unit,
                at=at,
                unit=unit,
                facts={"persons": shown},
            )


def log_child_read(*, by: User, page: str, unit: Unit, person: Person, record: Model, at: datetime) -> None:
    """Log that the record of one child was opened.

    The row's object is the person: who looked at a child is then found by the index of objects. ``record``:
    what was opened, which may be the person itself.
    """
    with transaction.atomic():
        audit.record(
            by=by,
            action=f"desks.{page}.read",
            obj=person,
            at=at,
            unit=unit,
            facts={"persons": [person.pk], "record": f"{record._meta.label_lower}:{record.pk}"},
        )


def log_audit_read(*, by: User, scope: Scope, filters: Mapping[str, str], at: datetime) -> None:
    """Log a look at the log, with the filters of its address."""
    path = next(iter(scope.paths(Right.READ_AUDIT)), "")
    with transaction.atomic():
        audit.record(
            by=by, action="desks.audit.read", obj=by, at=at, unit=path, facts={"filters": dict(filters)}
        )


def log_search(*, by: User, words: str, shown: Mapping[Unit, Sequence[int]], at: datetime) -> None:
    """Log a search: its words hashed, and who was shown, by the institution to which they belong."""
    facts = {"words": audit.fingerprint(words.casefold())}
    with transaction.atomic():
        for unit, persons in shown.items():
            audit.record(
                by=by,
                action="desks.search.read",
                obj=unit,
                at=at,
                unit=unit,
                facts=facts | {"persons": sorted(persons)},
            )
        if not shown:
            audit.record(by=by, action="desks.search.read", obj=by, at=at, facts=facts | {"persons": []})


@transaction.atomic
def take_back_change(
    *, by: User, kind: str, person: Person, group: Unit, other: Unit | None, day: date, at: datetime
) -> None:
    """Undo a move between ``group`` and ``other`` on ``day``, or the last day of a person in ``group``.

    Raises:
        Refusal: ``change-in-use`` when the class of the move has noted something about the person since.
    """
    if other is None:
        undo_leave(by=by, person=person, group=group, last_day=day, at=at)
        return
    from_group, to_group = (group, other) if kind == "moved_out" else (other, group)
    if Finding.objects.filter(person=person, session__group=to_group, session__day__gte=day).exists():
        raise Refusal(
            "change-in-use",
            _("The new class has noted something about this pupil since the move."),
            lifts=_("Move the pupil back from a later day instead: both classes then keep their own days."),
        )
    undo_transfer(by=by, person=person, from_group=from_group, to_group=to_group, on=day, at=at)


@transaction.atomic
def let_begin(*, by: User, unit: Unit, first_day: date, at: datetime) -> Unit:
    """The institution owes its checks from ``first_day`` on.

    Raises:
        Refusal: ``not-ready`` while something lacks without which nobody could check, with what and who.
    """
    (row,) = ready_rows([unit], clock.local_day(at))
    if not row.is_ready:
        raise Refusal(
            "not-ready",
            _("This institution cannot begin yet."),
            facts={"unit": unit.pk},
            lifts=_("Let those named supply what lacks, then set the first day."),
            errors=[
                RowError(where=unit.label, message=gap.what, remedy=gap.who)
                for gap in row.gaps
                if gap.is_needed
            ],
        )
    return join_unit(by=by, unit=unit, first_day=first_day, at=at)


@transaction.atomic
def enter_running_illness(
    *, by: User, group: Unit, person_id: int, onset: date, symptoms: Sequence[str], at: datetime
) -> None:
    """Somebody is ill when their class begins: noted by a check of the last school day before.

    The file follows from it as from any other check, and nobody types the illness again.

    Raises:
        Refusal: ``class-has-begun`` (409), ``no-school-day-before`` (409), and those of a check.
    """
    today = clock.local_day(at)
    if group.first_day is not None and group.first_day < today:
        raise Refusal(
            "class-has-begun",
            _("This class has begun: its illnesses are noted by its checks."),
            facts={"first_day": group.first_day.isoformat()},
            labels={"first_day": _("First day")},
            lifts=_("Ask the class teacher or the doctor to note it in the check of the day."),
        )
    tomorrow = today + timedelta(days=1)
    try:
        day = school_calendar(group).previous_school_day(min(group.first_day or tomorrow, tomorrow))
    except LookupError:
        raise Refusal(
            "no-school-day-before",
            _("No school day is known before the class begins."),
            lifts=_("Enter the term first."),
        ) from None
    finding = FindingInput(person_id, FindingStatus.ABSENT_ILL, tuple(symptoms), onset)
    session = session_of(group, CheckKind.MORNING, day)
    if session is None:
        submit_check(
            by=by,
            group=group,
            kind=CheckKind.MORNING,
            day=day,
            findings=[finding],
            tapped_at=at,
            received_at=at,
            clock_offset_ms=0,
            client_id=uuid4(),
            source=f"start:{by.pk}",
        )
        return
    others = [
        FindingInput(each.person_id, each.status, tuple(each.symptoms), each.onset)
        for each in findings_in_force(session)
        if each.person_id != person_id
    ]
    correct_check(
        by=by,
        session=session,
        base_version=session.version,
        findings=[*others, finding],
        reason=gettext("ill when the class began"),
        at=at,
        client_id=uuid4(),
        source=f"start:{by.pk}",
    )
