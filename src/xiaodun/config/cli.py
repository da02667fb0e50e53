"""``xiaodun``: the console command behind everything.

Exit codes: 0 done; 1 the work failed or something is damaged; 2 a setting, option or file is wrong.
"""

import argparse
import fcntl
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from xiaodun import __version__
from xiaodun.config import cli_onboarding, cli_operations
from xiaodun.config.console import (
    DEMO,
    CommandError,
    Progress,
    add_demo_options,
    refuse_unsafe,
    set_up,
    set_up_for,
    settings_of_environment,
)
from xiaodun.config.env import SettingError
from xiaodun.config.keys import new_identity, new_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

# A tail of audit rows younger than this is the sealer's normal lag, not a fault.
SEALER_LAG = timedelta(minutes=5)

OVERVIEW = """\
Xiaodun 校盾: school infectious-disease control for a Chinese district.

Try it
  demo      make an invented district in a folder and serve it on this machine
  replay    put an old outbreak through the real services: when did which rule fire, who was told
  detect    run the outbreak detectors on series of counts
  simulate  write a term of an invented district, with the truth beside

Run a district (settings from the environment: docs/operations/settings.md)
  keys      print fresh keys for the environment
  migrate   make or upgrade the database; load calendar, rules, ladders and playbook
  district  the district, its first officer and administrator, with a slip for each
  structure  institutions, classes and posts from one list
  check     look for what is unsafe or unfinished in settings and database
  serve     web server, jobs and schedule in one process
  jobs      jobs and schedule alone, beside a web server of your own (WSGI: xiaodun.config.wsgi)
  verify    prove that the audit is whole
  backup    one encrypted file of database, uploads and settings, while the server runs
  doctor    what is wrong with the installation, and what to do about it
  rotate    encrypt everything anew under the newest master key
  restore   from such a file into an empty place, proven before it opens
"""

EXAMPLES = """\
examples
  xiaodun demo                                a district at http://localhost:8000/, kept in var/demo
  xiaodun demo --port 9000 --reset            the same from its first morning again
  xiaodun replay outbreak.csv --format text   what the rules would have said
  xiaodun keys > keys.env                     then: chmod 600 keys.env
  xiaodun migrate && xiaodun serve            a production start, behind a reverse proxy
  xiaodun serve --host 0.0.0.0 --port 443 --certificate chain.pem --key key.pem
                                              HTTPS without a proxy
  xiaodun verify --head 5f1c…                 the audit against a head kept elsewhere

`xiaodun COMMAND --help` says more about each.
"""


# --- the commands -----------------------------------------------------------------------------------------


def demo(arguments: argparse.Namespace) -> int:
    if arguments.data:
        os.environ["XIAODUN_DATA_DIR"] = str(arguments.data)
    set_up(DEMO)
    from django.conf import settings

    from xiaodun.config import prepare

    with _alone_in(settings.DATA_DIR):
        if arguments.reset:
            _remove_demo(settings.DATA_DIR)
        if not prepare.is_made():
            _build_demo(settings.DATA_DIR)
        prepare.make_tables()
        shown = _continue_clock()
        if arguments.no_serve:
            print(f"The demonstration is ready in {settings.DATA_DIR}.")
            return 0
        return _serve_demo(arguments.port, shown)


def _build_demo(folder: Path) -> None:
    from xiaodun.config import demo as builder
    from xiaodun.config import prepare

    # An interrupted build leaves a database without its Installation row: begin again.
    _remove_demo(folder)
    prepare.make_tables()
    with Progress("Making an invented district", sys.stderr) as progress:
        builder.build(progress=progress)
    if not prepare.is_made():
        raise CommandError("The district was not finished. Run `xiaodun demo --reset`.")


def _remove_demo(folder: Path) -> None:
    from django.db import connections

    connections.close_all()
    for name in ("district.sqlite3", "queue.sqlite3"):
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)


def _continue_clock() -> "datetime":
    """Let the fictional clock go on from where the demo last stopped; returns what it shows."""
    from xiaodun.kit import clock
    from xiaodun.kit.models import Installation

    row = Installation.objects.get()
    resumed = row.clock_seen or row.clock_start
    if resumed is not None:
        clock.shift(resumed - clock.now())
    return clock.now()


