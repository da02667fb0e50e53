"""A server killed at random moments: what it acknowledged is there, once, and is told of."""

import socket
from pathlib import Path

import pytest

from tests.durability.databases import new_database
from tests.durability.stream import Stream


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def run(folder: Path, capsys: pytest.CaptureFixture[str], *, kills: int, seed: int, longest: float) -> None:
    with new_database(folder) as url:
        stream = Stream(folder, url, seed=seed, classes=max(20, 3 * kills), port=free_port())
        report = stream.run(kills, longest=longest)
    with capsys.disabled():
        print(f"\nkill -9 on {url.partition(':')[0]}: {report}")
    assert not report.lost
    assert not report.duplicates
    assert not report.untold
    assert not report.refused
    assert report.acknowledged
    assert report.clusters


@pytest.mark.postgresql
def test_what_was_acknowledged_before_a_kill_is_there_once_and_told_of_after_the_restart(tmp_path, capsys):
    run(tmp_path, capsys, kills=3, seed=1, longest=1.5)
