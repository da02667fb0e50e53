"""What a synthetic district consists of: plain values, tuples in a fixed order, names in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

__all__ = [
    "Check",
    "District",
    "Enrolment",
    "Finding",
    "Grade",
    "Group",
    "GroupKind",
    "Institution",
    "InstitutionKind",
    "Person",
    "PlantedCluster",
    "Role",
    "StaffRole",
    "Status",
    "Truth",
]

InstitutionKind = Literal["kindergarten", "primary", "junior", "senior", "training", "college"]
GroupKind = Literal["class", "dormitory", "lesson", "department"]
Role = Literal[
    "class_teacher", "dormitory_supervisor", "grade_lead", "school_doctor", "principal", "district_officer"
]
Status = Literal["absent_ill", "absent_other", "late", "symptoms", "recovered"]


@dataclass(frozen=True, slots=True)
class Institution:
    """A school, kindergarten, training body or college. ``stages`` are the stages taught (学段)."""

    code: str
    kind: InstitutionKind
    name_zh: str
    name_en: str
    ownership: Literal["public", "private"]
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade of an institution; ``entry_year`` is the year in which its pupils entered the stage."""

    code: str
    institution: str
    name_zh: str
    name_en: str
    entry_year: int


@dataclass(frozen=True, slots=True)
class Group:
    """What a check hangs on. ``grade`` is ``None`` for rooms, lessons and departments: they span grades."""

    code: str
    institution: str
    grade: str | None
    kind: GroupKind
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Person:
    """An invented pupil or member of staff; ``number``, of student or staff, is unique in the district."""

    key: str
    kind: Literal["pupil", "staff"]
    number: str
    name: str
    sex: Literal["M", "F"]
    birth_year: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A person in a group from a day on. ``number`` is the place in the roster, from 1."""

    person: str
    group: str
    number: int
    since: date


@dataclass(frozen=True, slots=True)
class StaffRole:
    """A role of a member of staff on a unit (group, grade, institution or district), given by its code."""

    person: str
    role: Role
    unit: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a teacher taps for one person. ``onset`` is given for illness only; no symptoms = not known."""

    person: str
    status: Status
    symptoms: tuple[str, ...] = ()
    onset: date | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A group's morning check of a day; aware UTC moments. A check that was not made does not exist.

    ``received_at`` is later than ``tapped_at`` where the phone had no network.
    """

    group: str
    day: date
    tapped_at: datetime
    received_at: datetime
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class PlantedCluster:
    """A cluster that is really there: its group, and each person with the day of onset, by day and person."""

    name: Literal["gastroenteritis", "fever", "dormitory"]
    group: str
    cases: tuple[tuple[str, date], ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """What a detector and a compliance ledger ought to find."""

    clusters: tuple[PlantedCluster, ...]
    missing_on_last_day: tuple[str, ...]
    late_on_last_day: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class District:
    """A whole synthetic district. Equal arguments give equal values, byte for byte in ``repr``."""

    code: str
    name_zh: str
    name_en: str
    school_days: tuple[date, ...]
    institutions: tuple[Institution, ...]
    grades: tuple[Grade, ...]
    groups: tuple[Group, ...]
    persons: tuple[Person, ...]
    enrolments: tuple[Enrolment, ...]
    staff: tuple[StaffRole, ...]
    checks: tuple[Check, ...]
    truth: Truth
