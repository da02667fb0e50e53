"""Making and upgrading a database: tables, reference data, and the row that says what it is."""

from datetime import datetime
from importlib.resources import files

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from huey.contrib.djhuey import HUEY

from xiaodun.duties.services import load_playbook
from xiaodun.kit import clock
from xiaodun.kit.models import Installation
from xiaodun.ladders.services import load_ladders
from xiaodun.organisations.services import load_state_calendar
from xiaodun.surveillance.services import load_rules


def make_tables() -> None:
    """Bring the database to this version's schema; the queue's own tables as well, where it has some."""
    call_command("migrate", verbosity=0, interactive=False)
    if hasattr(HUEY.storage, "initialize_schema"):
        HUEY.storage.initialize_schema()


def load_reference(*, at: datetime) -> None:
    """Load what the package carries: the State's calendar around ``at``, rules, ladders and the playbook.

    Repeated, it adds what is new; dated rows that are there stay as they are.
    """
    year = clock.local_day(at).year
    load_state_calendar(by=None, years=range(year - 1, year + 2), at=at)
    load_ladders(files("xiaodun.ladders") / "data" / "ladders.yaml", at=at)
    load_playbook(files("xiaodun.duties") / "data" / "playbook.yaml", at=at)
    for file in sorted((files("xiaodun.surveillance") / "data").iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml"):
            load_rules(file, at=at)


def mark(kind: Installation.Kind, *, at: datetime, clock_start: datetime | None = None) -> None:
    """Say once what this database is; ``clock_start``: what a demonstration's fictional clock shows first."""
    Installation.objects.get_or_create(
        id=1, defaults={"kind": kind, "made_at": at, "clock_start": clock_start}
    )


def collect_assets() -> None:
    """Copy and compress the assets for the web server (production)."""
    call_command("collectstatic", verbosity=0, interactive=False)


def is_made() -> bool:
    """Whether the database was made to its end: its ``Installation`` row is written last."""
    tables = connections[DEFAULT_DB_ALIAS].introspection.table_names()
    return Installation._meta.db_table in tables and Installation.objects.exists()


def is_up_to_date() -> bool:
    """Whether no migration waits."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
