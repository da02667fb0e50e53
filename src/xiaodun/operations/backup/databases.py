"""A consistent snapshot of a running database, and an empty database filled from one.

SQLite: the online backup API under one read transaction, so that writers go on and the copy is of one moment.
PostgreSQL: ``pg_dump`` on an exported snapshot, in which the rows are counted as well.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.client import DatabaseClient

from xiaodun.kit.models import AuditSeal, Installation
from xiaodun.operations.backup.errors import DamagedError, NotEmptyError, ToolError, disk_faults
from xiaodun.operations.backup.folder import sync_folder

# Pages of SQLite copied at a time, 8 MiB: between two, other threads of this process go on.
_PAGES = 2_000
_HEAD = f'SELECT head FROM "{AuditSeal._meta.db_table}" ORDER BY id DESC LIMIT 1'  # noqa: S608  (own table)
_SCHEMA = "SELECT app || '.' || name FROM django_migrations ORDER BY 1"
# Its row says that a database was made to its end. A restore writes it last.
INSTALLATION = Installation._meta.db_table
# In a database that is being restored; whoever finds it may throw the rest away.
UNFINISHED = "restore_unfinished"

Ask = Callable[[str], list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A database as of one moment. ``content`` is read once to its end."""

    kind: str
    schema: list[str]
    tables: dict[str, int]
    head: str
    # About as many bytes as will be read, for a progress bar.
    size: int
    content: BinaryIO | IO[bytes]


@contextmanager
def snapshot(alias: str, folder: Path) -> Iterator[Snapshot]:
    """A snapshot of the database ``alias``; SQLite's copy lies in ``folder`` meanwhile, without a name."""
    connection = connections[alias]
    taking = _sqlite_snapshot if connection.vendor == "sqlite" else _postgresql_snapshot
    with taking(connection, folder) as taken:
        yield taken


def facts_of(connection: BaseDatabaseWrapper) -> tuple[list[str], dict[str, int], str]:
    """Migrations applied, rows by table, head of the audit, as this connection sees them."""

    def ask(statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    return _facts(ask, connection.vendor)


_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
}


def _facts(ask: Ask, vendor: str) -> tuple[list[str], dict[str, int], str]:
    names = [name for (name,) in ask(_TABLES[vendor])]
    if INSTALLATION not in names:
        raise DamagedError("This is no database of Xiaodun, or it is not made yet (`xiaodun migrate`).")
    # Names come from the database's own catalogue.
    tables = {name: ask(f'SELECT count(*) FROM "{name}"')[0][0] for name in names}  # noqa: S608
    heads = ask(_HEAD)
    tables.pop(UNFINISHED, None)
    return [name for (name,) in ask(_SCHEMA)], tables, heads[0][0] if heads else ""


# --- SQLite ---


@contextmanager
def _sqlite_snapshot(connection: BaseDatabaseWrapper, folder: Path) -> Iterator[Snapshot]:
    source = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, timeout=20)
    with closing(source), disk_faults(folder):
        source.execute("BEGIN")
        # The first read fixes the moment; the transaction is open until the copy is made.
        schema, tables, head = _facts(lambda statement: source.execute(statement).fetchall(), "sqlite")
        with _nameless_copy(source, folder) as copy:
            source.rollback()
            yield Snapshot("sqlite", schema, tables, head, os.fstat(copy.fileno()).st_size, copy)


@contextmanager
def _nameless_copy(source: sqlite3.Connection, folder: Path) -> Iterator[BinaryIO]:
    """The copy has no name while it is written and read: a killed run leaves nothing that could be found."""
    path = folder / ".snapshot.part"
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "rb") as copy:
        target = sqlite3.connect(path)
        with closing(target):
            target.execute("PRAGMA journal_mode=OFF")
            target.execute("PRAGMA synchronous=OFF")
            path.unlink()
            source.backup(target, pages=_PAGES)
        yield copy


class SqlitePlace:
    """A new SQLite file beside the one that it will become."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.part = target.with_name(f".{target.name}.part")

    def prepare(self) -> None:
        """Raises ``NotEmptyError`` if there is a database already."""
        beside = [self.target, *(self.target.with_name(self.target.name + end) for end in ("-wal", "-shm"))]
        if any(path.exists() for path in beside):
            raise NotEmptyError(f"{self.target} exists. A restore goes into an empty place only.")
        self.sweep()

    def fill(self, parts: Iterator[bytes], settings_dict: dict[str, Any]) -> None:
        """Write the database and point ``settings_dict`` to it."""
        descriptor = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with disk_faults(self.target.parent), open(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        settings_dict["NAME"] = str(self.part)

    def check(self, connection: BaseDatabaseWrapper) -> None:
        with connection.cursor() as cursor:
            said = cursor.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            raise DamagedError(f"The restored database is damaged: {said}.")

    def finish(self, connection: BaseDatabaseWrapper, made: dict[str, Any]) -> None:
        """Everything into the one file, then its name."""
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        self.part.rename(self.target)
        sync_folder(self.target.parent)

    def sweep(self) -> None:
        for end in ("", "-wal", "-shm", "-journal"):
            self.part.with_name(self.part.name + end).unlink(missing_ok=True)


# --- PostgreSQL ---


def _tool(name: str, server: int) -> str:
    """The path of a program of PostgreSQL that knows the server's version; raises ``ToolError``."""
    path = shutil.which(name)
    if path is None:
        raise ToolError(f"{name} is not on PATH. Install PostgreSQL's client programs, version {server}.")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"\) (\d+)", said)
    if found is None or int(found.group(1)) < server:
        raise ToolError(
            f"{name} is of version {found.group(1) if found else 'unknown'}, the server of {server}. "
            f"Install PostgreSQL's client programs, version {server}."
        )
    return path


