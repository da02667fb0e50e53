"""Which institutions of a district can begin: what each has, what it lacks, and who supplies it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xiaodun.accounts.choices import Right, Role
from xiaodun.accounts.models import RoleAssignment
from xiaodun.accounts.policies import Scope
from xiaodun.accounts.selectors import class_teachers
from xiaodun.engine.calendar import DayKind, SchoolCalendar
from xiaodun.kit import clock
from xiaodun.organisations.choices import GroupKind, InstitutionKind, UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import paths_upwards, school_calendars, under, valid_on, within
from xiaodun.people.selectors import head_counts

# Who has to be named at every institution before it begins.
_POSTS = (Role.PRINCIPAL, Role.SCHOOL_DOCTOR, Role.SCHOOL_CLERK)


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that an institution lacks, and who supplies it."""

    what: str
    who: str
    is_needed: bool


@dataclass(frozen=True, slots=True)
class ReadyRow:
    """One institution: its counts, its gaps, and its first day."""

    unit: Unit
    groups: int
    pupils: int
    staff: int
    active: int
    gaps: list[Gap]
    url: str

    @property
    def is_ready(self) -> bool:
        """Whether nothing lacks without which it cannot begin."""
        return not any(gap.is_needed for gap in self.gaps)

    @property
    def state(self) -> str:
        if self.unit.first_day is not None:
            return "done" if not self.gaps else "due"
        return "due" if self.is_ready else "now"


@dataclass(frozen=True, slots=True)
class ReadyBlock:
    """The institutions of one kind."""

    label: str
    rows: list[ReadyRow]


@dataclass(frozen=True, slots=True)
class ReadinessPage:
    """All institutions of the reader's, those that lack something first within each kind."""

    title: str
    day: date
    may_begin: bool
    blocks: list[ReadyBlock]
    total: int
    joined: int
    ready: int
    filters: list[dict[str, object]]


def institution_to_join(scope: Scope, unit_id: int) -> Unit:
    """An institution whose first day the reader may set.

    Raises:
        Http404: for a foreign unit exactly as for an unknown one.
    """
    institutions = Unit.objects.filter(scope.q(Right.MANAGE_CALENDAR), kind=UnitKind.INSTITUTION)
    unit: Unit | None = institutions.filter(pk=unit_id).first()
    if unit is None or not scope.may(Right.MANAGE_PEOPLE, unit):
        raise Http404
    return unit


def readiness_page(scope: Scope, query: Mapping[str, str], *, at: datetime) -> ReadinessPage:
    """Every institution whose people the reader manages. The number of queries does not depend on them."""
    day = clock.local_day(at)
    units = list(
        Unit.objects.filter(scope.q(Right.MANAGE_PEOPLE), kind=UnitKind.INSTITUTION)
        .exclude(last_day__lt=day)
        .order_by("path")
    )
    rows = ready_rows(units, day)
    chosen = query.get("show", "")
    wanted = [row for row in rows if _is_wanted(row, chosen)]
    blocks = []
    for kind in InstitutionKind:
        members = [row for row in wanted if row.unit.institution_kind == kind]
        if members:
            order = {"now": 0, "due": 1, "done": 2}
            members.sort(key=lambda row: (order[row.state], row.unit.path))
            blocks.append(ReadyBlock(str(kind.label), members))
    base = reverse("desks:readiness")
    labels = {"": _("All"), "gaps": _("Lack something"), "ready": _("Can begin"), "joined": _("Have begun")}
    return ReadinessPage(
        title=_("Readiness"),
        day=day,
        may_begin=scope.has(Right.MANAGE_CALENDAR),
        blocks=blocks,
        total=len(rows),
        joined=sum(row.unit.first_day is not None for row in rows),
        ready=sum(_is_wanted(row, "ready") for row in rows),
        filters=[
            {
                "label": label,
                "url": f"{base}?show={key}" if key else base,
                "active": key == chosen,
                "count": sum(_is_wanted(row, key) for row in rows),
            }
            for key, label in labels.items()
        ],
    )


def _is_wanted(row: ReadyRow, chosen: str) -> bool:
    if chosen == "gaps":
        return bool(row.gaps)
    if chosen == "ready":
        return row.is_ready and row.unit.first_day is None
    return row.unit.first_day is not None if chosen == "joined" else True


