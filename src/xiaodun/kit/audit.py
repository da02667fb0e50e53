"""Who did what, provably: a row with every write, its own MAC, and a chain of seals over all rows.

Three guards, from the inside out. Each row carries an HMAC over all that it says, so altering one is found.
A single sealer puts committed rows into batches, each a Merkle tree (RFC 6962) whose root enters a chain
keyed by the same secret, so removing or inserting one is found. The head of the chain is copied off the
machine, so cutting off the end of the chain is found by whoever keeps that copy.

Old and new values about a person are encrypted under that person's own key, which the master key wraps.
Destroying the person's key makes every such value unreadable and leaves the chain whole.
"""

import hashlib
import hmac
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import Max, Model

from xiaodun.kit import crypto
from xiaodun.kit.models import AuditEntry, AuditSeal
from xiaodun.kit.requestid import current_request_id

_KEY_CONTEXT = "kit.audit.subject-key"

# Rows in one seal at most: a batch is one query with as many parameters (SQLite allows 32,766).
BATCH = 5_000
# Ids skipped by the sealer that may still commit. Rolled-back writes leave such holes for ever, so the list
# is bounded; a row that commits after falling off it is reported by verify() as unsealed, never passed
# over.
OPEN_GAPS = 10_000
# Any number will do as long as nothing else takes the same advisory lock.
_SEALER_LOCK = 0x5EA1


class Subject(Protocol):
    """A person with an id and a wrapped audit key; None after the person was erased."""

    pk: Any
    audit_key: Any


# --- writing ---


def new_subject_key() -> bytes:
    """A fresh key for one person, wrapped by the master key, to be stored with the person."""
    return crypto.encrypt(os.urandom(32), context=_KEY_CONTEXT)


def record(
    *,
    by: Model | None,
    action: str,
    obj: Model,
    at: datetime,
    unit: Any = None,
    facts: Mapping[str, Any] | None = None,
    subjects: Mapping[Any, Mapping[str, Any]] | None = None,
) -> AuditEntry:
    """Write one audit row in the caller's transaction (one INSERT, nothing read).

    by: the user or API token that acts, None for the system itself. action: the app and what was done,
    ``screening.correct_check``. unit: the unit concerned (anything with a ``path``) or the path itself.
    facts: what may be read by every auditor: ids, codes, counts, dates; nothing about anybody's health.
    subjects: ``{person: {"old": …, "new": …}}``, encrypted under that person's key. Raises ``ValueError``
    for a person without a key: an erased person has no new history.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record() belongs into the transaction of the write that it records.")
    entry = AuditEntry(
        at=at,
        actor_id=None if by is None else by.pk,
        # Not the user name: it may be a phone number.
        actor="system" if by is None else f"{by._meta.model_name}:{by.pk}",
        action=action,
        object_type=obj._meta.label_lower,
        object_id=str(obj.pk),
        unit_path="" if unit is None else getattr(unit, "path", unit),
        facts=json.loads(json.dumps(facts or {}, cls=DjangoJSONEncoder, allow_nan=False)),
        request_id=current_request_id(),
    )
    entry.sealed = {
        str(person.pk): _seal_values(entry, person, values) for person, values in (subjects or {}).items()
    }
    entry.mac = _mac(entry)
    entry.save(force_insert=True)
    return entry


def _subject_context(entry: AuditEntry, person: Subject) -> str:
    return f"kit.audit.{entry.object_type}.{entry.object_id}.{person.pk}"


def _subject_key(person: Subject) -> bytes:
    if not person.audit_key:
        raise ValueError(f"Person {person.pk} has no audit key.")
    return crypto.decrypt(bytes(person.audit_key), context=_KEY_CONTEXT)


def rewrapped(stored: bytes) -> bytes:
    """A person's key, wrapped anew by the newest master key."""
    return crypto.encrypt(crypto.decrypt(stored, context=_KEY_CONTEXT), context=_KEY_CONTEXT)


def mark_of(person: Subject) -> str:
    """By what a person is recognised after the erasure: an HMAC of their own key, which never changes."""
    return _keyed("subject", _subject_key(person).hex())


def _seal_values(entry: AuditEntry, person: Subject, values: Mapping[str, Any]) -> str:
    clear = json.dumps(values, cls=DjangoJSONEncoder, ensure_ascii=False).encode()
    return b64encode(
        crypto.encrypt_with(_subject_key(person), clear, context=_subject_context(entry, person))
    ).decode()


def open_sealed(entry: AuditEntry, person: Subject) -> dict[str, Any]:
    """The old and new values about one person; ``{}`` if the entry has none about them.

    Raises ``ValueError`` for an erased person and ``UnreadableError`` for an altered or moved value.
    """
    stored = entry.sealed.get(str(person.pk))
    if stored is None:
        return {}
    clear = crypto.decrypt_with(
        _subject_key(person), b64decode(stored), context=_subject_context(entry, person)
    )
    return dict(json.loads(clear))


