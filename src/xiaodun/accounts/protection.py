"""Reads of what protects accounts: one's own, and those of the staff whom one manages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, QuerySet

from xiaodun.accounts.choices import FactorKind, Right, Role
from xiaodun.accounts.factors.passkeys import works_at
from xiaodun.accounts.models import AttemptCount, Binding, Factor, RoleAssignment, User, UserSession
from xiaodun.accounts.policies import Grant, Scope, needs_second_factor
from xiaodun.accounts.providers import offered_providers
from xiaodun.kit.crypto import blind_index
from xiaodun.organisations.selectors import valid_on

# What a user enrols; the others stand in for these.
LASTING = (FactorKind.TOTP, FactorKind.PASSKEY)
_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class SecurityPage:
    """What protects one account. ``here``: the session in which its owner looks."""

    factors: Sequence[Factor]
    codes_left: int
    sessions: Sequence[UserSession]
    here: str | None
    has_app: bool
    passkeys_work: bool
    # Providers of this installation, each with whether it is connected.
    providers: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class StaffRow:
    """How one member of the staff signs in."""

    user: User
    roles: Sequence[Role]
    has_factor: bool
    needs_factor: bool
    paused_until: datetime | None


@dataclass(frozen=True, slots=True)
class StaffPage:
    """The staff whom one manages, those who are paused on top; ``after``: where the next page starts."""

    paused: Sequence[StaffRow]
    rows: Sequence[StaffRow]
    after: int | None


def own_factor(user: User, pk: int) -> Factor | None:
    """The app or passkey of ``user`` with this id."""
    return user.factors.filter(pk=pk, kind__in=LASTING).first()


def own_session(user: User, pk: int) -> UserSession | None:
    """The session of ``user`` with this id."""
    return user.sessions.filter(pk=pk).first()


def binding_index(provider: str, external_id: str) -> str:
    """How the account ``external_id`` at ``provider`` stands in the database."""
    return blind_index(external_id, context=f"accounts.binding.{provider}")


def bound_user(provider: str, external_id: str) -> User | None:
    """The active user who has connected this account."""
    index = binding_index(provider, external_id)
    return User.objects.filter(is_active=True, bindings__provider=provider, bindings__index=index).first()


def own_binding(user: User, provider: str) -> Binding | None:
    """The account at ``provider`` that ``user`` has connected."""
    return user.bindings.filter(provider=provider).first()


def security_page(user: User, here: str | None, *, host: str) -> SecurityPage:
    """What protects the account of ``user``."""
    factors = list(user.factors.filter(kind__in=LASTING).order_by("made_at"))
    return SecurityPage(
        factors=factors,
        codes_left=user.factors.filter(kind=FactorKind.RECOVERY, counter=0).count(),
        sessions=list(user.sessions.order_by("-seen_at")),
        here=here,
        has_app=any(factor.kind == FactorKind.TOTP for factor in factors),
        passkeys_work=works_at(host),
        providers=_providers(user),
    )


def _providers(user: User) -> list[tuple[str, str, bool]]:
    connected = set(user.bindings.values_list("provider", flat=True))
    return [(name, label, name in connected) for name, label in offered_providers()]


def staff_managed_by(scope: Scope, on: date) -> QuerySet[User]:
    """Who holds roles within the reader's range and, from ``on``, none outside of it.

    A clerk who could give a new factor to an officer, since the officer also has a role at the school, could
    become the officer.
    """
    held = RoleAssignment.objects.filter(user=OuterRef("pk"))
    within_range = scope.q(Right.MANAGE_ACCOUNTS, "unit__")
    inside = held.filter(valid_on(on)).filter(within_range)
    outside = held.exclude(valid_to__lt=on).exclude(within_range)
    return User.objects.filter(Exists(inside), ~Exists(outside), is_active=True)


def staff_page(scope: Scope, at: datetime, on: date, *, after: int = 0) -> StaffPage:
    """How the staff of the reader sign in; the same number of queries for any number of them."""
    staff = staff_managed_by(scope, on)
    pauses: dict[int, datetime] = {}
    for row in AttemptCount.objects.filter(user__in=staff, paused_until__gt=at).order_by("paused_until"):
        if row.user_id and row.paused_until and not row.key.startswith("browser:"):
            pauses[row.user_id] = row.paused_until
    paused = [] if after else list(staff.filter(pk__in=pauses).order_by("pk"))
    users = list(staff.filter(pk__gt=after).order_by("pk")[: _A_PAGE + 1])
    more = len(users) > _A_PAGE
    users = users[:_A_PAGE]
    rows = _rows([*paused, *users], pauses, on)
    return StaffPage(rows[: len(paused)], rows[len(paused) :], users[-1].pk if more else None)


def _rows(users: Sequence[User], pauses: dict[int, datetime], on: date) -> list[StaffRow]:
    grants: dict[int, list[Grant]] = {}
    for user_id, role, unit_id, path, kind in (
        RoleAssignment.objects.filter(valid_on(on), user__in=users)
        .order_by("unit__path", "pk")
        .values_list("user_id", "role", "unit_id", "unit__path", "unit__kind")
    ):
        grants.setdefault(user_id, []).append(Grant(Role(role), unit_id, path, kind))
    protected = set(Factor.objects.filter(user__in=users, kind__in=LASTING).values_list("user_id", flat=True))
    rows = []
    for user in users:
        scope = Scope(user, tuple(grants.get(user.pk, ())))
        rows.append(
            StaffRow(
                user=user,
                roles=scope.roles(),
                has_factor=user.pk in protected,
                needs_factor=needs_second_factor(scope),
                paused_until=pauses.get(user.pk),
            )
        )
    return rows
