"""What a school clerk works on: the school's classes with their gaps, one class, one person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.accounts.choices import Right, Role
from xiaodun.accounts.models import RoleAssignment, User
from xiaodun.accounts.policies import Scope
from xiaodun.accounts.selectors import class_teachers
from xiaodun.desks.selectors.reveals import openable_among
from xiaodun.desks.services import log_child_read, log_read
from xiaodun.kit import clock
from xiaodun.organisations.choices import GroupKind, UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import ancestors_of, institution_of, under
from xiaodun.people.models import Enrolment, Person
from xiaodun.people.policies import mask_name
from xiaodun.people.selectors import groups_of, head_counts, roster

# How long a change stands on the class page with its undo.
_LATELY = timedelta(days=14)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One group of a school as its clerk sees it."""

    unit: Unit
    grade: str
    pupils: int
    teachers: list[str]
    substitutes: list[str]
    is_class: bool
    url: str

    @property
    def lacks_teacher(self) -> bool:
        return self.is_class and not self.teachers

    @property
    def lacks_pupils(self) -> bool:
        return not self.pupils


@dataclass(frozen=True, slots=True)
class SchoolPage:
    """A school's groups: those with a gap first, then all."""

    title: str
    unit: Unit
    day: date
    pupils: int
    without_teacher: list[ClassRow]
    without_pupils: list[ClassRow]
    classes: list[ClassRow]
    others: list[ClassRow]
    ended: list[ClassRow]
    crumbs: list[dict[str, str]]


def school_of(scope: Scope, unit_id: int) -> Unit:
    """An institution whose lists the reader keeps.

    Raises:
        Http404: for a foreign unit exactly as for an unknown one.
    """
    institutions = Unit.objects.filter(scope.q(Right.MANAGE_PEOPLE), kind=UnitKind.INSTITUTION)
    unit: Unit | None = institutions.filter(pk=unit_id).first()
    if unit is None:
        raise Http404
    return unit


def group_of(scope: Scope, group_id: int) -> Unit:
    """A group whose list the reader keeps; raises as :func:`school_of`."""
    groups = Unit.objects.filter(scope.q(Right.MANAGE_PEOPLE), kind=UnitKind.GROUP)
    unit: Unit | None = groups.filter(pk=group_id).first()
    if unit is None:
        raise Http404
    return unit


def person_of(scope: Scope, person_id: int, day: date) -> Person:
    """Somebody who belongs to one of the reader's groups on ``day`` or later; raises as above."""
    mine = Enrolment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=day - _LATELY),
        scope.q(Right.MANAGE_PEOPLE, "group__"),
        person=person_id,
    )
    if not mine.exists():
        raise Http404
    return Person.objects.get(pk=person_id)


def schools_kept_by(scope: Scope) -> list[Unit]:
    """The institutions of which the reader keeps the lists by a role on the institution itself."""
    own = {grant.unit_id for grant in scope.grants_for(Right.MANAGE_PEOPLE)}
    return list(Unit.objects.filter(pk__in=own, kind=UnitKind.INSTITUTION).order_by("path"))


def groups_in(institution: Unit, day: date) -> list[Unit]:
    """The groups of an institution that are open on ``day`` or later, whether it has joined or not."""
    groups = Unit.objects.filter(under(institution.path), kind=UnitKind.GROUP).exclude(last_day__lt=day)
    return list(groups.order_by("path"))


def school_page(unit: Unit, *, at: datetime, may_see_readiness: bool) -> SchoolPage:
    """The classes of a school with head counts, teachers and gaps. Six queries, however many classes."""
    day = clock.local_day(at)
    groups = groups_in(unit, day)
    ended = list(
        Unit.objects.filter(
            under(unit.path), kind=UnitKind.GROUP, last_day__lt=day, last_day__gte=day - _LATELY
        ).order_by("path")
    )
    rows = _rows([*groups, *ended], unit, day)
    classes = [rows[group.pk] for group in groups if group.group_kind == GroupKind.CLASS]
    return SchoolPage(
        title=unit.label,
        unit=unit,
        day=day,
        pupils=sum(row.pupils for row in classes),
        without_teacher=[row for row in classes if row.lacks_teacher],
        without_pupils=[row for row in classes if row.lacks_pupils],
        classes=classes,
        others=[rows[group.pk] for group in groups if group.group_kind != GroupKind.CLASS],
        ended=[rows[group.pk] for group in ended],
        crumbs=[{"label": _("Readiness"), "url": reverse("desks:readiness")}] if may_see_readiness else [],
    )


