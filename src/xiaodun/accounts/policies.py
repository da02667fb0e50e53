"""What each role may do, and the scope of one user or token: rights on ranges of the unit tree.

A right is held on a unit and on all below it. Drill and training data stand under a root of their own, so
that no range of a district contains them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from xiaodun.accounts.choices import Right, Role, TokenScope
from xiaodun.accounts.models import User
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import within

ROLE_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.CLASS_TEACHER: frozenset(
        {Right.SUBMIT_CHECK, Right.SEE_CHILDREN, Right.REVIEW_SIGNALS, Right.ANNOUNCE_LEAVE}
    ),
    Role.GRADE_LEAD: frozenset({Right.SEE_CHILDREN, Right.REVIEW_SIGNALS, Right.ANNOUNCE_LEAVE}),
    Role.SCHOOL_DOCTOR: frozenset(
        {
            Right.SUBMIT_CHECK,
            Right.SEE_CHILDREN,
            Right.MANAGE_FILES,
            Right.REVIEW_SIGNALS,
            Right.ANNOUNCE_LEAVE,
        }
    ),
    Role.PRINCIPAL: frozenset({Right.SEE_COUNTS, Right.REVIEW_SIGNALS, Right.MANAGE_CALENDAR}),
    Role.DISTRICT_OFFICER: frozenset(
        {
            Right.SEE_COUNTS,
            Right.REVIEW_SIGNALS,
            Right.MANAGE_RULES,
            Right.MANAGE_PEOPLE,
            Right.MANAGE_CALENDAR,
        }
    ),
}

TOKEN_RIGHTS: dict[TokenScope, frozenset[Right]] = {
    TokenScope.CHECKS_WRITE: frozenset({Right.SUBMIT_CHECK}),
    TokenScope.ROSTERS_READ: frozenset({Right.SEE_CHILDREN}),
    TokenScope.FIGURES_READ: frozenset({Right.SEE_COUNTS}),
}

# On which kinds of unit a role can be held: a class teacher of a whole district would see every child in it.
ROLE_UNITS: dict[Role, frozenset[UnitKind]] = {
    Role.CLASS_TEACHER: frozenset({UnitKind.GROUP}),
    Role.GRADE_LEAD: frozenset({UnitKind.GRADE}),
    Role.SCHOOL_DOCTOR: frozenset({UnitKind.INSTITUTION}),
    Role.PRINCIPAL: frozenset({UnitKind.INSTITUTION}),
    Role.DISTRICT_OFFICER: frozenset({UnitKind.DISTRICT, UnitKind.DRILL}),
}

# From the widest responsibility to the narrowest: the order in which a user's roles are shown.
ROLE_ORDER: tuple[Role, ...] = (
    Role.DISTRICT_OFFICER,
    Role.PRINCIPAL,
    Role.SCHOOL_DOCTOR,
    Role.GRADE_LEAD,
    Role.CLASS_TEACHER,
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One role (or, for a token, a set of rights without a role) on one unit and all below it."""

    role: Role | None
    unit_id: int
    unit_path: str
    unit_kind: str
    rights: frozenset[Right] = field(default=frozenset())

    def __post_init__(self) -> None:
        if self.role is not None:
            object.__setattr__(self, "rights", ROLE_RIGHTS[self.role])


@dataclass(frozen=True)
class Scope:
    """What one user (none for a token or a visitor) may do where, on the day for which it was read."""

    user: User | None
    grants: tuple[Grant, ...] = ()

    def has(self, right: str) -> bool:
        """Whether the right is held anywhere."""
        return any(right in grant.rights for grant in self.grants)

    def may(self, right: str, unit_or_path: Unit | str) -> bool:
        """Whether the right is held on that unit (or unit path)."""
        path = unit_or_path if isinstance(unit_or_path, str) else unit_or_path.path
        return any(path.startswith(held) for held in self.paths(right))

    def paths(self, right: str) -> tuple[str, ...]:
        """The widest unit paths under which the right is held, in tree order, none within another."""
        return _widest(grant.unit_path for grant in self.grants_for(right))

    def q(self, right: str, field: str = "") -> Q:
        """The rows within the right; ``field`` leads to the unit with its underscores: ``"group__"``."""
        paths = self.paths(right)
        if not paths:
            return Q(pk__in=())
        found = Q()
        for path in paths:
            found |= within(f"{field}path", path)
        return found

    def grants_for(self, right: str) -> tuple[Grant, ...]:
        """The grants that give the right."""
        return tuple(grant for grant in self.grants if right in grant.rights)

    def roles(self) -> tuple[Role, ...]:
        """The roles held, the widest responsibility first, each once."""
        held = {grant.role for grant in self.grants}
        return tuple(role for role in ROLE_ORDER if role in held)

    @property
    def highest_role(self) -> Role | None:
        """The role of the widest responsibility; none for a token, a visitor or a user without any role."""
        return next(iter(self.roles()), None)


def token_grant(unit: Unit, scopes: Sequence[str]) -> Grant:
    """What a token with ``scopes`` may do on ``unit`` and all below it."""
    rights = frozenset(right for scope in scopes for right in TOKEN_RIGHTS[TokenScope(scope)])
    return Grant(None, unit.pk, unit.path, unit.kind, rights)


def _widest(paths: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not (kept and path.startswith(kept[-1])):
            kept.append(path)
    return tuple(kept)
