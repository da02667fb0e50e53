"""From the cells of one row to values: what people type, what Excel makes of it, and what cannot be right."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from xiaodun.people import numbers
from xiaodun.people.faults import Fault
from xiaodun.people.imports.headings import plain, vocabulary
from xiaodun.people.imports.problems import Problem, of_fault
from xiaodun.people.imports.reading import Cell

# What a long number becomes when Excel takes it for a quantity.
_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_MONTH = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})月?|年)?")
# Day 0 of Excel's calendar, which believes that 1900 was a leap year.
_SERIAL_ZERO = date(1899, 12, 30)
_SERIALS = range(18_264, 73_051)  # 1950 to 2099
_DOTS = str.maketrans(dict.fromkeys("•・‧．‥∙⋅●。", "·"))
_CHINESE = r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
# Written into copied text by other programs; they have no width and no meaning in a name.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


class RowReader:
    """The cells of one row by field; keeps what is wrong with them in ``problems``."""

    def __init__(
        self, sheet: str, row: int, cells: list[Cell], columns: Mapping[str, int], problems: list[Problem]
    ) -> None:
        self.sheet = sheet
        self.row = row
        self._cells = cells
        self._columns = columns
        self._problems = problems

    def refuse(self, code: str, name: str | None = None, **facts: Any) -> None:
        column = self._columns.get(name) if name else None
        self._problems.append(Problem(code, self.sheet, self.row, column, facts))

    def refuse_fault(self, fault: Fault, name: str) -> None:
        self._problems.append(of_fault(fault, self.sheet, self.row, self._columns.get(name)))

    def cell(self, name: str) -> Cell:
        column = self._columns.get(name)
        return "" if column is None or column >= len(self._cells) else self._cells[column]

    def text(self, name: str) -> str:
        """What stands there, trimmed; a number as Excel would show it."""
        value = self.cell(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool):
            return ""
        text = unicodedata.normalize("NFC", str(value))
        if not text.isprintable():
            text = text.translate(_INVISIBLE)
        return " ".join(text.split())

    def name(self, name: str, *, needed: bool = True) -> str:
        """A person's name: Chinese without blanks inside, dots of minority names written one way."""
        value = self.text(name)
        if value.isalpha() and len(value) <= 40:
            return value
        value = value.translate(_DOTS)
        value = re.sub(rf"(?<={_CHINESE}|·) (?={_CHINESE}|·)", "", value)
        value = re.sub(rf"(?<={_CHINESE})\.(?={_CHINESE})", "·", value)
        if not value:
            if needed:
                self.refuse("name-missing", name)
            return ""
        strange = {each for each in value if not _in_names(each)}
        if strange:
            self.refuse("name-characters", name, characters=" ".join(sorted(map(_shown, strange))))
            return ""
        if len(value) > 40:
            self.refuse("name-too-long", name)
            return ""
        return value

    def identity_number(self, name: str) -> str:
        """A number that must be text: as a number Excel keeps 15 digits of it and no leading zero."""
        value = self.cell(name)
        if value == "" or isinstance(value, bool):
            return ""
        if not isinstance(value, str) or _SCIENTIFIC.fullmatch(value.strip()):
            self.refuse("number-stored-as-number", name)
            return ""
        return numbers.written(value)

    def number(self, name: str, *, at_most: int = 24) -> str:
        """A number of the school: digits and letters. What Excel keeps as a number is taken as it shows."""
        value = numbers.written(self.text(name))
        if len(value) > at_most:
            self.refuse("number-too-long", name, at_most=at_most)
            return ""
        return value

    def count(self, name: str) -> int | None:
        """A small whole number from 1."""
        value = numbers.written(self.text(name)).removesuffix("号").removesuffix(".0")
        if not value:
            return None
        if not value.isascii() or not value.isdigit() or not 0 < int(value) < 32_768:
            self.refuse("number-unreadable", name, value=value[:20])
            return None
        return int(value)

    def phone(self, name: str) -> str:
        value = self.text(name)
        if not value:
            return ""
        # Two numbers in one cell: the first is called first.
        first = re.split(r"[/,;、，；]", value)[0]
        phone = numbers.read_phone(first)
        if phone is None:
            self.refuse_fault(numbers.NOT_A_PHONE, name)
            return ""
        return phone

    def word(self, name: str, words: str, *, code: str = "word-unknown") -> str | None:
        """One of the words of ``words``; none if the cell is blank or the word unknown."""
        value = plain(self.text(name))
        if not value:
            return None
        known: Mapping[str, Any] = vocabulary()["words"][words]
        found: str | None = known.get(value, known.get(value.upper()))
        if found is None and value in known.values():
            found = value
        if found is None:
            self.refuse(code, name, value=value[:20], known="、".join(list(known)[:8]))
        return found

    def birth(self, name: str, *, on: date) -> tuple[date | None, int | None]:
        """The day of birth and the year; a month or a year alone gives the year."""
        value = self.cell(name)
        if value == "" or isinstance(value, bool):
            return None, None
        day = _day(value)
        year = day.year if day else _year(value)
        if year is None:
            self.refuse("date-unreadable", name, value=self.text(name)[:20])
        elif year > on.year or (day and day > on):
            self.refuse("date-in-future", name)
        elif year < on.year - 120:
            self.refuse("date-too-early", name)
        else:
            return day, year
        return None, None


@lru_cache(maxsize=4096)
def _day(value: Cell) -> date | None:
    if isinstance(value, date):
        return value
    if isinstance(value, float | int):
        if value in _SERIALS:
            return _SERIAL_ZERO + timedelta(days=int(value))
        value = str(int(value)) if float(value).is_integer() else ""
    text = numbers.written(str(value))
    if text.isascii() and text.isdigit() and len(text) == 5 and int(text) in _SERIALS:
        return _SERIAL_ZERO + timedelta(days=int(text))
    found = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text) or _DAY.fullmatch(text)
    # A date with a time of day, as some systems write it.
    found = found or re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:T?\d{1,2}:\d{2}.*)?", text)
    if found is None:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def _year(value: Cell) -> int | None:
    text = numbers.written(str(int(value)) if isinstance(value, float) and value.is_integer() else str(value))
    if re.fullmatch(r"\d{6}", text) and 1 <= int(text[4:]) <= 12:
        return int(text[:4])
    found = _MONTH.fullmatch(text)
    if found is None or (found.group(2) and not 1 <= int(found.group(2)) <= 12):
        return None
    return int(found.group(1))


def _in_names(character: str) -> bool:
    return character in "· '-." or unicodedata.category(character)[0] in "LM"


def _shown(character: str) -> str:
    """The character itself, or its code where it cannot be seen."""
    return character if character.isprintable() else f"U+{ord(character):04X}"
