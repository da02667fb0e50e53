"""Has a file read by a bounded process and says in words why it cannot be read."""

import json
import subprocess
import sys
from pathlib import PurePath
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from xiaodun.kit.errors import Refusal
from xiaodun.people.imports import worker
from xiaodun.people.imports.reading import Workbook

# On a busy machine the process may wait for its turn: the clock is wider than its own limit of work.
_WAIT_AT_MOST = 3 * worker.SECONDS_AT_MOST

_SAVE_AGAIN = _("Open it in Excel or WPS, save it as an Excel workbook (.xlsx) and upload that.")
_TEMPLATE = _("Copy the list into the template of this page and upload that.")

_WHY: dict[str, tuple[str | Promise, str | Promise]] = {
    "file-empty": (_("The file is empty."), _("Upload the file that holds the list.")),
    "file-too-large": (_("The file is too large."), _("Upload each school or grade as a file of its own.")),
    "file-with-macros": (_("The file holds macros. They are never run, and it is not read."), _SAVE_AGAIN),
    "ending-unknown": (_("Only .xlsx, .xls and .csv files are read."), _SAVE_AGAIN),
    "ending-wrong": (_("The file is not what its ending says."), _SAVE_AGAIN),
    "file-is-web-page": (_("The file is a web page under the name of an Excel file."), _SAVE_AGAIN),
    "file-has-password": (
        _("The file is locked with a password."),
        _("Save it without a password. It is kept encrypted here and deleted after 7 days."),
    ),
    "file-damaged": (_("The file is damaged or incomplete."), _SAVE_AGAIN),
    "file-declares-entities": (_("The file holds what no office program writes."), _TEMPLATE),
    "too-many-parts": (_("The file consists of too many parts."), _TEMPLATE),
    "unpacks-too-large": (_("Unpacked, the file is too large."), _TEMPLATE),
    "unpacks-too-much": (_("Unpacked, the file grows beyond measure."), _TEMPLATE),
    "too-many-sheets": (_("The file has too many sheets."), _TEMPLATE),
    "too-many-rows": (_("A sheet claims too many rows."), _TEMPLATE),
    "too-many-columns": (_("A sheet claims too many columns."), _TEMPLATE),
    "cell-too-long": (_("A cell holds more text than a list of people needs."), _TEMPLATE),
    "encoding-unknown": (_("The text of the file is in an unknown encoding."), _SAVE_AGAIN),
    "heading-missing": (
        _("No sheet has the columns that such a list needs."),
        _("Name the columns as in the template, in any order, in one row above the data."),
    ),
    "heading-twice": (
        _("Two columns have the same heading; which one is right cannot be known."),
        _("Delete one of them, or name it otherwise."),
    ),
    "list-empty": (_("Below the headings there is nobody."), _("Upload the file that holds the list.")),
    "file-gone": (_("The file was deleted after its time."), _("Upload it again.")),
    "right-gone": (
        _("Whoever handed this in may no longer do so."),
        _("Have somebody with the right for this school upload it again."),
    ),
    "file-too-heavy": (_("Reading the file takes too much memory or time."), _TEMPLATE),
}


_LABELS: dict[str, dict[str, str | Promise]] = {
    "heading-missing": {"missing": _("missing columns")},
    "heading-twice": {"cells": _("cells")},
}


def open_file(name: str, content: bytes) -> Workbook:
    """The sheets of the file.

    Raises:
        Refusal: one of the codes above, with what to do.
    """
    # Only the ending: a name of a file may be that of a person, and processes are listed for all to see.
    command = [sys.executable, "-I", "-m", worker.__name__, f"list{PurePath(name).suffix}"]
    try:
        # No environment: the keys of the installation have no business there.
        done = subprocess.run(  # noqa: S603 - our own module, the name is an argument and no shell reads it
            command, input=content, capture_output=True, timeout=_WAIT_AT_MOST, env={}, check=False
        )
        answer: dict[str, Any] = (
            json.loads(done.stdout) if done.returncode == 0 else {"unreadable": "file-too-heavy"}
        )
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        answer = {"unreadable": "file-too-heavy"}
    if "unreadable" in answer:
        raise why(answer["unreadable"], answer.get("facts", {}))
    return Workbook.from_json(answer)


def why(code: str, facts: dict[str, object]) -> Refusal:
    """The refusal of a file that is not read."""
    message, remedy = _WHY[code]
    return Refusal(code, message, status=422, facts=facts, lifts=remedy, labels=_LABELS.get(code, {}))
