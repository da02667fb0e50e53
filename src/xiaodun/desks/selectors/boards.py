"""The district's board and one institution's page: registered figures side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.accounts.choices import Right
from xiaodun.accounts.policies import Scope
from xiaodun.desks.selectors.figures import FigureTile, figure_url, tile, tiles
from xiaodun.desks.selectors.live import news
from xiaodun.desks.selectors.signals import SignalRow, as_rows
from xiaodun.duties.pages import address_of
from xiaodun.duties.selectors import Obligation, obligations_of
from xiaodun.engine.calendar import epi_week
from xiaodun.engine.compliance import Value as Judged
from xiaodun.figures import selectors as figures
from xiaodun.figures.registry import Asked, State
from xiaodun.figures.registry import Value as FigureValue
from xiaodun.kit import clock
from xiaodun.organisations.choices import InstitutionKind, UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import (
    groups_on,
    institutions_visible_to,
    school_calendar,
    under,
)
from xiaodun.surveillance.selectors import WAITING, may_decide, signals_visible_to

# The columns of the board, in order: figure code -> what its head says is the figure's own name.
COLUMNS = [
    "duties.checks_done",
    "duties.checks_late",
    "screening.absent_ill",
    "screening.symptomatic",
    "surveillance.open_signals",
    "absence.open_files",
]
STRIP = [
    "duties.checks_done",
    "duties.checks_missing",
    "screening.absent_ill",
    "screening.symptomatic",
    "surveillance.open_signals",
    "absence.open_files",
]
# How many school days the heat table looks back.
HEAT_DAYS = 15
_SEVERITY = {"now": 0, "due": 1, "done": 2, "na": 3}


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One institution: its state and its figures in the order of the columns."""

    unit: Unit
    state: str
    cells: list[FigureTile]
    url: str


@dataclass(frozen=True, slots=True)
class BoardBlock:
    """The institutions of one kind with the sums of what is shown."""

    kind: str
    label: str
    rows: list[BoardRow]
    totals: list[tuple[int | None, int | None]]


@dataclass(frozen=True, slots=True)
class BoardPage:
    """The district today: decisions, figures, every unit."""

    title: str
    district: Unit
    day: date
    at: datetime
    week: int
    is_today: bool
    decisions: list[SignalRow]
    strip: list[FigureTile]
    heads: list[FigureTile]
    blocks: list[BoardBlock]
    idle: list[Unit]
    filters: list[dict[str, object]]
    sorts: list[dict[str, object]]
    previous_url: str
    next_url: str
    shown: int
    total: int

    @property
    def is_live(self) -> bool:
        """Whether the page refreshes itself: the past stands still."""
        return self.is_today

    @property
    def news(self) -> str:
        """What a refresh says aloud."""
        overdue = sum(row.state == "now" for block in self.blocks for row in block.rows)
        return news(signals=len(self.decisions), overdue=overdue)


def board(scope: Scope, query: Mapping[str, str], *, day: date, at: datetime) -> BoardPage:
    """Every institution of the reader's district on a day, worst first within each kind.

    Raises:
        Http404: when the reader's counts are not a district's.
    """
    grants = [
        g for g in scope.grants_for(Right.SEE_COUNTS) if g.unit_kind in {UnitKind.DISTRICT, UnitKind.DRILL}
    ]
    if not grants:
        raise Http404
    district = Unit.objects.get(pk=grants[0].unit_id)
    units = [unit for unit in institutions_visible_to(scope, Right.SEE_COUNTS) if _within(unit, district)]
    today = clock.local_day(at)
    shared = Asked([district])
    values = {code: figures.values(code, units, day, at, shared=shared) for code in {*COLUMNS, *STRIP}}
    rows = [_row(unit, values, day, at=at) for unit in units]
    chosen = query.get("state", "")
    sort = query.get("sort", "")
    wanted = [row for row in rows if row.state == chosen] if chosen in _SEVERITY else rows
    active = [row for row in wanted if row.state != "na"]
    key = (lambda row: row.unit.name) if sort == "name" else _worst_first
    heads = rows[0].cells if rows else []
    base = reverse("desks:board")
    return BoardPage(
        title=_("%(district)s today") % {"district": district.label}
        if day == today
        else _("%(district)s on %(day)s") % {"district": district.label, "day": day.isoformat()},
        district=district,
        day=day,
        at=at,
        week=epi_week(day)[1],
        is_today=day == today,
        decisions=as_rows(list(signals_visible_to(scope).filter(state__in=WAITING)), scope)
        if day == today
        else [],
        strip=tiles(STRIP, [district], day, at=at, shared=shared),
        heads=heads,
        blocks=_blocks(sorted(active, key=key), by_name=sort == "name"),
        idle=[row.unit for row in wanted if row.state == "na"],
        filters=_filters(base, rows, chosen, sort=sort, day=day, today=today),
        sorts=[
            _link(
                _("Worst first within each kind"), base, {"state": chosen}, day, today, active=sort != "name"
            ),
            _link(_("By name"), base, {"state": chosen, "sort": "name"}, day, today, active=sort == "name"),
        ],
        previous_url=f"{base}?day={(day - timedelta(days=1)).isoformat()}",
        next_url=f"{base}?day={(day + timedelta(days=1)).isoformat()}" if day < today else "",
        shown=len(wanted),
        total=len(rows),
    )


