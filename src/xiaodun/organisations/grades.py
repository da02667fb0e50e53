"""Grades: what a name says, and what follows from the year of entry. Pure; every number is the convention.

A class keeps its stage and the year in which its pupils entered that stage; the grade of any school year
follows. A school year begins on 1 September. Grades are numbered through from primary to senior, 1 to 12; in
a kindergarten 托, 小, 中, 大 are 0 to 3, and the year of entry is that of 小班.
"""

import re
from dataclasses import dataclass
from datetime import date

from xiaodun.organisations.choices import InstitutionKind, Stage

_FIRST_MONTH = 9
_NUMERALS = "一二三四五六七八九"
_GRADES: dict[Stage, range] = {
    Stage.KINDERGARTEN: range(4),
    Stage.PRIMARY: range(1, 7),
    Stage.JUNIOR: range(7, 10),
    Stage.SENIOR: range(10, 13),
}
# The first grade that counts from the year of entry.
_ENTRY = {stage: max(1, grades[0]) for stage, grades in _GRADES.items()}
_KINDERGARTEN = "托小中大"
_KINDERGARTEN_EN = ("Toddlers", "Nursery", "Middle", "Top")
# What stands before a numeral, and what must be added to it.
_OFFSETS = {"小学": 0, "初中": 6, "初": 6, "高中": 9, "高": 9}
_OFFSET_OF_KIND = {InstitutionKind.JUNIOR: 6, InstitutionKind.SENIOR: 9}
_GRADE_NAME = re.compile(
    rf"(?P<stage>小学|初中?|高中?)?(?P<number>[{_NUMERALS}]|1?\d)(?:年级|年|$|(?=[（(]))"
)
_KINDERGARTEN_NAME = re.compile(rf"(?P<number>[{_KINDERGARTEN}])(?=班|[{_NUMERALS}\d（(])")


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade of a stage by its number in the whole course."""

    stage: Stage
    number: int


def school_year_of(day: date) -> int:
    """The year in which the school year of ``day`` began."""
    return day.year if day.month >= _FIRST_MONTH else day.year - 1


def first_day_of(school_year: int) -> date:
    """The first day of a school year; the last one of the year before is the day before."""
    return date(school_year, _FIRST_MONTH, 1)


def read_grade(name: str, institution_kind: str) -> Grade | None:
    """The grade that the name of a grade or class begins with ("三年级", "初一", "三(1)班", "小一班").

    None where it says none: departments, majors, classes of mixed age.
    """
    if institution_kind == InstitutionKind.KINDERGARTEN:
        found = _KINDERGARTEN_NAME.match(name)
        return Grade(Stage.KINDERGARTEN, _KINDERGARTEN.index(found["number"])) if found else None
    if institution_kind in {InstitutionKind.TRAINING, InstitutionKind.COLLEGE}:
        return None
    found = _GRADE_NAME.match(name)
    if found is None:
        return None
    number = _number(found["number"]) + _offset(found["stage"], _number(found["number"]), institution_kind)
    return next((Grade(stage, number) for stage, grades in _GRADES.items() if _holds(stage, number)), None)


def _holds(stage: Stage, number: int) -> bool:
    return stage != Stage.KINDERGARTEN and number in _GRADES[stage]


def _number(text: str) -> int:
    return _NUMERALS.index(text) + 1 if text in _NUMERALS else int(text)


def _offset(prefix: str | None, number: int, institution_kind: str) -> int:
    if prefix:
        return _OFFSETS[prefix]
    # "一年级" of a junior middle school is its first one.
    return _OFFSET_OF_KIND.get(InstitutionKind(institution_kind), 0) if number <= 3 else 0


def entry_year_of(grade: Grade, school_year: int) -> int:
    """When those who are in this grade in this school year entered its stage."""
    return school_year - (grade.number - _ENTRY[grade.stage])


def grade_in(stage: str, entry_year: int, school_year: int) -> Grade | None:
    """The grade in a school year of those who entered the stage in ``entry_year``; none before and after."""
    number = _ENTRY[Stage(stage)] + school_year - entry_year
    return Grade(Stage(stage), number) if number in _GRADES[Stage(stage)] else None


def next_grade(grade: Grade, institution_kind: str) -> Grade | None:
    """Where a class goes at the end of the year; none for the last grade of its institution.

    In a nine-year school the sixth grade goes on to the seventh.
    """
    number = grade.number + 1
    if number in _GRADES[grade.stage]:
        return Grade(grade.stage, number)
    if institution_kind == InstitutionKind.NINE_YEAR and grade.stage == Stage.PRIMARY:
        return Grade(Stage.JUNIOR, number)
    return None


def grade_name(grade: Grade) -> str:
    """The usual name of a grade: "小班", "三年级", "七年级", "高一"."""
    if grade.stage == Stage.KINDERGARTEN:
        return f"{_KINDERGARTEN[grade.number]}班"
    if grade.stage == Stage.SENIOR:
        return f"高{_NUMERALS[grade.number - 10]}"
    return f"{_NUMERALS[grade.number - 1]}年级"


def grade_name_en(grade: Grade) -> str:
    """The same in English: "Nursery", "Grade 3", "Senior 1"."""
    if grade.stage == Stage.KINDERGARTEN:
        return _KINDERGARTEN_EN[grade.number]
    return f"Senior {grade.number - 9}" if grade.stage == Stage.SENIOR else f"Grade {grade.number}"


def moved_up(name: str, old: Grade, new: Grade) -> str:
    """The name of a class in its next grade, written as before: "三(1)班" → "四(1)班".

    A name that does not begin with the grade stays ("2018级1班").
    """
    if old.stage == Stage.KINDERGARTEN:
        begins = name.startswith(_KINDERGARTEN[old.number])
        return _KINDERGARTEN[new.number] + name[1:] if begins else name
    found = _GRADE_NAME.match(name)
    if found is None:
        return name
    text = found["number"]
    number = _number(text) + new.number - old.number
    written = _NUMERALS[number - 1] if text in _NUMERALS and number <= len(_NUMERALS) else str(number)
    return name[: found.start("number")] + written + name[found.end("number") :]


def moved_up_en(name: str, old: Grade, new: Grade) -> str:
    """As :func:`moved_up` in English: "Class 3(1)" → "Class 4(1)"; nothing where the grade is not found."""
    if old.stage == Stage.KINDERGARTEN:
        before, after = _KINDERGARTEN_EN[old.number], _KINDERGARTEN_EN[new.number]
        return name.replace(before, after, 1) if name.startswith(before) else ""
    found = re.search(r"\d+", name)
    if found is None or int(found[0]) not in {old.number, old.number - 6, old.number - 9}:
        return ""
    written = str(int(found[0]) + new.number - old.number)
    return name[: found.start()] + written + name[found.end() :]
