"""Workbooks that are handed out: the template of a list, and a list with its faults marked.

Every cell is text. What a spreadsheet would take for a formula gets an apostrophe before it, also in
full-width form: nothing that somebody typed may run on the machine of whoever opens the file.
"""

import io
from collections.abc import Iterable, Sequence

import xlsxwriter

from xiaodun.people.imports.headings import vocabulary
from xiaodun.people.imports.problems import Problem
from xiaodun.people.imports.reading import Cell, Workbook

_RUNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_ROWS_OF_TEMPLATE = 2_000
# The columns of the template, in the order in which schools know them.
_TEMPLATE = (
    "institution_code", "grade", "class", "seat", "school_number", "student_number", "name", "sex",
    "birth_date", "document_kind", "document_number", "address",
)  # fmt: skip
_GUARDIAN_PARTS = ("name", "relation", "phone")


def harmless(value: Cell) -> str:
    """The cell as text that no spreadsheet runs."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    return f"'{text}" if text.startswith(_RUNS) else text


def template(kind: str) -> bytes:
    """An empty list of ``kind`` whose cells are formatted as text, so that numbers keep all their digits."""
    words = vocabulary()
    headings = [words[kind][name][0] for name in _TEMPLATE]
    block = words["guardians"]
    for order in (1, 2):
        headings += [f"{block['who'][0]}{order}{block[part][0]}" for part in _GUARDIAN_PARTS]
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, _OPTIONS)
    text = book.add_format({"num_format": "@"})
    bold = book.add_format({"num_format": "@", "bold": True, "bg_color": "#e8eef7", "border": 1})
    sheet = book.add_worksheet()
    sheet.set_column(0, len(headings) - 1, 16, text)
    sheet.freeze_panes(1, 0)
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    for name, list_of in (("sex", "sex"), ("document_kind", "document_kind")):
        column = _TEMPLATE.index(name)
        source = list(dict.fromkeys(_first_words(words["words"][list_of])))
        rule = {"validate": "list", "source": source, "ignore_blank": True, "error_type": "warning"}
        sheet.data_validation(1, column, _ROWS_OF_TEMPLATE, column, rule)
    book.close()
    return target.getvalue()


def _first_words(words: dict[str, str]) -> list[str]:
    """One word for each meaning, the first that the vocabulary names."""
    first: dict[str, str] = {}
    for word, meaning in words.items():
        first.setdefault(meaning, word)
    return list(first.values())


def marked(book: Workbook, problems: Iterable[Problem]) -> bytes:
    """The list as it was handed in, as text; faulty cells are coloured, what to do stands behind each row."""
    by_row: dict[tuple[str, int], list[Problem]] = {}
    for problem in problems:
        by_row.setdefault((problem.sheet, problem.row), []).append(problem)
    target = io.BytesIO()
    made = xlsxwriter.Workbook(target, {**_OPTIONS, "constant_memory": True})
    text = made.add_format({"num_format": "@"})
    wrong = made.add_format({"num_format": "@", "bg_color": "#ffd9d6", "font_color": "#8a1c14", "bold": True})
    for sheet in book.sheets:
        page = made.add_worksheet(sheet.name or None)
        width = max((len(row) for row in sheet.rows), default=0)
        page.set_column(0, width - 1 if width else 0, 16, text)
        page.set_column(width, width, 60, text)
        for number, cells in enumerate(sheet.rows):
            faults = by_row.get((sheet.name, number + 1), [])
            columns = {fault.column for fault in faults}
            for column, cell in enumerate(cells):
                if cell != "" or column in columns:
                    page.write_string(number, column, harmless(cell), wrong if column in columns else text)
            for column in sorted(each for each in columns if each is not None and each >= len(cells)):
                page.write_string(number, column, "", wrong)
            if faults:
                page.write_string(number, width, _remarks(faults), wrong)
    made.close()
    return target.getvalue()


def _remarks(faults: Sequence[Problem]) -> str:
    return "\n".join(f"{fault.where}: {fault.message} {fault.remedy}" for fault in faults)
