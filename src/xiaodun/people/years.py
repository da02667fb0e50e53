"""What the end of a school year does to the classes of an institution: planned before it is done."""

from dataclasses import dataclass
from datetime import date, timedelta

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import RoleAssignment, User
from xiaodun.organisations.choices import GroupKind, UnitKind
from xiaodun.organisations.grades import Grade, first_day_of, grade_in, moved_up, moved_up_en, next_grade
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import under, valid_on
from xiaodun.people.selectors import head_counts


@dataclass(frozen=True, slots=True)
class ClassStep:
    """One class at the end of the year: moved up to ``to`` under a new name, or (``to`` none) it leaves."""

    group: Unit
    grade: Grade
    to: Grade | None
    name: str
    name_en: str
    pupils: int
    teachers: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class YearPlan:
    """The classes that move up, those that leave, and those that stay because their name says no grade."""

    institution: Unit
    school_year: int
    moving: list[ClassStep]
    leaving: list[ClassStep]
    staying: list[Unit]

    @property
    def first_day(self) -> date:
        """The first day of the new school year."""
        return first_day_of(self.school_year)

    @property
    def last_day(self) -> date:
        """The last day of the old one."""
        return self.first_day - timedelta(days=1)

    @property
    def moving_pupils(self) -> int:
        return sum(step.pupils for step in self.moving)

    @property
    def leaving_pupils(self) -> int:
        return sum(step.pupils for step in self.leaving)


def year_plan(institution: Unit, school_year: int) -> YearPlan:
    """What the step into ``school_year`` would do to the institution. Changes nothing."""
    last_day = first_day_of(school_year) - timedelta(days=1)
    classes = list(
        Unit.objects.filter(under(institution.path), kind=UnitKind.GROUP, group_kind=GroupKind.CLASS)
        .exclude(last_day__lte=last_day)
        .exclude(first_day__gt=last_day)
        .order_by("path")
    )
    counts = head_counts(under(institution.path), last_day)
    teachers: dict[int, list[User]] = {}
    held = RoleAssignment.objects.filter(
        valid_on(last_day), unit__in=classes, role=Role.CLASS_TEACHER
    ).select_related("user")
    for assignment in held.order_by("pk"):
        teachers.setdefault(assignment.unit_id, []).append(assignment.user)
    plan = YearPlan(institution, school_year, [], [], [])
    for group in classes:
        grade = grade_in(group.stage, group.entry_year, school_year - 1) if group.entry_year else None
        if grade is None:
            plan.staying.append(group)
            continue
        to = next_grade(grade, institution.institution_kind)
        step = ClassStep(
            group=group,
            grade=grade,
            to=to,
            name=moved_up(group.name, grade, to) if to else group.name,
            name_en=moved_up_en(group.name_en, grade, to) if to else group.name_en,
            pupils=counts.get(group.pk, 0),
            teachers=tuple(teachers.get(group.pk, ())),
        )
        (plan.moving if to else plan.leaving).append(step)
    return plan


def grades_of(institution: Unit) -> list[Unit]:
    """The grade units of an institution that are open, in tree order."""
    grades = Unit.objects.filter(under(institution.path), kind=UnitKind.GRADE, last_day__isnull=True)
    return list(grades.order_by("path"))
