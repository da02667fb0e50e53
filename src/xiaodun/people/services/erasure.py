"""Erasing a person for good. Doors judge the right before they call."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import Actor
from xiaodun.kit import audit, tombstones
from xiaodun.kit.errors import Refusal
from xiaodun.people.models import Person


@transaction.atomic
def erase_person(*, by: Actor, person: Person, reason: str, at: datetime) -> None:
    """Erase a person with all that hangs on them.

    Their own key goes too, so that older audit values cannot be read. Counts of checks stay: they hold no
    child. A restored backup erases the person again.

    Raises:
        Refusal: ``reason-missing`` without a reason.
    """
    if not reason.strip():
        raise Refusal(
            "reason-missing",
            _("An erasure needs its reason."),
            status=422,
            lifts=_("Say who asked for it and on what ground."),
        )
    _erase(by, Person.objects.select_for_update().get(pk=person.pk), reason.strip(), at)


@transaction.atomic
def erase_again(*, erased: Iterable[tombstones.Erased], at: datetime) -> int:
    """Erase whoever a restored backup brought back although the list says that they were erased; how many."""
    found = 0
    for each in erased:
        person = Person.objects.filter(pk=each.object_id).first() if _is_of_persons(each) else None
        if person is not None and each.is_of(person):
            _erase(None, person, f"erased on {each.erased_at:%Y-%m-%d}, again after a restore", at)
            found += 1
    return found


def _is_of_persons(erased: tombstones.Erased) -> bool:
    return erased.object_type == Person._meta.label_lower and erased.object_id.isdecimal()


def _erase(by: Actor, person: Person, reason: str, at: datetime) -> None:
    tombstones.bury(person, at=at)
    number, kind = person.pk, person.kind
    _total, rows = person.delete()
    person.pk = number
    audit.record(
        by=by,
        action="people.erase_person",
        obj=person,
        at=at,
        facts={"kind": kind, "reason": reason, "rows": rows},
    )
