"""Who was erased, so that a restore of an older backup does not bring them back.

A row holds no name: the id, and a mark made of the person's own audit key, because a restored database may
give an id out anew. The list is copied beside the backups, each line with its own proof.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

from django.conf import settings
from django.db import connection, transaction

from xiaodun.kit import audit
from xiaodun.kit.models import Tombstone

FILE = "tombstones.jsonl"


class Buried(audit.Subject, Protocol):
    """A row of the database with a key of its own."""

    _meta: ClassVar[Any]


class ForgedError(Exception):
    """A line of the list was not written by this installation."""


@dataclass(frozen=True, slots=True)
class Erased:
    """One line of the list."""

    object_type: str
    object_id: str
    mark: str
    erased_at: datetime

    def is_of(self, person: "Buried") -> bool:
        """Whether this very person was erased."""
        return (
            self.object_type == person._meta.label_lower
            and self.object_id == str(person.pk)
            and hmac.compare_digest(self.mark, audit.mark_of(person))
        )


def bury(person: "Buried", *, at: datetime) -> None:
    """Note the erasure in the caller's transaction, and on the list beside the backups when it commits.

    ``person`` still has its key.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("bury() belongs into the transaction of the erasure.")
    Tombstone.objects.get_or_create(
        object_type=person._meta.label_lower,
        object_id=str(person.pk),
        mark=audit.mark_of(person),
        defaults={"erased_at": at},
    )
    transaction.on_commit(_export_beside_backups, robust=True)


def _export_beside_backups() -> None:
    if settings.BACKUP_DIR.is_dir():
        export(settings.BACKUP_DIR / FILE)


def export(file: Path) -> None:
    """Write the whole list in one step; lines that the file has and the table lacks stay."""
    lines = {
        _line(row.object_type, row.object_id, row.mark, row.erased_at)
        for row in Tombstone.objects.iterator(chunk_size=2_000)
    }
    if file.exists():
        lines |= {_line(row.object_type, row.object_id, row.mark, row.erased_at) for row in read(file)}
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in sorted(lines))
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(file)


def read(file: Path) -> Iterator[Erased]:
    """The list of a file; raises ``ForgedError``."""
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(text)
            proof, content = row["proof"], row["erased"]
        except (ValueError, KeyError, TypeError):
            raise ForgedError(f"{file.name}, line {number} cannot be read.") from None
        if not hmac.compare_digest(proof, _proof(json.dumps(content))):
            raise ForgedError(f"{file.name}, line {number} was not written by this installation.")
        object_type, object_id, mark, erased_at = content
        yield Erased(object_type, object_id, mark, datetime.fromisoformat(erased_at))


def _line(object_type: str, object_id: str, mark: str, erased_at: datetime) -> str:
    content = [object_type, object_id, mark, erased_at.astimezone(UTC).isoformat()]
    return json.dumps({"erased": content, "proof": _proof(json.dumps(content))})


def _proof(text: str) -> str:
    return hmac.new(settings.AUDIT_KEY, f"tombstone\n{text}".encode(), hashlib.sha256).hexdigest()
