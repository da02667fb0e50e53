"""What the first page says to those who owe no check: what their office is for, and where its work is."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.accounts.choices import Right, Role
from xiaodun.accounts.policies import OFFICES, Scope, keeps


@dataclass(frozen=True, slots=True)
class OfficeLink:
    """One page of an office: where it is and what is done there."""

    title: str
    text: str
    url: str
    icon: str


@dataclass(frozen=True, slots=True)
class Office:
    """The first office that the reader holds, and the pages of all of them."""

    title: str
    text: str
    icon: str
    links: list[OfficeLink]


def office_of(scope: Scope) -> Office | None:
    """What the reader's office is for; none for whoever holds none."""
    held = next((role for role in scope.roles() if role in OFFICES), None)
    if held is None:
        return None
    title, text, icon = _words(held)
    return Office(title, text, icon, _links(scope))


def _words(role: Role) -> tuple[str, str, str]:
    if role == Role.SCHOOL_CLERK:
        return (
            _("You keep the lists of your school"),
            _("Names, classes, slips and devices are yours; what checks find is the doctor's."),
            "users",
        )
    if role == Role.GUARD:
        return (
            _("You keep the gate"),
            _("What the gate is told, whether somebody may enter, comes as a message."),
            "shield-check",
        )
    if role == Role.SYSTEM_ADMINISTRATOR:
        return (
            _("You keep the system running"),
            _("You see its health, its backups and its settings, and no person."),
            "server",
        )
    return (
        _("You read the log"),
        _("Who saw, changed or opened what, and why. Each of your own looks is logged as well."),
        "list-search",
    )


def _links(scope: Scope) -> list[OfficeLink]:
    """Where the work is, by what the reader may do; messages for everybody."""
    pages = [
        (
            Right.MANAGE_PEOPLE,
            OfficeLink(
                _("Lists"), _("Classes, moves, leavers, substitutes"), reverse("desks:lists"), "users"
            ),
        ),
        (
            Right.MANAGE_ACCOUNTS,
            OfficeLink(
                _("Staff access"),
                _("Activation slips and devices"),
                reverse("accounts:schools"),
                "id-badge-2",
            ),
        ),
        (
            Right.RUN_SYSTEM,
            OfficeLink(_("System"), _("Health, backups and keys"), reverse("operations:health"), "server"),
        ),
        (
            Right.READ_AUDIT,
            OfficeLink(
                _("Audit log"),
                _("Who did what, and who read of whom"),
                reverse("desks:audit_log"),
                "list-search",
            ),
        ),
    ]
    kept = OfficeLink(
        _("Kept data"),
        _("For how long, what is held, what was deleted"),
        reverse("operations:retention"),
        "history",
    )
    messages = OfficeLink(_("Messages"), _("What the system told you"), reverse("desks:inbox"), "bell")
    links = [link for right, link in pages if scope.has(right)]
    return [*links, *([kept] if keeps(scope) else []), messages]
