"""The checks. Each is told the moment and changes nothing."""

import logging
import os
import platform
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.checks import run_checks
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xiaodun import __version__
from xiaodun.kit import clock, outbox
from xiaodun.kit.models import AuditEntry, AuditSeal, Installation
from xiaodun.operations.choices import RunKind, RunState
from xiaodun.operations.doctor.certificate import certificate
from xiaodun.operations.doctor.result import Result, State
from xiaodun.operations.models import Run
from xiaodun.organisations.models import StateYear

logger = logging.getLogger(__name__)

# The night's work, with a morning to look at it.
BACKUP_DUE, BACKUP_LATE = timedelta(hours=30), timedelta(hours=54)
QUEUE_DUE, QUEUE_LATE = timedelta(minutes=5), timedelta(minutes=30)
ROTATE_AFTER = timedelta(days=365)
COPIES_SEEN_AFTER = timedelta(days=180)
# Minutes matter: a check is on time by them.
CLOCK_DUE, CLOCK_WRONG = timedelta(seconds=5), timedelta(minutes=1)
DISK_DUE, DISK_LATE = 0.15, 0.05
# The State Council announces next year's days in November.
YEAR_ANNOUNCED_BY = 12


def versions(at: datetime) -> Result:
    database = (
        f"SQLite {sqlite3.sqlite_version}"
        if connection.vendor == "sqlite"
        else f"PostgreSQL {_ask('SHOW server_version')}"
    )
    said = f"Xiaodun {__version__}, Python {platform.python_version()}, {database}"
    return Result("versions", _("Versions"), State.DONE, said)


def database(at: datetime) -> Result:
    title = _("Database")
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return Result(
            "database",
            title,
            State.NOW,
            ngettext("%(n)s migration waits", "%(n)s migrations wait", len(waiting)) % {"n": len(waiting)},
            _("Stop the server, make a backup, run `xiaodun migrate`, start again."),
        )
    row = Installation.objects.first()
    if row is None:
        return Result(
            "database", title, State.NOW, _("The database is not made."), _("Run `xiaodun migrate`.")
        )
    return Result("database", title, State.DONE, _("Reachable and of this version"), since=row.made_at)


def deployment(at: datetime) -> Result:
    title = _("Settings")
    if settings.MODE != "production":
        return Result("settings", title, State.NA, _("A demonstration: judged for a production only"))
    faults = run_checks(include_deployment_checks=True, databases=[DEFAULT_DB_ALIAS])
    serious = [fault for fault in faults if not fault.is_silenced()]
    if serious:
        return Result(
            "settings",
            title,
            State.NOW if any(fault.is_serious() for fault in serious) else State.DUE,
            "; ".join(str(fault.id) for fault in serious),
            _("`xiaodun check` says what each means."),
        )
    return Result("settings", title, State.DONE, _("Nothing unsafe found"))


def keys(at: datetime) -> Result:
    """The start refuses short keys; what is left to look at is their age."""
    title = _("Encryption keys")
    newest = max(settings.MASTER_KEYS)
    turned = _last(RunKind.ROTATION)
    made = Installation.objects.values_list("made_at", flat=True).first()
    since = turned.finished_at if turned else made
    said = _("Key number %(n)s encrypts, %(count)s known") % {"n": newest, "count": len(settings.MASTER_KEYS)}
    if since is not None and at - since > ROTATE_AFTER:
        return Result(
            "keys",
            title,
            State.DUE,
            said,
            _("Add a key with the next number to XIAODUN_MASTER_KEYS and run `xiaodun rotate`."),
            since,
        )
    return Result("keys", title, State.DONE, said, since=since)


def key_copies(at: datetime) -> Result:
    title = _("Copies of the keys")
    seen = _last(RunKind.KEYS_SEEN)
    remedy = _("Look whether keys and backup identity lie where you would find them, then note it here.")
    if seen is None:
        return Result("key_copies", title, State.DUE, _("Nobody noted having seen them"), remedy)
    is_old = seen.finished_at is not None and at - seen.finished_at > COPIES_SEEN_AFTER
    return Result(
        "key_copies",
        title,
        State.DUE if is_old else State.DONE,
        _("Somebody noted having seen them"),
        remedy if is_old else "",
        seen.finished_at,
    )


