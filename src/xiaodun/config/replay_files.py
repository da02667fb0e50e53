"""Reads the files of a replay: line list, enrolment, calendar. Every fault is named with line, column and
remedy.

A line list is a CSV file in UTF-8 (a byte order mark is accepted), one row a person. ``docs/replay.md``
describes the three formats. The column of a fault is the number of the table's column, as a spreadsheet
counts it.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

LINE_LIST_COLUMNS = (
    "person_id",
    "school",
    "grade",
    "class",
    "onset_date",
    "end_date",
    "symptoms",
    "diagnosis",
)
ENROLMENT_COLUMNS = ("school", "grade", "class", "size")
CALENDAR_COLUMNS = ("date", "kind")

# Faults printed of one run; the rest is counted.
MOST_FAULTS = 20
# Not a medical number: a longer file is a slip of the finger in a year.
LONGEST_SPAN = timedelta(days=1100)
# As many characters as a unit's name may have, and as many members as a class can be checked with.
LONGEST_NAME = 80
LARGEST_CLASS = 500

_DATE = re.compile(r"(19|20|21)\d\d-\d\d-\d\d")
_SPELLINGS = {"diarrhea": "diarrhoea"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong at one place; ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what} {self.remedy}"


class MalformedFileError(Exception):
    """The files cannot be replayed; ``str`` gives a line for each fault, at most ``MOST_FAULTS`` and the
    number
    of the others."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        lines = [str(fault) for fault in self.faults[:MOST_FAULTS]]
        if len(self.faults) > MOST_FAULTS:
            lines.append(f"… and {len(self.faults) - MOST_FAULTS} more.")
        super().__init__("\n".join(lines))


class ClassKey(NamedTuple):
    """A class as the file names it. Classes of different schools and grades may have the same name."""

    school: str
    grade: str
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """One row of the line list: a member of a class, ill from ``onset`` to ``end`` (inclusive) or never."""

    person_id: str
    place: ClassKey
    onset: date | None
    end: date | None
    symptoms: tuple[str, ...]
    diagnosis: str


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a table: its line and the trimmed cells by column name, "" where the column is absent."""

    line: int
    cells: Mapping[str, str]


class _Table:
    """A CSV file with a header, and the faults found in it so far."""

    def __init__(self, path: Path, *, columns: Sequence[str], required: Collection[str]) -> None:
        self._file = str(path)
        self.faults: list[Fault] = []
        self._positions: dict[str, int] = {}
        self.rows: list[_Row] = []
        text = self._text(path)
        if text is not None:
            self._parse(text, columns, required)

    def fault(self, line: int, column: str | int, what: str, remedy: str) -> None:
        position = column if isinstance(column, int) else self._positions.get(column, 1)
        self.faults.append(Fault(self._file, line, position, what, remedy))

    def _text(self, path: Path) -> str | None:
        try:
            content = path.read_bytes()
        except OSError as error:
            self.fault(1, 1, f"The file cannot be read: {error.strerror}.", "Check its name and permissions.")
            return None
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = content[: error.start]
            line = before.count(b"\n") + 1
            column = before.rpartition(b"\n")[2].count(b",") + 1
            what = f"This is not UTF-8 text{_looks_like(content)}."
            self.fault(line, column, what, "Save the file as “CSV UTF-8”.")
            return None
        if not text.strip():
            self.fault(1, 1, "The file is empty.", "Write a header line and a line for each person or class.")
            return None
        return text

    def _parse(self, text: str, columns: Sequence[str], required: Collection[str]) -> None:
        rows = self._lines(text)
        header = next(rows, None)
        if header is None or not self._read_header(*header, columns, required):
            return
        width = len(header[1])
        for line, cells in rows:
            if len(cells) != width:
                self.fault(
                    line,
                    min(len(cells), width) + 1,
                    f"This row has {len(cells)} cells, the header has {width}.",
                    "Keep a comma for every empty cell; put a cell that holds a comma between double quotes.",
                )
                continue
            named = {name: cells[position - 1].strip() for name, position in self._positions.items()}
            for name, value in named.items():
                if any(unicodedata.category(character) == "Cc" for character in value):
                    self.fault(line, name, f"{name} holds a line break or control character.", "Remove it.")
            self.rows.append(_Row(line, dict.fromkeys(columns, "") | named))
        if not self.rows and not self.faults:
            self.fault(2, 1, "There is a header but no row.", "Write a line for each person or class.")

    def _lines(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not blank, each with the number of its first line."""
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        first = 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield first, cells
                first = reader.line_num + 1
        except csv.Error as error:
            self.fault(
                first,
                1,
                f"This row is not CSV: {error}.",
                "Close every double quote, and double a quote that belongs to the text.",
            )

    def _read_header(
        self, line: int, cells: list[str], columns: Sequence[str], required: Collection[str]
    ) -> bool:
        if len(cells) == 1 and (separator := next((mark for mark in ";\t|" if mark in cells[0]), None)):
            self.fault(line, 1, f"The cells are separated by {separator!r}.", "Separate them by commas.")
            return False
        for position, cell in enumerate(cells, start=1):
            name = cell.strip().lower()
            if name not in columns:
                close = get_close_matches(name, columns, n=1)
                meant = f"Did you mean {close[0]}? " if close else ""
                remedy = f"{meant}Known are {', '.join(columns)}."
                self.fault(line, position, f"Unknown column {cell.strip()!r}.", remedy)
            elif name in self._positions:
                self.fault(line, position, f"The column {name} stands twice.", "Keep one of the two.")
            else:
                self._positions[name] = position
        for name in columns:
            if name in required and name not in self._positions:
                self.fault(line, len(cells) + 1, f"The column {name} is missing.", "Add it to the header.")
        return not self.faults


