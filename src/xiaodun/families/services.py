"""Writes to links, acknowledgments and bound phones of families. Doors judge the right before they call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import Actor, User
from xiaodun.families.models import Acknowledgment, ChildLink, FamilyPhone
from xiaodun.families.notices import notice_on
from xiaodun.families.policies import TRIES, end_of_school_year
from xiaodun.families.selectors import open_links
from xiaodun.kit import audit, clock, codes
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit
from xiaodun.people.choices import Relation
from xiaodun.people.models import Person
from xiaodun.people.numbers import phone_index, read_phone
from xiaodun.people.selectors import guardians_of

# The purpose of the second code on a family's slip (kit.codes).
_BINDING = "family-phone"


@dataclass(frozen=True, slots=True)
class IssuedLink:
    """What goes on paper. Secret and code exist here and nowhere else."""

    person: Person
    secret: str
    code: str
    expires_at: datetime


@transaction.atomic
def issue_links(*, by: User, group: Unit, persons: Sequence[Person], at: datetime) -> list[IssuedLink]:
    """A fresh link for each of these children of ``group``, to the end of the school year.

    The link that a family had before, and the phones bound through it, are worth nothing now.
    """
    # In one order, so that the clerk and the teacher who print at once cannot wait for each other.
    ids = sorted(person.pk for person in persons)
    list(Person.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    revoke_links(by=by, persons=persons, at=at)
    until = end_of_school_year(at)
    issued = [IssuedLink(person, codes.new_secret(), codes.new_code(), until) for person in persons]
    links = ChildLink.objects.bulk_create(
        ChildLink(
            person=each.person,
            group=group,
            digest=codes.secret_digest(each.secret),
            code_digest=codes.code_digest(each.code, purpose=_BINDING),
            made_by=by,
            made_at=at,
            expires_at=until,
        )
        for each in issued
    )
    audit.record(
        by=by,
        action="families.issue_links",
        obj=group,
        unit=group,
        at=at,
        facts={
            "links": [link.pk for link in links],
            "persons": [link.person_id for link in links],
            "expires_at": until.isoformat(),
        },
    )
    return issued


@transaction.atomic
def revoke_links(*, by: Actor, persons: Sequence[Person], at: datetime) -> int:
    """The links of these children open nothing any more, nor do phones bound through them; how many."""
    waiting = ChildLink.objects.filter(person__in=persons, revoked_at__isnull=True).select_related("group")
    revoked = list(waiting)
    ChildLink.objects.filter(pk__in=[link.pk for link in revoked]).update(revoked_at=at)
    for link in revoked:
        audit.record(
            by=by,
            action="families.revoke_links",
            obj=link,
            unit=link.group,
            at=at,
            facts={"person": link.person_id},
        )
    return len(revoked)


@transaction.atomic
def acknowledge(*, link: ChildLink, language: str, name: str, relation: str, at: datetime) -> Acknowledgment:
    """A guardian has read the notice in force; of one link and version only the first counts.

    Raises:
        Refusal: ``guardian-missing`` without a name and a relation.
    """
    if not name.strip() or relation not in Relation:
        raise Refusal(
            "guardian-missing",
            _("The acknowledgment needs your name and how you are related to the child."),
            status=422,
            lifts=_("Give both."),
        )
    notice = notice_on(clock.local_day(at))
    # The link's row is the lock: two taps must not make two acknowledgments.
    link = ChildLink.objects.select_related("person", "group").select_for_update(of=("self",)).get(pk=link.pk)
    said, is_new = Acknowledgment.objects.get_or_create(
        link=link,
        notice=notice.code,
        version=notice.version,
        defaults={
            "person": link.person,
            "language": language,
            "name": name.strip(),
            "relation": relation,
            "at": at,
        },
    )
    if is_new:
        audit.record(
            by=None,
            action="families.acknowledge",
            obj=said,
            unit=link.group,
            at=at,
            facts={"person": link.person_id, "notice": notice.code, "version": notice.version},
            subjects={link.person: {"old": None, "new": {"name": said.name, "relation": said.relation}}},
        )
    return said


@transaction.atomic
def bind_phone(*, link: ChildLink, phone: str, code: str, at: datetime) -> str | None:
    """Bind this browser: ``phone`` is a guardian's on record and ``code`` the second one on the slip.

    Returns the secret for the cookie; none if either is wrong, or after five wrong tries, without saying
    which.
    """
    locked = (
        open_links(at).select_related("person", "group").select_for_update(of=("self",)).filter(pk=link.pk)
    ).first()
    if locked is None or locked.failures >= TRIES:
        return None
    number = read_phone(phone)
    asked = phone_index(number) if number else None
    guardians = guardians_of([locked.person_id]).get(locked.person_id, [])
    guardian = next((each for each in guardians if asked and each.phone_index == asked), None)
    if guardian is None or locked.code_digest != codes.code_digest(code, purpose=_BINDING):
        locked.failures += 1
        locked.save(update_fields=["failures"])
        audit.record(
            by=None,
            action="families.refuse_phone",
            obj=locked,
            unit=locked.group,
            at=at,
            facts={"person": locked.person_id, "failures": locked.failures},
        )
        return None
    secret = codes.new_secret()
    bound = FamilyPhone.objects.create(
        person=locked.person,
        link=locked,
        digest=codes.secret_digest(secret),
        name=guardian.name,
        relation=guardian.relation,
        bound_at=at,
    )
    audit.record(
        by=None,
        action="families.bind_phone",
        obj=bound,
        unit=locked.group,
        at=at,
        facts={"person": locked.person_id},
    )
    return secret
