"""What a page writes: that somebody looked, and acts that need the facts of more than one app."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.desks.selectors.readiness import ready_rows
from xiaodun.kit import audit, clock
from xiaodun.kit.errors import Refusal, RowError
from xiaodun.organisations.models import Unit
from xiaodun.organisations.services import join_unit
from xiaodun.people.models import Person
from xiaodun.people.services.enrolments import undo_leave, undo_transfer
from xiaodun.screening.models import Finding


def log_read(
    *, by: User, page: str, unit: Unit, person_ids: Iterable[int], at: datetime, obj: Model | None = None
) -> None:
    """Log that these persons' health facts were shown: one row for a list, one for a single child.

    unit: where the persons belong. obj: the record that was opened, the unit itself for a list. Nothing is
    logged when nobody was shown.
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
