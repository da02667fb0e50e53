"""Sixteen clients stream checks at a server that is killed at random moments.

Each client keeps sending the same check, under the same client id, until it is acknowledged, as a device with
a queue does. What is acknowledged goes to a file that is synced before the next check is sent: it is the
clients' truth, apart from the server's database.
"""

import contextlib
import http.client
import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from tests.durability.records import Records
from tests.durability.world import AT_HOUR, LAST_CHECKED, MORNING
from xiaodun.config.keys import new_keys
from xiaodun.kit.clock import local_moment

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = 16
# How many days of each class are checked; on the first of them three are ill, so that a rule holds once.
DAYS = 70
CLUSTER_EVERY = 8
# Between two checks of a client: what a server is asked to survive is a kill, not a flood.
PAUSE_SECONDS = 0.4
# What the promise allows between a restart and the last signal.
PROMISED_SECONDS = 60
# After so many kills a start is left alone until everything acknowledged has its signal.
SETTLE_EVERY = 5


@dataclass(frozen=True)
class Check:
    """One check as its sender made it."""

    client_id: UUID
    group: str
    day: str
    ill: tuple[str, ...]

    def body(self, tapped_at: str) -> bytes:
        check = {
            "client_id": str(self.client_id),
            "group": self.group,
            "day": self.day,
            "kind": "morning",
            "tapped_at": tapped_at,
            "clock_offset_ms": 0,
            "findings": [
                {"person": number, "status": "absent_ill", "symptoms": ["vomiting"]} for number in self.ill
            ],
        }
        return json.dumps({"checks": [check]}).encode()


@dataclass
class Report:
    """What became of a stream."""

    kills: int = 0
    acknowledged: int = 0
    # Checks that were acknowledged as a repeat: stored before a kill that swallowed the answer.
    repeated: int = 0
    clusters: int = 0
    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    # From each watched restart to the last missing signal.
    settled_in: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {CLIENTS} clients, {self.acknowledged} checks acknowledged "
            f"({self.repeated} as repeats), lost={len(self.lost)}, duplicates={len(self.duplicates)}; "
            f"{self.clusters} clusters, untold={len(self.untold)}, "
            f"slowest {max(self.settled_in, default=0):.1f} s after a restart"
        )