def _reach(connection: BaseDatabaseWrapper) -> tuple[list[str], dict[str, str]]:
    """Options and environment by which PostgreSQL's programs reach the database; the password in neither
    list nor log."""
    arguments, environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    # An environment of its own: English messages, and nothing of the installation's secrets.
    own = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **(environment or {})}
    # The last is the database's name, by position for psql.
    return [*arguments[1:-1], f"--dbname={arguments[-1]}"], own


def server_version(connection: BaseDatabaseWrapper) -> int:
    """The major version of the server."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


@contextmanager
def _postgresql_snapshot(connection: BaseDatabaseWrapper, folder: Path) -> Iterator[Snapshot]:
    # A connection of its own: the snapshot lives as long as its transaction.
    own = connection.copy()
    own.settings_dict = {**own.settings_dict, "CONN_MAX_AGE": 0}
    try:
        program = _tool("pg_dump", server_version(own))
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            name = cursor.fetchone()[0]
            cursor.execute("SELECT pg_database_size(current_database())")
            size = cursor.fetchone()[0]
        schema, tables, head = facts_of(own)
        arguments, environment = _reach(own)
        command = [
            program,
            "--format=custom",
            "--compress=0",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={name}",
            f"--exclude-table-data={INSTALLATION}",
            *arguments,
        ]
        with tempfile.TemporaryFile() as said:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, env=environment) as process:  # noqa: S603
                assert process.stdout is not None
                try:
                    yield Snapshot("postgresql", schema, tables, head, size, process.stdout)
                except BaseException:
                    process.kill()
                    raise
            _must_be_done(process, said, "pg_dump")
    finally:
        own.close()


def _must_be_done(process: "subprocess.Popen[bytes]", said: IO[bytes], name: str) -> None:
    if process.returncode != 0:
        said.seek(0)
        # The first line only: what follows may print rows.
        lines = said.read().decode(errors="replace").splitlines() or ["no reason given"]
        raise ToolError(f"{name} failed: {lines[0]}")


class PostgresPlace:
    """An empty database of PostgreSQL, which stays marked as unfinished until everything was proven."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def prepare(self) -> None:
        """Raises ``NotEmptyError`` unless there is no table, or only what an unfinished restore left."""
        with self.connection.cursor() as cursor:
            cursor.execute(_TABLES["postgresql"])
            names = {name for (name,) in cursor.fetchall()}
            if names and UNFINISHED not in names:
                raise NotEmptyError(
                    f"The database {self.connection.settings_dict['NAME']} has tables. "
                    "A restore goes into an empty one only."
                )
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if cursor.fetchone()[0]:
                raise NotEmptyError(
                    f"Others are connected to {self.connection.settings_dict['NAME']}. Stop them first."
                )
        self.sweep()
        with self.connection.cursor() as cursor:
            cursor.execute(f'CREATE TABLE "{UNFINISHED}" (since timestamptz DEFAULT now())')

    def fill(self, parts: Iterator[bytes], settings_dict: dict[str, Any]) -> None:
        program = _tool("pg_restore", server_version(self.connection))
        arguments, environment = _reach(self.connection)
        self.connection.close()
        command = [
            program,
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            *arguments,
        ]
        with tempfile.TemporaryFile() as said:
            with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said, env=environment) as process:  # noqa: S603
                assert process.stdin is not None
                try:
                    for part in parts:
                        process.stdin.write(part)
                    process.stdin.close()
                except BrokenPipeError:
                    pass  # it ended early; why, it said itself
                except BaseException:
                    process.kill()
                    raise
            _must_be_done(process, said, "pg_restore")

    def check(self, connection: BaseDatabaseWrapper) -> None:
        """pg_restore built every index and constraint anew: what contradicted them would have failed."""

    def finish(self, connection: BaseDatabaseWrapper, made: dict[str, Any]) -> None:
        """The mark goes in the transaction in which the database says what it is."""
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            Installation.objects.using(connection.alias).create(**made)
            cursor.execute(f'DROP TABLE "{UNFINISHED}"')

    def sweep(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
