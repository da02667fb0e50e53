"""Reads of persons, of what identifies them, and of who belongs to which group on which day."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import RoleAssignment, User
from xiaodun.accounts.policies import Scope
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import valid_on, within
from xiaodun.people.faults import parts
from xiaodun.people.models import Enrolment, Guardian, Identity, Person, Reveal, RosterImport, SearchKey
from xiaodun.people.policies import search_word, waits_for_worker

# Sorts after every character of a key.
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person of a group and the number by which the group knows them (none where it uses no numbers)."""

    person: Person
    number: int | None


def _enrolled_on(day: date) -> QuerySet[Enrolment]:
    return (
        Enrolment.objects.filter(valid_on(day))
        .select_related("person")
        .order_by(F("number").asc(nulls_last=True), "person__number")
    )


def roster(group: Unit, on: date) -> list[RosterRow]:
    """The persons of ``group`` on the day ``on``, by their number in it, with their audit keys. One query."""
    return [RosterRow(row.person, row.number) for row in _enrolled_on(on).filter(group=group)]


def head_counts(group_q: Q, on: date) -> dict[int, int]:
    """How many persons each group holds on the day ``on`` by group id; empty groups are left out. One query.

    ``group_q`` narrows over units: ``organisations.selectors.under(institution.path)``.
    """
    groups = Unit.objects.filter(group_q, kind=UnitKind.GROUP).values("pk")
    rows = (
        Enrolment.objects.filter(valid_on(on), group__in=groups)
        .order_by()
        .values_list("group_id")
        .annotate(persons=Count("pk"))
    )
    return dict(rows)


def groups_of(person_ids: Iterable[int], on: date) -> dict[int, list[Unit]]:
    """The groups of each person on the day ``on`` by person id, in tree order. One query."""
    groups: dict[int, list[Unit]] = {pk: [] for pk in person_ids}
    rows = Enrolment.objects.filter(valid_on(on), person__in=groups).select_related("group")
    for row in rows.order_by("group__path"):
        groups[row.person_id].append(row.group)
    return groups


def identities_of(person_ids: Iterable[int]) -> dict[int, Identity]:
    """The identity of each person who has one, by person id. One query for thousands."""
    found: dict[int, Identity] = {}
    for part in parts(sorted(set(person_ids))):
        found.update((row.person_id, row) for row in Identity.objects.filter(person__in=part))
    return found


def guardians_of(person_ids: Iterable[int]) -> dict[int, list[Guardian]]:
    """The guardians of each person who has some, by person id, first to be called first. One query."""
    found: dict[int, list[Guardian]] = {}
    for part in parts(sorted(set(person_ids))):
        for row in Guardian.objects.filter(person__in=part).order_by("person_id", "order"):
            found.setdefault(row.person_id, []).append(row)
    return found


def colleagues_of(institution: Unit, on: date) -> list[User]:
    """Users who work at the institution on ``on`` or later, by a role or in a department; by name."""
    roles = RoleAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=on), within("unit__path", institution.path)
    )
    departments = Enrolment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=on),
        within("group__path", institution.path),
        person__user__isnull=False,
        person__kind=Person.Kind.STAFF,
    )
    users = User.objects.filter(
        Q(pk__in=roles.values("user")) | Q(pk__in=departments.values("person__user")), is_active=True
    )
    return list(users.order_by("name", "pk"))


def reveals_in_force(user: User, person: Person, at: datetime) -> list[Reveal]:
    """What of ``person`` stands open for ``user`` at ``at``, one row a field, that which lasts longest."""
    found = Reveal.objects.filter(user=user, person=person, at__lte=at, expires_at__gt=at)
    return list({row.field: row for row in found.order_by("expires_at")}.values())


def persons_visible_to(scope: Scope, on: date) -> QuerySet[Person]:
    """Whom the reader sees on lists by name: those who belong to a group in scope on ``on`` or later."""
    mine = Enrolment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=on),
        scope.q(Right.SEE_ROSTER, "group__"),
        person=OuterRef("pk"),
    )
    return Person.objects.filter(Exists(mine))


def found_by(words: str) -> Q:
    """The persons whose number, name, given name, pinyin or initials begin with ``words``.

    A range over the keys, so that an index leads to them on SQLite and PostgreSQL alike.
    """
    word = search_word(words)
    if not word:
        return Q(pk__in=())
    keys = SearchKey.objects.filter(key__gte=word, key__lt=word + _LAST)
    return Q(pk__in=keys.values("person"))


def rosters_wait(*, at: datetime) -> bool:
    """Whether a list that was handed in waits for a worker. One query."""
    return RosterImport.objects.filter(waits_for_worker(at)).exists()


def rosters_visible_to(scope: Scope) -> QuerySet[RosterImport]:
    """The lists handed in for units whose people the reader manages, the newest first."""
    return (
        RosterImport.objects.filter(scope.q(Right.MANAGE_PEOPLE, "unit__"))
        .select_related("unit", "uploaded_by")
        .order_by("-uploaded_at", "-pk")
    )


def report_of(roster: RosterImport) -> dict[str, Any]:
    """The report with all its parts, empty where the list has none."""
    empty: dict[str, Any] = {
        "problems": [], "questions": [], "missing": [], "samples": [], "notes": {}, "refusal": None,
    }  # fmt: skip
    return empty | (json.loads(roster.report) if roster.report else {})