class Stream:
    """One run of kills over one new database at ``url``, in ``folder``."""

    def __init__(self, folder: Path, url: str, *, seed: int, classes: int, port: int) -> None:
        self.folder, self.records, self.port = folder, Records(url), port
        self.rng = random.Random(seed)
        self.report = Report()
        self.environment = _environment(folder, url)
        self.offset = local_moment(MORNING, AT_HOUR) - datetime.now(UTC)
        world = json.loads(self._run("tests.durability.world", str(classes)))
        self.secret = world["secret"]
        self.waiting: queue.SimpleQueue[Check] = queue.SimpleQueue()
        for check in self._checks(world["classes"]):
            self.waiting.put(check)
        self.stopped = threading.Event()
        self.flowing = threading.Event()
        self.flowing.set()
        self.acknowledged: dict[UUID, tuple[Check, int]] = {}
        self.file = (folder / "acknowledged").open("a", encoding="utf-8")
        self.lock = threading.Lock()

    def _run(self, module: str, *arguments: str) -> str:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def _checks(self, classes: dict[str, list[str]]) -> list[Check]:
        """The checks in random order; as long as there are some, every so many find a cluster."""
        days = [(LAST_CHECKED - timedelta(days=back)).isoformat() for back in range(DAYS)]
        clusters = [Check(uuid4(), code, days[-1], tuple(ill)) for code, ill in classes.items()]
        healthy = [Check(uuid4(), code, day, ()) for code in classes for day in days[:-1]]
        self.rng.shuffle(healthy)
        for number, cluster in enumerate(clusters):
            healthy.insert(number * CLUSTER_EVERY, cluster)
        return healthy

    # --- the clients --------------------------------------------------------------------------------------

    def _client(self) -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            while not self.stopped.is_set():
                try:
                    check = self.waiting.get_nowait()
                except queue.Empty:
                    return
                self._send_until_acknowledged(connection, check)
                time.sleep(PAUSE_SECONDS)
                self.flowing.wait()

    def _send_until_acknowledged(self, connection: http.client.HTTPConnection, check: Check) -> None:
        body = check.body((datetime.now(UTC) + self.offset).isoformat())
        while not self.stopped.is_set():
            try:
                answer = self._send(connection, body)
            except (OSError, http.client.HTTPException):
                # The server is gone; whether the check was stored nobody knows. Closed, it connects anew.
                connection.close()
                answer = None
            if answer is not None:
                self._note(check, answer)
                return
            time.sleep(0.02)

    def _send(self, connection: http.client.HTTPConnection, body: bytes) -> dict | None:
        """The result; none when the server could not say (busy, starting): the check stays unacknowledged."""
        headers = {
            "Authorization": f"Bearer {self.secret}",
            "Content-Type": "application/json",
            "Host": "localhost",
            "X-Forwarded-Proto": "https",
        }
        connection.request("POST", "/api/v1/checks", body, headers)
        response = connection.getresponse()
        content = response.read()
        if response.status >= 500:
            return None
        if response.status != 200:
            return {"outcome": f"status {response.status}", "problem": content.decode()[:300]}
        return json.loads(content)["results"][0]

    def _note(self, check: Check, answer: dict) -> None:
        with self.lock:
            if answer["outcome"] not in {"stored", "repeated"}:
                self.report.refused.append(f"{check.group} {check.day}: {answer}")
                return
            self.file.write(f"{check.client_id} {answer['session']}\n")
            self.file.flush()
            os.fsync(self.file.fileno())
            self.acknowledged[check.client_id] = (check, answer["session"])
            self.report.repeated += answer["outcome"] == "repeated"

    # --- the kills ----------------------------------------------------------------------------------------

    def run(self, kills: int, *, longest: float) -> Report:
        """Kill the server ``kills`` times, each at most ``longest`` seconds after its start, and compare."""
        command = [sys.executable, "-m", "tests.durability.server", str(self.port)]
        command.append(str(self.offset.total_seconds()))
        clients = [threading.Thread(target=self._client) for _number in range(CLIENTS)]
        with (
            (self.folder / "output").open("w", encoding="utf-8") as log,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as starter,
        ):
            try:
                server = self._start(starter)
                for client in clients:
                    client.start()
                for number in range(1, kills + 1):
                    time.sleep(self.rng.uniform(0.05, longest))
                    os.kill(server, signal.SIGKILL)
                    _expect(starter, "ended")
                    self.report.kills = number
                    server = self._start(starter)
                    if number % SETTLE_EVERY == 0 or number == kills:
                        self._settle()
                self.stopped.set()
                for client in clients:
                    client.join()
                self._settle()
                os.kill(server, signal.SIGTERM)
                _expect(starter, "ended")
            finally:
                self.stopped.set()
                starter.kill()
        self.file.close()
        self._compare()
        return self.report

    def _start(self, starter: subprocess.Popen) -> int:
        assert starter.stdin is not None
        starter.stdin.write("start\n")
        starter.stdin.flush()
        return int(_expect(starter, "ready").split()[1])

    def _settle(self) -> None:
        """Hold the stream until every cluster acknowledged so far is told of, at most as long as promised."""
        self.flowing.clear()
        try:
            self._wait_for_signals()
        finally:
            self.flowing.set()

    def _wait_for_signals(self) -> None:
        began = time.monotonic()
        with self.lock:
            clusters = [check.group for check, _session in self.acknowledged.values() if check.ill]
        while missing := self._untold(clusters):
            if time.monotonic() - began > PROMISED_SECONDS:
                self.report.untold += missing
                return
            time.sleep(0.2)
        self.report.settled_in.append(time.monotonic() - began)

    def _untold(self, clusters: list[str]) -> list[str]:
        told = self.records.told()
        return [group for group in clusters if not any(told.get(group, []))]

    # --- the comparison -----------------------------------------------------------------------------------

    def _compare(self) -> None:
        report, sessions, receipts = self.report, self.records.sessions(), self.records.receipts()
        # The file is the truth of the clients, whatever this process remembers.
        lines = (self.folder / "acknowledged").read_text(encoding="utf-8").splitlines()
        noted = {UUID(client_id): int(session) for client_id, session in (line.split() for line in lines)}
        assert noted == {client_id: session for client_id, (_check, session) in self.acknowledged.items()}
        report.acknowledged = len(noted)
        for client_id, session in noted.items():
            check = self.acknowledged[client_id][0]
            if sessions.get(session) != (check.group, check.day, len(check.ill)):
                report.lost.append(f"{check.group} {check.day}: {sessions.get(session)}")
            if receipts.get(client_id.hex, 0) != 1:
                report.duplicates.append(f"{client_id}: {receipts.get(client_id.hex, 0)} receipts")
        days = Counter((group, day) for group, day, _found in sessions.values())
        report.duplicates += [f"{each} checked {count} times" for each, count in days.items() if count > 1]
        clusters = {check.group for check, _session in self.acknowledged.values() if check.ill}
        report.clusters = len(clusters)
        told = self.records.told()
        for group in clusters:
            # One signal, and the doctor told of it once: no other holder of a first step exists here.
            if told.get(group, []) != [1]:
                report.duplicates.append(f"{group}: messages by signal {told.get(group, [])}")
        if doubled := self.records.doubled_files():
            report.duplicates.append(f"{doubled} persons with two files of one onset")


def _environment(folder: Path, url: str) -> dict[str, str]:
    keys = new_keys()
    (folder / "static").mkdir()
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "xiaodun.config.settings.production",
        "XIAODUN_DATA_DIR": str(folder),
        "XIAODUN_DATABASE_URL": url,
        "XIAODUN_ALLOWED_HOSTS": "localhost",
        "XIAODUN_SECRET_KEY": keys.secret_key,
        "XIAODUN_AUDIT_KEY": keys.audit_key,
        "XIAODUN_INDEX_KEY": keys.index_key,
        "XIAODUN_MASTER_KEYS": keys.master_keys,
    }


def _expect(starter: subprocess.Popen, word: str) -> str:
    assert starter.stdout is not None
    line = starter.stdout.readline()
    if not line.startswith(word):
        raise RuntimeError(f"The server said {line!r} instead of {word!r}; its log stands beside its data.")
    return line
