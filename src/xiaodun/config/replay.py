"""``xiaodun replay``: an old outbreak through the real services: which day did the rule fire, who was told.

Nothing is kept: the district of a replay lives in memory and ends with the process.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xiaodun.config.replay_files import (
    CALENDAR_COLUMNS,
    ENROLMENT_COLUMNS,
    LINE_LIST_COLUMNS,
    Fault,
    MalformedFileError,
    read_calendar,
    read_enrolment,
    read_line_list,
)
from xiaodun.config.replay_plan import NoCheckDayError
from xiaodun.config.replay_report import as_text
from xiaodun.config.replay_rules import rule_set_names

SETTINGS = "xiaodun.config.settings.replay"
# No medical number: it decides only for how long a pupil without end_date is entered as absent. Signals count
# onsets.
ILL_DAYS = 3

DESCRIPTION = f"""\
Replays a line list through the real services: a throw-away district in memory is made, each school day is
entered as the class teachers would, the clock runs, and what the rules said is printed: signals, windows, who
was told and when it climbed.

LINELIST is a CSV file in UTF-8 with the header
  {",".join(LINE_LIST_COLUMNS)}
in any order; person_id, class and onset_date are required. One row a person; a row without onset_date is a
healthy member of the class. Dates are YYYY-MM-DD. Several symptoms are separated by ";".
"""
EPILOG = """\
Exit code: 0 done, 1 the replay failed, 2 a file or option is malformed (file:line:column: what, remedy).
Example: xiaodun replay outbreak.csv --enrolment classes.csv --format text
"""


def main(argv: Sequence[str]) -> int:
    """Run the command with the arguments after ``xiaodun replay``; returns the exit code."""
    return _run(build_parser().parse_args(argv))


def build_parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="xiaodun replay",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("linelist", metavar="LINELIST", type=Path, help="the line list, CSV")
    parser.add_argument(
        "--enrolment",
        metavar="FILE",
        type=Path,
        help=f"CSV {','.join(ENROLMENT_COLUMNS)}: fills each class up with healthy members",
    )
    parser.add_argument(
        "--calendar",
        metavar="FILE",
        type=Path,
        help=f"CSV {','.join(CALENDAR_COLUMNS)} with kind school or off: days that differ from the State's "
        f"calendar and Monday to Friday",
    )
    parser.add_argument(
        "--rules",
        metavar="NAME",
        default="norm-2006",
        help=f"rule set: {', '.join(rule_set_names())} (%(default)s)",
    )
    parser.add_argument("--format", choices=["json", "text"], default="json", help="(%(default)s)")
    parser.add_argument(
        "--ill-days",
        metavar="DAYS",
        type=_positive,
        default=ILL_DAYS,
        help="calendar days of absence of a case without end_date, the day of onset included (%(default)s); "
        "it moves no signal",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of the invented names in the throw-away district (%(default)s)"
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 365:
        raise argparse.ArgumentTypeError("a whole number from 1 to 365")
    return number


def _run(options: argparse.Namespace) -> int:
    """Replay as ``options`` say: result on standard output, faults on standard error; the exit code."""
    if options.rules not in rule_set_names():
        known = ", ".join(rule_set_names())
        print(f"--rules: {options.rules!r} is unknown. Known are {known}.", file=sys.stderr)
        return 2
    if options.seed < 0:
        print("--seed: give a whole number from 0.", file=sys.stderr)
        return 2
    _set_up()
    # Only now: models can be imported after the set-up alone.
    from xiaodun.config.replay_run import ReplayFailedError, replay
    from xiaodun.config.replay_world import symptom_vocabulary

    try:
        members = read_line_list(options.linelist, vocabulary=symptom_vocabulary())
        sizes = read_enrolment(options.enrolment, members=members) if options.enrolment else {}
        named_days = read_calendar(options.calendar) if options.calendar else {}
    except MalformedFileError as error:
        print(error, file=sys.stderr)
        return 2
    if unlisted := sizes.keys() - {member.place for member in members}:
        print(
            f"{len(unlisted)} of {len(sizes)} classes of the enrolment file have nobody in the line list and "
            f"are replayed as healthy. Classes are matched by school, grade and class together.",
            file=sys.stderr,
        )
    _make_database()
    try:
        result = replay(
            members=members,
            sizes=sizes,
            named_days=named_days,
            rules=options.rules,
            ill_days=options.ill_days,
            seed=options.seed,
            progress=_show_progress if sys.stderr.isatty() else _show_nothing,
        )
    except NoCheckDayError as error:
        file = str(options.calendar or options.linelist)
        fault = Fault(file, 1, 1, f"The calendar has {error}.", "Name school days with --calendar.")
        print(fault, file=sys.stderr)
        return 2
    except ReplayFailedError as error:
        print(f"The replay failed: {error}", file=sys.stderr)
        return 1
    text = as_text(result) if options.format == "text" else as_json(result)
    # Bytes: the same whatever the terminal's encoding is.
    sys.stdout.buffer.write(text.encode())
    return 0


def as_json(result: dict[str, Any]) -> str:
    """The result with sorted keys, so that equal results are equal bytes."""
    return json.dumps(result, ensure_ascii=False, sort_keys=True, indent=2) + "\n"


def _set_up() -> None:
    """A replay never runs on the settings of the environment: they name a real database."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django
    from django.conf import settings

    django.setup()
    if settings.MODE != "replay":
        raise RuntimeError("A replay needs a process of its own.")


def _make_database() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def _show_progress(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\rday {done} of {total}", end=end, file=sys.stderr, flush=True)


def _show_nothing(done: int, total: int) -> None:
    """Output that is piped or kept stays clean."""
