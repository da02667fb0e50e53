"""The console command: its help, its refusals and its exit codes."""

import io
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import transaction

from xiaodun.config import cli, console, env
from xiaodun.kit import audit, clock
from xiaodun.kit.models import AuditEntry, Receipt

COMMANDS = {
    "backup",
    "check",
    "demo",
    "detect",
    "doctor",
    "jobs",
    "keys",
    "migrate",
    "replay",
    "restore",
    "rotate",
    "serve",
    "verify",
}


@pytest.fixture
def _these_settings(monkeypatch):
    """The commands run on the settings of the test, not on those of a production."""
    monkeypatch.setattr(console, "set_up", lambda module: None)


def write(at):
    with transaction.atomic():
        return audit.record(by=None, action="config.try", obj=Receipt(pk=1), at=at)


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    parser = cli.build_parser()
    commands = next(action for action in parser._actions if action.dest == "command").choices
    assert set(commands) >= COMMANDS
    for name in commands:
        assert f"\n  {name} " in text


@pytest.mark.parametrize(
    "name", ["demo", "serve", "jobs", "migrate", "verify", "check", "keys", "backup", "restore"]
)
def test_every_command_describes_itself(name, capsys):
    with pytest.raises(SystemExit):
        cli.main([name, "--help"])
    assert f"usage: xiaodun {name}" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [[], ["no-such"], ["demo", "--port", "x"]])
def test_a_malformed_command_ends_with_2(argv, capsys):
    try:
        code = cli.main(argv)
    except SystemExit as left:
        code = left.code
    assert code == 2


def test_keys_are_lines_for_the_environment(capsys):
    assert cli.main(["keys"]) == 0
    lines = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert set(lines) == {
        "XIAODUN_SECRET_KEY",
        "XIAODUN_AUDIT_KEY",
        "XIAODUN_INDEX_KEY",
        "XIAODUN_MASTER_KEYS",
        "XIAODUN_BACKUP_RECIPIENTS",
    }
    assert env.parse_key_ring("x", lines["XIAODUN_MASTER_KEYS"])


def test_a_missing_setting_ends_with_2_and_names_itself():
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("XIAODUN_", "DJANGO_"))
    }
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from xiaodun.config.cli import main; sys.exit(main(['migrate']))",
        ],
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("xiaodun: XIAODUN_")


@pytest.mark.django_db
@pytest.mark.usefixtures("_these_settings")
def test_verify_ends_with_0_while_the_audit_is_whole_and_prints_its_head(capsys):
    write(clock.now())
    audit.seal(at=clock.now())
    write(clock.now())
    assert cli.main(["verify"]) == 0
    text = capsys.readouterr().out
    assert "2 audit rows, 1 seals" in text
    assert f"head {audit.verify().head}" in text
    assert cli.main(["verify", "--head", "0" * 64]) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("_these_settings")
def test_verify_ends_with_1_when_a_row_was_altered(capsys):
    entry = write(clock.now())
    audit.seal(at=clock.now())
    AuditEntry.objects.filter(pk=entry.pk).update(actor="user:9")
    assert cli.main(["verify"]) == 1
    text = capsys.readouterr().out
    assert f"altered rows: 1 ({entry.pk})" in text
    assert "NOT WHOLE" in text


@pytest.mark.django_db
@pytest.mark.usefixtures("_these_settings")
def test_verify_ends_with_1_when_nobody_seals(capsys):
    write(clock.now() - timedelta(hours=1))
    assert cli.main(["verify"]) == 1
    assert "do the jobs run?" in capsys.readouterr().out


def test_two_demonstrations_never_share_a_folder(tmp_path):
    with (
        cli._alone_in(tmp_path),
        pytest.raises(cli.CommandError, match="already runs"),
        cli._alone_in(tmp_path),
    ):
        pass
    with cli._alone_in(tmp_path):
        pass


def test_progress_is_one_line_per_tenth_where_there_is_no_terminal():
    stream = io.StringIO()
    with console.Progress("Making", stream) as progress:
        for step in range(100):
            progress(step / 100)
    assert stream.getvalue().splitlines() == [f"Making: {tenth * 10}%" for tenth in range(11)]
