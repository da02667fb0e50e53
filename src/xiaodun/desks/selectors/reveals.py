"""What of one person a reader may open, and what of it stands open."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import Http404
from django.utils.translation import gettext as _

from xiaodun.accounts.choices import Right, Role
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.kit import clock
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import within
from xiaodun.people.choices import Revealable
from xiaodun.people.models import Person
from xiaodun.people.numbers import mask_number, mask_phone
from xiaodun.people.policies import mask_address, mask_name
from xiaodun.people.selectors import groups_of, guardians_of, identities_of, reveals_in_force
from xiaodun.people.services.reveals import REVEAL_LASTS
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import WAITING

# Security, the field matrix: what each role may open for a reason, beyond what it sees anyway.
FIELDS: dict[Role, frozenset[Revealable]] = {
    Role.SCHOOL_DOCTOR: frozenset({Revealable.ID_NUMBER, Revealable.PHONE, Revealable.ADDRESS}),
    Role.SCHOOL_REPORTER: frozenset({Revealable.ID_NUMBER, Revealable.PHONE, Revealable.ADDRESS}),
    Role.SCHOOL_CLERK: frozenset({Revealable.PHONE}),
    Role.PRINCIPAL: frozenset({Revealable.NAME, Revealable.PHONE, Revealable.ADDRESS}),
    Role.DISTRICT_OFFICER: frozenset(Revealable),
}
# Who may do so only while a signal that counts the person waits.
IN_OPEN_CASE = frozenset({Role.DISTRICT_OFFICER})


@dataclass(frozen=True, slots=True)
class RevealLine:
    """One field: masked, or open until a moment."""

    field: Revealable
    label: str
    text: str
    open_until: datetime | None


@dataclass(frozen=True, slots=True)
class RevealPage:
    """One person: what the reader may open."""

    title: str
    person: Person
    unit: Unit
    name: str
    lines: list[RevealLine]
    minutes: int


def reveal_page(person_id: int, scope: Scope, *, by: User, at: datetime) -> RevealPage:
    """The fields of one person that the reader may open for a reason.

    Raises:
        Http404: for somebody of whom the reader may open nothing exactly as for somebody unknown.
    """
    person, unit, fields = openable(person_id, scope, at=at)
    values = _values_of(person)
    until = {each.field: each.expires_at for each in reveals_in_force(by, person, at)}
    may_read_name = scope.may(Right.SEE_ROSTER, unit) or Revealable.NAME in until
    lines = []
    for field in Revealable:
        clear, masked = values[field]
        if field in fields and clear:
            is_open = field in until
            lines.append(
                RevealLine(
                    field, str(field.label).capitalize(), clear if is_open else masked, until.get(field)
                )
            )
    return RevealPage(
        title=_("Open masked data"),
        person=person,
        unit=unit,
        name=person.name if may_read_name else mask_name(person.name),
        lines=lines,
        minutes=REVEAL_LASTS // timedelta(minutes=1),
    )


def openable(person_id: int, scope: Scope, *, at: datetime) -> tuple[Person, Unit, frozenset[Revealable]]:
    """The person, the group by which the reader may, and the fields; ``Http404`` if there are none."""
    # Larger ids do not exist and would not fit into a statement.
    person = Person.objects.filter(pk=person_id).first() if person_id < 2**63 else None
    groups = groups_of([person_id], clock.local_day(at))[person_id] if person else []
    fields: set[Revealable] = set()
    unit: Unit | None = None
    for group in groups:
        for grant in scope.grants_for(Right.REVEAL):
            if grant.role is None or not group.path.startswith(grant.unit_path):
                continue
            if grant.role in IN_OPEN_CASE and not _is_in_open_case(person_id, grant.unit_path):
                continue
            unit = unit or group
            fields |= FIELDS[grant.role]
    if person is None or unit is None:
        raise Http404
    return person, unit, frozenset(fields)


def openable_among(
    scope: Scope, person_ids: Collection[int], in_open_case: bool, day: date
) -> frozenset[int]:
    """Those of whom the reader may open something; ``in_open_case``: a signal that counts them waits."""
    grants = [
        grant
        for grant in scope.grants_for(Right.REVEAL)
        if grant.role is not None and (in_open_case or grant.role not in IN_OPEN_CASE)
    ]
    if not grants:
        return frozenset()
    return frozenset(
        person_id
        for person_id, groups in groups_of(person_ids, day).items()
        if any(group.path.startswith(grant.unit_path) for group in groups for grant in grants)
    )


def may_open(scope: Scope, unit: Unit) -> bool:
    """Whether a row of this unit leads its reader to a page that opens names."""
    return any(
        grant.role is not None
        and Revealable.NAME in FIELDS[grant.role]
        and grant.role not in IN_OPEN_CASE
        and unit.path.startswith(grant.unit_path)
        for grant in scope.grants_for(Right.REVEAL)
    )


def _is_in_open_case(person_id: int, path: str) -> bool:
    return Signal.objects.filter(
        within("unit__path", path), cases__person=person_id, state__in=WAITING
    ).exists()


def _values_of(person: Person) -> dict[Revealable, tuple[str, str]]:
    """Each field in full and masked; empty where nothing is on record."""
    identity = identities_of([person.pk]).get(person.pk)
    number = (identity and identity.document_number) or ""
    address = (identity and identity.address) or ""
    guardians = [each for each in guardians_of([person.pk]).get(person.pk, []) if each.phone]
    comma = _(", ")
    return {
        Revealable.NAME: (person.name, mask_name(person.name)),
        Revealable.ID_NUMBER: (number, mask_number(number)),
        Revealable.PHONE: (
            comma.join(f"{each.name} {(each.phone or '').removeprefix('+86')}" for each in guardians),
            comma.join(mask_phone(each.phone or "") for each in guardians),
        ),
        Revealable.ADDRESS: (address, mask_address(address)),
    }