def _plain(value: Any) -> Any:
    """Numbers as both databases give them back: PostgreSQL returns 1e22 and -0.0 as whole numbers."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _mac(entry: AuditEntry) -> str:
    """HMAC-SHA-256 over everything that the row says, except its number, which the seal binds."""
    content = [
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_id,
        entry.actor,
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.unit_path,
        _plain(entry.facts),
        entry.sealed,
        entry.request_id,
    ]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _keyed("row", canonical)


def fingerprint(text: str) -> str:
    """A keyed hash of what somebody typed: equal texts can be told to be equal, nobody can read them."""
    return _keyed("words", text)


def _keyed(purpose: str, text: str) -> str:
    return hmac.new(settings.AUDIT_KEY, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()


# --- sealing ---


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """Merkle tree hash of RFC 6962, section 2.1, with SHA-256; of no leaves: the hash of nothing."""
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").digest()
    # Pairing neighbours and carrying an odd last one up gives the same tree as splitting at powers of two.
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(level) - len(level) % 2 :]
    return level[0]


def _root(rows: Iterable[AuditEntry]) -> str:
    return merkle_root(f"{row.pk}:{row.mac}".encode() for row in rows).hex()


def _head(seal: AuditSeal) -> str:
    content = [seal.previous, seal.root, seal.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")]
    return _keyed("seal", json.dumps([*content, seal.entry_ids], separators=(",", ":")))


def seal(*, at: datetime) -> int:
    """Chain every committed row that no seal holds yet; returns how many.

    One sealer at a time: a second one returns 0 at once (PostgreSQL) or waits for its turn (SQLite). A row
    that committed after rows with higher ids is picked up by the next seal, since each seal remembers the
    ids it skipped.
    """
    sealed = 0
    while batch := _seal_batch(at):
        sealed += batch
    return sealed


@transaction.atomic
def _seal_batch(at: datetime) -> int:
    if not _is_only_sealer():
        return 0
    last = AuditSeal.objects.order_by("-pk").first()
    top, gaps, head = (last.last_entry_id, last.gaps, last.head) if last else (0, [], "")
    late = list(AuditEntry.objects.filter(pk__in=gaps).order_by("pk")[:BATCH]) if gaps else []
    fresh = list(AuditEntry.objects.filter(pk__gt=top).order_by("pk")[: BATCH - len(late)])
    rows = late + fresh
    if not rows:
        return 0
    found = {row.pk for row in rows}
    new_top = max(top, rows[-1].pk)
    # A long run of unused ids cannot all be watched; the newest are those that may still commit.
    skipped = [pk for pk in range(max(top + 1, new_top - OPEN_GAPS), new_top + 1) if pk not in found]
    made = AuditSeal(
        sealed_at=at,
        entry_ids=[row.pk for row in rows],
        last_entry_id=new_top,
        gaps=[*(pk for pk in gaps if pk not in found), *skipped][-OPEN_GAPS:],
        root=_root(rows),
        previous=head,
    )
    made.head = _head(made)
    made.save(force_insert=True)
    return len(rows)


def _is_only_sealer() -> bool:
    if connection.vendor != "postgresql":
        return True  # IMMEDIATE transactions exclude each other
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEALER_LOCK])
        return bool(cursor.fetchone()[0])


# --- verifying ---


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What ``verify`` found. Row and seal numbers, oldest first.

    altered: rows whose content does not match their MAC. missing: rows that a seal holds and the table no
    longer. unsealed: rows that no seal holds; a few seconds' worth is normal while the sealer runs.
    broken_seals: seals that do not follow from the one before or do not match their rows' MACs. head: the
    end of the chain, to be kept off the machine. head_known: False if the head given to ``verify`` does not
    occur in the chain.
    """

    altered: tuple[int, ...]
    missing: tuple[int, ...]
    unsealed: tuple[int, ...]
    broken_seals: tuple[int, ...]
    rows: int
    seals: int
    head: str
    head_known: bool
    oldest_unsealed: datetime | None

    @property
    def ok(self) -> bool:
        """Nothing was altered, removed or cut off. An unsealed tail alone is not damage: see ``unsealed``."""
        return self.head_known and not (self.altered or self.missing or self.broken_seals)


def verify(*, known_head: str = "", using: str = DEFAULT_DB_ALIAS) -> VerifyReport:
    """Read all audit rows and seals and report every departure; changes nothing.

    ``known_head``: a head copied off the machine earlier; a chain that lacks it was cut off and grown anew.
    ``using``: the database, for one that is being restored.
    """
    altered: set[int] = set()
    missing: list[int] = []
    broken: list[int] = []
    entries = AuditEntry.objects.using(using)
    in_seal = bytearray((entries.aggregate(top=Max("pk"))["top"] or 0) + 1)
    head, seals, head_known = "", 0, not known_head
    for each in AuditSeal.objects.using(using).order_by("pk").iterator(chunk_size=20):
        seals += 1
        rows = entries.in_bulk(each.entry_ids)
        altered.update(pk for pk, row in rows.items() if not _is_genuine(row))
        gone = [pk for pk in each.entry_ids if pk not in rows]
        missing += gone
        follows = each.previous == head and hmac.compare_digest(each.head, _head(each))
        twice = any(in_seal[pk] for pk in rows)
        # With a row missing the root cannot be computed; the keyed head still vouches for the stored root.
        if not follows or twice or (not gone and each.root != _root(rows[pk] for pk in each.entry_ids)):
            broken.append(each.pk)
        for pk in rows:
            in_seal[pk] = 1
        head = each.head
        head_known = head_known or head == known_head
    unsealed: list[int] = []
    oldest: datetime | None = None
    count = 0
    for row in entries.order_by("pk").iterator(chunk_size=2_000):
        count += 1
        if row.pk < len(in_seal) and in_seal[row.pk]:
            continue
        if row.pk >= len(in_seal):
            break  # written while we read
        unsealed.append(row.pk)
        oldest = min(oldest, row.at) if oldest else row.at
        if not _is_genuine(row):
            altered.add(row.pk)
    return VerifyReport(
        altered=tuple(sorted(altered)),
        missing=tuple(missing),
        unsealed=tuple(unsealed),
        broken_seals=tuple(broken),
        rows=count,
        seals=seals,
        head=head,
        head_known=head_known,
        oldest_unsealed=oldest,
    )


def _is_genuine(row: AuditEntry) -> bool:
    return hmac.compare_digest(row.mac, _mac(row))
