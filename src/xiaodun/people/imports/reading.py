"""From the bytes of a file to sheets of cells. Runs in a process of its own with bounds on memory and time.

Knows neither Django nor the database. Nothing in a file is ever executed or followed: formulas give their
stored result, external links and macros are not read; a file with macros is refused.
"""

import csv
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import PurePath
from typing import Any

import python_calamine

FILE_AT_MOST = 20 * 1024 * 1024
UNPACKED_AT_MOST = 200 * 1024 * 1024
ENTRIES_AT_MOST = 1_000
RATIO_AT_MOST = 100
ROWS_AT_MOST = 100_000
COLUMNS_AT_MOST = 200
TEXT_AT_MOST = 1_000
SHEETS_AT_MOST = 200

_ZIP = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PIECE = 1024 * 1024
# A document type is where XML entities are declared; no office program writes one.
_DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))

# All that zipfile raises over an archive that was cut off or tampered with.
_DAMAGED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    # An unknown way of packing, or a password.
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)

Cell = str | float | bool | date


class UnreadableFileError(Exception):
    """The file is none that is read; ``code`` says why, ``facts`` with which numbers."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(slots=True)
class Sheet:
    """One visible sheet: its rows from the first one on, and which areas are merged.

    merged: first row, first column, last row, last column, all from 0.
    """

    name: str
    rows: list[list[Cell]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Workbook:
    sheets: list[Sheet]
    hidden: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "hidden": self.hidden,
            "sheets": [
                {
                    "name": sheet.name,
                    "merged": sheet.merged,
                    "rows": [[_as_json(cell) for cell in row] for row in sheet.rows],
                }
                for sheet in self.sheets
            ],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Workbook":
        sheets = [
            Sheet(
                each["name"],
                [[_from_json(cell) for cell in row] for row in each["rows"]],
                [(area[0], area[1], area[2], area[3]) for area in each["merged"]],
            )
            for each in content["sheets"]
        ]
        return cls(sheets, content["hidden"])


def read_file(name: str, content: bytes) -> Workbook:
    """The visible sheets of the file.

    Raises:
        UnreadableFileError: with the reason.
    """
    if not content:
        raise UnreadableFileError("file-empty")
    if len(content) > FILE_AT_MOST:
        raise UnreadableFileError("file-too-large", at_most=FILE_AT_MOST)
    ending = PurePath(name).suffix.lower()
    if ending in {".xlsm", ".xltm", ".xlsb", ".xlam"}:
        raise UnreadableFileError("file-with-macros")
    if ending not in {".xlsx", ".xls", ".csv"}:
        raise UnreadableFileError("ending-unknown")
    is_zip, is_compound = content.startswith(_ZIP), content.startswith(_COMPOUND)
    if is_compound and "EncryptedPackage".encode("utf-16-le") in content:
        raise UnreadableFileError("file-has-password")
    if ending == ".csv":
        if (
            is_zip
            or is_compound
            or (b"\x00" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")))
        ):
            raise UnreadableFileError("ending-wrong")
        return _read_csv(content)
    if content.lstrip()[:1] == b"<":
        raise UnreadableFileError("file-is-web-page")
    if (ending == ".xlsx") != is_zip or (ending == ".xls") != is_compound:
        raise UnreadableFileError("ending-wrong")
    if is_zip:
        _check_archive(content)
    elif any(each.encode("utf-16-le") in content for each in ("_VBA_PROJECT", "Macros")):
        raise UnreadableFileError("file-with-macros")
    return _read_excel(content)


def _check_archive(content: bytes) -> None:
    """Count what really comes out, whatever the directory of the archive claims."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > ENTRIES_AT_MOST:
                raise UnreadableFileError("too-many-parts", at_most=ENTRIES_AT_MOST)
            names = {entry.filename for entry in entries}
            if any(entry.flag_bits & 1 for entry in entries):
                raise UnreadableFileError("file-has-password")
            if any("vbaproject" in each.lower() for each in names):
                raise UnreadableFileError("file-with-macros")
            if "[Content_Types].xml" not in names:
                raise UnreadableFileError("file-damaged")
            unpacked = 0
            for entry in entries:
                unpacked = _unpack(archive, entry, unpacked, len(content))
    except _DAMAGED as error:
        raise UnreadableFileError("file-damaged") from error


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, unpacked: int, packed: int) -> int:
    tail = b""
    with archive.open(entry) as stream:
        while piece := stream.read(_PIECE):
            unpacked += len(piece)
            if unpacked > UNPACKED_AT_MOST:
                raise UnreadableFileError("unpacks-too-large", at_most=UNPACKED_AT_MOST)
            if unpacked > RATIO_AT_MOST * packed:
                raise UnreadableFileError("unpacks-too-much", at_most=RATIO_AT_MOST)
            if any(doctype in tail + piece for doctype in _DOCTYPES):
                raise UnreadableFileError("file-declares-entities")
            tail = piece[-32:]
    return unpacked


