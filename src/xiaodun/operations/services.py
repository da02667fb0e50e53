"""Backups and their tests as runs that leave a row, an audit entry and, on failure, a message."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import User
from xiaodun.accounts.selectors import holders_of
from xiaodun.kit import audit, clock, rotation, tombstones
from xiaodun.kit.errors import Refusal
from xiaodun.messages.services import send
from xiaodun.operations.backup import restoring
from xiaodun.operations.backup.container import Identity
from xiaodun.operations.backup.errors import BackupError
from xiaodun.operations.backup.making import make_backup
from xiaodun.operations.backup.manifest import Manifest
from xiaodun.operations.choices import RunKind, RunState
from xiaodun.operations.models import Run
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.people.services import erase_again

FAILED_KIND = "operations.failed"
# A run that says nothing for so long was cut off.
SILENT = timedelta(hours=6)


@transaction.atomic
def ask_for_backup(*, by: User, at: datetime) -> Run:
    """Put a backup on the list of the worker.

    Raises:
        Refusal: ``backup-runs`` while one waits or runs.
    """
    busy = Run.objects.filter(
        kind=RunKind.BACKUP, state__in=[RunState.WAITING, RunState.RUNNING], asked_at__gt=at - SILENT
    ).first()
    if busy is not None:
        raise Refusal(
            "backup-runs",
            _("A backup runs already."),
            facts={"since": busy.asked_at},
            lifts=_("Wait for its end; this page shows how far it is."),
        )
    run = Run.objects.create(kind=RunKind.BACKUP, asked_by=by, asked_at=at)
    audit.record(by=by, action="operations.ask_for_backup", obj=run, at=at)
    return run


@transaction.atomic
def note_keys_seen(*, by: User, at: datetime) -> Run:
    """Somebody looked, and the copies of keys and backup identity lie where they would be found."""
    run = Run.objects.create(
        kind=RunKind.KEYS_SEEN,
        state=RunState.DONE,
        asked_by=by,
        asked_at=at,
        started_at=at,
        finished_at=at,
        progress=100,
    )
    audit.record(by=by, action="operations.note_keys_seen", obj=run, at=at)
    return run


def take_backup(*, run: Run | None = None, to: Path | None = None, test: bool, at: datetime) -> list[Run]:
    """Make a backup now and, with ``test``, restore that very file into a temporary place and prove it.

    ``run``: one that was asked for; taken by one worker only. Returns the runs with what came of them. A
    failure is recorded, told to the system administrators, and not raised.
    """
    mine = _start(RunKind.BACKUP, run, at)
    if mine is None:
        return []
    # A key for this run alone: the restore test opens the very file without the identity, which is elsewhere.
    own = Identity.generate()

    def make() -> dict[str, Any]:
        made = make_backup(
            to=to, also_for=[own.to_public()] if test else (), progress=_progress_of(mine), at=at
        )
        files.append(made.file)
        return {
            "file": made.file.name,
            "bytes": made.bytes,
            "sha256": made.sha256,
            "rows": made.manifest.rows,
            "head": made.manifest.head,
            "expired": made.expired,
        }

    files: list[Path] = []
    runs = [_carry_out(mine, make, at)]
    if not test or runs[0].state == RunState.FAILED:
        return runs
    proof = _start(RunKind.RESTORE_TEST, None, at)
    if proof is None:
        return runs

    def prove() -> dict[str, Any]:
        with restoring.temporary_database(settings.DATA_DIR) as alias:
            restored = restoring.restore(files[0], [own], alias=alias, files_into=None, replay=None)
        return {"file": files[0].name, "rows": restored.rows, "audit_rows": restored.audit_rows}

    return [*runs, _carry_out(proof, prove, at)]


def rotate_keys(*, progress: Callable[[float], None], at: datetime) -> Run:
    """Encrypt everything anew under the newest master key; cut off anywhere, the next run goes on.

    Raises:
        UnreadableError: a value is under a key that is not configured.
    """
    run = Run.objects.create(kind=RunKind.ROTATION, state=RunState.RUNNING, asked_at=at, started_at=at)
    return _carry_out(
        run, lambda: {"renewed": rotation.rotate(progress), "key": max(settings.MASTER_KEYS)}, at
    )


@transaction.atomic
def replay_erasures(*, made: Manifest, listed: Path, at: datetime) -> int:
    """In a restored database: erase again who was erased since, and note the restore; how many were erased.

    Raises:
        ForgedError: the list was not written by this installation.
    """
    erased = list(tombstones.read(listed)) if listed.is_file() else []
    count = erase_again(erased=erased, at=at)
    run = Run.objects.create(
        kind=RunKind.RESTORE,
        state=RunState.DONE,
        asked_at=at,
        started_at=at,
        finished_at=at,
        progress=100,
        facts={"made_at": made.made_at, "head": made.head, "rows": made.rows, "erased_again": count},
    )
    audit.record(by=None, action="operations.restore", obj=run, at=at, facts=run.facts)
    return count


def _start(kind: RunKind, run: Run | None, at: datetime) -> Run | None:
    """A run of one's own; None if another worker has it."""
    if run is None:
        return Run.objects.create(kind=kind, state=RunState.RUNNING, asked_at=at, started_at=at)
    taken = Run.objects.filter(pk=run.pk, state=RunState.WAITING).update(
        state=RunState.RUNNING, started_at=at
    )
    run.refresh_from_db()
    return run if taken else None


def _progress_of(run: Run) -> Callable[[float], None]:
    """Notes each tenth: a row written at every step would hold up the writes of the day."""

    def note(done: float) -> None:
        if int(done * 10) * 10 > run.progress:
            run.progress = int(done * 10) * 10
            Run.objects.filter(pk=run.pk).update(progress=run.progress)

    return note


def _carry_out(run: Run, work: Callable[[], dict[str, Any]], at: datetime) -> Run:
    began = monotonic()
    try:
        run.facts = work()
        run.state, run.progress = RunState.DONE, 100
    except BackupError as error:
        run.state, run.code, run.said = RunState.FAILED, error.code, str(error)[:500]
    except Exception as error:
        run.state, run.code, run.said = RunState.FAILED, "failed", type(error).__name__
        _finish(run, monotonic() - began, at)
        raise
    _finish(run, monotonic() - began, at)
    return run


@transaction.atomic
def _finish(run: Run, seconds: float, at: datetime) -> None:
    run.facts["seconds"] = round(seconds, 1)
    run.finished_at = at + timedelta(seconds=seconds)
    run.save()
    audit.record(
        by=None,
        action=f"operations.{run.kind}",
        obj=run,
        at=run.finished_at,
        facts={"state": run.state, "code": run.code, **run.facts},
    )
    if run.state == RunState.FAILED:
        _tell_administrators(run)


def _tell_administrators(run: Run) -> None:
    assert run.finished_at is not None
    what = {}
    for language in ("zh-hans", "en"):
        with translation.override(language):
            what[language] = RunKind(run.kind).label
    for district in Unit.objects.filter(kind=UnitKind.DISTRICT, depth=1):
        send(
            to=holders_of(Role.SYSTEM_ADMINISTRATOR, district, clock.local_day(run.finished_at)).users,
            kind=FAILED_KIND,
            unit=district,
            facts={"what": str(what["zh-hans"]), "what_en": str(what["en"]), "code": run.code},
            at=run.finished_at,
        )
