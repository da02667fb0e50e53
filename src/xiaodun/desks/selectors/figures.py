"""Figures as tiles, and one figure opened down to its rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.desks.selectors.reveals import may_open
from xiaodun.desks.selectors.signals import sees_several_institutions
from xiaodun.desks.services import log_read
from xiaodun.figures import selectors as figures
from xiaodun.figures.models import FrozenFigure
from xiaodun.figures.registry import Asked, Column, Definition, State, Value, definition
from xiaodun.figures.selectors import ShownRow, ShownRows
from xiaodun.kit import clock
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import ancestors_of, institutions_of

# States of a value that a tile colours; the others are plain numbers.
# Rows on one page.
PAGE = 100
_COLOURED = {State.NOW, State.DUE}


@dataclass(frozen=True, slots=True)
class FigureTile:
    """A registered figure of one unit, ready for ``kit/parts/figure.html``."""

    code: str
    label: str
    value: int | None
    of: int | None
    unit: str
    note: str
    state: str
    url: str


def figure_url(code: str, unit: Unit, day: date, *, today: date) -> str:
    """Where the figure opens; the day stands in the address unless it is today."""
    url = reverse("desks:figure", args=[code, unit.pk])
    return url if day == today else f"{url}?day={day.isoformat()}"


def tile(code: str, unit: Unit, value: Value, day: date, *, at: datetime, note: str = "") -> FigureTile:
    """One value as a tile."""
    meaning = definition(code)
    return FigureTile(
        code=code,
        label=str(meaning.name),
        value=value.number,
        of=value.of,
        unit=meaning.word_for(unit, value),
        note=note or _rest(code, value),
        state=value.state if value.state in _COLOURED else "",
        url=figure_url(code, unit, day, today=clock.local_day(at)),
    )


def _rest(code: str, value: Value) -> str:
    """What a tile of checks in time leaves open: those late, missing and not due stand in no other tile."""
    if code != "duties.checks_done":
        return ""
    return _(", ").join(
        _("%(number)d %(label)s") % {"number": part.number, "label": part.label}
        for part in value.parts
        if part.sign == "-"
    )


def tiles(
    codes: Sequence[str], units: Sequence[Unit], day: date, *, at: datetime, shared: Asked
) -> list[FigureTile]:
    """These figures of these units; with several units each tile says whose it is."""
    found: list[FigureTile] = []
    values = {code: figures.values(code, units, day, at, shared=shared) for code in codes} if units else {}
    for unit in units:
        note = unit.label if len(units) > 1 else ""
        found.extend(tile(code, unit, values[code][unit.pk], day, at=at, note=note) for code in codes)
    return found


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One row behind a figure: its cells beside their columns.

    ``url``: where it opens, "" if nowhere for this reader; ``where``: the institution, if several are shown.
    """

    url: str
    where: str
    cells: list[tuple[Any, Column]]


@dataclass(frozen=True, slots=True)
class FigurePage:
    """A number that can be defended: parts, rows, definition, the moment of the query."""

    title: str
    definition: Definition
    unit: Unit
    day: date
    at: datetime
    value: Value
    unit_word: str
    rows: ShownRows
    row_count: int
    next_url: str
    first_url: str
    table: list[FigureLine]
    has_links: bool
    has_where: bool
    is_own_school: bool
    agrees: bool
    # What the figure said when its rows expired; None while they are there.
    frozen: FrozenFigure | None
    # Rows of that day had their time, and nothing was kept for this unit.
    has_expired: bool
    crumbs: list[dict[str, str]]


def figure_page(
    scope: Scope, code: str, unit_id: int, *, day: date, after: str, by: User, at: datetime
) -> FigurePage:
    """The figure of a unit opened. Rows about children are masked for who may see counts only, and logged.

    ``after``: the key of the last row of the page before; rows that came meanwhile shift nothing.

    Raises:
        Http404: for a foreign unit exactly as for an unknown one.
        Refusal: ``figure-unknown`` (404).
    """
    meaning = definition(code)
    unit = Unit.objects.filter(scope.q(Right.SEE_COUNTS) | scope.q(Right.SEE_CHILDREN), pk=unit_id).first()
    if unit is None:
        raise Http404
    value = figures.value(code, unit, day, at)
    frozen = figures.frozen(code, unit, day)
    rows = figures.rows(code, unit, day, at, scope)
    if frozen is not None and rows.total == frozen.number:
        frozen = None  # a legal hold kept them
    # Masked rows too: a masked child was shown as well.
    keys = _keys(rows.rows)
    first = keys.index(after) + 1 if after in keys else 0
    shown = rows.rows[first : first + PAGE]
    persons = [row.person_id for row in shown if row.person_id is not None]
    log_read(by=by, page=f"figure.{code}", unit=unit, person_ids=persons, at=at)
    url = figure_url(code, unit, day, today=clock.local_day(at))
    chain = ancestors_of([unit])[unit.pk]
    # A group's name alone says little to whoever sees several institutions.
    several = unit.kind in {UnitKind.DISTRICT, UnitKind.DRILL} and all(
        column.key != "institution" for column in rows.columns
    )
    institutions = institutions_of([row.unit for row in shown]) if several else {}
    return FigurePage(
        title=f"{meaning.name} · {unit.label}",
        definition=meaning,
        unit=unit,
        day=day,
        at=at,
        value=value,
        unit_word=meaning.word_for(unit, value),
        rows=rows,
        row_count=len(rows.rows),
        first_url=url if first else "",
        next_url=f"{url}{'&' if '?' in url else '?'}after={keys[first + PAGE - 1]}"
        if len(rows.rows) > first + PAGE
        else "",
        table=[
            FigureLine(
                row.url or _reveal_url(scope, row),
                _label(institutions.get(row.unit.pk)),
                [(row.cells.get(column.key), column) for column in rows.columns],
            )
            for row in shown
        ],
        has_links=any(row.url or _reveal_url(scope, row) for row in shown),
        has_where=several,
        is_own_school=not sees_several_institutions(scope),
        agrees=rows.total == (value.number or 0),
        frozen=frozen,
        has_expired=value.number is None and figures.has_expired(code, day),
        crumbs=[
            {"label": ancestor.label, "url": reverse("desks:institution", args=[ancestor.pk])}
            for ancestor in chain
            if ancestor.kind == UnitKind.INSTITUTION and _may_open(scope, ancestor)
        ],
    )


def _reveal_url(scope: Scope, row: ShownRow) -> str:
    """Where whoever may not read a child's name opens it for a reason."""
    if row.person_id is None or scope.may(Right.SEE_CHILDREN, row.unit) or not may_open(scope, row.unit):
        return ""
    return reverse("desks:reveal", args=[row.person_id])


def _keys(rows: Sequence[ShownRow]) -> list[str]:
    """A key for each row: its group and its place within the group. Names nobody."""
    places: Counter[int] = Counter()
    keys = []
    for row in rows:
        places[row.unit.pk] += 1
        keys.append(f"{row.unit.pk}-{places[row.unit.pk]}")
    return keys


def _label(unit: Unit | None) -> str:
    return unit.label if unit is not None else ""


def _may_open(scope: Scope, unit: Unit) -> bool:
    return scope.may(Right.SEE_COUNTS, unit) or scope.may(Right.SEE_CHILDREN, unit)
