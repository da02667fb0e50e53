"""What is wrong with a cell or a row, kept as a code with its facts and said in words when it is read.

A report outlives the request that made it, and its readers have languages of their own.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from xiaodun.people import numbers
from xiaodun.people.faults import Fault
from xiaodun.people.imports.reading import cell_name

_AS_TEXT = _("Format the column as text, then type the number again: Excel has lost its last digits.")
_COMPARE = _("Compare with the document and correct the wrong one.")

_TEXTS: dict[str, tuple[Any, Any]] = {
    "number-stored-as-number": (_("This number is stored as a number, not as text."), _AS_TEXT),
    "name-missing": (_("The name is missing."), _("Write the name, or delete the row.")),
    "name-too-long": (_("The name is longer than 40 characters."), _("Write the name alone.")),
    "name-characters": (
        _("The name holds characters that no name has: {characters}."),
        _("Type the name again, without marks, digits and hidden characters."),
    ),
    "sex-unknown": (_("The sex is none that is known: {value}."), _("Use M, F, 1 or 2.")),
    "date-unreadable": (_("This is not a date: {value}."), _("Write it like 20130901.")),
    "date-in-future": (_("The date of birth lies in the future."), _("Correct the date of birth.")),
    "date-too-early": (_("Nobody here was born that early."), _("Correct the date of birth.")),
    "birth-date-differs": (_("The date of birth differs from that in the ID number."), _COMPARE),
    "sex-differs": (_("The sex differs from that in the ID number."), _COMPARE),
    "number-unreadable": (_("This is not a whole number: {value}."), _("Write digits alone.")),
    "number-too-long": (_("The number is longer than {at_most} characters."), _("Correct the number.")),
    "relation-unknown": (
        _("The relation is none that is known: {value}."),
        _("Write father, mother, grandparent or other, as the template shows."),
    ),
    "word-unknown": (_("This is none of the words that are known here: {value}."), _("Use one of: {known}.")),
    "class-missing": (_("The class is missing."), _("Write the class.")),
    "class-unknown": (
        _("No class of this school is called so: {value}."),
        _("Correct the name, or have the class made first. Classes of the school: {known}."),
    ),
    "class-ambiguous": (
        _("Several classes are called so: {value}."),
        _("Write the grade as well, or the code of the class."),
    ),
    "institution-missing": (_("The school is missing."), _("Write the code or the name of the school.")),
    "institution-unknown": (
        _("No school within your reach is called so: {value}."),
        _("Write its code or name as the system shows it."),
    ),
    "same-person-twice": (
        _("The same person stands in row {other} already."),
        _("Delete one of the two rows."),
    ),
    "two-rows": (
        _("Another row means the same pupil on record."),
        _("Compare the numbers of both rows with the documents."),
    ),
    "two-persons": (
        _("The numbers of this row belong to two different persons on record."),
        _("Compare both numbers with the documents."),
    ),
    "known-elsewhere": (
        _("Somebody outside of your school has this ID number."),
        _("If the pupil moves to you from another school, write the national student number as well."),
    ),
    "not-a-pupil": (
        _("This number belongs to a member of staff."),
        _("Compare the number with the document."),
    ),
    "namesakes": (
        _("Several pupils of this class have this name; the row does not say which of them it is."),
        _("Write the student number or the number in the class."),
    ),
    "same-or-namesake": (
        _("A pupil of this name is in another class of the school: {group}."),
        _("Answer below whether it is the same pupil, or write the student number."),
    ),
    **{fault.code: (fault.message, fault.remedy) for fault in numbers.FAULTS},
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one place. ``row`` counts from 1 as the spreadsheet shows it, ``column`` from 0."""

    code: str
    sheet: str
    row: int
    column: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """``Sheet1!C7``, without a sheet in a text file; a whole row by its number."""
        place = str(self.row) if self.column is None else cell_name(self.row - 1, self.column)
        return f"{self.sheet}!{place}" if self.sheet else place

    @property
    def message(self) -> str | Promise:
        return format_lazy(_TEXTS[self.code][0], **self.facts)

    @property
    def remedy(self) -> str | Promise:
        return format_lazy(_TEXTS[self.code][1], **self.facts)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def of_fault(fault: Fault, sheet: str, row: int, column: int | None) -> Problem:
    """The problem that a check of ``people.numbers`` found."""
    return Problem(fault.code, sheet, row, column)
