"""Reads the rows of a list of pupils."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

from xiaodun.people import numbers
from xiaodun.people.choices import DocumentKind
from xiaodun.people.imports.cells import RowReader
from xiaodun.people.imports.headings import GUARDIANS, Heading, find_heading, vocabulary
from xiaodun.people.imports.opening import why
from xiaodun.people.imports.problems import Problem
from xiaodun.people.imports.reading import Cell, Sheet, Workbook, filled
from xiaodun.people.services.guardians import GuardianValues

REQUIRED = ("name", "class")
# Areas merged downwards mean the same for each row; a merged name would be one person in two rows.
_FILLED_DOWN = ("institution", "institution_code", "grade", "class")
_TOTALS = ("合计", "总计", "小计", "共计", "总人数")


@dataclass(slots=True)
class PupilRow:
    """One pupil as the list says; empty where it says nothing."""

    sheet: str
    row: int
    columns: dict[str, int]
    name: str
    sex: str = ""
    birth_date: date | None = None
    birth_year: int | None = None
    document_kind: str = ""
    document_number: str = ""
    student_number: str = ""
    school_number: str = ""
    seat: int | None = None
    institution: str = ""
    grade: str = ""
    group: str = ""
    address: str = ""
    guardians: list[GuardianValues] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The place of the row, by which an answer names it."""
        return f"{self.sheet}!{self.row}" if self.sheet else str(self.row)


@dataclass(slots=True)
class SheetRows:
    """The rows of one sheet with their cells, and what its heading said."""

    sheet: Sheet
    heading: Heading


def listed(book: Workbook, kind: str, required: tuple[str, ...]) -> list[SheetRows]:
    """The sheets that hold a list of ``kind``.

    Raises:
        Refusal: ``heading-missing`` with the columns that are wanted, ``heading-twice`` with the cells.
    """
    found: list[SheetRows] = []
    best: Heading | None = None
    for sheet in book.sheets:
        heading = find_heading(sheet, kind, required)
        if heading is None:
            continue
        best = best or heading
        if all(name in heading.columns for name in required):
            found.append(SheetRows(sheet, heading))
    if not found:
        missing = [name for name in required if best is None or name not in best.columns]
        raise why("heading-missing", {"missing": "、".join(vocabulary()[kind][name][0] for name in missing)})
    twice = [pair for each in found for pair in each.heading.twice.values()]
    if twice:
        raise why("heading-twice", {"cells": "; ".join(f"{first}, {second}" for first, second in twice)})
    return found


def readers(listing: SheetRows, problems: list[Problem]) -> Iterator[RowReader]:
    """The rows that hold somebody: no blank ones, no totals, no heading that is printed on each page."""
    sheet, heading = listing.sheet, listing.heading
    downwards = {heading.columns[name] for name in _FILLED_DOWN if name in heading.columns}
    for row, column, value in filled(sheet):
        if column in downwards and row >= heading.first_row:
            cells = sheet.rows[row]
            cells += [""] * (column + 1 - len(cells))
            cells[column] = value
    own = [column for column in heading.columns.values() if column not in downwards]
    title = _words(sheet.rows[heading.first_row - 1], own[:2])
    for number, cells in enumerate(sheet.rows[heading.first_row :], start=heading.first_row + 1):
        if not any(column < len(cells) and cells[column] != "" for column in own):
            continue
        if _words(cells, own[:2]) == title or _is_total(cells):
            continue
        yield RowReader(sheet.name, number, cells, heading.columns, problems)


def _words(cells: list[Cell], columns: list[int]) -> list[str]:
    return [str(cells[column]) if column < len(cells) else "" for column in columns]


def _is_total(cells: list[Cell]) -> bool:
    first = next((cell for cell in cells if cell != ""), "")
    return isinstance(first, str) and first.lstrip().startswith(_TOTALS)


def read_pupils(listings: Iterable[SheetRows], problems: list[Problem], *, on: date) -> list[PupilRow]:
    """The pupils of all sheets; what is wrong with a row goes to ``problems``."""
    return [
        _read(reader, dict(listing.heading.columns), on)
        for listing in listings
        for reader in readers(listing, problems)
    ]


def _read(reader: RowReader, columns: dict[str, int], on: date) -> PupilRow:
    birth_date, birth_year = reader.birth("birth_date", on=on)
    row = PupilRow(
        sheet=reader.sheet,
        row=reader.row,
        columns=columns,
        name=reader.name("name"),
        sex=reader.word("sex", "sex", code="sex-unknown") or "",
        birth_date=birth_date,
        birth_year=birth_year,
        student_number=reader.identity_number("student_number"),
        school_number=reader.number("school_number"),
        seat=reader.count("seat"),
        institution=reader.text("institution_code") or reader.text("institution"),
        grade=reader.text("grade"),
        group=reader.text("class"),
        address=reader.text("address")[:200],
    )
    if row.student_number:
        fault = numbers.fault_in_student_number(row.student_number, on=on)
        if fault is not None:
            reader.refuse_fault(fault, "student_number")
    row.document_kind, row.document_number = read_document(reader, on=on)
    _compare_with_document(reader, row)
    row.guardians = _guardians(reader, row.name)
    return row


def read_document(reader: RowReader, *, on: date) -> tuple[str, str]:
    """Kind and number of the identity document; nothing where no number is given."""
    kind = reader.word("document_kind", "document_kind") or ""
    number = reader.identity_number("document_number")
    if not number or (not kind and reader.text("document_kind")):
        return "", ""
    kind = kind or DocumentKind.RESIDENT
    fault = numbers.fault_in_document(kind, number, on=on)
    if fault is not None:
        reader.refuse_fault(fault, "document_number")
        return "", ""
    return kind, number


def _compare_with_document(reader: RowReader, row: PupilRow) -> None:
    if row.document_kind != DocumentKind.RESIDENT:
        return
    born = numbers.birth_date_in(row.document_number)
    assert born is not None  # checked with the number
    if row.birth_date not in {None, born} or row.birth_year not in {None, born.year}:
        reader.refuse("birth-date-differs", "birth_date")
    row.birth_date, row.birth_year = born, born.year
    sex = numbers.sex_in(row.document_number)
    if row.sex not in {"", sex}:
        reader.refuse("sex-differs", "sex")
    row.sex = sex


def _guardians(reader: RowReader, pupil: str) -> list[GuardianValues]:
    blocks = [f"guardian{order}" for order in range(1, GUARDIANS + 1)]
    found = []
    for block in chain(blocks, ("father", "mother")):
        name = reader.name(f"{block}_name", needed=False)
        phone = reader.phone(f"{block}_phone")
        if block in {"father", "mother"}:
            relation = block
        else:
            relation = reader.word(f"{block}_relation", "relation", code="relation-unknown") or ""
        if name or phone:
            found.append(GuardianValues(name or nameless(pupil), relation, phone))
    contact = reader.phone("contact_phone")
    if contact and not found:
        found = [GuardianValues(nameless(pupil), "", contact)]
    elif contact and not any(each.phone for each in found):
        found[0] = GuardianValues(found[0].name, found[0].relation, contact)
    return found[:GUARDIANS]


def nameless(pupil: str) -> str:
    """How a guardian is called of whom the list gives a phone and no name."""
    return f"{pupil[:38]}家长"
