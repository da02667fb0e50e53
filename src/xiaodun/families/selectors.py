"""Reads of links, acknowledgments and bound phones, and of who looked at a child."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, QuerySet

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.families.models import Acknowledgment, ChildLink, FamilyPhone
from xiaodun.families.notices import Notice
from xiaodun.kit import clock, codes
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations.choices import GroupKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import groups_on, valid_on
from xiaodun.people.models import Enrolment, Person
from xiaodun.people.selectors import roster

READS_SHOWN = 50


def classes_to_invite(scope: Scope, day: date) -> QuerySet[Unit]:
    """The classes for whose families the reader may print links."""
    return groups_on(day, scope.q(Right.INVITE_FAMILIES)).filter(group_kind=GroupKind.CLASS)


@dataclass(frozen=True, slots=True)
class Family:
    """One child of a class and how far its family has come."""

    person: Person
    number: int | None
    link: ChildLink | None
    acknowledged: Acknowledgment | None
    phones: int


def families_of(group: Unit, at: datetime) -> list[Family]:
    """The children of ``group`` today, by their number. Four queries."""
    rows = roster(group, clock.local_day(at))
    ids = [row.person.pk for row in rows]
    links = {link.person_id: link for link in open_links(at).filter(person__in=ids, group=group)}
    said = {row.link_id: row for row in Acknowledgment.objects.filter(link__in=links.values()).order_by("pk")}
    bound: dict[int, int] = {}
    for link_id in FamilyPhone.objects.filter(link__in=links.values()).values_list("link_id", flat=True):
        bound[link_id] = bound.get(link_id, 0) + 1
    return [_family(row.person, row.number, links.get(row.person.pk), said, bound) for row in rows]


def _family(
    person: Person,
    number: int | None,
    link: ChildLink | None,
    said: dict[int, Acknowledgment],
    bound: dict[int, int],
) -> Family:
    if link is None:
        return Family(person, number, None, None, 0)
    return Family(person, number, link, said.get(link.pk), bound.get(link.pk, 0))


def _of_its_class(at: datetime) -> QuerySet[ChildLink]:
    """The links that were not replaced, of children who still belong to the class that handed them out."""
    here = Enrolment.objects.filter(
        valid_on(clock.local_day(at)), person=OuterRef("person"), group=OuterRef("group")
    )
    return ChildLink.objects.filter(Exists(here), revoked_at__isnull=True)


def open_links(at: datetime) -> QuerySet[ChildLink]:
    """The links that hold at ``at``."""
    return _of_its_class(at).filter(expires_at__gt=at)


def link_of(secret: str, at: datetime) -> ChildLink | None:
    """The link with this secret, its year over or not; none if it was replaced or never existed."""
    return (
        _of_its_class(at).select_related("person", "group").filter(digest=codes.secret_digest(secret)).first()
    )


def acknowledgment_of(link: ChildLink, notice: Notice) -> Acknowledgment | None:
    """The acknowledgment of this version through this link."""
    return link.acknowledgments.filter(notice=notice.code, version=notice.version).first()


def phone_here(link: ChildLink, secret: str) -> FamilyPhone | None:
    """The phone bound through ``link`` whose cookie holds ``secret``."""
    if not secret:
        return None
    return link.phones.filter(digest=codes.secret_digest(secret)).first()


@dataclass(frozen=True, slots=True)
class Read:
    """Somebody opened one child's record."""

    at: datetime
    name: str


def reads_of(person: Person) -> list[Read]:
    """Who opened the record of this person alone, newest first. Lists of a class are everyday work.

    Of such a read the person is the object, and objects have an index: the log grows by every write there is.
    """
    about = AuditEntry.objects.filter(object_type=Person._meta.label_lower, object_id=str(person.pk))
    rows = list(about.filter(action__endswith=".read").order_by("-pk")[:READS_SHOWN])
    names = _names(row.actor_id for row in rows if row.actor.startswith("user:") and row.actor_id)
    return [Read(row.at, names.get(row.actor_id or 0, "")) for row in rows]


def _names(ids: Iterable[int]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=set(ids)).values_list("pk", "name"))