def _read_excel(content: bytes) -> Workbook:
    try:
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            return _read_sheets(book)
    except python_calamine.PasswordError as error:
        raise UnreadableFileError("file-has-password") from error
    except python_calamine.CalamineError as error:
        raise UnreadableFileError("file-damaged") from error


def _read_sheets(book: python_calamine.CalamineWorkbook) -> Workbook:
    hidden, sheets = [], []
    total = 0
    if len(book.sheets_metadata) > SHEETS_AT_MOST:
        raise UnreadableFileError("too-many-sheets", at_most=SHEETS_AT_MOST)
    for about in book.sheets_metadata:
        if about.typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        if about.visible != python_calamine.SheetVisibleEnum.Visible:
            hidden.append(about.name)
            continue
        sheet = book.get_sheet_by_name(about.name)
        if sheet.start is None or sheet.end is None:
            continue
        total += sheet.end[0] + 1
        if total > ROWS_AT_MOST:
            raise UnreadableFileError("too-many-rows", at_most=ROWS_AT_MOST)
        rows = _bounded(sheet.to_python(skip_empty_area=False))
        merged = [(*first, *last) for first, last in sheet.merged_cell_ranges or ()]
        sheets.append(Sheet(about.name, rows, merged))
    return Workbook(sheets, hidden)


def _read_csv(content: bytes) -> Workbook:
    text = _decoded(content)
    heading = "\n".join(text.splitlines()[:20])
    delimiter = max(",\t;", key=heading.count)
    try:
        rows = _bounded(list(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableFileError("cell-too-long", at_most=TEXT_AT_MOST) from error
    return Workbook([Sheet("", rows)] if rows else [])


def _decoded(content: bytes) -> str:
    """UTF-8 or, as Excel in China writes it, GB18030; UTF-16 where the file says so."""
    is_utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if is_utf_16 else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFileError("encoding-unknown")


def _bounded(rows: Any) -> list[list[Cell]]:
    read: list[list[Cell]] = []
    for row in rows:
        cells = [_cell(value) for value in row]
        while cells and cells[-1] == "":
            cells.pop()
        if len(cells) > COLUMNS_AT_MOST:
            raise UnreadableFileError("too-many-columns", at_most=COLUMNS_AT_MOST)
        if len(read) >= ROWS_AT_MOST and cells:
            raise UnreadableFileError("too-many-rows", at_most=ROWS_AT_MOST)
        read.append(cells)
    while read and not read[-1]:
        read.pop()
    return read


def _cell(value: Any) -> Cell:
    if isinstance(value, str):
        if len(value) > TEXT_AT_MOST:
            raise UnreadableFileError("cell-too-long", at_most=TEXT_AT_MOST)
        # Excel writes a character that XML cannot hold as _x0001_.
        return re.sub(r"_x[0-9A-Fa-f]{4}_", _escaped, value) if "_x" in value else value
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    return str(value)


def _escaped(found: re.Match[str]) -> str:
    return chr(int(found.group()[2:6], 16))


def _as_json(cell: Cell) -> Any:
    return {"d": cell.isoformat()} if isinstance(cell, date) else cell


def _from_json(cell: Any) -> Cell:
    return date.fromisoformat(cell["d"]) if isinstance(cell, dict) else cell


def cell_name(row: int, column: int) -> str:
    """The cell as a spreadsheet names it: row 0 and column 0 are A1."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def filled(sheet: Sheet) -> Iterator[tuple[int, int, Cell]]:
    """Merged areas give their text to every cell of theirs: row, column, value of those to fill."""
    for top, left, bottom, right in sheet.merged:
        if top >= len(sheet.rows) or left >= len(sheet.rows[top]):
            continue
        value = sheet.rows[top][left]
        for row in range(top, min(bottom + 1, len(sheet.rows))):
            for column in range(left, min(right, COLUMNS_AT_MOST - 1) + 1):
                yield row, column, value
