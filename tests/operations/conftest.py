"""A production installation in a folder of its own, driven by the console as an administrator drives it."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from xiaodun.config.keys import new_identity, new_keys

MAIN = "import sys; from xiaodun.config.cli import main; sys.exit(main())"
XIAODUN = [sys.executable, "-c", MAIN]


@dataclass
class Installation:
    """``database()``: an empty place of the leg's own kind. ``run``: ``xiaodun`` in its environment."""

    folder: Path
    server: str
    identity: Path
    environment: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    def database(self) -> str:
        name = f"xd_{secrets.token_hex(6)}"
        if not self.server:
            return f"sqlite:///{self.folder / name}.sqlite3"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        self.made.append(name)
        return urlunsplit(urlsplit(self.server)._replace(path=f"/{name}"))

    def run(self, *arguments: str, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", f"{before}\n{MAIN}", *arguments],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def python(self, code: str, **environment: str) -> str:
        """What ``code`` prints inside of the installation."""
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def drop(self) -> None:
        if self.made:
            with psycopg.connect(self.server, autocommit=True) as connection:
                for name in self.made:
                    connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Migrated, with two pupils and a sealed audit."""
    tmp_path = tmp_path_factory.mktemp("installation")
    keys = new_keys()
    public, identity = new_identity()
    (tmp_path / "identity.txt").write_text(f"# public key: {public}\n{identity}\n", encoding="utf-8")
    (tmp_path / "data").mkdir(mode=0o700)
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("XIAODUN_", "DJANGO_"))
    }
    # Databases are made from the one that every server has.
    url = os.environ.get("XIAODUN_TEST_DATABASE_URL", "")
    server = urlunsplit(urlsplit(url)._replace(path="/postgres")) if url else ""
    made = Installation(tmp_path, server, tmp_path / "identity.txt")
    made.environment = clean | {
        "DJANGO_SETTINGS_MODULE": "xiaodun.config.settings.production",
        "XIAODUN_DATA_DIR": str(tmp_path / "data"),
        "XIAODUN_DATABASE_URL": made.database(),
        "XIAODUN_ALLOWED_HOSTS": "xd.example.org,localhost",
        "XIAODUN_SECRET_KEY": keys.secret_key,
        "XIAODUN_AUDIT_KEY": keys.audit_key,
        "XIAODUN_INDEX_KEY": keys.index_key,
        "XIAODUN_MASTER_KEYS": keys.master_keys,
        "XIAODUN_BACKUP_RECIPIENTS": public,
    }
    try:
        assert made.run("migrate").returncode == 0
        made.python(
            "from xiaodun.kit import audit, clock\n"
            "from xiaodun.people.services import register_person\n"
            "for number in ('A1', 'A2'):\n"
            "    register_person(by=None, kind='pupil', number=number, name='王小明', at=clock.now())\n"
            "audit.seal(at=clock.now())"
        )
        (tmp_path / "data" / "files").mkdir(mode=0o700)
        yield made
    finally:
        made.drop()
