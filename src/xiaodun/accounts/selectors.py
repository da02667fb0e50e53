"""Reads of users, of their scopes and of who holds a role where."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from xiaodun.accounts.choices import Right, Role
from xiaodun.accounts.models import ActivationSlip, ApiToken, Device, GateTablet, RoleAssignment, Shift, User
from xiaodun.accounts.policies import ROLE_ORDER, Grant, Scope, token_grant
from xiaodun.kit import clock, codes
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import paths_upwards, valid_on, within

# Ancestors asked for in one query: well below the number of parameters that SQLite takes.
_PATHS_A_QUERY = 10_000

# The purposes of codes (kit.codes).
SLIP = "activation-slip"
TABLET = "gate-tablet"


class Holders(NamedTuple):
    """Who holds a role for a unit, in order of user id, and the unit on which they hold it."""

    users: list[User]
    unit: Unit | None


@dataclass(frozen=True, slots=True)
class DemoUser:
    """The user whom the sign-in page of a demonstration offers for a role."""

    role: Role
    user: User
    unit: Unit


def scope_of(user: User | AnonymousUser | None, on: date) -> Scope:
    """The rights of ``user`` on the day ``on``, read from the database: one query, none for a visitor."""
    if not isinstance(user, User) or not user.is_active:
        return Scope(None)
    rows = (
        RoleAssignment.objects.filter(valid_on(on), user=user)
        .order_by("unit__path", "pk")
        .values_list("role", "unit_id", "unit__path", "unit__kind")
    )
    return Scope(user, tuple(Grant(Role(role), pk, path, kind) for role, pk, path, kind in rows))


def authenticate_token(secret: str, at: datetime) -> ApiToken | None:
    """The token that ``secret`` opens at ``at``, with its unit; none if unknown, expired or revoked."""
    return (
        ApiToken.objects.filter(digest=ApiToken.digest_of(secret), expires_at__gt=at, revoked_at__isnull=True)
        .select_related("unit")
        .first()
    )


def scope_of_token(token: ApiToken) -> Scope:
    """The rights of a token on its unit. No query if ``token.unit`` was fetched with it."""
    return Scope(None, (token_grant(token.unit, token.scopes),))


def holders_of(role: str, unit: Unit, on: date) -> Holders:
    """Who holds ``role`` on ``unit`` or on the nearest unit above it that has a holder. One query."""
    return holders_of_each([(role, unit)], on)[role, unit.pk]


def holders_of_each(asked: Iterable[tuple[str, Unit]], on: date) -> dict[tuple[str, int], Holders]:
    """As :func:`holders_of` for many pairs of role and unit, by role and unit id; one query for thousands."""
    pairs = list(asked)
    paths = sorted({path for _role, unit in pairs for path in paths_upwards(unit.path)})
    roles = {role for role, _unit in pairs}
    found: dict[tuple[str, str], list[RoleAssignment]] = {}
    for start in range(0, len(paths), _PATHS_A_QUERY):
        rows = (
            RoleAssignment.objects.filter(
                valid_on(on),
                role__in=roles,
                user__is_active=True,
                unit__path__in=paths[start : start + _PATHS_A_QUERY],
            )
            .select_related("user", "unit")
            .order_by("user_id")
        )
        for row in rows:
            found.setdefault((row.role, row.unit.path), []).append(row)
    answer = {}
    for role, unit in pairs:
        nearest = next((found[role, path] for path in paths_upwards(unit.path) if (role, path) in found), [])
        answer[role, unit.pk] = Holders([row.user for row in nearest], nearest[0].unit if nearest else None)
    return answer


def class_teachers(units: Iterable[Unit], on: date) -> dict[int, list[RoleAssignment]]:
    """Who has each group on ``on`` by unit id, with their users; a period with an end is a substitute's."""
    held = RoleAssignment.objects.filter(
        valid_on(on), unit__in=[unit.pk for unit in units], role=Role.CLASS_TEACHER, user__is_active=True
    )
    found: dict[int, list[RoleAssignment]] = {}
    for assignment in held.select_related("user").order_by("valid_from", "pk"):
        found.setdefault(assignment.unit_id, []).append(assignment)
    return found