def _serve_demo(port: int, shown: "datetime") -> int:
    from xiaodun.config import server
    from xiaodun.kit.clock import SHANGHAI

    def say(actual: int) -> None:
        print(
            f"\n  Xiaodun demonstration: http://localhost:{actual}/\n"
            f"  Its clock: {shown.astimezone(SHANGHAI):%Y-%m-%d %H:%M} in China. All people are invented.\n"
            f"  Stop with Ctrl+C; begin again from the first morning with `xiaodun demo --reset`.\n",
            flush=True,
        )

    try:
        server.serve(host="127.0.0.1", port=port, on_ready=say)
    except server.PortTakenError:
        print(f"Port {port} is taken; looking for a free one.", file=sys.stderr)
        server.serve(host="127.0.0.1", port=0, on_ready=say)
    return 0


def serve(arguments: argparse.Namespace) -> int:
    set_up(settings_of_environment())
    from django.conf import settings

    from xiaodun.config import https, prepare, server

    refuse_unsafe()
    if not prepare.is_made() or not prepare.is_up_to_date():
        raise CommandError("The database is not made or is of an older version. Run `xiaodun migrate` first.")
    certificate = arguments.certificate or settings.CERTIFICATE
    key = arguments.key or settings.CERTIFICATE_KEY
    tls = https.context_of(Path(certificate), Path(key)) if certificate or key else None
    if tls is None:
        print(
            f"This server speaks plain HTTP. Browsers need HTTPS: give --certificate and --key, or put a "
            f"reverse proxy before it ({settings.TRUSTED_PROXY} is believed; docs/operations/tls.md).",
            file=sys.stderr,
        )

    def say(actual: int) -> None:
        print(
            f"Serving on {arguments.host}:{actual}, public names: {', '.join(settings.ALLOWED_HOSTS)}",
            flush=True,
        )

    server.serve(
        host=arguments.host,
        port=arguments.port,
        threads=arguments.threads,
        with_jobs=not arguments.no_jobs,
        trusted_proxy=settings.TRUSTED_PROXY,
        tls=tls,
        on_ready=say,
    )
    return 0


def jobs(arguments: argparse.Namespace) -> int:
    set_up(settings_of_environment())
    from xiaodun.config import server

    refuse_unsafe()
    print("Running jobs and schedule; stop with Ctrl+C.", flush=True)
    server.work()
    return 0


def migrate(arguments: argparse.Namespace) -> int:
    set_up(settings_of_environment())
    from django.conf import settings

    from xiaodun.config import prepare
    from xiaodun.kit import clock
    from xiaodun.kit.models import Installation

    refuse_unsafe()
    now = clock.now()
    prepare.make_tables()
    prepare.load_reference(at=now)
    prepare.mark(Installation.Kind(settings.MODE), at=now)
    if settings.STATIC_ROOT:
        prepare.collect_assets()
    print("The database is made and up to date.")
    return 0


def verify(arguments: argparse.Namespace) -> int:
    set_up_for(arguments)
    from xiaodun.kit import audit, clock

    report = audit.verify(known_head=arguments.head)
    print(f"{report.rows} audit rows, {report.seals} seals")
    for what, numbers in (
        ("altered rows", report.altered),
        ("missing rows", report.missing),
        ("broken seals", report.broken_seals),
        ("rows not sealed yet", report.unsealed),
    ):
        if numbers:
            listed = ", ".join(str(number) for number in numbers[:20]) + (" …" if len(numbers) > 20 else "")
            print(f"{what}: {len(numbers)} ({listed})")
    if not report.head_known:
        print(f"the head {arguments.head} does not occur: the end of the chain was cut off")
    stale = report.oldest_unsealed is not None and clock.now() - report.oldest_unsealed > SEALER_LAG
    if stale:
        print(f"the oldest unsealed row is of {report.oldest_unsealed:%Y-%m-%d %H:%M} UTC: do the jobs run?")
    print(f"head {report.head or '(no seal yet)'}")
    is_whole = report.ok and not stale
    print("The audit is whole. Keep the head on another machine." if is_whole else "THE AUDIT IS NOT WHOLE.")
    return 0 if is_whole else 1


def check(arguments: argparse.Namespace) -> int:
    set_up_for(arguments)
    from django.conf import settings
    from django.core.management import CommandError as Failed
    from django.core.management import call_command

    from xiaodun.config import prepare

    try:
        call_command(
            "check", deploy=settings.MODE == "production", databases=["default"], fail_level="WARNING"
        )
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    if not prepare.is_made() or not prepare.is_up_to_date():
        print("The database is not made or is of an older version. Run `xiaodun migrate`.", file=sys.stderr)
        return 1
    return 0


