"""Finds the heading of a list: title rows above it, columns in any order, two rows with merged groups.

The words are data (``data/headings.yaml``).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from xiaodun.people.imports.reading import Cell, Sheet, cell_name, filled

# A heading stands among the first rows; below them only data are.
_SEARCHED = 20
_ORDINALS = {"一": "1", "二": "2", "①": "1", "②": "2"}
GUARDIANS = 2


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a sheet keeps what: columns by field (``guardian1_name``); data begin at ``first_row``.

    twice: fields that stand in two columns, with the cells. unread: headings that the system has no use for.
    """

    first_row: int
    columns: Mapping[str, int]
    twice: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


@cache
def vocabulary() -> Mapping[str, Any]:
    """The words of ``data/headings.yaml``."""
    text = (files("xiaodun.people.imports") / "data" / "headings.yaml").read_text(encoding="utf-8")
    content: Mapping[str, Any] = yaml.safe_load(text)
    return content


def plain(value: Cell) -> str:
    """A word as it is compared: half-width, without blanks, invisible characters, marks and remarks."""
    return _plain(str(value))


# Lists repeat their words: classes, relations, kinds of document.
@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    text = "".join(each for each in text if unicodedata.category(each)[0] not in "CZ")
    text = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", text) or text
    return re.sub(r"[*★☆:/、,。()\-·_#]", "", text)


def find_heading(sheet: Sheet, kind: str, required: tuple[str, ...]) -> Heading | None:
    """The heading of ``sheet`` for a list of ``kind``; none if no row looks like one.

    The row, or pair of rows, that names most fields wins; at equal numbers the one with all ``required``
    ones, then the upper and simpler one.
    """
    rows = [list(row) for row in sheet.rows[: _SEARCHED + 1]]
    for row, column, value in filled(sheet):
        if row < len(rows):
            rows[row] += [""] * (column + 1 - len(rows[row]))
            rows[row][column] = value
    best: tuple[tuple[int, int, int, int], Heading] | None = None
    for first in range(min(len(rows), _SEARCHED)):
        for depth in (1, 2):
            if first + depth > len(rows):
                continue
            heading = _heading(rows[first : first + depth], first, kind)
            known = len(heading.columns)
            if known < 2:
                continue
            complete = all(name in heading.columns for name in required)
            rank = (known, complete, -first, -depth)
            if best is None or rank > best[0]:
                best = (rank, heading)
    return best[1] if best else None


def _heading(rows: list[list[Cell]], first: int, kind: str) -> Heading:
    names = _names(kind)
    width = max(len(row) for row in rows)
    columns: dict[str, int] = {}
    twice: dict[str, tuple[str, str]] = {}
    unread: list[str] = []
    last = first + len(rows) - 1
    for column in range(width):
        words = [plain(row[column]) if column < len(row) else "" for row in rows]
        name = _recognised(words, names, kind)
        if name is None:
            if words[-1]:
                unread.append(words[-1])
            continue
        name = _of_guardian(name, columns)
        if name in columns:
            twice[name] = (cell_name(last, columns[name]), cell_name(last, column))
        else:
            columns[name] = column
    return Heading(last + 1, columns, twice, tuple(dict.fromkeys(unread)))


def _recognised(words: list[str], names: Mapping[str, str], kind: str) -> str | None:
    upper, lower = (words[0], words[-1]) if len(words) == 2 else ("", words[0])
    if upper and upper != lower:
        # "监护人一" above "姓名" is not the pupil's name.
        joined = _field_of(upper + lower, names)
        if joined is not None or (kind == "pupils" and _is_guardian(upper)):
            return joined
        return _field_of(lower, names) or (None if lower else _field_of(upper, names))
    return _field_of(lower, names)


def _field_of(word: str, names: Mapping[str, str]) -> str | None:
    for written, number in _ORDINALS.items():
        word = word.replace(written, number)
    return names.get(word.upper())


def _is_guardian(word: str) -> bool:
    block = vocabulary()["guardians"]
    return any(who in word for who in [*block["who"], *block["relation_in_heading"]])


def _of_guardian(name: str, columns: Mapping[str, int]) -> str:
    """Whose a column of the family block is: of the second guardian where the first has one already.

    A phone to the right of a guardian is that guardian's, not the family's.
    """
    if name.startswith("guardian1_") and name in columns:
        return name.replace("guardian1_", "guardian2_")
    if name == "contact_phone":
        for order in range(1, GUARDIANS + 1):
            if f"guardian{order}_name" in columns and f"guardian{order}_phone" not in columns:
                return f"guardian{order}_phone"
    return name


@cache
def _names(kind: str) -> Mapping[str, str]:
    names = {word.upper(): name for name, words in vocabulary()[kind].items() for word in words}
    if kind != "pupils":
        return names
    block = vocabulary()["guardians"]
    for number in ("", "1", "2"):
        order = number or "1"
        for who in block["who"]:
            for part in ("name", "relation", "phone"):
                for word in block[part]:
                    for written in (f"{who}{number}{word}", f"{who}{word}{number}"):
                        names.setdefault(written, f"guardian{order}_{part}")
    for who, relation in block["relation_in_heading"].items():
        for part in ("name", "phone"):
            for word in block[part]:
                names.setdefault(f"{who}{word}", f"{relation}_{part}")
    for part, words in block["bare"].items():
        for word in words:
            names.setdefault(word, f"guardian1_{part}")
    return names
