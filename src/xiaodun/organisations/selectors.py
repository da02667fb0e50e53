"""Reads of the unit tree and of the school days of its units.

A scope over the tree is a range of paths, ``path >= p and path < p + "~"``: every path that begins with ``p``
and no other, because "~" sorts after all characters of a path. A range uses the index where ``LIKE`` may not.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Protocol

from django.db.models import Q, QuerySet

from xiaodun.engine.calendar import Override, SchoolCalendar
from xiaodun.engine.calendar import Term as CalendarTerm
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import DayOverride, StateDay, Unit


class PathScope(Protocol):
    """What a scope must be able to say here; ``accounts.policies.Scope`` does."""

    def q(self, right: str, field: str = "") -> Q: ...


def within(field: str, path: str) -> Q:
    """The rows whose unit is the one at ``path`` or below it; ``field`` names the path: ``"group__path"``."""
    return Q(**{f"{field}__gte": path, f"{field}__lt": path + "~"})


def under(path: str) -> Q:
    """The units at and below ``path``."""
    return within("path", path)


def valid_on(day: date, prefix: str = "") -> Q:
    """The rows in force on ``day``, both ends inclusive, an open end being null."""
    return Q(**{f"{prefix}valid_from__lte": day}) & (
        Q(**{f"{prefix}valid_to__isnull": True}) | Q(**{f"{prefix}valid_to__gte": day})
    )


def paths_upwards(path: str) -> Iterator[str]:
    """The path itself, its parent's, and so on up to the root's."""
    for end in range(len(path), 0, -Unit.steplen):
        yield path[:end]


def ancestors_of(units: Iterable[Unit]) -> dict[int, list[Unit]]:
    """Each unit's ancestors by its id, root first, the unit itself left out. One query."""
    asked = list(units)
    paths = {path for unit in asked for path in list(paths_upwards(unit.path))[1:]}
    by_path = {unit.path: unit for unit in Unit.objects.filter(path__in=paths)} if paths else {}
    return {
        unit.pk: [by_path[path] for path in reversed(list(paths_upwards(unit.path))[1:])] for unit in asked
    }


def institutions_of(units: Iterable[Unit]) -> dict[int, Unit | None]:
    """The institution of each unit by the unit's id (its own is itself, a district has none). One query."""
    asked = list(units)
    paths = {path for unit in asked for path in paths_upwards(unit.path)}
    institutions = {
        unit.path: unit for unit in Unit.objects.filter(path__in=paths, kind=UnitKind.INSTITUTION)
    }
    return {
        unit.pk: next((institutions[path] for path in paths_upwards(unit.path) if path in institutions), None)
        for unit in asked
    }


def institution_of(unit: Unit) -> Unit | None:
    """The institution that ``unit`` is or belongs to; none for a district or a drill area."""
    return unit if unit.kind == UnitKind.INSTITUTION else institutions_of([unit])[unit.pk]


def free_code(parent: Unit) -> str:
    """A code below ``parent`` that no unit has had yet: its own with the next number."""
    taken = set(Unit.objects.filter(code__startswith=f"{parent.code}-").values_list("code", flat=True))
    number = 1
    while f"{parent.code}-{number}" in taken:
        number += 1
    return f"{parent.code}-{number}"


def groups_on(day: date, q: Q | None = None) -> QuerySet[Unit]:
    """The groups that have joined and are not closed on ``day``, in tree order; ``q`` narrows over units."""
    groups: QuerySet[Unit] = Unit.objects.filter(q or Q(), kind=UnitKind.GROUP, first_day__lte=day)
    return groups.filter(Q(last_day__isnull=True) | Q(last_day__gte=day)).order_by("path")


def institutions_visible_to(scope: PathScope, right: str) -> QuerySet[Unit]:
    """The institutions on which the holder of ``scope`` has ``right`` as a whole, in tree order."""
    institutions: QuerySet[Unit] = Unit.objects.filter(scope.q(right), kind=UnitKind.INSTITUTION)
    return institutions.order_by("path")


def school_calendar(unit: Unit) -> SchoolCalendar:
    """The school days of one unit. Three queries; see :func:`school_calendars`."""
    return school_calendars([unit])[unit.pk]


def school_calendars(units: Iterable[Unit]) -> dict[int, SchoolCalendar]:
    """The school days of each unit by its id, in three queries however many units.

    Overrides of the unit and of all above it hold, the nearest first. A term of a nearer unit replaces those
    terms of the units above that it overlaps. Where nobody above has entered any term, every day is in term.
    The weekdays of teaching are those of the institution.
    """
    asked = list(units)
    paths = {path for unit in asked for path in paths_upwards(unit.path)}
    days_off, workdays, confirmed = _state_days()

    terms: dict[str, list[CalendarTerm]] = {}
    weekdays: dict[str, str] = {}
    rows = Unit.objects.filter(path__in=paths).values_list(
        "path", "kind", "teaching_weekdays", "terms__start", "terms__end"
    )
    for path, kind, teaching_weekdays, start, end in rows.order_by("path", "terms__start"):
        if kind == UnitKind.INSTITUTION:
            weekdays[path] = teaching_weekdays
        if start is not None:
            terms.setdefault(path, []).append(CalendarTerm(start, end))

    overrides: dict[str, dict[date, Override]] = {}
    for path, day, is_open, reason in DayOverride.objects.filter(unit__path__in=paths).values_list(
        "unit__path", "day", "is_open", "reason"
    ):
        overrides.setdefault(path, {})[day] = Override(is_open, reason)

    calendars: dict[tuple[tuple[str, ...], str], SchoolCalendar] = {}
    answer = {}
    for unit in asked:
        chain = list(paths_upwards(unit.path))
        taught = next((weekdays[path] for path in chain if path in weekdays), unit.teaching_weekdays)
        # The classes of a school share their calendar: it is built once.
        key = (tuple(path for path in chain if path in terms or path in overrides), taught)
        if key not in calendars:
            calendars[key] = SchoolCalendar(
                days_off=days_off,
                workdays=workdays,
                confirmed_years=confirmed,
                terms=_nearest_terms([terms.get(path, []) for path in chain]),
                weekdays=frozenset(int(digit) - 1 for digit in taught),
                overrides={
                    day: override
                    for path in reversed(chain)
                    for day, override in overrides.get(path, {}).items()
                },
            )
        answer[unit.pk] = calendars[key]
    return answer


def _state_days() -> tuple[frozenset[date], frozenset[date], frozenset[int]]:
    days_off: set[date] = set()
    workdays: set[date] = set()
    confirmed: set[int] = set()
    rows = StateDay.objects.values_list("day", "is_working", "year__year", "year__is_confirmed")
    for day, is_working, year, is_confirmed in rows:
        (workdays if is_working else days_off).add(day)
        if is_confirmed:
            confirmed.add(year)
    return frozenset(days_off), frozenset(workdays), frozenset(confirmed)


def _nearest_terms(chain: list[list[CalendarTerm]]) -> tuple[CalendarTerm, ...] | None:
    kept: list[CalendarTerm] = []
    for level in chain:
        kept += [
            term for term in level if all(term.end < near.start or near.end < term.start for near in kept)
        ]
    return tuple(kept) or None
