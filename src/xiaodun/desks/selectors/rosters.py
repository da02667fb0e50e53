"""The pages of lists that are handed in: all of them, and one from its upload to what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiaodun.accounts.choices import Right
from xiaodun.accounts.policies import Scope
from xiaodun.kit.clock import SHANGHAI, local_day
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.people.choices import RosterState
from xiaodun.people.imports import storage
from xiaodun.people.imports.opening import why
from xiaodun.people.imports.problems import Problem
from xiaodun.people.models import Enrolment, Person, RosterImport
from xiaodun.people.selectors import report_of, rosters_visible_to

_AT_A_TIME = 20
PROBLEMS_ON_PAGE = 200
# Where the work of each state stands, and how it is shown.
_TAGS: Mapping[str, str] = {
    RosterState.WAITING: "na",
    RosterState.READING: "na",
    RosterState.READY: "due",
    RosterState.FAULTY: "now",
    RosterState.UNREADABLE: "now",
    RosterState.APPROVED: "na",
    RosterState.APPLYING: "na",
    RosterState.DONE: "done",
    RosterState.DISCARDED: "na",
}
_STEPS: Mapping[str, str | Promise] = {
    "": gettext_lazy("Waiting for its turn"),
    "open": gettext_lazy("Opening the file"),
    "read": gettext_lazy("Reading the rows"),
    "compare": gettext_lazy("Comparing with the persons on record"),
    "persons": gettext_lazy("Writing persons"),
    "identities": gettext_lazy("Writing numbers"),
    "guardians": gettext_lazy("Writing guardians"),
    "classes": gettext_lazy("Writing classes"),
}
_AT_WORK = (RosterState.WAITING, RosterState.READING, RosterState.APPROVED, RosterState.APPLYING)
_OUTCOMES: Mapping[str, str | Promise] = {
    "new": gettext_lazy("New"),
    "moved": gettext_lazy("Moved"),
    "changed": gettext_lazy("Changed"),
    "unchanged": gettext_lazy("Unchanged"),
}


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One list of the history."""

    roster: RosterImport
    tag: str
    url: str

    @property
    def title(self) -> str:
        return f"{self.roster.unit.label} · {self.roster.file_name}"

    @property
    def text(self) -> str:
        when = self.roster.uploaded_at
        moment = f"{local_day(when).isoformat()} {when.astimezone(SHANGHAI):%H:%M}"
        return f"{moment} · {self.roster.uploaded_by.name}"


@dataclass(frozen=True, slots=True)
class RosterListPage:
    rows: Sequence[RosterRow]
    next_url: str

    @property
    def title(self) -> str:
        return _("Lists of pupils")


@dataclass(frozen=True, slots=True)
class MissingRow:
    """Somebody on record whom the list lacks."""

    person: Person
    group: Unit
    is_there: bool


@dataclass(frozen=True)
class RosterPage:
    """One list: how far it is, what it would change or changed, what is wrong with it."""

    roster: RosterImport
    tag: str
    counts: Sequence[tuple[str | Promise, int]]
    problems: Sequence[Problem]
    problem_count: int
    questions: Sequence[Mapping[str, Any]]
    samples: Sequence[Sequence[str | Promise]]
    missing: Sequence[MissingRow]
    notes: Mapping[str, Sequence[str]]
    refusal: Refusal | None
    progress: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return self.roster.get_kind_display()

    @property
    def is_at_work(self) -> bool:
        return self.roster.state in _AT_WORK

    @property
    def crumbs(self) -> list[dict[str, str]]:
        return [{"label": _("Lists of pupils"), "url": reverse("desks:rosters")}, {"label": self.title}]


def roster_units(scope: Scope) -> list[Unit]:
    """The units for which the reader may hand in a list: districts as a whole, and institutions."""
    kinds = (UnitKind.DISTRICT, UnitKind.DRILL, UnitKind.INSTITUTION)
    return list(Unit.objects.filter(scope.q(Right.MANAGE_PEOPLE), kind__in=kinds).order_by("path"))


def roster_list(scope: Scope, before: str) -> RosterListPage:
    """The lists that were handed in, the newest first; ``before``: the id from which a page goes on."""
    rosters = rosters_visible_to(scope).order_by("-pk")
    if before.isascii() and before.isdecimal():
        rosters = rosters.filter(pk__lt=int(before))
    found = list(rosters[: _AT_A_TIME + 1])
    rows = [
        RosterRow(each, _TAGS[each.state], reverse("desks:roster", args=[each.pk]))
        for each in found[:_AT_A_TIME]
    ]
    more = len(found) > _AT_A_TIME
    return RosterListPage(rows, f"?before={found[_AT_A_TIME - 1].pk}" if more else "")


def roster_visible_to(scope: Scope, roster_id: int) -> RosterImport:
    """The list of this id; one of a unit out of reach is as absent as an unknown one.

    Raises:
        Http404: for both.
    """
    roster = rosters_visible_to(scope).filter(pk=roster_id).first()
    if roster is None:
        raise Http404
    return roster


def roster_progress(roster: RosterImport) -> dict[str, Any]:
    """How far the work on a list is, for a script."""
    step, done, of = storage.progress(roster.token)
    is_waiting = roster.state in {RosterState.WAITING, RosterState.APPROVED}
    step = "" if is_waiting else step
    return {
        "at_work": roster.state in _AT_WORK,
        "words": str(_STEPS[step]),
        "done": 0 if is_waiting else done,
        "of": of or 1,
    }


def roster_page(roster: RosterImport, on: date) -> RosterPage:
    """Everything about one list on the day ``on``."""
    report = report_of(roster)
    refusal = report["refusal"]
    counts = (
        [(words, roster.counts.get(name, 0)) for name, words in _OUTCOMES.items()] if roster.counts else []
    )
    return RosterPage(
        roster=roster,
        tag=_TAGS[roster.state],
        counts=counts,
        problems=[Problem(**each) for each in report["problems"][:PROBLEMS_ON_PAGE]],
        problem_count=roster.counts.get("problems", 0),
        questions=report["questions"],
        samples=[_sample(each) for each in report["samples"]],
        missing=_missing(report["missing"], on),
        notes=report["notes"],
        refusal=why(refusal["code"], refusal["facts"]) if refusal else None,
        progress=roster_progress(roster),
    )


def _sample(sample: Mapping[str, Any]) -> list[str | Promise]:
    group = sample["group"]
    if sample["from_other_school"]:
        group = format_lazy(_("{group}, from another school of the district"), group=group)
    elif sample["from"]:
        group = format_lazy(_("{group}, so far {before}"), group=group, before=sample["from"])
    return [sample["name"], _OUTCOMES[sample["outcome"]], group, sample["key"]]


def _missing(pairs: Sequence[Sequence[int]], on: date) -> list[MissingRow]:
    groups = Unit.objects.in_bulk({group for group, _person in pairs})
    persons = Person.objects.in_bulk({person for _group, person in pairs})
    there = set(
        Enrolment.objects.filter(person__in=persons, group__in=groups)
        .exclude(valid_to__lte=on)
        .values_list("group_id", "person_id")
    )
    return [
        MissingRow(persons[person], groups[group], (group, person) in there)
        for group, person in pairs
        if person in persons and group in groups
    ]


def marked_file(roster: RosterImport) -> tuple[bytes, Sequence[Problem]] | None:
    """The file of a list and all its problems; none once the file was deleted."""
    content = storage.fetch(roster.token)
    if content is None:
        return None
    return content, [Problem(**each) for each in report_of(roster)["problems"]]
