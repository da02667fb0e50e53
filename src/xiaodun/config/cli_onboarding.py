"""The commands with which a district begins; their work stands in ``config.onboarding``."""

import argparse
from collections.abc import Callable

from xiaodun.config.console import refuse_unsafe, set_up, settings_of_environment

Add = Callable[[Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def district(arguments: argparse.Namespace) -> int:
    set_up(settings_of_environment())
    from xiaodun.config import onboarding

    refuse_unsafe()
    return onboarding.district(arguments)


def structure(arguments: argparse.Namespace) -> int:
    set_up(settings_of_environment())
    from xiaodun.config import onboarding

    refuse_unsafe()
    return onboarding.structure(arguments)


def add_commands(add: Add) -> None:
    """Put the commands into the parser."""
    each = add(
        district,
        "Makes the district in a database that `xiaodun migrate` made, with its drill area, its first "
        "officer and its system administrator, and prints a slip for each: a code that becomes a password "
        "once.",
    )
    each.add_argument("--code", required=True, help="official code, such as 410106")
    each.add_argument("--name", required=True, help="name, as it stands on every page")
    each.add_argument("--name-en", default="", help="English name")
    each.add_argument("--officer", nargs=2, metavar=("NUMBER", "NAME"), required=True, help="first officer")
    each.add_argument(
        "--administrator", nargs=2, metavar=("NUMBER", "NAME"), required=True, help="system administrator"
    )
    each = add(
        structure,
        "Takes a CSV list of institutions, grades, classes, their teachers and other posts, whole or not at "
        "all; names every faulty line. Taken twice it changes nothing (docs/operations/onboarding.md).",
    )
    each.add_argument("file", help="the list")
    each.add_argument("--district", required=True, help="code of the district")
    each.add_argument("--by", required=True, metavar="NUMBER", help="user name of the officer")