def _within(unit: Unit, district: Unit) -> bool:
    return str(unit.path).startswith(district.path)


def _row(unit: Unit, values: Mapping[str, Mapping[int, FigureValue]], day: date, *, at: datetime) -> BoardRow:
    cells = [tile(code, unit, values[code][unit.pk], day, at=at) for code in COLUMNS]
    url = reverse("desks:institution", args=[unit.pk])
    today = clock.local_day(at)
    return BoardRow(
        unit=unit,
        state=_state(unit, values),
        cells=cells,
        url=url if day == today else f"{url}?day={day.isoformat()}",
    )


def _state(unit: Unit, values: Mapping[str, Mapping[int, FigureValue]]) -> str:
    done = values["duties.checks_done"][unit.pk]
    missing = values["duties.checks_missing"][unit.pk]
    signals = values["surveillance.open_signals"][unit.pk]
    if missing.number or signals.number:
        return "now"
    if not done.of:
        return "na"
    return "due" if (done.number or 0) < done.of else "done"


def _worst_first(row: BoardRow) -> tuple[int, int, str]:
    ill = row.cells[COLUMNS.index("screening.absent_ill")].value or 0
    return _SEVERITY[row.state], -ill, row.unit.path


def _blocks(rows: Sequence[BoardRow], *, by_name: bool) -> list[BoardBlock]:
    """The rows by kind: the kind that holds the worst stands first, unless the reader looks for a name."""
    blocks = []
    for kind in InstitutionKind:
        members = [row for row in rows if row.unit.institution_kind == kind]
        if members:
            columns = list(zip(*(row.cells for row in members), strict=True))
            totals = [
                (_total([cell.value for cell in column]), _total([cell.of for cell in column]))
                for column in columns
            ]
            blocks.append(BoardBlock(kind=str(kind), label=str(kind.label), rows=members, totals=totals))
    return blocks if by_name else sorted(blocks, key=lambda block: min(map(_worst_first, block.rows)))


def _total(numbers: Sequence[int | None]) -> int | None:
    reported = [number for number in numbers if number is not None]
    return sum(reported) if reported else None


def _filters(
    base: str, rows: Sequence[BoardRow], chosen: str, *, sort: str, day: date, today: date
) -> list[dict[str, object]]:
    labels = {
        "": _("All"),
        "now": _("Act now"),
        "due": _("Due"),
        "done": _("Done"),
        "na": _("Nothing owed"),
    }
    return [
        _link(label, base, {"state": state, "sort": sort}, day, today, active=state == chosen)
        | {"count": sum(not state or row.state == state for row in rows), "state": state}
        for state, label in labels.items()
    ]


def _link(
    label: str, base: str, query: Mapping[str, str], day: date, today: date, *, active: bool
) -> dict[str, object]:
    parts = [f"{name}={value}" for name, value in query.items() if value]
    if day != today:
        parts.append(f"day={day.isoformat()}")
    return {"label": label, "url": base + ("?" + "&".join(parts) if parts else ""), "active": active}


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Ill-absences of one group on one school day; ``level`` 0-5 chooses the shade, None: not reported."""

    value: int | None
    level: int | None
    url: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One group over the school days, and how its check of the day stands."""

    unit: Unit
    cells: list[HeatCell]
    obligation: Obligation | None
    has_signal: bool


