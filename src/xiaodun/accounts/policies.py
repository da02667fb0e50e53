"""What each role may do, and the scope of one user or token: rights on ranges of the unit tree.

A right is held on a unit and on all below it. Drill and training data stand under a root of their own, so
that no range of a district contains them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from xiaodun.accounts.choices import Right, Role, TokenScope
from xiaodun.accounts.models import User
from xiaodun.organisations.choices import GroupKind, UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import within

_OF_A_GROUP = frozenset(
    {
        Right.SUBMIT_CHECK,
        Right.SEE_ROSTER,
        Right.SEE_CHILDREN,
        Right.REVIEW_SIGNALS,
        Right.ANNOUNCE_LEAVE,
    }
)

ROLE_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.CLASS_TEACHER: _OF_A_GROUP | {Right.INVITE_FAMILIES},
    Role.DORMITORY_SUPERVISOR: _OF_A_GROUP,
    Role.GRADE_LEAD: _OF_A_GROUP - {Right.SUBMIT_CHECK},
    Role.SCHOOL_DOCTOR: _OF_A_GROUP | {Right.MANAGE_FILES, Right.REVEAL},
    # Reports what the doctor finds: sees as much, and the school's counts, and decides nothing.
    Role.SCHOOL_REPORTER: frozenset(
        {Right.SEE_ROSTER, Right.SEE_CHILDREN, Right.SEE_COUNTS, Right.REVIEW_SIGNALS, Right.REVEAL}
    ),
    Role.SCHOOL_CLERK: frozenset(
        {Right.SEE_ROSTER, Right.MANAGE_PEOPLE, Right.MANAGE_ACCOUNTS, Right.INVITE_FAMILIES, Right.REVEAL}
    ),
    # What a guard may know, whether somebody may enter, is judged at the gate and not read from files.
    Role.GUARD: frozenset(),
    Role.PRINCIPAL: frozenset(
        {Right.SEE_COUNTS, Right.REVIEW_SIGNALS, Right.MANAGE_CALENDAR, Right.REVEAL, Right.READ_AUDIT}
    ),
    Role.DISTRICT_OFFICER: frozenset(
        {
            Right.SEE_COUNTS,
            Right.REVIEW_SIGNALS,
            Right.MANAGE_RULES,
            Right.MANAGE_PEOPLE,
            Right.MANAGE_ACCOUNTS,
            Right.MANAGE_CALENDAR,
            Right.REVEAL,
        }
    ),
    # System, security and audit stay apart: neither of the two sees a person or a count.
    Role.SYSTEM_ADMINISTRATOR: frozenset({Right.RUN_SYSTEM}),
    Role.AUDITOR: frozenset({Right.READ_AUDIT}),
}

TOKEN_RIGHTS: dict[TokenScope, frozenset[Right]] = {
    TokenScope.CHECKS_WRITE: frozenset({Right.SUBMIT_CHECK}),
    TokenScope.ROSTERS_READ: frozenset({Right.SEE_ROSTER}),
    TokenScope.FIGURES_READ: frozenset({Right.SEE_COUNTS}),
}

# On which kinds of unit a role can be held: a class teacher of a whole district would see every child in it.
ROLE_UNITS: dict[Role, frozenset[UnitKind]] = {
    Role.CLASS_TEACHER: frozenset({UnitKind.GROUP}),
    Role.DORMITORY_SUPERVISOR: frozenset({UnitKind.GROUP}),
    Role.GRADE_LEAD: frozenset({UnitKind.GRADE}),
    Role.SCHOOL_DOCTOR: frozenset({UnitKind.INSTITUTION}),
    Role.SCHOOL_REPORTER: frozenset({UnitKind.INSTITUTION}),
    Role.SCHOOL_CLERK: frozenset({UnitKind.INSTITUTION}),
    Role.GUARD: frozenset({UnitKind.INSTITUTION}),
    Role.PRINCIPAL: frozenset({UnitKind.INSTITUTION}),
    Role.DISTRICT_OFFICER: frozenset({UnitKind.DISTRICT, UnitKind.DRILL}),
    Role.SYSTEM_ADMINISTRATOR: frozenset({UnitKind.DISTRICT, UnitKind.DRILL}),
    Role.AUDITOR: frozenset({UnitKind.DISTRICT, UnitKind.DRILL}),
}

# Whoever answers for the health of children, from the widest responsibility to the narrowest; then the
# offices. It is the order in which a user's roles are shown: a clerk who also teaches has a class to check.
ROLE_ORDER: tuple[Role, ...] = (
    Role.DISTRICT_OFFICER,
    Role.PRINCIPAL,
    Role.SCHOOL_DOCTOR,
    Role.SCHOOL_REPORTER,
    Role.GRADE_LEAD,
    Role.CLASS_TEACHER,
    Role.DORMITORY_SUPERVISOR,
    Role.SCHOOL_CLERK,
    Role.GUARD,
    Role.SYSTEM_ADMINISTRATOR,
    Role.AUDITOR,
)

# Roles that owe no check, decide no signal and see no figure.
OFFICES = frozenset({Role.SCHOOL_CLERK, Role.GUARD, Role.SYSTEM_ADMINISTRATOR, Role.AUDITOR})


def fits(role: Role, unit: Unit) -> bool:
    """Whether the role can be held on this unit."""
    if role == Role.DORMITORY_SUPERVISOR and unit.group_kind != GroupKind.DORMITORY:
        return False
    return unit.kind in ROLE_UNITS[role]


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


def keeps(scope: Scope) -> tuple[str, ...]:
    """The paths of the districts whose rules or audit the reader answers for; empty for anybody else."""
    return tuple(
        grant.unit_path
        for grant in scope.grants
        if grant.unit_kind == UnitKind.DISTRICT and grant.rights & {Right.MANAGE_RULES, Right.READ_AUDIT}
    )


def needs_second_factor(scope: Scope) -> bool:
    """Whether a password alone is too little: for all who see more than one group, export or administer.

    A guard holds no right on files, and a teacher of one class sees one class.
    """
    held = [grant for grant in scope.grants if grant.rights]
    beyond_a_group = any(grant.unit_kind != UnitKind.GROUP for grant in held)
    return beyond_a_group or len({grant.unit_id for grant in held}) > 1


def token_grant(unit: Unit, scopes: Sequence[str]) -> Grant:
    """What a token with ``scopes`` may do on ``unit`` and all below it."""
    rights = frozenset(right for scope in scopes for right in TOKEN_RIGHTS[TokenScope(scope)])
    return Grant(None, unit.pk, unit.path, unit.kind, rights)


# Who checks groups of their own, and so may enrol a phone for it; and what such a phone opens.
OWN_GROUP_ROLES = frozenset({Role.CLASS_TEACHER, Role.DORMITORY_SUPERVISOR})
DEVICE_RIGHTS = frozenset({Right.SUBMIT_CHECK, Right.SEE_ROSTER, Right.SEE_CHILDREN})


def device_scope(scope: Scope) -> Scope:
    """What is left of ``scope`` on an enrolled device: the check of the own groups, whatever else one is."""
    return Scope(
        scope.user,
        tuple(
            Grant(None, grant.unit_id, grant.unit_path, grant.unit_kind, grant.rights & DEVICE_RIGHTS)
            for grant in scope.grants
            if grant.role in OWN_GROUP_ROLES
        ),
    )


def _widest(paths: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not (kept and path.startswith(kept[-1])):
            kept.append(path)
    return tuple(kept)
