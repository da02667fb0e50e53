"""Commands of ``xiaodun`` for whoever keeps the system running."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from xiaodun.config.console import Progress, add_demo_options, refuse_unsafe, set_up_for

Run = Callable[[argparse.Namespace], int]


def backup(arguments: argparse.Namespace) -> int:
    set_up_for(arguments)
    from xiaodun.kit import clock
    from xiaodun.operations.backup.errors import BackupError
    from xiaodun.operations.backup.making import make_backup

    refuse_unsafe()
    try:
        with Progress("Backing up", sys.stderr) as progress:
            made = make_backup(to=arguments.to, progress=progress, at=clock.now())
    except BackupError as error:
        print(f"xiaodun: {error}", file=sys.stderr)
        return error.exit_code
    print(
        f"{made.file}\n{made.bytes} bytes, {made.manifest.rows} rows, audit head {made.manifest.head or '-'}"
    )
    print(f"SHA-256 {made.sha256}")
    for name in made.expired:
        print(f"expired and deleted: {name}")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    set_up_for(arguments)
    from django.conf import settings
    from django.db import connections

    from xiaodun.kit import clock, tombstones
    from xiaodun.operations.backup import keys, restoring
    from xiaodun.operations.backup.errors import BackupError
    from xiaodun.operations.services import replay_erasures

    if arguments.into:
        import dj_database_url

        into = dj_database_url.parse(arguments.into)
        default = connections["default"].settings_dict
        connections.databases["default"] = {**default, **into, "TEST": default["TEST"]}
        del connections["default"]
    listed = arguments.tombstones or arguments.file.parent / tombstones.FILE
    replayed: list[int] = []
    try:
        identities = keys.identities_in(arguments.identity)
        restored = restoring.restore(
            arguments.file,
            identities,
            alias="default",
            files_into=arguments.files or settings.FILES_DIR,
            replay=lambda made: replayed.append(replay_erasures(made=made, listed=listed, at=clock.now())),
        )
    except (BackupError, tombstones.ForgedError) as error:
        print(f"xiaodun: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    made = restored.manifest
    print(f"Restored {restored.rows} rows as of {made.made_at}; {restored.audit_rows} audit rows are whole.")
    if not listed.is_file():
        print(f"No list of erasures at {listed}: nobody was erased again.")
    print(f"Erased again: {replayed[0]}. Now run `xiaodun migrate`, then `xiaodun serve`.")
    return 0


def rotate(arguments: argparse.Namespace) -> int:
    set_up_for(arguments)
    from xiaodun.kit import clock
    from xiaodun.kit.crypto import UnreadableError
    from xiaodun.operations.services import rotate_keys

    refuse_unsafe()
    try:
        with Progress("Encrypting anew", sys.stderr) as progress:
            run = rotate_keys(progress=progress, at=clock.now())
    except UnreadableError as error:
        print(f"xiaodun: {error}", file=sys.stderr)
        return 1
    print(
        f"{run.facts['renewed']} values are under key {run.facts['key']} now; older backups need the older."
    )
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    set_up_for(arguments)
    from django.utils import translation

    from xiaodun.kit import clock
    from xiaodun.operations.doctor import examine, worst

    language = arguments.lang or ("zh" if os.environ.get("LANG", "").startswith("zh") else "en")
    with translation.override("zh-hans" if language == "zh" else "en"):
        results = examine(clock.now())
        if arguments.json:
            content = {"state": worst(results), "checks": [each.as_json() for each in results]}
            print(json.dumps(content, ensure_ascii=False, indent=1))
        else:
            for each in sorted(results, key=lambda result: ["now", "due", "done", "na"].index(result.state)):
                since = f" ({each.since:%Y-%m-%d %H:%M} UTC)" if each.since else ""
                print(f"{_SIGNS[each.state]} {each.title}: {each.said}{since}")
                if each.remedy:
                    print(f"    -> {each.remedy}")
    return 1 if worst(results) == "now" else 0


_SIGNS = {"now": "!!", "due": " !", "done": "ok", "na": " -"}


def add_commands(add: Callable[[Run, str], argparse.ArgumentParser]) -> None:
    """Their options, for the parser of ``xiaodun``."""
    each = add(
        backup,
        "Writes database, uploaded files and settings (never the keys) into one file encrypted to "
        "XIAODUN_BACKUP_RECIPIENTS, while the server runs. The file appears when it is whole; "
        "old ones are deleted after XIAODUN_BACKUP_DAYS.",
    )
    each.add_argument("--to", metavar="DIR", type=Path, help="folder instead of XIAODUN_BACKUP_DIR")
    add_demo_options(each)
    each = add(
        restore,
        "Restores a backup into an empty place: sums, rows and audit are proven before the database opens, "
        "and whoever was erased after the backup is erased again. Whatever fails leaves nothing behind; run "
        "it again. Exit code 2: wrong key, or the place is not empty; 1: the file or the disk.",
    )
    each.add_argument("file", metavar="FILE", type=Path)
    each.add_argument(
        "--identity", metavar="FILE", type=Path, required=True, help="the secret half of the key"
    )
    each.add_argument("--into", metavar="URL", help="database instead of XIAODUN_DATABASE_URL")
    each.add_argument("--files", metavar="DIR", type=Path, help="empty folder for uploads")
    each.add_argument(
        "--tombstones", metavar="FILE", type=Path, help="list of erasures (default: beside the backup)"
    )
    add_demo_options(each)
    each = add(
        doctor,
        "Looks at database, queue, audit, backups, disk, certificate, clock, calendar, keys, files and "
        "settings, and says what to do. Changes nothing. Exit code 1 if something must be done now.",
    )
    each.add_argument("--json", action="store_true", help="for a monitor")
    each.add_argument("--lang", choices=["zh", "en"], help="language of the text (default: LANG)")
    add_demo_options(each)
    each = add(
        rotate,
        "Encrypts every encrypted column and every person's key anew under the newest of "
        "XIAODUN_MASTER_KEYS, while the server runs. Can be cut off and run again. Older keys open "
        "older backups: keep them.",
    )
    add_demo_options(each)
