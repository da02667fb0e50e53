"""Reads of figures: a value, the values of many units side by side, and the rows behind a value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import Http404

from xiaodun.accounts.choices import Right
from xiaodun.accounts.policies import Scope
from xiaodun.figures.models import FrozenFigure
from xiaodun.figures.registry import Asked, Column, Cover, FigureScope, Row, State, Value, definition
from xiaodun.kit import clock
from xiaodun.organisations.models import Unit
from xiaodun.people.policies import mask_name


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row as its reader may see it."""

    unit: Unit
    cells: Mapping[str, Any]
    url: str
    person_id: int | None


@dataclass(frozen=True, slots=True)
class ShownRows:
    """The rows behind a figure as their reader may see them.

    ``total``: what the rows add up to, equal to the figure. ``is_masked``: whether anything was hidden.
    """

    columns: Sequence[Column]
    rows: Sequence[ShownRow]
    total: int
    is_masked: bool


def value(code: str, unit: Unit, day: date, at: datetime) -> Value:
    """The figure of one unit on a day as known at ``at``. Raises ``Refusal`` (404) for an unknown code."""
    return values(code, [unit], day, at)[unit.pk]


def values(
    code: str, units: Iterable[Unit], day: date, at: datetime, *, shared: Asked | None = None
) -> dict[int, Value]:
    """The figure of each unit by its id, in a number of queries that does not depend on how many they are.

    ``shared``: what other figures of the page have read for units that cover these.

    Raises:
        Refusal: ``figure-unknown`` (404).
        LookupError: if the figure's app leaves out a unit.
    """
    members = list(units)
    found = definition(code).compute(FigureScope(members, day, at, shared)) if members else {}
    if missing := [unit.pk for unit in members if unit.pk not in found]:
        raise LookupError(f"The figure {code!r} has no value for the units {missing}.")
    return dict(found) | (_kept(code, members, day, found) if day < clock.local_day(at) else {})


def _kept(code: str, units: list[Unit], day: date, live: Mapping[int, Value]) -> dict[int, Value]:
    """What stands for numbers whose rows had their time: the frozen one, or a dash where none was kept."""
    rows = {row.unit_id: row for row in FrozenFigure.objects.filter(code=code, day=day, unit__in=units)}
    if not rows and not has_expired(code, day):
        return {}
    kept: dict[int, Value] = {}
    for unit in units:
        row = rows.get(unit.pk)
        if row is not None and row.number != live[unit.pk].number:
            kept[unit.pk] = Value(row.number, row.of, State.NA)
        elif row is None and not live[unit.pk].number:
            kept[unit.pk] = Value(None, None, State.NA)
    return kept


def has_expired(code: str, day: date) -> bool:
    """Whether rows behind the figure on that day had their time."""
    return FrozenFigure.objects.filter(code=code, day=day).exists()


def frozen(code: str, unit: Unit, day: date) -> FrozenFigure | None:
    """What the figure said when the rows of that day expired; None while they are there."""
    return FrozenFigure.objects.filter(code=code, unit=unit, day=day).first()


def rows(code: str, unit: Unit, day: date, at: datetime, viewer: Scope) -> ShownRows:
    """What the figure of ``unit`` consists of, masked for the viewer.

    Whoever may see the children of a row's unit sees all of it. Whoever may see counts only gets one row a
    child with the name masked and nothing beyond what the figure itself says of it.

    Raises:
        Refusal: ``figure-unknown`` (404).
        Http404: for a unit of which the viewer may see neither counts nor children.
    """
    wanted = definition(code)
    if not (viewer.may(Right.SEE_COUNTS, unit) or viewer.may(Right.SEE_CHILDREN, unit)):
        raise Http404
    found = wanted.rows(FigureScope([unit], day, at))
    about_children = any(column.cover for column in found.columns)
    in_full = [not about_children or viewer.may(Right.SEE_CHILDREN, row.unit) for row in found.rows]
    hidden = {column.key for column in found.columns if column.cover == Cover.CHILD}
    return ShownRows(
        columns=[column for column in found.columns if column.key not in hidden or any(in_full)],
        rows=[
            ShownRow(row.unit, row.cells, row.url, row.person_id) if full else _masked(row, found.columns)
            for row, full in zip(found.rows, in_full, strict=True)
        ],
        total=found.total,
        is_masked=not all(in_full),
    )


def _masked(row: Row, columns: Sequence[Column]) -> ShownRow:
    cells: dict[str, Any] = {}
    for column in columns:
        cell = row.cells.get(column.key)
        if column.cover == Cover.NAME:
            cell = mask_name(cell) if cell else cell
        elif column.cover == Cover.CHILD:
            cell = None
        cells[column.key] = cell
    return ShownRow(row.unit, cells, url="", person_id=row.person_id)
