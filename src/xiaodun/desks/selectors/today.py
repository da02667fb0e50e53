"""The first page of every role: decide, overdue, due, closed today, and the figures."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xiaodun.absence.models import Episode
from xiaodun.absence.selectors import files_visible_to
from xiaodun.accounts.choices import Right, Role
from xiaodun.accounts.policies import OFFICES, Scope
from xiaodun.desks.selectors.figures import FigureTile, tiles
from xiaodun.desks.selectors.live import news
from xiaodun.desks.selectors.offices import Office, office_of
from xiaodun.desks.selectors.signals import SignalRow, as_rows
from xiaodun.duties.selectors import Obligation, obligations_of
from xiaodun.engine.compliance import Value
from xiaodun.figures.registry import Asked
from xiaodun.kit import clock
from xiaodun.kit.templatetags.kit import local_time, near_time
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import institutions_of, under
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import (
    DECIDING_ROLES,
    decided_on,
    may_decide,
    owed_reports,
    waiting_signals,
)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a Today list."""

    title: str
    text: str = ""
    url: str = ""
    state: str = "na"
    icon: str = ""
    deadline: datetime | None = None
    tag: str = ""
    action_label: str = ""
    action_url: str = ""


@dataclass(slots=True)
class TodayPage:
    """What must I decide now, what is late, what is due, what is done, how bad is it."""

    title: str
    role: Role | None
    place: str
    day: date
    at: datetime
    # Signals that wait for the reader: to decide; for whoever may not, to acknowledge; others to follow.
    decisions: list[SignalRow] = field(default_factory=list)
    to_see: list[SignalRow] = field(default_factory=list)
    followed: list[SignalRow] = field(default_factory=list)
    decides: bool = False
    overdue: list[Item] = field(default_factory=list)
    due: list[Item] = field(default_factory=list)
    closed: list[Item] = field(default_factory=list)
    # Groups that owe no check by any duty, and may be checked at any time.
    free: list[Item] = field(default_factory=list)
    office: Office | None = None
    # Whether the office is all there is to do, and not something beside a health role.
    is_office: bool = False
    figures: list[FigureTile] = field(default_factory=list)
    main_act: Item | None = None

    @property
    def is_live(self) -> bool:
        """Whether the page refreshes itself: where somebody has a day to follow."""
        return self.role is not None and not self.is_office

    @property
    def news(self) -> str:
        """What a refresh says aloud."""
        return news(signals=len(self.decisions) + len(self.to_see), overdue=len(self.overdue))


def today_page(scope: Scope, *, at: datetime) -> TodayPage:
    """The reader's day, for the widest role that they hold."""
    day = clock.local_day(at)
    role = scope.highest_role
    units = _own_units(scope, role)
    page = TodayPage(
        title=_("Today"), role=role, place=_(", ").join(unit.label for unit in units), day=day, at=at
    )
    if role is None:
        return page
    page.office = office_of(scope)
    page.is_office = role in OFFICES
    if page.is_office:
        return page
    waiting = as_rows(waiting_signals(scope), scope)
    page.decides = any(grant.role in DECIDING_ROLES for grant in scope.grants)
    for row in waiting:
        if may_decide(scope, row.signal):
            page.decisions.append(row)
        else:
            (page.to_see if row.signal.state == Signal.State.OPEN else page.followed).append(row)
    shared = Asked(units)
    owed = obligations_of(shared, day, at)
    if role in {Role.CLASS_TEACHER, Role.DORMITORY_SUPERVISOR}:
        _fill_teacher(page, owed)
        page.free = _without_deadline(units, owed)
    elif role == Role.DISTRICT_OFFICER:
        _fill_district(page, owed)
    else:
        _fill_school(page, owed)
    for item in _reports(scope, at):
        (page.overdue if item.state == "now" else page.due).insert(0, item)
    page.overdue = _late_signals(page.decisions, at) + page.overdue
    page.closed = _decided(scope, day) + page.closed + _ended(scope, day)
    page.figures = tiles(FIGURES[role], units, day, at=at, shared=shared)
    page.main_act = _main_act(page)
    return page


