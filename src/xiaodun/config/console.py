"""What the commands of the console share."""

import argparse
import os
import shutil
from pathlib import Path
from typing import TextIO

DEMO = "xiaodun.config.settings.demo"
PRODUCTION = "xiaodun.config.settings.production"


class CommandError(Exception):
    """The command cannot go on; the text says what to do."""


def settings_of_environment() -> str:
    return os.environ.get("DJANGO_SETTINGS_MODULE") or PRODUCTION


def set_up_for(arguments: argparse.Namespace) -> None:
    """Settings of ``--demo`` (with ``--data``) or of the environment."""
    if arguments.data:
        os.environ["XIAODUN_DATA_DIR"] = str(arguments.data)
    set_up(DEMO if arguments.demo or arguments.data else settings_of_environment())


def set_up(module: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    import django

    django.setup()


def refuse_unsafe() -> None:
    """Stop before anything is written if a system check finds an error (wrong database, weak durability)."""
    from django.core.management.base import BaseCommand, SystemCheckError

    try:
        BaseCommand().check(databases=["default"])
    except SystemCheckError as error:
        raise CommandError(str(error)) from None


class Progress:
    """A bar on a terminal, a line per tenth elsewhere. Called with the part done (0 to 1)."""

    def __init__(self, title: str, stream: TextIO) -> None:
        self.title, self.stream = title, stream
        self.is_terminal = stream.isatty()
        self.tenth = -1

    def __enter__(self) -> "Progress":
        self(0.0)
        return self

    def __call__(self, done: float) -> None:
        done = min(max(done, 0.0), 1.0)
        if self.is_terminal:
            width = min(40, shutil.get_terminal_size().columns - len(self.title) - 8)
            filled = "█" * round(done * width)
            self.stream.write(f"\r{self.title} {filled.ljust(width, '░')} {done:4.0%}")
        elif int(done * 10) > self.tenth:
            self.tenth = int(done * 10)
            self.stream.write(f"{self.title}: {done:.0%}\n")
        self.stream.flush()

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self(1.0)
        if self.is_terminal:
            self.stream.write("\n")


def add_demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--demo", action="store_true", help="of the demonstration instead of the environment's"
    )
    parser.add_argument(
        "--data", metavar="DIR", type=Path, help="folder of the demonstration; implies --demo"
    )