def keys(arguments: argparse.Namespace) -> int:
    made = new_keys()
    print(f"XIAODUN_SECRET_KEY={made.secret_key}")
    print(f"XIAODUN_AUDIT_KEY={made.audit_key}")
    print(f"XIAODUN_INDEX_KEY={made.index_key}")
    print(f"XIAODUN_MASTER_KEYS={made.master_keys}")
    public, identity = new_identity()
    print(f"XIAODUN_BACKUP_RECIPIENTS={public}")
    # Not among the lines for the environment: the server must not be able to read its own backups.
    print(
        f"Identity of the backups, needed to restore one. Keep it away from the server:\n{identity}\n"
        "Keep a copy of the other keys apart from the backups: neither is of use without the other.",
        file=sys.stderr,
    )
    return 0


# --- delegated commands: their modules own their options --------------------------------------------------


def _replay(argv: Sequence[str]) -> int:
    from xiaodun.config import replay

    return int(replay.main(argv) or 0)


def _detect(argv: Sequence[str]) -> int:
    from xiaodun.engine.detection import cli

    return int(cli.main(argv) or 0)


def _simulate(argv: Sequence[str]) -> int:
    from xiaodun.engine.simulation import cli

    return cli.main(argv)


DELEGATED: dict[str, Callable[[Sequence[str]], int]] = {
    "replay": _replay,
    "detect": _detect,
    "simulate": _simulate,
}


# --- parts ------------------------------------------------------------------------------------------------


@contextmanager
def _alone_in(folder: Path) -> "Iterator[None]":
    """Two demonstrations on one folder would run every job twice."""
    with (folder / "running").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"A demonstration already runs on {folder}. Stop it, or give this one a folder with --data."
            ) from None
        yield


# --- the command line -------------------------------------------------------------------------------------


def build_parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="xiaodun",
        usage="xiaodun COMMAND [options]",
        description=OVERVIEW,
        epilog=EXAMPLES,
        formatter_class=raw,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", help=argparse.SUPPRESS, prog="xiaodun"
    )

    def add(run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(run.__name__, description=text)
        command.set_defaults(run=run)
        return command

    each = add(
        demo,
        "Makes an invented district in a folder (once; later starts are quick) and serves it with its"
        " jobs from this process, to this machine only. The sign-in page offers one button per role. "
        "The fictional clock goes on where the last run stopped.",
    )
    each.add_argument("--port", type=int, default=8000, help="another is chosen if it is taken (%(default)s)")
    each.add_argument("--data", metavar="DIR", type=Path, help="folder of the district (var/demo)")
    each.add_argument("--reset", action="store_true", help="throw the district away and make it anew")
    each.add_argument("--no-serve", action="store_true", help="make the district only")

    each = add(
        serve,
        "Serves a district: web pages, API, jobs and schedule in one process. Refuses a "
        "demonstration's database, unsafe settings and a database of another version. SIGTERM and "
        "Ctrl+C let running work finish.",
    )
    each.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    each.add_argument("--port", type=int, default=8000, help="(%(default)s)")
    each.add_argument("--threads", type=int, default=8, help="requests served at a time (%(default)s)")
    each.add_argument("--certificate", metavar="FILE", help="speak HTTPS with this chain (PEM)")
    each.add_argument("--key", metavar="FILE", help="the certificate's key (PEM, mode 0600)")
    each.add_argument("--no-jobs", action="store_true", help="pages only; `xiaodun jobs` runs elsewhere")

    add(
        jobs,
        "Runs jobs and schedule without web pages. Exactly one process of an installation may do so: "
        "this one, or `xiaodun serve` without --no-jobs.",
    )
    add(
        migrate,
        "Makes the database or brings it to this version, loads the calendar, rules, ladders and "
        "playbook that the package carries (what an officer changed stays), and collects the assets. "
        "Can be repeated.",
    )
    each = add(
        verify,
        "Reads all audit rows and seals and reports altered, missing and unsealed rows and broken "
        "seals; changes nothing. Exit code 1 if anything is wrong.",
    )
    each.add_argument("--head", default="", help="a head printed earlier and kept on another machine")
    add_demo_options(each)
    each = add(
        check,
        "Checks settings and database: Django's deployment checks, durability of SQLite, kind and "
        "version of the database. Exit code 1 at the first warning.",
    )
    add_demo_options(each)
    add(keys, "Prints fresh keys as lines for an environment file.")
    cli_operations.add_commands(add)
    cli_onboarding.add_commands(add)
    for name in DELEGATED:
        commands.add_parser(name, add_help=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv and argv[0] in DELEGATED:
        return DELEGATED[argv[0]](argv[1:])
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        print(f"xiaodun {__version__}")
        return 0
    if arguments.command is None:
        parser.print_help()
        return 2
    try:
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)
    except SettingError as error:
        print(f"xiaodun: {error}", file=sys.stderr)
        return 2
    except CommandError as error:
        print(f"xiaodun: {error}", file=sys.stderr)
        return 1
