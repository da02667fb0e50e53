"""A masked value is opened for one person, one field, a reason and a quarter of an hour."""

from datetime import datetime, timedelta

from django.db import transaction

from xiaodun.accounts.models import User
from xiaodun.kit import audit, outbox
from xiaodun.organisations.models import Unit
from xiaodun.people.choices import Revealable, RevealReason
from xiaodun.people.models import Person, Reveal

REVEAL_LASTS = timedelta(minutes=15)
# Nobody's work needs more children in an hour; whoever copies a list comes past it.
MANY_AN_HOUR = 200
MANY_REVEALED = "people.many_revealed"


@transaction.atomic
def reveal(
    *, by: User, person: Person, unit: Unit, field: Revealable, reason: RevealReason, at: datetime
) -> Reveal:
    """``by`` may see this field of this person until the reveal expires. The audit keeps who, what and why.

    unit: the group by which ``by`` may. More than ``MANY_AN_HOUR`` different persons within an hour are
    announced once, so that the auditors hear of it.
    """
    hour = Reveal.objects.filter(user=by, at__gt=at - timedelta(hours=1))
    is_new = not hour.filter(person=person).exists()
    persons = hour.values("person").distinct().count()
    made = Reveal.objects.create(
        user=by, person=person, field=field, reason=reason, at=at, expires_at=at + REVEAL_LASTS
    )
    audit.record(
        by=by,
        action="people.reveal",
        obj=person,
        unit=unit,
        at=at,
        facts={"field": field.value, "reason": reason.value, "until": made.expires_at.isoformat()},
    )
    if is_new and persons == MANY_AN_HOUR:
        outbox.announce(MANY_REVEALED, {"user": by.pk, "unit": unit.pk}, at=at)
    return made
