"""What the lower apps announce and the auditors must hear of."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import User
from xiaodun.accounts.selectors import holders_of
from xiaodun.kit import outbox
from xiaodun.kit.clock import local_day
from xiaodun.messages.services import register_kind, send
from xiaodun.organisations.models import Unit
from xiaodun.people.services.reveals import MANY_AN_HOUR, MANY_REVEALED


def register() -> None:
    register_kind(
        code="many-revealed",
        title=_("%(name)s opened masked data of more than %(number)s persons within an hour"),
        body=_("Look into the log what was opened and why, and ask."),
    )
    outbox.subscribe(MANY_REVEALED, "messages", _tell_of_many_revealed)


def _tell_of_many_revealed(payload: dict[str, Any], *, at: datetime) -> None:
    unit = Unit.objects.get(pk=payload["unit"])
    user = User.objects.get(pk=payload["user"])
    send(
        to=holders_of(Role.AUDITOR, unit, local_day(at)).users,
        kind="many-revealed",
        unit=unit,
        facts={"name": user.name, "number": MANY_AN_HOUR},
        subject=f"user:{user.pk}",
        urgent=True,
        at=at,
    )
