"""What expires: each app tells which of its rows are kept for how long a rule says.

The rules, with their sources, are data of ``operations``; here stands only which rows a rule means, from
which day their time runs, and to which unit they belong, so that a legal hold keeps them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import models, transaction
from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise

from xiaodun.kit import clock

# Rows deleted in one transaction: others write meanwhile.
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Rows of one model. ``day``: the field (a day or a moment) from which their time runs.

    ``unit``: look-up to the path of the unit to which they belong, "" where they belong to none. ``only``:
    not all rows of the model.
    """

    code: str
    name: str | Promise
    model: type[Model]
    day: str
    unit: str = ""
    only: Q = field(default_factory=Q)

    def expired(self, *, before: date, held: Iterable[str] = ()) -> QuerySet[Any]:
        """The rows of days before ``before``, without those of the units whose paths are ``held``."""
        is_moment = isinstance(self.model._meta.get_field(self.day), models.DateTimeField)
        limit = clock.local_span(before)[0] if is_moment else before
        rows = self.model._default_manager.filter(self.only, **{f"{self.day}__lt": limit})
        for path in held if self.unit else ():
            rows = rows.exclude(**{f"{self.unit}__startswith": path})
        return rows

    def days(self, *, before: date, held: Iterable[str] = ()) -> set[date]:
        """The days of the expired rows; none for rows that have a moment (no figure is made of them)."""
        if isinstance(self.model._meta.get_field(self.day), models.DateTimeField):
            return set()
        return set(self.expired(before=before, held=held).values_list(self.day, flat=True))

    def purge(self, *, before: date, held: Iterable[str] = ()) -> int:
        """Delete them with what hangs on them; returns how many rows. Can be cut off anywhere."""
        gone = 0
        while batch := list(self.expired(before=before, held=held).values_list("pk", flat=True)[:_BATCH]):
            with transaction.atomic():
                self.model._default_manager.filter(pk__in=batch).delete()
            gone += len(batch)
        return gone


Freeze = Callable[[set[date], datetime], object]

_kinds: dict[str, Kind] = {}
_before: list[Freeze] = []


def register(kind: Kind) -> None:
    """Tell in ``AppConfig.ready()``; ``ValueError`` if the code is taken."""
    if _kinds.setdefault(kind.code, kind) is not kind:
        raise ValueError(f"Two kinds of rows call themselves {kind.code!r}.")


def kinds() -> Iterator[Kind]:
    """Every kind, by code."""
    yield from (_kinds[code] for code in sorted(_kinds))


def kind_of(code: str) -> Kind:
    """The kind of that code; ``KeyError`` if no app registered it."""
    return _kinds[code]


def before_purge(freeze: Freeze) -> None:
    """Let somebody keep what is computed from the rows of these days before they go."""
    if freeze not in _before:
        _before.append(freeze)


def announce_purge(days: set[date], at: datetime) -> None:
    """Everybody who asked keeps what they compute from the rows of ``days``."""
    for freeze in _before:
        freeze(days, at)
