"""What an app tells the apps above it: one row per subscriber, written with the fact itself.

The row is the only truth. The queue merely wakes a worker up; if the queue, the worker or the machine is
lost, the next sweep finds the row. Each row runs in its own transaction together with its done mark, so a
handler's writes and the mark commit or fail as one: handlers run at least once and commit exactly once. A
failed row is tried again later while the others go on, so a handler must not rely on the order of two
announcements.
"""

import logging
import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min
from django.utils.module_loading import import_string

from xiaodun.kit.models import OutboxMessage
from xiaodun.kit.requestid import request_id

logger = logging.getLogger(__name__)

# Waits after the first, second, … failure; the last one repeats for ever, because nothing is dropped.
BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)


class Handler(Protocol):
    """Called inside a transaction with what was announced; ``at`` is the moment of the announcement.

    A signal's clock starts with the write that raised it, even if the worker was down for an hour meanwhile.
    """

    def __call__(self, payload: dict[str, Any], *, at: datetime) -> object: ...


_subscribers: dict[str, dict[str, Handler]] = {}


def subscribe(topic: str, name: str, handler: Handler) -> None:
    """Register a handler in ``AppConfig.ready()``. Rows hold the name: renaming it strands waiting ones."""
    handlers = _subscribers.setdefault(topic, {})
    if handlers.get(name, handler) is not handler:
        raise ValueError(f"Two handlers call themselves {name!r} for {topic!r}.")
    handlers[name] = handler


def subscribers(topic: str) -> dict[str, Handler]:
    """Who listens to a topic: name to handler."""
    return dict(_subscribers.get(topic, {}))


def announce(topic: str, payload: dict[str, Any], *, at: datetime) -> None:
    """Tell every subscriber, in the caller's transaction: one INSERT, none if nobody listens.

    The payload holds ids and dates (JSON), never a name or a health fact: rows are kept for a while and
    shown to operators when they fail. Wakes the worker when the transaction commits.
    """
    names = _subscribers.get(topic)
    if not names:
        return
    if not connection.in_atomic_block:
        raise RuntimeError("announce() belongs into the transaction of the fact that it announces.")
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(topic=topic, subscriber=name, payload=payload, announced_at=at, due_at=at)
            for name in names
        ]
    )
    # Once a transaction; a wake-up that hangs on another savepoint may be rolled back without this
    # announcement.
    here = set(connection.savepoint_ids)
    if not any(waiting[1] is _wake and waiting[0] <= here for waiting in connection.run_on_commit):
        # robust: a queue that cannot be reached is logged; the write stands and the minute sweep finds the
        # row.
        transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    waker: str | None = getattr(settings, "OUTBOX_WAKER", None)
    if waker:
        import_string(waker)()


def drain(*, now: datetime, limit: int = 500) -> int:
    """Run due rows, oldest first, rows announced meanwhile included; returns how many succeeded.

    At most ``limit`` rows are tried. Several drains may run at once: none runs a row that another one holds
    (PostgreSQL: ``SKIP LOCKED``; SQLite: immediate transactions exclude each other).
    """
    done = 0
    for _attempt in range(limit):
        outcome = _run_next(now)
        if outcome is None:
            break
        done += outcome
    return done


def _run_next(now: datetime) -> bool | None:
    """Run the oldest due row: True if it succeeded, False if it failed, None if nothing is due."""
    row: OutboxMessage | None = None
    try:
        with transaction.atomic(), request_id():
            row = (
                OutboxMessage.objects.select_for_update(skip_locked=True)
                .filter(done_at__isnull=True, due_at__lte=now)
                .order_by("due_at", "id")
                .first()
            )
            if row is None:
                return None
            handler = _subscribers.get(row.topic, {}).get(row.subscriber)
            if handler is None:
                raise LookupError(f"Nobody subscribes to {row.topic!r} under the name {row.subscriber!r}.")
            handler(row.payload, at=row.announced_at)
            OutboxMessage.objects.filter(pk=row.pk).update(
                done_at=now, attempts=row.attempts + 1, last_error=""
            )
    except Exception as error:
        if row is None:
            raise
        # Outside of the lost transaction, so that deferred constraints that fail at its end count as well.
        _mark_failed(row, error, now)
        return False
    return True


def _mark_failed(row: OutboxMessage, error: Exception, now: datetime) -> None:
    logger.error(
        "Outbox row %s (%s for %s) failed, attempt %s",
        row.pk,
        row.topic,
        row.subscriber,
        row.attempts + 1,
        exc_info=error,
    )
    wait = BACK_OFF[min(row.attempts, len(BACK_OFF) - 1)]
    frame = traceback.extract_tb(error.__traceback__)[-1]
    # The first line only: databases print the row's values in the following ones.
    said = (str(error).splitlines() or [""])[0]
    text = f"{type(error).__name__}: {said} (line {frame.lineno} of {frame.name})"
    # Only if no other worker took the row meanwhile.
    OutboxMessage.objects.filter(pk=row.pk, attempts=row.attempts, done_at__isnull=True).update(
        attempts=row.attempts + 1, due_at=now + wait, last_error=text[:500]
    )


@dataclass(frozen=True, slots=True)
class Pending:
    """What has not been delivered: how many rows wait, since when the oldest, and those that failed."""

    waiting: int
    oldest: datetime | None
    failing: tuple[OutboxMessage, ...]

    def oldest_age(self, now: datetime) -> timedelta:
        """How long the oldest row has waited; zero if none does."""
        return max(now - self.oldest, timedelta(0)) if self.oldest else timedelta(0)


def pending(now: datetime) -> Pending:
    """The undelivered rows announced up to ``now``; the failing ones are listed, at most 100."""
    rows = OutboxMessage.objects.filter(done_at__isnull=True, announced_at__lte=now)
    failing = tuple(rows.filter(attempts__gt=0).order_by("id")[:100])
    return Pending(rows.count(), rows.aggregate(oldest=Min("announced_at"))["oldest"], failing)


def purge(*, before: datetime) -> int:
    """Delete rows delivered before ``before``; returns how many. An undelivered row is never deleted."""
    return OutboxMessage.objects.filter(done_at__lt=before).delete()[0]