def demo_users(on: date) -> list[DemoUser]:
    """One active user a role for the sign-in page of a demonstration: the first in the tree."""
    drills = Unit.objects.filter(depth=1, kind=UnitKind.DRILL).values_list("path", flat=True)
    rows = (
        RoleAssignment.objects.filter(valid_on(on), user__is_active=True)
        .select_related("user", "unit")
        .order_by("unit__path", "pk")
    )
    for path in drills:
        rows = rows.exclude(within("unit__path", path))
    first: dict[str, RoleAssignment] = {}
    for row in rows:
        first.setdefault(row.role, row)
    return [DemoUser(role, first[role].user, first[role].unit) for role in ROLE_ORDER if role in first]


def open_slips(at: datetime) -> QuerySet[ActivationSlip]:
    """The slips that still hold at ``at``: not used, not replaced, in time, of an active user."""
    return ActivationSlip.objects.filter(
        used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=at, user__is_active=True
    )


def slip_of(code: str, at: datetime) -> ActivationSlip | None:
    """The open slip with this code, with its user."""
    digest = codes.code_digest(code, purpose=SLIP)
    return open_slips(at).select_related("user", "unit").filter(digest=digest).first()


@dataclass(frozen=True, slots=True)
class StaffMember:
    """One of the staff of an institution, as whoever manages its accounts sees them.

    ``is_managed``: whether all roles of the user lie within the reader's reach. Else a slip from here would
    open what is not this office's to give.
    """

    user: User
    roles: list[RoleAssignment]
    slip: ActivationSlip | None
    is_managed: bool

    @property
    def is_waiting(self) -> bool:
        """Whether the user has never chosen a password."""
        return not self.user.has_usable_password()


def staff_of(scope: Scope, institution: Unit, at: datetime) -> list[StaffMember]:
    """Who holds a role at ``institution`` now or later, in order of their units. Three queries."""
    today = clock.local_day(at)
    held = RoleAssignment.objects.exclude(valid_to__lt=today).select_related("user", "unit")
    here: dict[int, list[RoleAssignment]] = {}
    for row in held.filter(within("unit__path", institution.path), user__is_active=True).order_by(
        "unit__path", "user__name", "pk"
    ):
        here.setdefault(row.user_id, []).append(row)
    elsewhere = {
        row.user_id
        for row in held.filter(user__in=here)
        if not scope.may(Right.MANAGE_ACCOUNTS, row.unit.path)
    }
    slips = {slip.user_id: slip for slip in open_slips(at).filter(user__in=here)}
    return [
        StaffMember(roles[0].user, roles, slips.get(pk), is_managed=pk not in elsewhere)
        for pk, roles in here.items()
    ]


def open_devices(at: datetime) -> QuerySet[Device]:
    """The devices that still hold at ``at``, of active users."""
    return Device.objects.filter(revoked_at__isnull=True, expires_at__gt=at, user__is_active=True)


def device_of(secret: str, at: datetime) -> Device | None:
    """The device whose cookie holds ``secret``, with its user."""
    if not secret:
        return None
    return open_devices(at).select_related("user").filter(digest=codes.secret_digest(secret)).first()


def devices_of_staff(members: Sequence[StaffMember], at: datetime) -> list[Device]:
    """The open devices of those staff whose access the reader manages, by their owners' order."""
    order = {member.user.pk: place for place, member in enumerate(members) if member.is_managed}
    found = open_devices(at).filter(user__in=order).select_related("user").order_by("enrolled_at", "pk")
    return sorted(found, key=lambda device: order[device.user_id])


def open_tablets() -> QuerySet[GateTablet]:
    """The tablets that were not revoked, announced ones among them."""
    return GateTablet.objects.filter(revoked_at__isnull=True)


def tablet_of(secret: str) -> GateTablet | None:
    """The tablet whose cookie holds ``secret``, with its institution."""
    if not secret:
        return None
    return open_tablets().select_related("unit").filter(digest=codes.secret_digest(secret)).first()


def guards_of(institution: Unit, on: date) -> list[User]:
    """Who is a guard of ``institution`` on the day, by name."""
    rows = RoleAssignment.objects.filter(
        valid_on(on), role=Role.GUARD, unit=institution, user__is_active=True
    ).select_related("user")
    return [row.user for row in rows.order_by("user__name", "user__pk")]


def shift_at(tablet: GateTablet, at: datetime) -> Shift | None:
    """The running shift at ``tablet``, with its guard, while the guard is one."""
    shift = (
        Shift.objects.filter(tablet=tablet, ended_at__isnull=True, until__gt=at)
        .select_related("guard")
        .first()
    )
    if shift is None or shift.guard not in guards_of(tablet.unit, clock.local_day(at)):
        return None
    return shift
