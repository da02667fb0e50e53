"""What runs without anybody asking: a wake-up after each announcement, a tick each minute, a sweep each
night.

Nothing lives in the queue alone. A wake-up only says that there are outbox rows; the minute tick looks for
them anyway, so a lost queue, a killed worker or a missed wake-up delays work by a minute and loses none.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task, lock_task

from xiaodun.accounts.services.attempts import forget_attempts
from xiaodun.accounts.services.sign_in import forget_ended_sessions
from xiaodun.duties.services import chase_due
from xiaodun.kit import audit, clock, outbox
from xiaodun.kit.models import Installation
from xiaodun.kit.requestid import request_id
from xiaodun.ladders.services import climb_due
from xiaodun.operations import jobs as operations
from xiaodun.operations.retention.services import let_go
from xiaodun.operations.selectors import waiting_backups
from xiaodun.operations.services import take_backup
from xiaodun.people.choices import RosterState
from xiaodun.people.selectors import rosters_wait
from xiaodun.people.services.rosters import apply_roster, purge_roster_files, read_roster, take_roster

logger = logging.getLogger(__name__)

# Delivered outbox rows are kept this long, for whoever asks why something happened.
DELIVERED_KEPT = timedelta(days=14)
# A backup that was asked for and that no worker took after so long is put into the queue again.
WAKE_UP_LOST = timedelta(minutes=2)
_BATCH = 500


def deliver(*, now: datetime) -> int:
    """Drain the outbox until nothing is due; returns how many rows succeeded."""
    delivered = 0
    while step := outbox.drain(now=now, limit=_BATCH):
        delivered += step
    return delivered


def tick(*, now: datetime) -> None:
    """Everything that is due at ``now``. A step that fails does not keep the others from running.

    Raises:
        ExceptionGroup: what failed, after all steps had their turn; each will be tried again at the next
        tick.
    """
    steps: list[Callable[[], object]] = [
        lambda: deliver(now=now),
        lambda: chase_due(at=now),
        lambda: climb_due(at=now),
        # What the two announced.
        lambda: deliver(now=now),
        lambda: audit.seal(at=now),
        # Whose wake-up was lost with the queue.
        lambda: [operations.back_up(pk) for pk in waiting_backups(before=now - WAKE_UP_LOST)],
        lambda: Installation.objects.filter(kind=Installation.Kind.DEMO).update(clock_seen=now),
        # In a task of its own: a long list must not keep the next tick waiting.
        lambda: wake_rosters() if rosters_wait(at=now) else None,
    ]
    _run_all("tick", steps)


def sweep(*, now: datetime) -> None:
    """Forget what has had its time: rows by the rules of retention, delivered outbox rows, ended sessions."""
    steps: list[Callable[[], object]] = [
        lambda: let_go(at=now),
        lambda: outbox.purge(before=now - DELIVERED_KEPT),
        lambda: forget_ended_sessions(at=now),
        lambda: forget_attempts(at=now),
        lambda: purge_roster_files(at=now),
    ]
    _run_all("sweep", steps)


def night(*, now: datetime) -> None:
    """Back up, and prove that very file by restoring it; failures are recorded and told by the service."""
    with request_id():
        take_backup(test=True, at=now)


def work_on_rosters(*, now: Callable[[], datetime]) -> int:
    """Read or apply every list that waits; returns how many. Each takes a while: ``now`` is asked anew."""
    worked = 0
    while (roster := take_roster(at=now())) is not None:
        with request_id():
            step = apply_roster if roster.state == RosterState.APPLYING else read_roster
            step(roster=roster, at=now())
        worked += 1
    return worked


def _run_all(name: str, steps: list[Callable[[], object]]) -> None:
    failures: list[Exception] = []
    for step in steps:
        try:
            with request_id():
                step()
        except Exception as error:
            failures.append(error)
    if failures:
        raise ExceptionGroup(f"{name}: {len(failures)} of {len(steps)} steps failed", failures)


@db_task()  # type: ignore[untyped-decorator]  # huey has no types
def wake() -> None:
    """After a commit that announced something."""
    now = clock.now()
    with request_id():
        deliver(now=now)
        audit.seal(at=now)


def wake_up() -> None:
    """Ask a worker to look at the outbox (``settings.OUTBOX_WAKER``)."""
    wake()


@db_task()  # type: ignore[untyped-decorator]  # huey has no types
@lock_task("rosters")  # type: ignore[untyped-decorator]  # huey has no types
def import_rosters() -> None:
    """Read and apply the lists that wait; one worker at a time, since each takes much of the machine."""
    work_on_rosters(now=clock.now)


def wake_rosters() -> None:
    """Ask a worker to look at handed-in lists (``settings.ROSTER_WAKER``)."""
    import_rosters()


@db_periodic_task(crontab())  # type: ignore[untyped-decorator]  # huey has no types
@lock_task("tick")  # type: ignore[untyped-decorator]  # huey has no types
def every_minute() -> None:
    tick(now=clock.now())


# 19:20 UTC is 03:20 in China: nobody checks in, and the evening's late corrections have arrived.
@db_periodic_task(crontab(hour="19", minute="20"))  # type: ignore[untyped-decorator]  # huey has no types
@lock_task("sweep")  # type: ignore[untyped-decorator]  # huey has no types
def every_night() -> None:
    sweep(now=clock.now())


# 18:10 UTC is 02:10 in China: before the sweep, so that what it deletes can be had back for a day.
@db_periodic_task(crontab(hour="18", minute="10"))  # type: ignore[untyped-decorator]  # huey has no types
@lock_task("night")  # type: ignore[untyped-decorator]  # huey has no types
def back_up_nightly() -> None:
    night(now=clock.now())
