"""What a page writes: only that somebody looked."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Model

from xiaodun.accounts.models import User
from xiaodun.kit import audit
from xiaodun.organisations.models import Unit


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