def ready_rows(units: Sequence[Unit], day: date) -> list[ReadyRow]:
    """How far each institution is on ``day``, in the order given."""
    by_path = {unit.path: unit.pk for unit in units}

    def owner(path: str) -> int | None:
        return next((by_path[each] for each in paths_upwards(path) if each in by_path), None)

    roots = {unit.path[: Unit.steplen] for unit in units}
    groups: dict[int, list[Unit]] = defaultdict(list)
    counts: dict[int, int] = {}
    staff: dict[int, dict[int, bool]] = defaultdict(dict)
    posts: dict[int, set[str]] = defaultdict(set)
    for root in roots:
        for group in Unit.objects.filter(under(root), kind=UnitKind.GROUP).exclude(last_day__lt=day):
            if (pk := owner(group.path)) is not None:
                groups[pk].append(group)
        counts |= head_counts(under(root), day)
        held = RoleAssignment.objects.filter(valid_on(day), within("unit__path", root), user__is_active=True)
        for role, path, user, password in held.values_list("role", "unit__path", "user", "user__password"):
            if (pk := owner(path)) is not None:
                posts[pk].add(role)
                # Django marks a password that nobody has set by this sign.
                staff[pk][user] = bool(password) and not password.startswith("!")
    everywhere = [group for members in groups.values() for group in members]
    teachers = class_teachers(everywhere, day)
    calendars = school_calendars(units)
    return [
        _row(unit, groups[unit.pk], counts, teachers, staff[unit.pk], posts[unit.pk], calendars[unit.pk], day)
        for unit in units
    ]


def _row(
    unit: Unit,
    groups: Sequence[Unit],
    counts: Mapping[int, int],
    teachers: Mapping[int, Sequence[RoleAssignment]],
    staff: Mapping[int, bool],
    posts: set[str],
    calendar: SchoolCalendar,
    day: date,
) -> ReadyRow:
    classes = [group for group in groups if group.group_kind in {GroupKind.CLASS, GroupKind.LESSON}]
    pupils = sum(counts.get(group.pk, 0) for group in classes)
    gaps = [
        *_gaps_in_classes(classes, counts, teachers),
        *_gaps_in_staff(staff, posts),
        *_gaps_in_days(unit, calendar, day),
    ]
    return ReadyRow(
        unit=unit,
        groups=len(classes),
        pupils=pupils,
        staff=len(staff),
        active=sum(staff.values()),
        gaps=gaps,
        url=reverse("desks:clerk_school", args=[unit.pk]),
    )


def _gaps_in_classes(
    classes: Sequence[Unit], counts: Mapping[int, int], teachers: Mapping[int, Sequence[RoleAssignment]]
) -> list[Gap]:
    clerk = str(Role.SCHOOL_CLERK.label)
    if not classes:
        return [Gap(_("no class"), clerk, is_needed=True)]
    gaps = []
    empty = sum(not counts.get(group.pk) for group in classes)
    if empty == len(classes):
        gaps.append(Gap(_("no pupils"), clerk, is_needed=True))
    elif empty:
        text = ngettext("%(n)d class without pupils", "%(n)d classes without pupils", empty) % {"n": empty}
        gaps.append(Gap(text, clerk, is_needed=False))
    alone = sum(group.pk not in teachers for group in classes)
    if alone:
        text = ngettext("%(n)d class without a teacher", "%(n)d classes without a teacher", alone)
        gaps.append(Gap(text % {"n": alone}, clerk, is_needed=True))
    return gaps


def _gaps_in_staff(staff: Mapping[int, bool], posts: set[str]) -> list[Gap]:
    officer, clerk = str(Role.DISTRICT_OFFICER.label), str(Role.SCHOOL_CLERK.label)
    gaps = [
        Gap(
            _("no %(post)s") % {"post": post.label},
            officer if post == Role.SCHOOL_CLERK else clerk,
            is_needed=False,
        )
        for post in _POSTS
        if post not in posts
    ]
    waiting = len(staff) - sum(staff.values())
    if waiting:
        text = ngettext(
            "%(n)d colleague has not used the slip", "%(n)d colleagues have not used their slips", waiting
        )
        gaps.append(Gap(text % {"n": waiting}, clerk, is_needed=False))
    return gaps


def _gaps_in_days(unit: Unit, calendar: SchoolCalendar, day: date) -> list[Gap]:
    officer = str(Role.DISTRICT_OFFICER.label)
    if calendar.terms is None:
        is_needed = unit.institution_kind != InstitutionKind.TRAINING
        return [Gap(_("no term entered"), officer, is_needed=is_needed)]
    if all(term.end < day for term in calendar.terms):
        return [Gap(_("the last term is over"), officer, is_needed=True)]
    if calendar.day_kind(day) is DayKind.UNCONFIRMED_YEAR:
        return [Gap(_("the State's days off of this year are not loaded"), officer, is_needed=True)]
    return []
