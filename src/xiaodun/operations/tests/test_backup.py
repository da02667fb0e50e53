"""A backup under load, its proof, its folder, and the runs that it leaves."""

import os
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connection, connections, transaction

from xiaodun.kit import audit, clock
from xiaodun.kit.models import AuditEntry, Installation, Receipt
from xiaodun.messages.models import Message
from xiaodun.operations import services
from xiaodun.operations.backup import folder, restoring
from xiaodun.operations.backup.container import Identity
from xiaodun.operations.backup.errors import BusyError, DamagedError, NotEmptyError, WrongKeyError
from xiaodun.operations.backup.making import make_backup
from xiaodun.operations.choices import RunKind, RunState
from xiaodun.operations.models import Run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

IDENTITY = Identity.generate()


@pytest.fixture(autouse=True)
def _place(settings, tmp_path):
    settings.BACKUP_DIR = tmp_path / "backups"
    settings.BACKUP_RECIPIENTS = [str(IDENTITY.to_public())]
    settings.FILES_DIR = tmp_path / "files"


def quiet(done):
    pass


def write(number):
    with transaction.atomic():
        audit.record(by=None, action="operations.try", obj=Receipt(pk=number), at=clock.now())


def installed(cast):
    Installation.objects.create(id=1, kind="production", made_at=cast.at)
    audit.seal(at=cast.at)


def restored(file, folder_, identity=IDENTITY):
    with restoring.temporary_database(folder_) as alias:
        return restoring.restore(file, [identity], alias=alias, files_into=None, replay=None)


def test_a_backup_under_load_is_of_one_moment_and_comes_back_proven(cast, tmp_path):
    installed(cast)
    stop, failures = Event(), []

    def load():
        try:
            while not stop.is_set():
                write(1)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    writer = Thread(target=load)
    writer.start()
    try:
        made = make_backup(progress=quiet, at=cast.at)
    finally:
        stop.set()
        writer.join(timeout=60)
    assert not failures
    found = restored(made.file, tmp_path)
    assert found.audit_rows == made.manifest.tables["kit_auditentry"] <= AuditEntry.objects.count()
    assert found.rows == made.manifest.rows
    assert made.manifest.head == audit.verify().head
    assert not hasattr(connections._connections, "restore_test")
    assert [path.name for path in tmp_path.iterdir()] == ["backups"]


def test_a_file_that_lost_its_end_or_a_bit_is_damaged_and_another_key_opens_nothing(cast, tmp_path):
    installed(cast)
    file = make_backup(progress=quiet, at=cast.at).file
    content = file.read_bytes()
    for fault in (content[:-1], content[: len(content) // 2], content[:-9] + b"x" + content[-8:], b"", b"?"):
        file.write_bytes(fault)
        with pytest.raises(DamagedError):
            restored(file, tmp_path)
    file.write_bytes(content)
    with pytest.raises(WrongKeyError):
        restored(file, tmp_path, Identity.generate())
    assert restored(file, tmp_path).rows > 0


def test_a_backup_that_others_encrypted_to_the_public_key_is_not_ours(cast, tmp_path, settings):
    installed(cast)
    own = settings.AUDIT_KEY
    settings.AUDIT_KEY = b"another installation's audit key.."
    file = make_backup(progress=quiet, at=cast.at).file
    settings.AUDIT_KEY = own
    with pytest.raises(WrongKeyError, match="XIAODUN_AUDIT_KEY"):
        restored(file, tmp_path)


def test_a_running_database_is_never_restored_into(cast):
    installed(cast)
    file = make_backup(progress=quiet, at=cast.at).file
    with pytest.raises(NotEmptyError):
        restoring.restore(file, [IDENTITY], alias="default", files_into=None, replay=None)
    assert Installation.objects.exists()


def test_one_backup_at_a_time_and_old_ones_expire_but_never_the_last(cast, settings):
    installed(cast)
    place = settings.BACKUP_DIR
    with folder.alone_in(place), pytest.raises(BusyError):
        make_backup(progress=quiet, at=cast.at)
    old = make_backup(progress=quiet, at=cast.at).file
    assert folder.expire(place, kept=timedelta(days=30), at=cast.at + timedelta(days=400)) == []
    made = make_backup(progress=quiet, at=cast.at + timedelta(days=settings.BACKUP_DAYS, minutes=1))
    assert made.expired == [old.name]
    assert [path for _at, path in folder.backups_in(place)] == [made.file]


def test_the_nightly_run_restores_its_own_file_and_leaves_rows_and_audit(cast):
    installed(cast)
    runs = services.take_backup(test=True, at=cast.at)
    assert [(run.kind, run.state) for run in runs] == [
        (RunKind.BACKUP, RunState.DONE),
        (RunKind.RESTORE_TEST, RunState.DONE),
    ], [run.said for run in runs]
    assert runs[1].facts["rows"] == runs[0].facts["rows"] > 0
    assert AuditEntry.objects.filter(action="operations.restore_test").count() == 1


def test_a_failed_backup_is_told_to_the_system_administrator(cast, settings):
    installed(cast)
    settings.BACKUP_RECIPIENTS = []
    (run,) = services.take_backup(test=True, at=cast.at)
    assert (run.state, run.code) == (RunState.FAILED, "setting-missing")
    message = Message.objects.get()
    assert message.recipient == cast.system_administrator
    assert "%" not in message.title
    assert Run.objects.get(pk=run.pk).said


def test_a_run_that_was_asked_for_is_taken_once(cast):
    installed(cast)
    asked = services.ask_for_backup(by=cast.system_administrator, at=cast.at)
    same = Run.objects.get(pk=asked.pk)
    assert len(services.take_backup(run=asked, test=False, at=cast.at)) == 1
    assert services.take_backup(run=same, test=False, at=cast.at) == []


def test_a_folder_that_cannot_be_written_to_is_an_answer(cast, settings):
    installed(cast)
    (settings.BACKUP_DIR.parent / "file").write_text("")
    settings.BACKUP_DIR = settings.BACKUP_DIR.parent / "file" / "backups"
    (run,) = services.take_backup(test=False, at=cast.at)
    assert run.code == "failed"
    assert os.fspath(settings.BACKUP_DIR) in run.said
