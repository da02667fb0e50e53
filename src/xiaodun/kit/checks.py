"""System checks: refuse a database that could lose an acknowledged write or was made for another use."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections

from xiaodun.kit.models import Installation

# PRAGMA synchronous: 2 is FULL, 3 is EXTRA.
_SYNCHRONOUS_FULL = 2


@register(Tags.database)
def sqlite_is_durable(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """WAL with ``synchronous=FULL``, foreign keys on and immediate transactions on every SQLite database."""
    return [message for alias in databases or () for message in _check_sqlite(alias)]


def _check_sqlite(alias: str) -> list[CheckMessage]:
    connection = connections[alias]
    if connection.vendor != "sqlite":
        return []
    found: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for pragma in ("journal_mode", "synchronous", "foreign_keys"):
            found[pragma] = cursor.execute(f"PRAGMA {pragma}").fetchone()[0]
    messages: list[CheckMessage] = []
    if found["synchronous"] < _SYNCHRONOUS_FULL:
        messages.append(
            Error(
                f"SQLite database {alias!r} may lose acknowledged writes at a power cut.",
                hint="Set PRAGMA synchronous=FULL in OPTIONS['init_command'].",
                id="xiaodun.E001",
            )
        )
    # A database in memory cannot be a WAL database; it survives nothing anyway (tests, replays).
    if found["journal_mode"] not in {"wal", "memory"}:
        messages.append(
            Error(
                f"SQLite database {alias!r} has journal mode {found['journal_mode']}: readers block writers.",
                hint="Set PRAGMA journal_mode=WAL; the file must lie on a local disk, no network share.",
                id="xiaodun.E002",
            )
        )
    if not found["foreign_keys"]:
        messages.append(
            Error(
                f"SQLite database {alias!r} does not enforce foreign keys.",
                hint="Set PRAGMA foreign_keys=ON in OPTIONS['init_command'].",
                id="xiaodun.E003",
            )
        )
    if connection.settings_dict["OPTIONS"].get("transaction_mode") != "IMMEDIATE":
        messages.append(
            Error(
                f"SQLite database {alias!r} may fail with 'database is locked' between reading and writing.",
                hint="Set OPTIONS['transaction_mode'] = 'IMMEDIATE'.",
                id="xiaodun.E004",
            )
        )
    return messages


@register(Tags.database)
def database_is_of_this_kind(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """A production start refuses a demonstration's database, and the other way round."""
    if DEFAULT_DB_ALIAS not in (databases or ()) or settings.MODE == "test":
        return []
    connection = connections[DEFAULT_DB_ALIAS]
    if Installation._meta.db_table not in connection.introspection.table_names():
        return []  # not made yet
    kind = Installation.objects.values_list("kind", flat=True).first()
    if kind in {None, settings.MODE}:
        return []
    return [
        Error(
            f"This is a {settings.MODE} start, but the database was made for {kind}.",
            hint="Point the settings to the right database. A demonstration never becomes a production.",
            id="xiaodun.E010",
        )
    ]
