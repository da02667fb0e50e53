"""Figures: every number that a board shows, with its meaning, its version and the way to its rows.

An app registers its own figures in ``<app>/figures.py``, called from ``AppConfig.ready()``. Boards ask by
code (``xiaodun.figures.selectors``); none counts for itself.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import paths_upwards, within

Text = str | Promise
# A word in singular and plural: ``ngettext_lazy("class", "classes")``.
Words = Any
Found = TypeVar("Found")


class State(StrEnum):
    """What a figure asks of its reader; the only thing that its colour may say."""

    NOW = "now"  # somebody must act
    DUE = "due"  # under way, or not yet due
    DONE = "done"
    NA = "na"  # does not apply today, or nobody has reported: never shown as 0
    ZERO = "zero"  # a reported nought


class Part(NamedTuple):
    """A figure is the sum and difference of its parts; ``sign`` is "+" or "-"."""

    label: Text
    number: int
    sign: str


@dataclass(frozen=True, slots=True)
class Value:
    """A number and how to read it. ``of``: the denominator; ``number`` None: not reported, a dash."""

    number: int | None
    of: int | None = None
    state: str = State.ZERO
    parts: tuple[Part, ...] = ()


class Cover(StrEnum):
    """Who may read a column about a child. Whoever may see the children of a row reads all of it."""

    OPEN = ""  # says nothing about a child beyond what a count says (unit, day, symptom group)
    NAME = "name"  # the name: masked for those who may see counts only
    CHILD = "child"  # number, symptoms, anything that tells more of the child: left out for them


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the rows behind a figure. ``kind`` tells how to show it.

    Kinds: ``text``, ``number``, ``day`` (date), ``moment`` (datetime), ``minutes`` (number of minutes) and
    ``state`` (a ``Tag``). A cell may be None: nothing to show.
    """

    key: str
    label: Text
    kind: str = "text"
    cover: Cover = Cover.OPEN


class Tag(NamedTuple):
    """A state in a cell, with its word beside the colour."""

    state: str
    label: Text


@dataclass(frozen=True, slots=True)
class Row:
    """One row behind a figure. ``unit``: whose rights decide what a reader sees of it (the child's group).

    ``url``: where the row opens; withheld from whoever may not see the children of a figure about children.
    ``counts``: what the row adds to the figure. ``person_id``: the child that the row is about, so that
    whoever shows the row can log the look; a row behind columns with a cover must have it.
    """

    unit: Unit
    cells: Mapping[str, Any]
    url: str = ""
    counts: int = 1
    person_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns and rows as the app that owns them has them, unmasked; the selector masks."""

    columns: Sequence[Column]
    rows: Sequence[Row]

    @property
    def total(self) -> int:
        """The figure that the rows make."""
        return sum(row.counts for row in self.rows)


class Asked:
    """What the figures of one page share: units that cover all of theirs, and what was read for them."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = list(units)
        self._found: dict[Hashable, Any] = {}

    def once(self, key: Hashable, read: Callable[[Sequence[Unit]], Found]) -> Found:
        """What ``read`` finds for the units; later askers with the same key get the same."""
        if key not in self._found:
            self._found[key] = read(self.units)
        found: Found = self._found[key]
        return found


@dataclass(frozen=True)
class FigureScope:
    """For which units, which day and as known when a figure is wanted.

    ``members``: the units side by side (the institutions of a board, the groups of a school), or the one unit
    whose figure is opened. None of them lies within another. ``shared``: what the figures of one page share.
    """

    members: Sequence[Unit]
    day: date
    at: datetime
    shared: Asked | None = None

    @cached_property
    def asked(self) -> Asked:
        """What is shared with the other figures of the page; the members' own where there are none."""
        return self.shared or Asked(self.members)

    @property
    def unit(self) -> Unit:
        """The one unit asked for; ``ValueError`` when there are several."""
        (unit,) = self.members
        return unit

    @cached_property
    def _by_path(self) -> dict[str, int]:
        return {unit.path: unit.pk for unit in self.members}

    def member_of(self, path: str) -> int | None:
        """The id of the member at or above the unit path, none if the path lies outside."""
        return next((self._by_path[each] for each in paths_upwards(path) if each in self._by_path), None)

    def q(self, prefix: str = "") -> Q:
        """The rows at or below the members; ``prefix`` leads to the unit, underscores too: ``"group__"``."""
        # Groups by id: a school's classes as ranges would make a condition as deep as they are many.
        found = Q(**{f"{prefix}pk__in": [unit.pk for unit in self.members if unit.kind == UnitKind.GROUP]})
        for unit in self.members:
            if unit.kind != UnitKind.GROUP:
                found |= within(f"{prefix}path", unit.path)
        return found

    def tally(self, numbers: Mapping[str, int]) -> dict[int, int]:
        """Numbers by unit path summed for each member, 0 for a member without any."""
        sums = {unit.pk: 0 for unit in self.members}
        for path, number in numbers.items():
            if (member := self.member_of(path)) is not None:
                sums[member] += number
        return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a figure is. A change of meaning is a new ``version``.

    meaning: what counts and what is left out, for whoever must defend the number. unit_word: what is counted
    ("class", "classes"). source: clause or app from which the definition comes. compute: the value of every
    member, by its id, in a number of queries that does not depend on how many there are. rows: what the
    number consists of. related: codes of figures to be read beside this one. group_word: the word within one
    group, where nobody can be counted twice; none if it is the same.
    """

    code: str
    version: int
    name: Text
    meaning: Text
    unit_word: Words
    source: Text
    compute: Callable[[FigureScope], Mapping[int, Value]]
    rows: Callable[[FigureScope], Rows]
    related: Sequence[str] = ()
    group_word: Words | None = None

    def word_for(self, unit: Unit, value: Value) -> str:
        """The word for what is counted in this unit, in the number in which the figure shows it."""
        word = self.group_word if self.group_word and unit.kind == UnitKind.GROUP else self.unit_word
        return str(word % (value.number or 0 if value.of is None else value.of))


_definitions: dict[str, Definition] = {}


def register(definition: Definition) -> None:
    """Make a figure known in ``AppConfig.ready()``; ``ValueError`` if its code is taken: the start fails."""
    if definition.code in _definitions:
        raise ValueError(f"Two figures call themselves {definition.code!r}.")
    _definitions[definition.code] = definition


def definitions() -> list[Definition]:
    """Every figure, by code."""
    return [_definitions[code] for code in sorted(_definitions)]


def definition(code: str) -> Definition:
    """The figure of that code.

    Raises:
        Refusal: ``figure-unknown`` (404).
    """
    if code not in _definitions:
        raise Refusal(
            "figure-unknown",
            _("There is no figure of this name."),
            status=404,
            facts={"figure": code},
            lifts=_("Open the figure from a board, or look up its name in the list of figures."),
        )
    return _definitions[code]
