"""A copy of a school in the drill area, with invented names, to try everything before the first day."""

from datetime import date, datetime
from typing import Literal

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import Actor, RoleAssignment
from xiaodun.accounts.services.users import assign_role
from xiaodun.engine.simulation.dice import Dice
from xiaodun.engine.simulation.names import draw_name
from xiaodun.kit import audit, clock
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import paths_upwards, under, valid_on
from xiaodun.organisations.services import create_unit
from xiaodun.people.models import Person
from xiaodun.people.policies import practice_code
from xiaodun.people.selectors import head_counts
from xiaodun.people.services.enrolments import EnrolmentRow, enrol_many
from xiaodun.people.services.persons import PersonRow, register_persons

# A class to practise on; who has a larger one learns no more from it.
_MOST_IN_A_CLASS = 12
_SEXES: tuple[Literal["M", "F"], Literal["M", "F"]] = ("M", "F")


@transaction.atomic
def copy_for_practice(*, by: Actor, institution: Unit, drill: Unit, last_day: date, at: datetime) -> Unit:
    """Grades, groups and posts of ``institution`` below ``drill``; its staff hold them until ``last_day``.

    No real person is copied: each group gets invented ones.

    Raises:
        Refusal: ``practice-made`` when the copy is there already.
    """
    day = clock.local_day(at)
    code = practice_code(institution.code)
    if Unit.objects.filter(code=code).exists():
        raise Refusal(
            "practice-made",
            _("The practice school is there already."),
            facts={"code": code},
            lifts=_("Use it; whoever has no post on it gets one from its class page."),
        )
    copies: dict[str, Unit] = {institution.path: _copy_institution(by, institution, drill, code, at)}
    counts = head_counts(under(institution.path), day)
    below = Unit.objects.filter(under(institution.path)).exclude(pk=institution.pk).exclude(last_day__lt=day)
    for number, unit in enumerate(below.order_by("path"), start=1):
        parent = next(copies[path] for path in list(paths_upwards(unit.path))[1:] if path in copies)
        copies[unit.path] = create_unit(
            by=by,
            parent=parent,
            kind=unit.kind,
            group_kind=unit.group_kind,
            code=f"{code}-{number}",
            name=unit.name,
            name_en=unit.name_en,
            first_day=day,
            at=at,
        )
        if unit.kind == UnitKind.GROUP and counts.get(unit.pk):
            _fill(by, copies[unit.path], min(counts[unit.pk], _MOST_IN_A_CLASS), day, at)
    posts = RoleAssignment.objects.filter(valid_on(day), unit__path__in=copies, user__is_active=True)
    for held in posts.select_related("user", "unit").order_by("pk"):
        assign_role(
            by=by,
            user=held.user,
            role=Role(held.role),
            unit=copies[held.unit.path],
            valid_from=day,
            valid_to=last_day,
            at=at,
        )
    made = copies[institution.path]
    audit.record(
        by=by,
        action="people.copy_for_practice",
        obj=made,
        unit=institution,
        at=at,
        facts={"of": institution.pk, "groups": len(copies) - 1, "last_day": last_day.isoformat()},
    )
    return made


def _copy_institution(by: Actor, institution: Unit, drill: Unit, code: str, at: datetime) -> Unit:
    # Names are data and stand in Chinese, whatever language the clerk reads.
    with translation.override("zh-hans"):
        name = gettext("%(name)s (practice)") % {"name": institution.name}
    return create_unit(
        by=by,
        parent=drill,
        kind=UnitKind.INSTITUTION,
        institution_kind=institution.institution_kind,
        code=code,
        name=name,
        name_en=f"{institution.name_en} (practice)" if institution.name_en else "",
        teaching_weekdays=institution.teaching_weekdays,
        first_day=clock.local_day(at),
        at=at,
    )


def _fill(by: Actor, group: Unit, count: int, day: date, at: datetime) -> None:
    dice = Dice(0, group.pk)
    rows = []
    for number in range(1, count + 1):
        sex = _SEXES[number % 2]
        rows.append(PersonRow(Person.Kind.PUPIL, f"{group.code}-{number:02d}", draw_name(dice, sex), sex))
    persons = register_persons(by=by, unit=group, rows=rows, at=at)
    enrol_many(
        by=by,
        unit=group,
        rows=[EnrolmentRow(person, group, day, number) for number, person in enumerate(persons, start=1)],
        at=at,
    )
