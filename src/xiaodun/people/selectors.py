"""Reads of persons and of who belongs to which group on which day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Q, QuerySet
from django.http import Http404

from xiaodun.accounts.choices import Right
from xiaodun.accounts.policies import Scope
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import valid_on
from xiaodun.people.models import Enrolment, Person


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


def roster_visible_to(scope: Scope, group_id: int, on: date) -> list[RosterRow]:
    """The roster of a group whose children the holder of ``scope`` may see; ``Http404`` for any other."""
    group = Unit.objects.filter(scope.q(Right.SEE_CHILDREN), pk=group_id, kind=UnitKind.GROUP).first()
    if group is None:
        raise Http404
    return roster(group, on)


def persons_in(group_ids: Iterable[int], on: date) -> dict[int, list[RosterRow]]:
    """The rosters of many groups on one day by group id, empty for a group without anybody. One query."""
    rosters: dict[int, list[RosterRow]] = {pk: [] for pk in group_ids}
    for row in _enrolled_on(on).filter(group__in=rosters):
        rosters[row.group_id].append(RosterRow(row.person, row.number))
    return rosters


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


def enrolments_between(person_ids: Iterable[int], start: date, end: date) -> dict[int, list[Enrolment]]:
    """The enrolments of each person that touch ``start`` to ``end``, with their groups. One query."""
    enrolments: dict[int, list[Enrolment]] = {pk: [] for pk in person_ids}
    rows = Enrolment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=start), valid_from__lte=end, person__in=enrolments
    ).select_related("group")
    for row in rows.order_by("valid_from", "group__path"):
        enrolments[row.person_id].append(row)
    return enrolments


def person_visible_to(scope: Scope, person_id: int, on: date) -> Person:
    """A person in a group whose children the holder of ``scope`` may see; ``Http404`` for any other."""
    person = Person.objects.filter(_seen_by(scope, on), pk=person_id).first()
    if person is None:
        raise Http404
    return person


def find_persons_visible_to(scope: Scope, words: str, on: date, limit: int = 20) -> list[Person]:
    """Persons whom the holder of ``scope`` may see, by number, name, pinyin or initials. One query.

    ``words``: the beginning of a number, any part of a name, the beginning of the pinyin ("shanwei",
    "shan wei") or of the initials ("sw"). Both readings of a surname find the person.
    """
    words = words.strip().lower()
    if not words:
        return []
    compact = words.replace(" ", "")
    matches = Q(number__istartswith=words) | Q(name__icontains=words) | Q(search_keys__contains=f"|{compact}")
    return list(Person.objects.filter(matches, _seen_by(scope, on)).order_by("number")[:limit])


def _seen_by(scope: Scope, on: date) -> Q:
    # A subquery, not a join: somebody in class and dormitory is one person.
    enrolled = Enrolment.objects.filter(valid_on(on), scope.q(Right.SEE_CHILDREN, "group__"))
    return Q(pk__in=enrolled.values("person"))
