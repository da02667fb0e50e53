"""The step of an institution's classes into the next school year, and back while nothing hangs on it.

Each class of last year ends with it and keeps its rows, its name and its pupils for every past day. The class
of the next grade is a new one, into which the pupils go with their numbers.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import Actor, RoleAssignment, User
from xiaodun.accounts.services.users import assign_role, end_role, reopen_role
from xiaodun.kit import audit, outbox
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import GroupKind, UnitKind
from xiaodun.organisations.grades import Grade, first_day_of, grade_name, grade_name_en, read_grade
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import free_code, under
from xiaodun.organisations.services import close_unit, create_unit, remove_unused_unit, reopen_unit
from xiaodun.people.models import Enrolment, RollOver
from xiaodun.people.services.enrolments import ENROLMENTS_LOADED, EnrolmentRow, enrol_many
from xiaodun.people.years import ClassStep, YearPlan, grades_of, year_plan


@transaction.atomic
def roll_over(
    *, by: Actor, institution: Unit, school_year: int, teachers_move: bool, at: datetime
) -> RollOver:
    """Every class moves up, the last grade leaves, the first stands empty: all of it or nothing.

    Raises:
        Refusal: ``year-rolled-over`` (409), ``no-class-to-move`` (409).
    """
    institution = Unit.objects.select_for_update(no_key=True).get(pk=institution.pk)
    if RollOver.objects.filter(
        institution=institution, school_year=school_year, undone_at__isnull=True
    ).exists():
        raise Refusal(
            "year-rolled-over",
            _("The classes of this school have been moved into this school year."),
            facts={"school_year": school_year},
            labels={"school_year": _("School year")},
            lifts=_("Nothing is left to do. Undo the step first if it was wrong."),
        )
    plan = year_plan(institution, school_year)
    if not plan.moving and not plan.leaving:
        raise Refusal(
            "no-class-to-move",
            _("No class of this school says its grade."),
            lifts=_("Name each grade by its number, as schools do, then try again."),
        )
    _refuse_entered_ahead(plan)
    steps: dict[str, list[Any]] = {"classes": [], "grades": [], "enrolments": [], "roles": []}
    grades = {read_grade(unit.name, institution.institution_kind): unit for unit in grades_of(institution)}
    moved: list[tuple[ClassStep, Unit]] = []
    for step in plan.moving:
        assert step.to is not None
        if step.to not in grades:
            grades[step.to] = _make_grade(by, institution, step.to, plan.first_day, at)
            steps["grades"].append(grades[step.to].pk)
        moved.append((step, _make_class(by, step, grades[step.to], plan.first_day, at)))
    enrolments = _end_enrolments(plan, steps)
    rows = [
        EnrolmentRow(row.person, new, plan.first_day, row.number, row.valid_to)
        for step, new in moved
        for row in enrolments.get(step.group.pk, [])
    ]
    _end_roles(by, plan, steps, at)
    for step in (*plan.moving, *plan.leaving):
        close_unit(by=by, unit=step.group, last_day=plan.last_day, at=at)
    if rows:
        enrol_many(by=by, unit=institution, rows=rows, at=at)
    for step, new in moved:
        steps["classes"].append([step.group.pk, new.pk])
        for teacher in step.teachers if teachers_move else ():
            assign_role(
                by=by, user=teacher, role=Role.CLASS_TEACHER, unit=new, valid_from=plan.first_day, at=at
            )
    steps["classes"] += [[step.group.pk, None] for step in plan.leaving]
    _announce_ends(enrolments, plan.first_day, at)
    made = RollOver.objects.create(
        institution=institution,
        school_year=school_year,
        made_by=by if isinstance(by, User) else None,
        made_at=at,
        steps=steps,
    )
    audit.record(
        by=by,
        action="people.roll_over",
        obj=made,
        unit=institution,
        at=at,
        facts={
            "school_year": school_year,
            "moved": len(plan.moving),
            "left": len(plan.leaving),
            "pupils_moved": plan.moving_pupils,
            "pupils_left": plan.leaving_pupils,
            "teachers_move": teachers_move,
        },
    )
    return made


def _refuse_entered_ahead(plan: YearPlan) -> None:
    classes = [step.group.pk for step in (*plan.moving, *plan.leaving)]
    ahead = Enrolment.objects.filter(group__in=classes, valid_from__gt=plan.last_day).count()
    if ahead:
        raise Refusal(
            "pupils-entered-ahead",
            _("Pupils are entered for the new school year in classes that end with the old one."),
            facts={"persons": ahead},
            labels={"persons": _("Persons")},
            lifts=_("Take these entries back, and add the pupils to the new classes after this step."),
        )


def _make_grade(by: Actor, institution: Unit, grade: Grade, day: date, at: datetime) -> Unit:
    return create_unit(
        by=by,
        parent=institution,
        kind=UnitKind.GRADE,
        code=free_code(institution),
        name=grade_name(grade),
        name_en=grade_name_en(grade),
        first_day=day,
        at=at,
    )


def _make_class(by: Actor, step: ClassStep, grade: Unit, day: date, at: datetime) -> Unit:
    # An institution that has not joined yet moves its classes as well; they owe nothing before it joins.
    return create_unit(
        by=by,
        parent=grade,
        kind=UnitKind.GROUP,
        group_kind=GroupKind.CLASS,
        code=free_code(grade),
        name=step.name,
        name_en=step.name_en,
        first_day=day if step.group.first_day is not None else None,
        at=at,
    )


def _end_enrolments(plan: YearPlan, steps: dict[str, list[Any]]) -> dict[int, list[Enrolment]]:
    """All enrolments that go on beyond the year end with it; as they stood before, by class.

    Who leaves the school leaves its dormitory and its other groups as well.
    """
    classes = [step.group.pk for step in (*plan.moving, *plan.leaving)]
    beyond = Enrolment.objects.exclude(valid_to__lte=plan.last_day).filter(valid_from__lte=plan.last_day)
    ending = list(beyond.filter(group__in=classes).select_related("person").order_by("pk"))
    leaving = {step.group.pk for step in plan.leaving}
    leavers = {row.person_id for row in ending if row.group_id in leaving}
    others = beyond.filter(person__in=leavers, group__in=Unit.objects.filter(under(plan.institution.path)))
    ending += list(others.exclude(group__in=classes).select_related("person"))
    by_group: dict[int, list[Enrolment]] = {}
    for row in ending:
        by_group.setdefault(row.group_id, []).append(row)
        steps["enrolments"].append([row.pk, row.valid_to.isoformat() if row.valid_to else None])
    Enrolment.objects.filter(pk__in=[row.pk for row in ending]).update(valid_to=plan.last_day)
    return by_group


def _end_roles(by: Actor, plan: YearPlan, steps: dict[str, list[Any]], at: datetime) -> None:
    classes = [step.group.pk for step in (*plan.moving, *plan.leaving)]
    beyond = RoleAssignment.objects.exclude(valid_to__lte=plan.last_day).filter(
        unit__in=classes, valid_from__lte=plan.last_day
    )
    for held in beyond.select_related("unit").order_by("pk"):
        steps["roles"].append([held.pk, held.valid_to.isoformat() if held.valid_to else None])
        end_role(by=by, assignment=held, last_day=plan.last_day, at=at)


def _announce_ends(enrolments: dict[int, list[Enrolment]], since: date, at: datetime) -> None:
    for group, rows in enrolments.items():
        _announce({row.person_id for row in rows}, [group], since, at)


def _announce(persons: Iterable[int], groups: list[int], since: date, at: datetime) -> None:
    payload = {"persons": sorted(persons), "groups": groups, "since": since.isoformat()}
    outbox.announce(ENROLMENTS_LOADED, payload, at=at)


@transaction.atomic
def undo_roll_over(*, by: Actor, made: RollOver, at: datetime) -> RollOver:
    """As if the step had not been taken: possible until something hangs on one of the new classes.

    Raises:
        Refusal: ``year-in-use`` when a new class has been checked or has got anything of its own.
    """
    made = RollOver.objects.select_for_update().select_related("institution").get(pk=made.pk)
    if made.undone_at is not None:
        return made
    new = [pair[1] for pair in made.steps["classes"] if pair[1] is not None]
    own = Enrolment.objects.filter(group__in=new)
    restored = dict(made.steps["enrolments"])
    if own.exclude(person__in=Enrolment.objects.filter(pk__in=restored).values("person")).exists():
        raise _in_use()
    persons = set(own.values_list("person_id", flat=True))
    own.delete()
    for held in RoleAssignment.objects.filter(unit__in=new).select_related("unit"):
        end_role(by=by, assignment=held, last_day=date.min, at=at)
    try:
        for unit in Unit.objects.filter(pk__in=[*new, *made.steps["grades"]]).order_by("-path"):
            remove_unused_unit(by=by, unit=unit, at=at)
    except ProtectedError:
        raise _in_use() from None
    for group, _new in made.steps["classes"]:
        reopen_unit(by=by, unit=Unit.objects.get(pk=group), at=at)
    for pk, end in made.steps["enrolments"]:
        Enrolment.objects.filter(pk=pk).update(valid_to=end)
    ends = {pk: date.fromisoformat(end) if end else None for pk, end in made.steps["roles"]}
    for held in RoleAssignment.objects.filter(pk__in=ends):
        reopen_role(by=by, assignment=held, valid_to=ends[held.pk], at=at)
    made.undone_at = at
    made.save(update_fields=["undone_at"])
    groups = [group for group, _new in made.steps["classes"]]
    _announce(persons, groups, first_day_of(made.school_year), at)
    audit.record(
        by=by,
        action="people.undo_roll_over",
        obj=made,
        unit=made.institution,
        at=at,
        facts={"school_year": made.school_year},
    )
    return made


def _in_use() -> Refusal:
    return Refusal(
        "year-in-use",
        _("The new school year has begun: a new class has been checked or has new pupils."),
        lifts=_("Correct single classes: move pupils, rename, split or merge them."),
    )