def clock_offset(at: datetime) -> Result:
    """Against the database server, where it is another machine, and against the newest audit row."""
    title = _("Clock")
    newest = AuditEntry.objects.order_by("-pk").values_list("at", flat=True).first()
    ahead = newest - at if newest else timedelta(0)
    offset = timedelta(0)
    if connection.vendor == "postgresql" and not clock.is_shifted():
        offset = abs(_ask("SELECT clock_timestamp()") - at)
    remedy = _("Let chrony or systemd-timesyncd set the clock of every machine.")
    if ahead > CLOCK_WRONG:
        return Result(
            "clock", title, State.NOW, _("Records are of the future: the clock was set back"), remedy, newest
        )
    said = _("%(seconds)s s off the database's clock") % {"seconds": round(offset.total_seconds(), 1)}
    if offset > CLOCK_DUE:
        state = State.NOW if offset > CLOCK_WRONG else State.DUE
        return Result("clock", title, state, said, remedy)
    if connection.vendor == "sqlite":
        said = _("No record is of the future")
    return Result("clock", title, State.DONE, said)


def disk(at: datetime) -> Result:
    title = _("Disk")
    places = [settings.DATA_DIR, settings.BACKUP_DIR]
    found = [(place, shutil.disk_usage(place)) for place in places if place.is_dir()]
    place, usage = min(found, key=lambda pair: pair[1].free / pair[1].total)
    share = usage.free / usage.total
    said = _("%(free)s GB free of %(total)s GB in %(place)s") % {
        "free": round(usage.free / 1024**3, 1),
        "total": round(usage.total / 1024**3, 1),
        "place": place.name,
    }
    state = State.NOW if share < DISK_LATE else State.DUE if share < DISK_DUE else State.DONE
    return Result(
        "disk", title, state, said, "" if state == State.DONE else _("Free space or add a larger disk.")
    )


def files(at: datetime) -> Result:
    title = _("Files")
    places = [settings.DATA_DIR, settings.BACKUP_DIR, settings.FILES_DIR]
    if connection.vendor == "sqlite":
        places.append(Path(connection.settings_dict["NAME"]).parent)
    open_ = sorted({place.name for place in places if place.is_dir() and place.stat().st_mode & 0o007})
    if open_:
        return Result(
            "files",
            title,
            State.NOW,
            _("Everybody on the machine may enter: %(places)s") % {"places": ", ".join(open_)},
            _("chmod 0700, owned by the user of the service."),
        )
    if os.geteuid() == 0 and settings.MODE == "production":
        return Result("files", title, State.DUE, _("Runs as root"), _("Give the service a user of its own."))
    return Result("files", title, State.DONE, _("Closed to other users of the machine"))


def calendar(at: datetime) -> Result:
    title = _("Calendar")
    day = clock.local_day(at)
    confirmed = set(StateYear.objects.filter(is_confirmed=True).values_list("year", flat=True))
    remedy = _("Install the release that carries the announced days; school days are not guessed.")
    if day.year not in confirmed:
        return Result(
            "calendar", title, State.NOW, _("%(year)s is not confirmed") % {"year": day.year}, remedy
        )
    if day.year + 1 not in confirmed:
        said = _("%(year)s is not confirmed yet") % {"year": day.year + 1}
        is_due = day.month >= YEAR_ANNOUNCED_BY
        return Result("calendar", title, State.DUE if is_due else State.DONE, said, remedy if is_due else "")
    return Result(
        "calendar", title, State.DONE, _("Confirmed to the end of %(year)s") % {"year": day.year + 1}
    )


