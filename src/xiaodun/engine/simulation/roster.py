"""The units of the small district and the people in them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from xiaodun.engine.simulation.dice import Dice
from xiaodun.engine.simulation.district import (
    Enrolment,
    Grade,
    Group,
    GroupKind,
    Institution,
    Person,
    Role,
    StaffRole,
)
from xiaodun.engine.simulation.names import draw_name

__all__ = ["DISTRICT_CODE", "Roster", "draw_roster"]

DISTRICT_CODE = "demo"

Sex = Literal["M", "F"]
_SEXES: tuple[Sex, Sex] = ("M", "F")

# A third of a year's pupils are born from September to December of the year before.
_BORN_BEFORE_NEW_YEAR = 1 / 3
_ROOM_SIZE = 8


@dataclass(frozen=True)
class _GradePlan:
    """A grade: names, usual age in the autumn of the school year, years since entry, classes (zh, en)."""

    name_zh: str
    name_en: str
    age: int
    years_since_entry: int
    classes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _SchoolPlan:
    institution: Institution
    grades: tuple[_GradePlan, ...]
    class_size: tuple[int, int]


@dataclass
class Roster:
    """Units and people as they are drawn, with the two ways through the enrolments."""

    institutions: list[Institution] = field(default_factory=list)
    grades: list[Grade] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    persons: list[Person] = field(default_factory=list)
    enrolments: list[Enrolment] = field(default_factory=list)
    staff: list[StaffRole] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    groups_of: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def draw_roster(dice: Dice, *, school_year: int, since: date) -> Roster:
    """Six institutions, forty groups and their people in the school year that begins in ``school_year``."""
    builder = _Builder(dice, school_year, since)
    for plan in _schools(school_year):
        builder.add_school(plan)
    builder.add_department("p01", "canteen", "食堂", "Canteen", 12)
    builder.add_department("c01", "logistics", "后勤处", "Logistics Department", 16)
    builder.add_rooms(
        "s01",
        (
            ("1号公寓305室", "Dormitory 1-305", "M"),
            ("1号公寓306室", "Dormitory 1-306", "M"),
            ("2号公寓201室", "Dormitory 2-201", "F"),
            ("2号公寓202室", "Dormitory 2-202", "F"),
        ),
    )
    builder.add_training_body(
        Institution("t01", "training", "示范区星火培训学校", "Xinghuo Training Centre", "private", ()),
        (("少儿美术一班", "Art 1"), ("英语口语二班", "Spoken English 2"), ("书法一班", "Calligraphy 1")),
        pupils_of=("p01", "j01"),
    )
    builder.add_district_officers(2)
    return builder.roster


def _schools(school_year: int) -> tuple[_SchoolPlan, ...]:
    """The institutions that have classes; their names and class names as Chinese schools write them."""
    kindergarten = tuple(
        _GradePlan(f"{zh}班", en, 3 + n, n, ((f"{zh}一班", f"{en} 1"), (f"{zh}二班", f"{en} 2")))
        for n, (zh, en) in enumerate((("小", "Nursery"), ("中", "Middle"), ("大", "Top")))
    )
    primary = tuple(
        _GradePlan(f"{zh}年级", f"Grade {n + 1}", 6 + n, n, _numbered(zh, f"Grade {n + 1}", classes))
        for n, (zh, classes) in enumerate(zip("一二三四五六", (2, 1, 2, 1, 2, 1), strict=True))
    )
    junior = tuple(
        _GradePlan(f"{zh}年级", f"Grade {n + 7}", 12 + n, n, _numbered(zh, f"Grade {n + 7}", classes))
        for n, (zh, classes) in enumerate(zip("七八九", (3, 2, 2), strict=True))
    )
    senior = tuple(
        _GradePlan(zh, f"Senior {n + 1}", 15 + n, n, _numbered(zh, f"Senior {n + 1}", classes))
        for n, (zh, classes) in enumerate((("高一", 3), ("高二", 2), ("高三", 1)))
    )
    nursing, mechatronics = ("护理", "Nursing"), ("机电", "Mechatronics")
    college = tuple(
        _GradePlan(f"{year}级", f"Entry {year}", 18 + n, n, _majors(year, majors))
        for n, (year, majors) in enumerate(
            ((school_year, (nursing, mechatronics)), (school_year - 1, (nursing,)))
        )
    )
    return (
        _SchoolPlan(
            Institution(
                "k01", "kindergarten", "示范区晨光幼儿园", "Chenguang Kindergarten", "private", ("preschool",)
            ),
            kindergarten,
            (25, 33),
        ),
        _SchoolPlan(
            Institution("p01", "primary", "示范区育才小学", "Yucai Primary School", "public", ("primary",)),
            primary,
            (38, 47),
        ),
        _SchoolPlan(
            Institution(
                "j01", "junior", "示范区青禾初级中学", "Qinghe Junior Middle School", "public", ("junior",)
            ),
            junior,
            (40, 48),
        ),
        _SchoolPlan(
            Institution(
                "s01", "senior", "示范区明德高级中学", "Mingde Senior Middle School", "public", ("senior",)
            ),
            senior,
            (42, 48),
        ),
        _SchoolPlan(
            Institution(
                "c01",
                "college",
                "示范区职业技术学院",
                "Vocational and Technical College",
                "public",
                ("college",),
            ),
            college,
            (32, 42),
        ),
    )


def _numbered(zh: str, en: str, classes: int) -> tuple[tuple[str, str], ...]:
    return tuple((f"{zh}({n})班", f"{en} Class {n}") for n in range(1, classes + 1))


def _majors(year: int, majors: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{zh}{year % 100:02d}01班", f"{en} {year % 100:02d}01") for zh, en in majors)


class _Builder:
    """Draws the roster part by part; the order of the calls is part of what the seed means."""

    def __init__(self, dice: Dice, school_year: int, since: date) -> None:
        self.roster = Roster()
        self._dice = dice
        self._school_year = school_year
        self._since = since
        self._sex_of: dict[str, Sex] = {}
        self._homes: dict[str, int] = {}
        self._drawn: Counter[tuple[str, str]] = Counter()

    def add_school(self, plan: _SchoolPlan) -> None:
        code = plan.institution.code
        self._add_institution(plan.institution)
        for position, grade_plan in enumerate(plan.grades, start=1):
            entry_year = self._school_year - grade_plan.years_since_entry
            grade = Grade(f"{code}-{position}", code, grade_plan.name_zh, grade_plan.name_en, entry_year)
            self.roster.grades.append(grade)
            self._add_staff(code, "grade_lead", grade.code)
            for number, (zh, en) in enumerate(grade_plan.classes, start=1):
                group = self._add_group(f"{grade.code}-{number}", code, grade.code, "class", zh, en)
                names: set[str] = set()
                for _ in range(self._dice.between(*plan.class_size)):
                    self._enrol(self._draw_pupil(code, entry_year, grade_plan.age, names), group)

    def add_department(self, institution: str, key: str, zh: str, en: str, size: int) -> None:
        """A department of staff: its head owes the check and is checked like the others."""
        group = self._add_group(
            f"{institution}-{key}", institution, None, "department", zh, en, has_teacher=False
        )
        names: set[str] = set()
        head = self._draw_staff(institution, names)
        self.roster.staff.append(StaffRole(head, "class_teacher", group))
        self._enrol(head, group)
        for _ in range(size - 1):
            self._enrol(self._draw_staff(institution, names), group)

    def add_rooms(self, institution: str, rooms: tuple[tuple[str, str, Sex], ...]) -> None:
        """Dormitory rooms that mix the classes, so that a cluster in a room is none in any class."""
        classes = [g.code for g in self.roster.groups if (g.institution, g.kind) == (institution, "class")]
        waiting: dict[Sex, list[str]] = {}
        for sex in _SEXES:
            shuffled = []
            for code in classes:
                same_sex = [person for person in self.roster.members[code] if self._sex_of[person] == sex]
                shuffled.append(self._dice.sample(same_sex, len(same_sex)))
            shortest = min(len(column) for column in shuffled)
            waiting[sex] = [column[row] for row in range(shortest) for column in shuffled]
        for zh, en, sex in rooms:
            number = "".join(character for character in en if character.isdigit())
            room = self._add_group(f"{institution}-d{number}", institution, None, "dormitory", zh, en)
            for _ in range(_ROOM_SIZE):
                self._enrol(waiting[sex].pop(0), room)

    def add_training_body(
        self, institution: Institution, lessons: tuple[tuple[str, str], ...], *, pupils_of: tuple[str, ...]
    ) -> None:
        """A training body teaches pupils of schools: they hold two enrolments, at most one lesson each."""
        self._add_institution(institution)
        pupils = [
            person
            for group in self.roster.groups
            if group.institution in pupils_of and group.kind == "class"
            for person in self.roster.members[group.code]
        ]
        sizes = [self._dice.between(16, 22) for _ in lessons]
        drawn = self._dice.sample(pupils, sum(sizes))
        for number, ((zh, en), size) in enumerate(zip(lessons, sizes, strict=True), start=1):
            code = institution.code
            lesson = self._add_group(f"{code}-l{number}", code, None, "lesson", zh, en)
            for _ in range(size):
                self._enrol(drawn.pop(), lesson)

    def add_district_officers(self, count: int) -> None:
        for _ in range(count):
            self._add_staff(DISTRICT_CODE, "district_officer", DISTRICT_CODE)

    def _add_institution(self, institution: Institution) -> None:
        self.roster.institutions.append(institution)
        self._add_staff(institution.code, "principal", institution.code)
        self._add_staff(institution.code, "school_doctor", institution.code)

    def _add_group(
        self,
        code: str,
        institution: str,
        grade: str | None,
        kind: GroupKind,
        zh: str,
        en: str,
        *,
        has_teacher: bool = True,
    ) -> str:
        self.roster.groups.append(Group(code, institution, grade, kind, zh, en))
        if has_teacher:
            role: Role = "dormitory_supervisor" if kind == "dormitory" else "class_teacher"
            self._add_staff(institution, role, code)
        return code

    def _add_staff(self, employer: str, role: Role, unit: str) -> None:
        self.roster.staff.append(StaffRole(self._draw_staff(employer, set()), role, unit))

    def _draw_staff(self, employer: str, names: set[str]) -> str:
        sex = _SEXES[self._dice.happens(0.6)]
        ordinal, sequence = self._next_number(employer, "staff")
        person = Person(
            key=f"{employer}-staff-{sequence:03d}",
            kind="staff",
            number=f"{ordinal}{sequence:04d}",
            name=self._draw_name(sex, names),
            sex=sex,
            birth_year=self._school_year - self._dice.between(25, 58),
        )
        return self._keep(person)

    def _draw_pupil(self, school: str, entry_year: int, age: int, names: set[str]) -> str:
        sex = self._dice.pick(_SEXES)
        ordinal, sequence = self._next_number(school, "pupil")
        person = Person(
            key=f"{school}-pupil-{sequence:04d}",
            kind="pupil",
            number=f"{ordinal:02d}{entry_year}{sequence:04d}",
            name=self._draw_name(sex, names),
            sex=sex,
            birth_year=self._school_year - age - self._dice.happens(_BORN_BEFORE_NEW_YEAR),
        )
        return self._keep(person)

    def _next_number(self, home: str, kind: str) -> tuple[int, int]:
        """The ordinal of the home unit and the next number of this kind of person in it, both from 1."""
        self._drawn[home, kind] += 1
        return self._homes.setdefault(home, len(self._homes) + 1), self._drawn[home, kind]

    def _keep(self, person: Person) -> str:
        self.roster.persons.append(person)
        self._sex_of[person.key] = person.sex
        return person.key

    def _draw_name(self, sex: Sex, taken: set[str]) -> str:
        """A name that nobody else in the group has: namesakes would make a roster ambiguous to read."""
        name = draw_name(self._dice, sex)
        while name in taken:
            name = draw_name(self._dice, sex)
        taken.add(name)
        return name

    def _enrol(self, person: str, group: str) -> None:
        self.roster.members[group].append(person)
        self.roster.groups_of[person].append(group)
        self.roster.enrolments.append(Enrolment(person, group, len(self.roster.members[group]), self._since))
