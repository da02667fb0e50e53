"""`xiaodun serve` for real: pages and API over HTTP, and jobs that deliver what a check raised.

On SQLite with its queue in a file, in the PostgreSQL leg on a database of its own with the queue in it.
"""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.architecture.source import ROOT
from tests.factories import DAY
from xiaodun.config.keys import new_keys

HOST = "xiaodun.example.org"
CONSOLE = [sys.executable, "-c", "from xiaodun.config.cli import main; raise SystemExit(main())"]
# Two pupils of one class, as a school's own system knows them, and the token of that system.
SEED = """
import json
from datetime import timedelta
import django; django.setup()
from tests.factories import make_cast
from xiaodun.accounts.services import make_api_token
from xiaodun.kit import clock
cast = make_cast()
now = clock.now()
_token, secret = make_api_token(
    by=cast.officer, name="school system", unit=cast.school, scopes=["checks:write", "figures:read"],
    expires_at=now + timedelta(days=1), at=now,
)
print(json.dumps({"secret": secret, "group": cast.class_a.code, "pupils": [p.number for p in cast.pupils]}))
"""
# How long the jobs may take to deliver on a machine under load; they need about a second.
PATIENCE = 60


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """An empty database like the one of this leg, dropped afterwards."""
    url = os.environ.get("XIAODUN_TEST_DATABASE_URL", "")
    if not url:
        yield f"sqlite:///{tmp_path / 'district.sqlite3'}"
        return
    name = f"serve_{uuid4().hex[:12]}"
    base, _, query = url.partition("?")
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    """The settings of a production, and nothing of the suite's own."""
    keys = new_keys()
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("XIAODUN_")},
        "DJANGO_SETTINGS_MODULE": "xiaodun.config.settings.production",
        "PYTHONPATH": str(ROOT),
        "XIAODUN_DATA_DIR": str(tmp_path),
        "XIAODUN_DATABASE_URL": database_url,
        "XIAODUN_ALLOWED_HOSTS": HOST,
        "XIAODUN_SECRET_KEY": keys.secret_key,
        "XIAODUN_AUDIT_KEY": keys.audit_key,
        "XIAODUN_INDEX_KEY": keys.index_key,
        "XIAODUN_MASTER_KEYS": keys.master_keys,
    }


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen, int]]:
    with subprocess.Popen(
        [*CONSOLE, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            said = process.stdout.readline()
            yield process, int(re.search(r":(\d+),", said).group(1))
        finally:
            process.kill()


def ask(port: int, method: str, path: str, *, token: str = "", body: dict | None = None):
    """The answer to what a reverse proxy would pass on: status and text."""
    headers = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Content-Type": "application/json"} if body is not None else {}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def signals(port: int, token: str) -> list[dict]:
    status, text = ask(port, "GET", "/api/v1/signals", token=token)
    assert status == 200, text
    return json.loads(text)["items"]


@pytest.mark.postgresql
def test_a_served_district_delivers_a_check_to_its_signal_and_stops(environment):
    subprocess.run([*CONSOLE, "migrate"], env=environment, check=True, capture_output=True)
    seeded = subprocess.run(
        [sys.executable, "-c", SEED], env=environment, check=True, capture_output=True, text=True
    )
    school = json.loads(seeded.stdout.splitlines()[-1])
    with serving(environment) as (process, port):
        status, health = ask(port, "GET", "/healthz")
        assert (status, json.loads(health)["database"]) == (200, "reachable")
        status, page = ask(port, "GET", "/sign-in/")
        assert status == 200
        for asset in re.findall(r'(?:src|href)="(/static/[^"#]+)', page):
            assert ask(port, "GET", asset)[0] == 200, asset
        check = {
            "client_id": str(uuid4()),
            "group": school["group"],
            "day": DAY.isoformat(),
            "kind": "morning",
            "tapped_at": datetime.now(UTC).isoformat(),
            "clock_offset_ms": 0,
            "findings": [
                {"person": number, "status": "absent_ill", "symptoms": ["vomiting"]}
                for number in school["pupils"][:3]
            ],
        }
        status, text = ask(port, "POST", "/api/v1/checks", token=school["secret"], body={"checks": [check]})
        assert json.loads(text)["stored"] == 1, text
        until = time.monotonic() + PATIENCE
        while not (found := signals(port, school["secret"])) and time.monotonic() < until:
            time.sleep(0.2)
        assert [(each["state"], each["count"]) for each in found] == [("open", 3)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