def queue(at: datetime) -> Result:
    title = _("Queue")
    waiting = outbox.pending(at)
    age = waiting.oldest_age(at)
    if waiting.failing:
        return Result(
            "queue",
            title,
            State.NOW,
            ngettext("%(n)s delivery fails", "%(n)s deliveries fail", len(waiting.failing))
            % {"n": len(waiting.failing)},
            _("The log names the fault by the row's number. Tell whoever supports the system."),
            waiting.oldest,
        )
    if age > QUEUE_DUE:
        state = State.NOW if age > QUEUE_LATE else State.DUE
        return Result(
            "queue",
            title,
            state,
            ngettext("%(n)s delivery waits", "%(n)s deliveries wait", waiting.waiting)
            % {"n": waiting.waiting},
            _("Do the jobs run? `xiaodun serve` or `xiaodun jobs`, exactly one of them."),
            waiting.oldest,
        )
    return Result("queue", title, State.DONE, _("Nothing waits"))


def audit_tail(at: datetime) -> Result:
    title = _("Audit")
    last = AuditSeal.objects.order_by("-pk").first()
    tail = AuditEntry.objects.filter(pk__gt=last.last_entry_id if last else 0).order_by("pk").first()
    if tail is not None and at - tail.at > QUEUE_DUE:
        return Result(
            "audit",
            title,
            State.NOW,
            _("Rows wait to be sealed"),
            _("Do the jobs run? `xiaodun verify` says whether the audit is whole."),
            tail.at,
        )
    return Result("audit", title, State.DONE, _("Sealed"), since=last.sealed_at if last else None)


def backup(at: datetime) -> Result:
    return _of_night("backup", RunKind.BACKUP, at)


def restore_test(at: datetime) -> Result:
    return _of_night("restore_test", RunKind.RESTORE_TEST, at)


def _of_night(code: str, kind: RunKind, at: datetime) -> Result:
    """The last run of a kind that the night should have done, and whether the newest try failed."""
    title = kind.label
    tries = Run.objects.filter(kind=kind, state__in=[RunState.DONE, RunState.FAILED])
    newest = tries.order_by("-pk").first()
    good = tries.filter(state=RunState.DONE).order_by("-pk").first()
    since = good.finished_at if good else None
    if newest is not None and newest.state == RunState.FAILED:
        return Result(
            code, title, State.NOW, newest.said, _remedies().get(newest.code, _("See the log.")), since
        )
    if since is None:
        return Result(code, title, State.NOW, _("Never done"), _("Back up now; the night does both."))
    state = State.NOW if at - since > BACKUP_LATE else State.DUE if at - since > BACKUP_DUE else State.DONE
    return Result(
        code,
        title,
        state,
        _("Proven by restoring it") if kind == RunKind.RESTORE_TEST else _("Written and encrypted"),
        "" if state == State.DONE else _("Do the jobs run at night? Back up now."),
        since,
    )


def _remedies() -> dict[str, str]:
    """What to do about a failed backup, by its code."""
    return {
        "setting-missing": _("Set XIAODUN_BACKUP_RECIPIENTS (`xiaodun keys` prints a pair) and restart."),
        "no-space": _("Free space, or point XIAODUN_BACKUP_DIR to a larger disk."),
        "tool": _("Install PostgreSQL's client programs of the server's version."),
        "damaged": _("Back up again. If it stays, look at disk and memory of the machine."),
        "busy": _("Wait for the other backup to end."),
    }


def _last(kind: RunKind) -> Run | None:
    return Run.objects.filter(kind=kind, state=RunState.DONE).order_by("-pk").first()


def _ask(statement: str):  # type: ignore[no-untyped-def]  # whatever the database answers
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


Check = Callable[[datetime], Result]

CHECKS: Sequence[Check] = (
    database,
    queue,
    audit_tail,
    backup,
    restore_test,
    disk,
    certificate,
    clock_offset,
    calendar,
    keys,
    key_copies,
    files,
    deployment,
    versions,
)


def examine(at: datetime) -> list[Result]:
    """Every check; one that fails itself is a result as well, and does not keep the others from running."""
    return [_guarded(check, at) for check in CHECKS]


def _guarded(check: Check, at: datetime) -> Result:
    try:
        return check(at)
    except Exception as error:
        logger.exception("The check %s failed", check.__name__)
        return Result(
            check.__name__,
            check.__name__,
            State.NOW,
            _("Could not be judged: %(error)s") % {"error": type(error).__name__},
            _("The log says more."),
        )