def _rows(groups: Sequence[Unit], institution: Unit, day: date) -> dict[int, ClassRow]:
    counts = head_counts(under(institution.path), day)
    teachers = class_teachers(groups, day)
    above = ancestors_of(groups)
    rows = {}
    for group in groups:
        held = teachers.get(group.pk, [])
        grade = above[group.pk][-1]
        rows[group.pk] = ClassRow(
            unit=group,
            grade=grade.label if grade.kind == UnitKind.GRADE else "",
            pupils=counts.get(group.pk, 0),
            teachers=[each.user.name for each in held if each.valid_to is None],
            substitutes=[each.user.name for each in held if each.valid_to is not None],
            is_class=group.group_kind == GroupKind.CLASS,
            url=reverse("desks:clerk_group", args=[group.pk]),
        )
    return rows


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One person of a group."""

    person: Person
    name: str
    seat: int | None
    others: str
    until: date | None
    url: str


@dataclass(frozen=True, slots=True)
class Change:
    """A move or a leave entered lately, with what undoing it needs."""

    person: Person
    name: str
    kind: str
    other: Unit | None
    day: date
    is_undoable: bool


@dataclass(frozen=True, slots=True)
class GroupPage:
    """One group: who is in it, who has it, what changed lately."""

    title: str
    unit: Unit
    institution: Unit
    day: date
    is_class: bool
    is_open: bool
    may_enter_ill: bool
    members: list[MemberRow]
    coming: list[MemberRow]
    teachers: list[RoleAssignment]
    changes: list[Change]
    crumbs: list[dict[str, str]]


def group_page(unit: Unit, scope: Scope, *, by: User, at: datetime) -> GroupPage:
    """A group as its clerk sees it. The look is logged."""
    day = clock.local_day(at)
    institution = institution_of(unit)
    assert institution is not None
    shown = roster(unit, day)
    coming = list(
        Enrolment.objects.filter(group=unit, valid_from__gt=day)
        .select_related("person")
        .order_by("valid_from")
    )
    ends = dict(
        Enrolment.objects.filter(group=unit, valid_from__lte=day, valid_to__gte=day).values_list(
            "person", "valid_to"
        )
    )
    names_shown = scope.may(Right.SEE_ROSTER, unit)
    persons = [row.person for row in shown] + [row.person for row in coming]
    others = groups_of([person.pk for person in persons], day)

    def member(person: Person, seat: int | None, until: date | None) -> MemberRow:
        return MemberRow(
            person=person,
            name=shown_name(person, names_shown),
            seat=seat,
            others=_(", ").join(
                group.label
                for group in others[person.pk]
                if group.pk != unit.pk and scope.may(Right.MANAGE_PEOPLE, group)
            ),
            until=until,
            url=reverse("desks:clerk_person", args=[person.pk]),
        )

    held = RoleAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=day), unit=unit, role=Role.CLASS_TEACHER
    )
    changes = _changes(unit, scope, day, names_shown)
    page = GroupPage(
        title=unit.label,
        unit=unit,
        institution=institution,
        day=day,
        is_class=unit.group_kind == GroupKind.CLASS,
        is_open=unit.last_day is None or unit.last_day >= day,
        may_enter_ill=unit.first_day is None or unit.first_day >= day,
        members=[member(row.person, row.number, ends.get(row.person.pk)) for row in shown],
        coming=[member(row.person, row.number, row.valid_from) for row in coming],
        teachers=list(held.select_related("user").order_by("valid_from", "pk")),
        changes=changes,
        crumbs=[{"label": institution.label, "url": reverse("desks:clerk_school", args=[institution.pk])}],
    )
    seen = {person.pk for person in persons} | {change.person.pk for change in changes}
    log_read(by=by, page="roster", unit=unit, person_ids=seen, at=at)
    return page


def may_correct(scope: Scope, unit: Unit) -> bool:
    """Whoever reads masked names writes none."""
    return scope.may(Right.SEE_ROSTER, unit)


def shown_name(person: Person, in_full: bool) -> str:
    """The name as far as the reader may know it."""
    return person.name if in_full else mask_name(person.name)


def _changes(unit: Unit, scope: Scope, day: date, names_shown: bool) -> list[Change]:
    """Who left this group, or came to it from another one, lately or from a day to come."""
    ended = list(Enrolment.objects.filter(group=unit, valid_to__gte=day - _LATELY).select_related("person"))
    begun = list(Enrolment.objects.filter(group=unit, valid_from__gte=day - _LATELY).select_related("person"))
    persons = {row.person_id for row in [*ended, *begun]}
    near = list(Enrolment.objects.filter(person__in=persons).select_related("group"))
    starts = {(row.person_id, row.valid_from): row.group for row in near if row.group_id != unit.pk}
    finishes = {(row.person_id, row.valid_to): row.group for row in near if row.group_id != unit.pk}
    changes = []
    for row in ended:
        assert row.valid_to is not None
        to = _kin(unit, starts.get((row.person_id, row.valid_to + _DAY)))
        day_of = row.valid_to + _DAY if to else row.valid_to
        changes.append(_change(row.person, "moved_out" if to else "leaves", to, day_of, scope, names_shown))
    for row in begun:
        from_group = _kin(unit, finishes.get((row.person_id, row.valid_from - _DAY)))
        if from_group is not None:
            changes.append(_change(row.person, "moved_in", from_group, row.valid_from, scope, names_shown))
    return sorted(changes, key=lambda change: (change.day, change.person.pk), reverse=True)


def _kin(unit: Unit, other: Unit | None) -> Unit | None:
    """The other half of a move; a bed that ended the day before a class began is none."""
    return other if other is not None and other.group_kind == unit.group_kind else None


def _change(
    person: Person, kind: str, other: Unit | None, day: date, scope: Scope, names_shown: bool
) -> Change:
    mine = other is None or scope.may(Right.MANAGE_PEOPLE, other)
    name = shown_name(person, names_shown)
    return Change(person, name, kind, other if mine else None, day, is_undoable=mine)


@dataclass(frozen=True, slots=True)
class Stay:
    """One enrolment of a person within the reader's scope."""

    group: Unit
    seat: int | None
    since: date
    until: date | None
    is_now: bool
    url: str


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One person of the school: where they belong and belonged."""

    title: str
    person: Person
    stays: list[Stay]
    may_correct: bool
    may_open: bool
    crumbs: list[dict[str, str]]


def person_page(person: Person, scope: Scope, *, by: User, at: datetime) -> PersonPage:
    """A person as the clerk sees them: no word about health. The look is logged."""
    day = clock.local_day(at)
    rows = list(
        Enrolment.objects.filter(scope.q(Right.MANAGE_PEOPLE, "group__"), person=person)
        .select_related("group")
        .order_by("-valid_from", "pk")
    )
    stays = [
        Stay(
            group=row.group,
            seat=row.number,
            since=row.valid_from,
            until=row.valid_to,
            is_now=row.valid_from <= day and (row.valid_to is None or row.valid_to >= day),
            url=reverse("desks:clerk_group", args=[row.group_id]),
        )
        for row in rows
    ]
    first = next((stay.group for stay in stays if stay.is_now), stays[0].group)
    institution = institution_of(first)
    assert institution is not None
    log_child_read(by=by, page="person", unit=first, person=person, record=person, at=at)
    return PersonPage(
        title=shown_name(person, scope.may(Right.SEE_ROSTER, first)),
        person=person,
        stays=stays,
        may_correct=may_correct(scope, first),
        may_open=bool(openable_among(scope, [person.pk], False, day)),
        crumbs=[
            {"label": institution.label, "url": reverse("desks:clerk_school", args=[institution.pk])},
            {"label": first.label, "url": reverse("desks:clerk_group", args=[first.pk])},
        ],
    )


def persons_in(group: Unit, day: date, ids: Iterable[int] | None = None) -> list[Person]:
    """The persons of the group on ``day``, only those of ``ids`` where given, in the order of its list."""
    wanted = None if ids is None else set(ids)
    return [row.person for row in roster(group, day) if wanted is None or row.person.pk in wanted]


def main_group_of(person: Person, scope: Scope, day: date) -> Unit:
    """The group of the reader's to which a person belongs now, a class before others; else the last one."""
    rows = Enrolment.objects.filter(scope.q(Right.MANAGE_PEOPLE, "group__"), person=person)
    stays = list(rows.select_related("group").order_by("-valid_from"))
    now = [
        row.group for row in stays if row.valid_from <= day and (row.valid_to is None or row.valid_to >= day)
    ]
    return next((group for group in now if group.group_kind == GroupKind.CLASS), (now or [stays[0].group])[0])


def act_crumbs(unit: Unit, institution: Unit, person: Person | None) -> list[dict[str, str]]:
    """The way back from an act."""
    crumbs = [{"label": institution.label, "url": reverse("desks:clerk_school", args=[institution.pk])}]
    if unit.kind == UnitKind.GROUP:
        crumbs.append({"label": unit.label, "url": reverse("desks:clerk_group", args=[unit.pk])})
    if person is not None:
        crumbs.append({"label": person.number, "url": reverse("desks:clerk_person", args=[person.pk])})
    return crumbs


def substitution_of(group: Unit, assignment_id: int | None) -> RoleAssignment:
    """A substitute's period on the group.

    Raises:
        Http404: when there is none of that number.
    """
    held = RoleAssignment.objects.filter(
        unit=group, pk=assignment_id or 0, role=Role.CLASS_TEACHER, valid_to__isnull=False
    ).first()
    if held is None:
        raise Http404
    return held
