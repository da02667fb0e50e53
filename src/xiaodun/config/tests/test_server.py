"""The one process: serves, works through the outbox, and stops cleanly."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from xiaodun.config import server

# A database without people, and one announcement that only the job threads can deliver.
SERVE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from xiaodun.config import server
from xiaodun.kit import clock, outbox
from xiaodun.kit.models import Installation, OutboxMessage
now = clock.now()
Installation.objects.create(id=1, kind="demo", made_at=now)
OutboxMessage.objects.create(topic="tests", subscriber="x", payload={}, announced_at=now, due_at=now)
outbox.subscribe("tests", "x", lambda payload, *, at: print("delivered", flush=True))
server.serve(host="127.0.0.1", port=0, on_ready=lambda port: print("port", port, flush=True))
print("stopped", flush=True)
"""


def test_one_process_serves_delivers_and_stops_at_a_signal(tmp_path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "xiaodun.config.settings.demo",
        "XIAODUN_DATA_DIR": str(tmp_path),
    }
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = [process.stdout.readline() for _line in range(2)]
            port = int(re.search(r"port (\d+)", "".join(lines)).group(1))
            assert "delivered\n" in lines
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("GET", "/healthz")
                answer = connection.getresponse()
                assert answer.status == 200
                assert json.load(answer)["database"] == "reachable"
                assert answer.getheader("Server") is None
            process.send_signal(signal.SIGTERM)
            assert process.stdout.read() == "stopped\n"
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_leaves_once_and_the_old_handlers_come_back(number):
    before = signal.getsignal(number)
    with pytest.raises(SystemExit), server.stopped_by_signals():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_taken_port_is_an_error_of_its_own():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(server.PortTakenError, match="is taken"):
            server.serve(host="127.0.0.1", port=taken.getsockname()[1], on_ready=lambda port: None)