FIGURES: dict[Role, list[str]] = {
    Role.CLASS_TEACHER: [
        "screening.expected",
        "screening.absent_ill",
        "screening.symptomatic",
        "absence.open_files",
    ],
    Role.DORMITORY_SUPERVISOR: [
        "screening.expected",
        "screening.absent_ill",
        "screening.symptomatic",
        "absence.open_files",
    ],
    Role.GRADE_LEAD: [
        "duties.checks_done",
        "screening.absent_ill",
        "screening.symptomatic",
        "absence.open_files",
    ],
    Role.SCHOOL_DOCTOR: [
        "duties.checks_done",
        "screening.absent_ill",
        "screening.symptomatic",
        "absence.open_files",
    ],
    Role.SCHOOL_REPORTER: [
        "duties.checks_done",
        "screening.absent_ill",
        "screening.symptomatic",
        "absence.open_files",
        "surveillance.open_signals",
    ],
    Role.PRINCIPAL: [
        "duties.checks_done",
        "duties.checks_late",
        "screening.absent_ill",
        "screening.symptomatic",
        "absence.open_files",
        "surveillance.open_signals",
    ],
    Role.DISTRICT_OFFICER: [
        "duties.checks_done",
        "duties.checks_missing",
        "duties.checks_late",
        "screening.absent_ill",
        "screening.symptomatic",
        "absence.open_files",
        "surveillance.open_signals",
    ],
}


def _own_units(scope: Scope, role: Role | None) -> list[Unit]:
    ids = [grant.unit_id for grant in scope.grants if grant.role == role]
    return list(Unit.objects.filter(pk__in=ids).order_by("path"))


def _at_and_below(units: Sequence[Unit]) -> Q:
    found = Q(pk__in=())
    for unit in units:
        found |= under(unit.path)
    return found


def _fill_teacher(page: TodayPage, owed: Sequence[Obligation]) -> None:
    for obligation in owed:
        unit = obligation.unit
        url = reverse("desks:class_check", args=[unit.pk])
        title = f"{unit.label} · {obligation.duty.label}"
        value = obligation.value
        if value in {Value.MISSING, Value.DUE}:
            item = Item(
                title=title,
                text=_("by %(time)s") % {"time": local_time(obligation.deadline)},
                url=url,
                state="now" if value == Value.MISSING else "due",
                deadline=obligation.deadline,
                action_label=_("Check the class"),
                action_url=url,
            )
            (page.overdue if value == Value.MISSING else page.due).append(item)
        elif obligation.evidence is not None:
            late = value == Value.LATE
            page.closed.append(
                Item(
                    title=title,
                    text=_("submitted at %(time)s") % {"time": local_time(obligation.evidence.tapped_at)},
                    url=url,
                    state="due" if late else "done",
                    tag=_("Late") if late else "",
                )
            )


def _without_deadline(units: Sequence[Unit], owed: Sequence[Obligation]) -> list[Item]:
    with_duty = {obligation.unit.pk for obligation in owed}
    return [
        Item(
            title=unit.label,
            text=_("No deadline: check it when you see somebody ill."),
            url=reverse("desks:class_check", args=[unit.pk]),
            icon="bed",
        )
        for unit in units
        if unit.pk not in with_duty
    ]


def _fill_school(page: TodayPage, owed: Sequence[Obligation]) -> None:
    """Groups by name where they are few enough to act on."""
    for obligation in owed:
        unit = obligation.unit
        if obligation.value in {Value.MISSING, Value.DUE}:
            missing = obligation.value == Value.MISSING
            (page.overdue if missing else page.due).append(
                Item(
                    title=f"{unit.label} · {obligation.duty.label}",
                    text=_chased(obligation),
                    state="now" if missing else "due",
                    deadline=obligation.deadline,
                )
            )
    _summarise(page, owed)


