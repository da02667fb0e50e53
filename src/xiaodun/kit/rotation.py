"""Encrypting everything anew under the newest master key, while the system runs.

Each ciphertext begins with the number of its key, so what is done already shows: cut off anywhere, the next
run goes on. A value that somebody changes meanwhile is under the newest key already and is left alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import BinaryField, F, Model
from django.db.models.functions import Cast

from xiaodun.kit import crypto
from xiaodun.kit.fields import EncryptedText

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Column:
    """``renew``: from a stored ciphertext to the value to be saved, which the field or it encrypts anew."""

    model: type[Model]
    field: str
    renew: Callable[[bytes], Any]


_columns: list[Column] = []


def register(column: Column) -> None:
    """Tell in ``AppConfig.ready()`` of ciphertexts under a master key that stand in no ``EncryptedText``."""
    _columns.append(column)


def columns() -> Iterator[Column]:
    """Every column that the master keys encrypt."""
    for model in apps.get_models():
        for each in model._meta.local_concrete_fields:
            if isinstance(each, EncryptedText):
                yield Column(model, each.name, _opener(each.context))
    yield from _columns


def _opener(context: str) -> Callable[[bytes], str]:
    return lambda stored: crypto.decrypt(stored, context=context).decode()


def rotate(progress: Callable[[float], None]) -> int:
    """Renew every value that is under an older key; returns how many. Raises ``UnreadableError`` at the first
    value whose key is not configured.
    """
    all_ = list(columns())
    total = sum(_stored(each).count() for each in all_)
    seen = renewed = 0
    newest = max(settings.MASTER_KEYS)
    for column in all_:
        for batch in _batches(column):
            for pk, stored in batch:
                if stored[0] != newest:
                    renewed += _renew(column, pk, stored)
            seen += len(batch)
            progress(seen / max(total, 1))
    return renewed


def _stored(column: Column) -> Any:
    rows = column.model._default_manager.annotate(stored=Cast(F(column.field), BinaryField()))
    return rows.filter(**{f"{column.field}__isnull": False})


def _batches(column: Column) -> Iterator[list[tuple[Any, bytes]]]:
    last = None
    while True:
        rows = _stored(column).order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        batch = [(pk, bytes(stored)) for pk, stored in rows.values_list("pk", "stored")[:_BATCH]]
        if not batch:
            return
        yield batch
        last = batch[-1][0]


def _renew(column: Column, pk: Any, stored: bytes) -> int:
    """One statement: only if the value is still the one that was read."""
    value = column.renew(stored)
    return int(_stored(column).filter(pk=pk, stored=stored).update(**{column.field: value}))
