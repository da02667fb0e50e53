"""Reads for machines, scoped to the token."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Q
from django.http import Http404

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import ApiToken
from xiaodun.accounts.policies import Scope
from xiaodun.kit.models import Receipt
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import under
from xiaodun.surveillance.models import Signal


def groups_of_token(token: ApiToken, *, after: str, limit: int) -> list[Unit]:
    """The groups at and below the token's unit by code, from the first one after the code ``after``."""
    groups = Unit.objects.filter(under(token.unit.path), kind=UnitKind.GROUP, code__gt=after)
    return list(groups.order_by("code")[:limit])


def groups_by_key(scope: Scope, keys: Iterable[str | int]) -> dict[str | int, Unit]:
    """The groups whose checks the token may send, by the code or id asked for. One query."""
    asked = set(keys)
    codes = [key for key in asked if isinstance(key, str)]
    # Larger ids do not exist and would not fit into a statement.
    ids = [key for key in asked if isinstance(key, int) and 0 < key < 2**63]
    found = Unit.objects.filter(
        Q(code__in=codes) | Q(pk__in=ids), scope.q(Right.SUBMIT_CHECK), kind=UnitKind.GROUP
    )
    by_key: dict[str | int, Unit] = {}
    for group in found:
        by_key[group.code] = by_key[group.pk] = group
    return {key: by_key[key] for key in asked if key in by_key}


def group_with_roster(scope: Scope, code: str) -> Unit:
    """A group whose roster the token may read; ``Http404`` for a foreign group as for an unknown one."""
    if "\x00" in code:  # PostgreSQL takes no such text
        raise Http404
    group: Unit | None = Unit.objects.filter(
        scope.q(Right.SEE_ROSTER), code=code, kind=UnitKind.GROUP
    ).first()
    if group is None:
        raise Http404
    return group


def signals_counted_for(scope: Scope, *, after: int | None, limit: int) -> list[Signal]:
    """Signals of the token's units, the newest first, from the first one below the id ``after``."""
    signals = Signal.objects.filter(scope.q(Right.SEE_COUNTS, "unit__")).select_related("unit", "rule")
    if after is not None:
        signals = signals.filter(pk__lt=min(after, 2**63 - 1))
    return list(signals.order_by("-pk")[:limit])


def answered_before(source: str, client_ids: Collection[UUID]) -> set[UUID]:
    """Which of these records the source has sent before (one query)."""
    receipts = Receipt.objects.filter(source=source, client_id__in=client_ids)
    return set(receipts.values_list("client_id", flat=True))