def _fill_district(page: TodayPage, owed: Sequence[Obligation]) -> None:
    """One line an institution: how many of its groups are missing, and since when."""
    missing: dict[int, list[Obligation]] = defaultdict(list)
    institutions = institutions_of([obligation.unit for obligation in owed])
    by_id: dict[int, Unit] = {}
    for obligation in owed:
        institution = institutions[obligation.unit.pk]
        if obligation.value == Value.MISSING and institution is not None:
            missing[institution.pk].append(obligation)
            by_id[institution.pk] = institution
    for unit_id, rows in sorted(missing.items(), key=lambda pair: min(row.deadline for row in pair[1])):
        names = _(", ").join(row.unit.label for row in rows[:3])
        page.overdue.append(
            Item(
                title=by_id[unit_id].label
                + " · "
                + ngettext("%(count)d check missing", "%(count)d checks missing", len(rows))
                % {"count": len(rows)},
                text=f"{names} · {_chased(rows[0])}",
                url=reverse("desks:institution", args=[unit_id]),
                state="now",
                deadline=min(row.deadline for row in rows),
            )
        )
    _summarise(page, owed)


def _chased(obligation: Obligation) -> str:
    """Who was reminded and when, in words."""
    if not obligation.chased:
        return _("by %(time)s") % {"time": local_time(obligation.deadline)}
    last = obligation.chased[-1]
    words = _("escalated at %(time)s") if last.step == "escalation" else _("reminded at %(time)s")
    return words % {"time": local_time(last.at)}


def _summarise(page: TodayPage, owed: Sequence[Obligation]) -> None:
    done = [row for row in owed if row.value in {Value.DONE, Value.LATE}]
    if not done:
        return
    late = sum(row.value == Value.LATE for row in done)
    text = (
        ngettext("%(count)d of them late", "%(count)d of them late", late) % {"count": late} if late else ""
    )
    page.closed.append(
        Item(
            title=ngettext("%(count)d group checked", "%(count)d groups checked", len(done))
            % {"count": len(done)},
            text=text,
            state="done",
        )
    )


def _late_signals(decisions: Sequence[SignalRow], at: datetime) -> list[Item]:
    return [
        Item(
            title=row.title,
            text=_("Report deadline has passed"),
            url=row.url,
            state="now",
            deadline=row.deadline,
        )
        for row in decisions
        if row.is_late(at)
    ]


def _reports(scope: Scope, at: datetime) -> list[Item]:
    """Confirmed signals that somebody must still be told of, the latest deadline first."""
    rows = as_rows(owed_reports(scope), scope)
    return [
        Item(
            title=_("Report: %(signal)s") % {"signal": row.title},
            text=_("to report by %(time)s") % {"time": near_time(row.signal.deadline_at, at)},
            url=row.url,
            state="now" if row.is_late(at) else "due",
            icon="phone",
            deadline=row.deadline,
        )
        for row in reversed(rows)
    ]


def _decided(scope: Scope, day: date) -> list[Item]:
    if not scope.has(Right.REVIEW_SIGNALS):
        return []
    return [
        Item(
            title=row.title,
            text=_("%(state)s by %(name)s at %(time)s")
            % {
                "state": Signal.State(row.signal.state).label,
                "name": row.signal.decided_by.name if row.signal.decided_by else "",
                "time": local_time(row.signal.decided_at),
            },
            url=row.url,
            state="done",
        )
        for row in as_rows(decided_on(scope, day), scope)
    ]


def _ended(scope: Scope, day: date) -> list[Item]:
    if not scope.has(Right.SEE_CHILDREN):
        return []
    back = files_visible_to(scope).filter(state=Episode.State.ENDED, back_on=day).count()
    if not back:
        return []
    return [
        Item(
            title=ngettext("%(count)d pupil back at school", "%(count)d pupils back at school", back)
            % {"count": back},
            url=reverse("desks:files") + f"?state=ended&back={day.isoformat()}",
            state="done",
            icon="heart-check",
        )
    ]


def _main_act(page: TodayPage) -> Item | None:
    """The one act in the thumb's reach: an overdue check of one's own first, then the earliest signal."""
    own_check = next((item for item in page.overdue + page.due if item.action_url), None)
    if own_check is not None:
        return own_check
    if page.decisions or page.to_see:
        first = (page.decisions or page.to_see)[0]
        return Item(title=first.title, action_label=_("Open the signal"), action_url=first.url)
    return None
