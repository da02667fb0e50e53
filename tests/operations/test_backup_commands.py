"""``xiaodun backup`` and ``xiaodun restore`` as an administrator uses them, on both databases."""

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.operations.conftest import XIAODUN
from xiaodun.config.keys import new_identity, new_keys

pytestmark = pytest.mark.postgresql

NUMBERS = """
from xiaodun.people.models import Person
print(*Person.objects.order_by('number').values_list('number', flat=True))
"""
ERASE = """
from xiaodun.kit import clock
from xiaodun.people.models import Person
from xiaodun.people.services import erase_person
person = Person.objects.get(number='A1')
erase_person(by=None, person=person, reason='asked by the guardian', at=clock.now())
"""
SMALL_FILES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (6 * 1024**2,) * 2)
"""


def back_up(installation) -> Path:
    done = installation.run("backup")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[0])


def restore(installation, file, *, into, identity=None, files=None, **environment):
    arguments = ["--identity", str(identity or installation.identity), "--into", into]
    arguments += ["--files", str(files or installation.folder / "restored-files")]
    return installation.run("restore", str(file), *arguments, **environment)


def test_a_backup_comes_back_whole_and_who_was_erased_since_stays_erased(installation):
    (installation.folder / "data" / "files" / "roster.bin").write_bytes(b"uploaded" * 1_000)
    file = back_up(installation)
    assert file.stat().st_mode & 0o777 == 0o600
    installation.python(ERASE)
    files, into = installation.folder / "restored-files", installation.database()

    # Whatever cannot be proven goes nowhere.
    other = installation.folder / "other.txt"
    other.write_text(new_identity()[1])
    refused = restore(installation, file, into=into, identity=other)
    assert (refused.returncode, "does not open" in refused.stderr) == (2, True), refused.stderr
    refused = restore(installation, file, into=into, XIAODUN_AUDIT_KEY=new_keys().audit_key)
    assert (refused.returncode, "XIAODUN_AUDIT_KEY is not the key" in refused.stderr) == (2, True)
    cut = file.with_name("cut.backup.age")
    cut.write_bytes(file.read_bytes()[:-100])
    refused = restore(installation, cut, into=into)
    assert (refused.returncode, "was cut off or altered" in refused.stderr) == (1, True), refused.stderr
    refused = restore(installation, file, into=installation.environment["XIAODUN_DATABASE_URL"])
    assert (refused.returncode, "empty" in refused.stderr) == (2, True), refused.stderr
    assert not files.exists()

    done = restore(installation, file, into=into)
    assert done.returncode == 0, done.stderr
    assert re.search(r"Restored \d+ rows as of .*; \d+ audit rows are whole\.", done.stdout)
    assert "Erased again: 1." in done.stdout
    assert installation.python(NUMBERS, XIAODUN_DATABASE_URL=into) == "A2"
    assert (files / "roster.bin").read_bytes() == b"uploaded" * 1_000
    verified = installation.run("verify", XIAODUN_DATABASE_URL=into)
    assert verified.returncode == 0, verified.stdout


def test_a_backup_that_was_killed_leaves_no_file_of_that_name_and_the_next_run_sweeps(installation):
    folder = installation.folder / "data" / "backups"
    before = {path.name for path in folder.glob("xiaodun-*")}
    # Long enough to be met half-way.
    long = installation.folder / "data" / "files" / "long.bin"
    with long.open("wb") as stream:
        stream.truncate(8 * 1024**3)
    with subprocess.Popen(
        [*XIAODUN, "backup"], env=installation.environment, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and not any(
            path.stat().st_size > 0 for path in folder.glob(".*.age.part")
        ):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    long.unlink()
    assert list(folder.glob(".*.age.part"))
    assert {path.name for path in folder.glob("xiaodun-*")} == before
    file = back_up(installation)
    assert file.exists()
    assert not list(folder.glob(".*.part"))


def test_a_full_disk_is_said_and_leaves_no_file(installation):
    files = installation.folder / "data" / "files"
    with Path("/dev/urandom").open("rb") as random:
        (files / "photo.bin").write_bytes(random.read(8 * 1024**2))
    folder, target = installation.folder / "small", installation.folder / "restored-small"
    full = installation.run("backup", "--to", str(folder), before=SMALL_FILES)
    assert (full.returncode, "not enough space" in full.stderr) == (1, True), full.stderr
    assert [path.name for path in folder.iterdir()] == [".lock"]

    file, into = back_up(installation), installation.database()
    full = restore(installation, file, into=into, files=target, before=SMALL_FILES)
    assert (full.returncode, "not enough space" in full.stderr) == (1, True), full.stderr
    assert not target.exists()
    done = restore(installation, file, into=into, files=target)
    assert done.returncode == 0, done.stderr