def _looks_like(content: bytes) -> str:
    """What the bytes probably are instead of UTF-8, for the message."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return " but UTF-16"
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "; it looks like GB18030 (GBK), as Chinese versions of Excel save it"


def _parse_date(table: _Table, row: _Row, column: str) -> date | None:
    """The date of a cell; None if it is empty or, noted as a fault, no date."""
    text = row.cells[column]
    if not text:
        return None
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass  # no such day in the calendar: the same fault as any other text that is no date
    remedy = "Write it as YYYY-MM-DD, for example 2020-12-16."
    table.fault(row.line, column, f"{column} {text!r} is not a date.", remedy)
    return None


def _parse_place(table: _Table, row: _Row) -> ClassKey | None:
    sound = True
    for column in ("school", "grade", "class"):
        if len(row.cells[column]) > LONGEST_NAME:
            table.fault(
                row.line, column, f"{column} is longer than {LONGEST_NAME} characters.", "Shorten the name."
            )
            sound = False
    if not row.cells["class"]:
        table.fault(row.line, "class", "class is empty.", "Name the class; every person belongs to one.")
        sound = False
    return ClassKey(row.cells["school"], row.cells["grade"], row.cells["class"]) if sound else None


def read_line_list(path: Path, *, vocabulary: Mapping[str, str]) -> list[Member]:
    """The members of the classes, in the order of the file.

    Args:
        vocabulary: English name of each symptom, code and label alike, to its code.

    Raises:
        MalformedFileError: with every fault of the file.
    """
    table = _Table(path, columns=LINE_LIST_COLUMNS, required={"person_id", "class", "onset_date"})
    members: list[Member] = []
    seen: dict[str, int] = {}
    known = {_normal(name): code for name, code in vocabulary.items()}
    for row in table.rows:
        person_id = row.cells["person_id"]
        if not person_id:
            table.fault(row.line, "person_id", "person_id is empty.", "Give every row its own id.")
        elif person_id in seen:
            table.fault(
                row.line,
                "person_id",
                f"The person {person_id!r} stands already in line {seen[person_id]}.",
                "Keep one row for each person, or give different persons different ids.",
            )
        else:
            seen[person_id] = row.line
        place = _parse_place(table, row)
        onset, end = _parse_date(table, row, "onset_date"), _parse_date(table, row, "end_date")
        if onset and end and end < onset:
            table.fault(
                row.line,
                "end_date",
                f"The illness ends on {end}, before its onset on {onset}.",
                "Correct one of the two dates, or leave end_date empty.",
            )
        symptoms = _parse_symptoms(table, row, known)
        if not row.cells["onset_date"]:
            for column in ("end_date", "symptoms"):
                if row.cells[column]:
                    table.fault(
                        row.line,
                        column,
                        f"{column} is given but onset_date is empty, which means: never ill.",
                        f"Give the onset_date, or empty {column}.",
                    )
        if place is not None:
            members.append(Member(person_id, place, onset, end, symptoms, row.cells["diagnosis"]))
    if table.rows and not table.faults:
        _check_span(table, members)
    if table.faults:
        raise MalformedFileError(sorted(table.faults, key=lambda fault: (fault.line, fault.column)))
    return members


def _normal(symptom: str) -> str:
    """A symptom without the differences that do not matter: case, spaces or hyphens, American spelling."""
    word = re.sub(r"[\s_-]+", "_", symptom.strip().lower())
    return _SPELLINGS.get(word, word)


def _parse_symptoms(table: _Table, row: _Row, known: Mapping[str, str]) -> tuple[str, ...]:
    codes: list[str] = []
    for part in row.cells["symptoms"].split(";"):
        if not part.strip():
            continue
        word = _normal(part)
        if word in known:
            codes.append(known[word])
            continue
        close = get_close_matches(word, known, n=1, cutoff=0.5)
        meant = f"Did you mean {known[close[0]]}? " if close else ""
        table.fault(
            row.line,
            "symptoms",
            f"Unknown symptom {part.strip()!r}.",
            f"{meant}Known are {', '.join(dict.fromkeys(known.values()))}; separate several by “;”.",
        )
    return tuple(dict.fromkeys(codes))


def _check_span(table: _Table, members: Sequence[Member]) -> None:
    onsets = [member.onset for member in members if member.onset is not None]
    if not onsets:
        table.fault(
            table.rows[0].line,
            "onset_date",
            "Nobody in the file was ever ill: every onset_date is empty.",
            "Give the onset_date of each case.",
        )
        return
    first = min(onsets)
    for member, row in zip(members, table.rows, strict=True):
        for column, day in (("onset_date", member.onset), ("end_date", member.end)):
            if day is not None and day - first > LONGEST_SPAN:
                table.fault(
                    row.line,
                    column,
                    f"{day} lies more than {LONGEST_SPAN.days} days after the file's first onset, {first}.",
                    "Check the years, or cut the file into parts.",
                )


def read_enrolment(path: Path, *, members: Sequence[Member]) -> dict[ClassKey, int]:
    """The size of each class that the enrolment file names.

    Raises:
        MalformedFileError: with every fault, among them a class smaller than the line list knows it.
    """
    table = _Table(path, columns=ENROLMENT_COLUMNS, required={"class", "size"})
    listed: dict[ClassKey, int] = {}
    for member in members:
        listed[member.place] = listed.get(member.place, 0) + 1
    sizes: dict[ClassKey, int] = {}
    for row in table.rows:
        place = _parse_place(table, row)
        size = int(row.cells["size"]) if re.fullmatch(r"[0-9]{1,6}", row.cells["size"]) else 0
        if not 1 <= size <= LARGEST_CLASS:
            table.fault(
                row.line,
                "size",
                f"size {row.cells['size']!r} is not a whole number from 1 to {LARGEST_CLASS}.",
                "Give the number of members of the class.",
            )
        elif place is not None and place in sizes:
            table.fault(row.line, "class", "This class stands twice.", "Keep one row for each class.")
        elif place is not None and size < listed.get(place, 0):
            table.fault(
                row.line,
                "size",
                f"The class has {size} members here and {listed[place]} rows in the line list.",
                "Give the number of all members, the ill ones included.",
            )
        if place is not None:
            sizes[place] = size
    if table.faults:
        raise MalformedFileError(sorted(table.faults, key=lambda fault: (fault.line, fault.column)))
    return sizes


def read_calendar(path: Path) -> dict[date, bool]:
    """The days that the calendar file names: whether each is a school day.

    Raises:
        MalformedFileError: with every fault.
    """
    table = _Table(path, columns=CALENDAR_COLUMNS, required=set(CALENDAR_COLUMNS))
    days: dict[date, bool] = {}
    for row in table.rows:
        day = _parse_date(table, row, "date")
        if not row.cells["date"]:
            table.fault(row.line, "date", "date is empty.", "Write it as YYYY-MM-DD.")
        kind = row.cells["kind"].lower()
        if kind not in {"school", "off"}:
            table.fault(row.line, "kind", f"kind {row.cells['kind']!r} is unknown.", "Write school or off.")
        if day is not None and day in days:
            table.fault(row.line, "date", f"{day} stands twice.", "Keep one row for each day.")
        if day is not None:
            days[day] = kind == "school"
    if table.faults:
        raise MalformedFileError(sorted(table.faults, key=lambda fault: (fault.line, fault.column)))
    return days
