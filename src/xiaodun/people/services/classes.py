"""What a school does to its classes: open, fill, split, merge, close, and who teaches them.

Doors judge the right before they call. What is entered for a past day changes that day: absence files and
signals follow by themselves, as the enrolments announce it.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import Actor, RoleAssignment, User
from xiaodun.accounts.services.users import assign_role, end_role
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import GroupKind, UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import free_code, valid_on, within
from xiaodun.organisations.services import close_unit, create_unit
from xiaodun.people.models import Enrolment, Person
from xiaodun.people.services.enrolments import enrol, transfer
from xiaodun.people.services.persons import register_person

_DAY = timedelta(days=1)


@transaction.atomic
def add_pupil(
    *,
    by: Actor,
    group: Unit,
    number: str,
    name: str,
    sex: str = "",
    birth_year: int | None = None,
    seat: int | None = None,
    valid_from: date,
    at: datetime,
) -> Enrolment:
    """A pupil belongs to ``group`` from ``valid_from``; one who left before comes back under the old number.

    Raises:
        Refusal: ``person-number-taken`` (another name has the number), ``pupil-elsewhere`` (409).
    """
    known = Person.objects.filter(number=number.strip(), name=name.strip(), kind=Person.Kind.PUPIL).first()
    if known is None:
        known = register_person(
            by=by,
            kind=Person.Kind.PUPIL,
            number=number,
            name=name,
            sex=sex,
            birth_year=birth_year,
            at=at,
        )
    elif group.group_kind == GroupKind.CLASS and _has_class(known, valid_from):
        raise Refusal(
            "pupil-elsewhere",
            _("This pupil still belongs to a class."),
            lifts=_(
                "In your own school, move the pupil. Else ask the other school to enter the last day first."
            ),
        )
    return enrol(by=by, person=known, group=group, number=seat, valid_from=valid_from, at=at)


def _has_class(person: Person, day: date) -> bool:
    return Enrolment.objects.filter(valid_on(day), person=person, group__group_kind=GroupKind.CLASS).exists()


@transaction.atomic
def give_bed(
    *,
    by: Actor,
    institution: Unit,
    room: Unit,
    number: str,
    seat: int | None = None,
    valid_from: date,
    at: datetime,
) -> Enrolment:
    """A pupil of the institution sleeps in ``room`` from ``valid_from``, in no other room from then on."""
    stays = Enrolment.objects.filter(
        valid_on(valid_from), within("group__path", institution.path), person__number=number.strip()
    ).select_related("person", "group")
    pupil = next((stay.person for stay in stays), None)
    if pupil is None:
        raise Refusal(
            "pupil-unknown-here",
            _("No pupil of this school has this number on that day."),
            status=422,
            lifts=_("Look the number up by the name, or add the pupil to a class first."),
        )
    bed = next((stay.group for stay in stays if stay.group.group_kind == GroupKind.DORMITORY), None)
    if bed is not None and bed.pk != room.pk:
        return transfer(by=by, person=pupil, from_group=bed, to_group=room, on=valid_from, number=seat, at=at)
    return enrol(by=by, person=pupil, group=room, number=seat, valid_from=valid_from, at=at)


@transaction.atomic
def open_class(
    *,
    by: Actor,
    parent: Unit,
    name: str,
    name_en: str = "",
    kind: str = GroupKind.CLASS,
    day: date,
    at: datetime,
) -> Unit:
    """A group without members below a grade or an institution, from ``day`` on."""
    if Unit.objects.get_children(parent).filter(name=name.strip(), last_day__isnull=True).exists():
        raise Refusal(
            "class-name-taken",
            _("There is an open class of this name already."),
            facts={"name": name.strip()},
            labels={"name": _("Name")},
            lifts=_("Choose another name, or close the other class first."),
        )
    return create_unit(
        by=by,
        parent=parent,
        kind=UnitKind.GROUP,
        group_kind=kind,
        code=free_code(parent),
        name=name,
        name_en=name_en,
        first_day=day if parent.first_day is not None else None,
        at=at,
    )


@transaction.atomic
def move_pupils(
    *, by: Actor, persons: Sequence[Person], from_group: Unit, to_group: Unit, on: date, at: datetime
) -> list[Enrolment]:
    """All of them, or none, belong to ``to_group`` from ``on``. Numbers in the group are given anew there."""
    if not persons:
        raise Refusal(
            "nobody-chosen", _("Nobody is chosen."), status=422, lifts=_("Choose at least one pupil.")
        )
    return [
        transfer(by=by, person=person, from_group=from_group, to_group=to_group, on=on, at=at)
        for person in persons
    ]


@transaction.atomic
def split_class(
    *,
    by: Actor,
    group: Unit,
    persons: Sequence[Person],
    name: str,
    name_en: str = "",
    on: date,
    at: datetime,
) -> Unit:
    """From ``on`` these pupils form a class of their own beside ``group``, which keeps the others."""
    remaining = set(_members(group, on)) - {person.pk for person in persons}
    if not remaining:
        raise Refusal(
            "split-leaves-nobody",
            _("Nobody would stay in the class."),
            facts={"chosen": len(persons)},
            labels={"chosen": _("Chosen")},
            lifts=_("Leave at least one pupil out, or rename the class instead."),
        )
    parent: Unit = Unit.objects.get_parent(group)
    new = open_class(by=by, parent=parent, name=name, name_en=name_en, kind=group.group_kind, day=on, at=at)
    move_pupils(by=by, persons=persons, from_group=group, to_group=new, on=on, at=at)
    return new


@transaction.atomic
def merge_classes(*, by: Actor, group: Unit, into: Unit, on: date, at: datetime) -> int:
    """From ``on`` all of ``group`` belong to ``into``, and it ends the day before; returns how many moved."""
    members = list(Person.objects.filter(pk__in=_members(group, on)).order_by("pk"))
    if members:
        move_pupils(by=by, persons=members, from_group=group, to_group=into, on=on, at=at)
    close_class(by=by, group=group, last_day=on - _DAY, at=at)
    return len(members)


@transaction.atomic
def close_class(*, by: Actor, group: Unit, last_day: date, at: datetime) -> Unit:
    """The class ends with ``last_day``, and who held a role on it holds it no longer. Its past days stay.

    Raises:
        Refusal: ``class-not-empty`` while somebody belongs to it after that day.
    """
    left = len(_members(group, last_day + _DAY))
    if left:
        raise Refusal(
            "class-not-empty",
            _("Somebody still belongs to this class after that day."),
            facts={"persons": left},
            labels={"persons": _("Persons")},
            lifts=_("Move them to another class, enter their last day, or merge the class with another one."),
        )
    for assignment in RoleAssignment.objects.filter(unit=group).exclude(valid_to__lte=last_day):
        end_role(by=by, assignment=assignment, last_day=last_day, at=at)
    return close_unit(by=by, unit=group, last_day=last_day, at=at)


def _members(group: Unit, day: date) -> list[int]:
    """Who belongs to the group on the day or later."""
    rows = Enrolment.objects.exclude(valid_to__lt=day).filter(group=group)
    return sorted(set(rows.values_list("person_id", flat=True)))


@transaction.atomic
def change_teacher(*, by: Actor, group: Unit, user: User, on: date, at: datetime) -> RoleAssignment:
    """From ``on`` the class has this teacher alone; substitutes for a period keep theirs."""
    for held in RoleAssignment.objects.filter(unit=group, role=Role.CLASS_TEACHER, valid_to__isnull=True):
        if held.user_id == user.pk and held.valid_from <= on:
            raise Refusal(
                "teacher-already",
                _("This teacher has the class already."),
                lifts=_("Choose another teacher."),
            )
        end_role(by=by, assignment=held, last_day=on - _DAY, at=at)
    return assign_role(by=by, user=user, role=Role.CLASS_TEACHER, unit=group, valid_from=on, at=at)


@transaction.atomic
def appoint_substitute(
    *, by: Actor, group: Unit, user: User, first_day: date, last_day: date, at: datetime
) -> RoleAssignment:
    """The user has the class in this period, beside its own teacher; it ends by itself."""
    return assign_role(
        by=by,
        user=user,
        role=Role.CLASS_TEACHER,
        unit=group,
        valid_from=first_day,
        valid_to=last_day,
        at=at,
    )
