"""From a backup back to a database: proven first, filled into an empty place, proven again, opened last."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from xiaodun.kit import audit
from xiaodun.operations.backup import container, databases, keys, manifest
from xiaodun.operations.backup.container import Identity
from xiaodun.operations.backup.databases import PostgresPlace, SqlitePlace
from xiaodun.operations.backup.errors import BackupError, DamagedError, NotEmptyError, disk_faults
from xiaodun.operations.backup.folder import sync_folder

TEST_ALIAS = "restore_test"
Place = SqlitePlace | PostgresPlace
# What is done in the restored database before it is opened: erasing again who was erased after the backup.
Replay = Callable[[manifest.Manifest], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored and proven. ``rows``: of all tables; ``audit_rows``: verified one by one."""

    manifest: manifest.Manifest
    rows: int
    audit_rows: int


def inspect(file: Path, identities: Sequence[Identity]) -> manifest.Manifest:
    """Read a backup to its end and prove it, writing nothing.

    Raises:
        WrongKeyError: the identity or the installation's keys are others. DamagedError: it is not whole.
    """
    sums: dict[str, Any] = {}
    lengths: dict[str, int] = {}
    found = b""
    with closing(_read(file, identities)) as parts:
        for name, content in parts:
            if name == manifest.NAME:
                found = content
                continue
            sums.setdefault(name, hashlib.sha256()).update(content)
            lengths[name] = lengths.get(name, 0) + len(content)
    if not found:
        raise DamagedError(f"{file.name} has no manifest: it was cut off.")
    made = manifest.parse(found)
    keys.require(made.marks)
    made.prove()
    listed = {member["name"]: (member["bytes"], member["sha256"]) for member in made.members}
    # A member of no bytes has no parts.
    present = {name: (lengths[name], sums[name].hexdigest()) for name in sums}
    if present != {name: said for name, said in listed.items() if said[0]}:
        raise DamagedError(f"The parts of {file.name} do not match its manifest.")
    return made


def restore(
    file: Path, identities: Sequence[Identity], *, alias: str, files_into: Path | None, replay: Replay | None
) -> Restored:
    """Restore ``file`` into the database ``alias`` and its uploads into ``files_into``; both must be empty.

    The database is of use only when every proof was passed and ``replay`` was run; otherwise nothing is left.

    Raises:
        BackupError: see ``errors``.
    """
    made = inspect(file, identities)
    connection = connections[alias]
    if connection.vendor != made.kind:
        raise BackupError(
            f"The backup is of {made.kind}, the target is {connection.vendor}. A restore keeps the kind."
        )
    has_files = any(member["name"].startswith(manifest.FILES) for member in made.members)
    if has_files and files_into is not None and files_into.is_dir() and any(files_into.iterdir()):
        raise NotEmptyError(f"{files_into} is not empty. Uploaded files go into an empty folder only.")
    place = _place(connection)
    place.prepare()
    try:
        with closing(_read(file, identities)) as parts:
            place.fill(_members(parts, files_into), connection.settings_dict)
        restored = _prove(made, connection, place)
        if replay is not None:
            replay(made)
        installation = {"id": 1, **made.installation}
        installation["made_at"] = datetime.fromisoformat(made.installation["made_at"])
        place.finish(connection, installation)
    except BaseException:
        connection.close()
        place.sweep()
        # It was absent or empty before.
        if has_files and files_into is not None:
            shutil.rmtree(files_into, ignore_errors=True)
        raise
    return restored


def _place(connection: BaseDatabaseWrapper) -> Place:
    if connection.vendor == "sqlite":
        return SqlitePlace(Path(connection.settings_dict["NAME"]))
    return PostgresPlace(connection)


def _read(file: Path, identities: Sequence[Identity]) -> container.Parts:
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    return container.read(file, identities)


def _members(parts: Iterator[tuple[str, bytes]], files_into: Path | None) -> Iterator[bytes]:
    """The database's parts; uploaded files are written on the way."""
    for name, content in parts:
        if name == manifest.DATABASE:
            yield content
        elif name.startswith(manifest.FILES) and files_into is not None:
            _append(files_into, name.removeprefix(manifest.FILES), content)


def _append(root: Path, name: str, content: bytes) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise DamagedError("The backup names a file outside of its folder.")
    target = root / path
    with disk_faults(root):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(target.parent)


def _prove(made: manifest.Manifest, connection: BaseDatabaseWrapper, place: Place) -> Restored:
    """Rows of every table, schema, audit: all as the manifest says."""
    place.check(connection)
    schema, tables, head = databases.facts_of(connection)
    expected = dict(made.tables)
    if isinstance(place, PostgresPlace):
        expected[databases.INSTALLATION] = 0  # written last
    if tables != expected:
        wrong = sorted(
            name for name in tables.keys() | expected.keys() if tables.get(name) != expected.get(name)
        )
        raise DamagedError(f"Rows are missing or too many in: {', '.join(wrong[:10])}.")
    if schema != made.schema or head != made.head:
        raise DamagedError("Schema or head of the audit is not that of the manifest.")
    report = audit.verify(known_head=made.head, using=connection.alias)
    if not report.ok:
        raise DamagedError(
            f"The audit is not whole: {len(report.altered)} altered, {len(report.missing)} missing, "
            f"{len(report.broken_seals)} broken seals."
        )
    return Restored(made, sum(made.tables.values()), report.rows)


@contextmanager
def temporary_database(folder: Path) -> Iterator[str]:
    """The alias of an empty place of the installation's own kind, in this thread; it is gone afterwards."""
    default = connections[DEFAULT_DB_ALIAS]
    own = default.copy(alias=TEST_ALIAS)
    own.settings_dict = {**own.settings_dict, "CONN_MAX_AGE": 0}
    if own.vendor == "sqlite":
        path = folder / ".restore-test.sqlite3"
        own.settings_dict["NAME"] = str(path)

        def clear() -> None:
            _remove_sqlite(path)

        make = clear
    else:
        own.settings_dict["NAME"] = f"{default.settings_dict['NAME']}_restore_test"
        name = default.ops.quote_name(own.settings_dict["NAME"])

        def clear() -> None:
            with default.cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

        def make() -> None:
            clear()  # what a killed test left
            with default.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")

    make()
    connections[TEST_ALIAS] = own
    try:
        yield TEST_ALIAS
    finally:
        connections[TEST_ALIAS].close()
        del connections[TEST_ALIAS]
        clear()


def _remove_sqlite(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