@dataclass(frozen=True, slots=True)
class InstitutionPage:
    """One institution (or grade): signals, figures, groups over the school days, what is open.

    ``check_urls``: where its checks of the day are made; reminders of them lead whoever makes none here.
    """

    title: str
    unit: Unit
    day: date
    at: datetime
    week: int
    signals: list[SignalRow]
    figures: list[FigureTile]
    days: list[date]
    weeks: list[tuple[int, int]]
    heat: list[HeatRow]
    open_items: list[Obligation]
    check_urls: list[str]
    may_check: bool
    may_decide: bool
    is_live: bool
    crumbs: list[dict[str, str]]

    @property
    def news(self) -> str:
        """What a refresh says aloud."""
        overdue = sum(row.value == Judged.MISSING for row in self.open_items)
        return news(signals=len(self.signals), overdue=overdue)


def institution_page(scope: Scope, unit_id: int, *, day: date, at: datetime) -> InstitutionPage:
    """One institution or grade of the reader's.

    Raises:
        Http404: for a foreign unit exactly as for an unknown one.
    """
    unit = Unit.objects.filter(
        scope.q(Right.SEE_COUNTS) | scope.q(Right.SEE_CHILDREN),
        pk=unit_id,
        kind__in=[UnitKind.INSTITUTION, UnitKind.GRADE],
    ).first()
    if unit is None:
        raise Http404
    groups = list(groups_on(day, under(unit.path)))
    shared = Asked([unit])
    owed = obligations_of(shared, day, at)
    by_group = {obligation.unit.pk: obligation for obligation in owed}
    days = _school_days(unit, day)
    heat_groups = [group for group in groups if group.group_kind in {"class", "lesson"}]
    by_day = {d: figures.values("screening.absent_ill", heat_groups, d, at) for d in days}
    waiting = [
        s for s in signals_visible_to(scope).filter(state__in=WAITING) if s.unit.path.startswith(unit.path)
    ]
    alarmed = {signal.unit_id for signal in waiting}
    today = clock.local_day(at)
    weeks: list[tuple[int, int]] = []
    for d in days:
        week = epi_week(d)[1]
        if weeks and weeks[-1][0] == week:
            weeks[-1] = (week, weeks[-1][1] + 1)
        else:
            weeks.append((week, 1))
    return InstitutionPage(
        title=unit.label,
        unit=unit,
        day=day,
        at=at,
        week=epi_week(day)[1],
        signals=as_rows(waiting, scope),
        figures=tiles(STRIP, [unit], day, at=at, shared=shared),
        days=days,
        weeks=weeks,
        heat=[
            HeatRow(
                unit=group,
                cells=[_heat_cell(group, d, by_day[d][group.pk], today=today) for d in days],
                obligation=by_group.get(group.pk),
                has_signal=group.pk in alarmed,
            )
            for group in heat_groups
        ],
        open_items=[row for row in owed if row.value in {Judged.MISSING, Judged.DUE}],
        check_urls=[address_of(evidence=row.duty.evidence, unit=row.unit, day=row.day) for row in owed],
        may_check=scope.may(Right.SUBMIT_CHECK, unit),
        may_decide=any(may_decide(scope, signal) for signal in waiting),
        is_live=day == today,
        crumbs=[{"label": _("Board"), "url": reverse("desks:board")}]
        if any(g.unit_kind == UnitKind.DISTRICT for g in scope.grants_for(Right.SEE_COUNTS))
        else [],
    )


def _school_days(unit: Unit, day: date) -> list[date]:
    """The last school days up to ``day``, oldest first."""
    calendar = school_calendar(unit)
    span = (day - timedelta(days=back) for back in range(2 * HEAT_DAYS, -1, -1))
    # Of a year that nobody has confirmed no day is shown, where the calendar itself would refuse to answer.
    return [each for each in span if calendar.day_kind(each).is_school_day][-HEAT_DAYS:]


def _heat_cell(group: Unit, day: date, value: FigureValue, *, today: date) -> HeatCell:
    number = value.number
    return HeatCell(
        value=number,
        level=None if number is None or value.state == State.NA else _level(number),
        url=figure_url("screening.absent_ill", group, day, today=today),
    )


def _level(number: int) -> int:
    """The shade of the heat table: 0, 1, 2, 3-4, 5 and more. A scale for the eye, not a threshold."""
    return number if number < 3 else 3 if number < 5 else 4
