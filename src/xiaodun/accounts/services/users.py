"""Writes to users and their roles."""

import unicodedata
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import Actor, RoleAssignment, User
from xiaodun.accounts.policies import fits
from xiaodun.accounts.refusals import refuse_weak_password
from xiaodun.accounts.services.leaving import withdraw_access
from xiaodun.accounts.services.sign_in import end_sessions
from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit


@transaction.atomic
def create_user(*, by: Actor, username: str, name: str, at: datetime, password: str | None = None) -> User:
    """A user without any right. Without a password nobody can sign in with one until it is set."""
    username = unicodedata.normalize("NFKC", username).strip()
    name = name.strip()
    if not username or not name:
        raise Refusal(
            "name-missing",
            _("A user needs a user name and a name."),
            status=422,
            lifts=_("Give both."),
        )
    if User.objects.filter(username=username).exists():
        raise Refusal(
            "username-taken",
            _("Another user already has this user name."),
            facts={"username": username},
            lifts=_("Choose another user name."),
        )
    user = User(username=username, name=name, language=settings.LANGUAGE_CODE)
    if password is None:
        user.set_unusable_password()
    else:
        refuse_weak_password(password, user)
        user.set_password(password)
        user.password_set_at = at
    user.save(force_insert=True)
    audit.record(by=by, action="accounts.create_user", obj=user, at=at)
    return user


@transaction.atomic
def deactivate_user(*, by: Actor, user: User, at: datetime) -> User:
    """From now on the user cannot sign in, and all sessions, phones, slips and keys end."""
    user = User.objects.select_for_update().get(pk=user.pk)
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_sessions(by=by, user=user, why="deactivated", at=at)
    withdraw_access(by=by, user=user, unit=None, last_day=None, at=at)
    audit.record(by=by, action="accounts.deactivate_user", obj=user, at=at)
    return user


@transaction.atomic
def set_language(*, by: User, language: str, at: datetime) -> User:
    """The language in which the user reads; one of ``settings.LANGUAGES``."""
    if language not in dict(settings.LANGUAGES):
        raise Refusal(
            "language-unknown",
            _("The system does not speak this language."),
            status=422,
            facts={"language": language},
            lifts=_("Choose one of the languages offered."),
        )
    by.language = language
    by.save(update_fields=["language"])
    audit.record(by=by, action="accounts.set_language", obj=by, at=at, facts={"language": language})
    return by


@transaction.atomic
def assign_role(
    *,
    by: Actor,
    user: User,
    role: str,
    unit: Unit,
    valid_from: date,
    valid_to: date | None = None,
    at: datetime,
) -> RoleAssignment:
    """``user`` holds ``role`` on ``unit`` and all below it from ``valid_from`` to ``valid_to`` inclusive."""
    if not fits(Role(role), unit):
        raise Refusal(
            "role-does-not-fit-unit",
            _("This role cannot be held on a unit of this kind."),
            status=422,
            facts={"role": role, "unit_kind": unit.kind},
            lifts=_(
                "Choose the unit that the role is responsible for: a teacher's class, a doctor's school."
            ),
        )
    if valid_to is not None and valid_to < valid_from:
        raise Refusal(
            "role-ends-before-it-starts",
            _("A role cannot end before it starts."),
            status=422,
            facts={"valid_from": valid_from.isoformat(), "valid_to": valid_to.isoformat()},
            lifts=_("Choose a last day on or after the first day."),
        )
    # The user's row is the lock: two officers who grant the same role at once must not both succeed.
    user = User.objects.select_for_update().get(pk=user.pk)
    held = RoleAssignment.objects.filter(user=user, role=role, unit=unit).exclude(valid_to__lt=valid_from)
    if valid_to is not None:
        held = held.filter(valid_from__lte=valid_to)
    other = held.first()
    if other is not None:
        raise Refusal(
            "role-already-held",
            _("The user already holds this role on this unit on some of these days."),
            facts={
                "valid_from": other.valid_from.isoformat(),
                "valid_to": other.valid_to.isoformat() if other.valid_to else None,
            },
            lifts=_("End the other assignment first, or choose other days."),
        )
    assignment = RoleAssignment.objects.create(
        user=user, role=role, unit=unit, valid_from=valid_from, valid_to=valid_to
    )
    end_sessions(by=by, user=user, why="role", at=at)
    audit.record(
        by=by,
        action="accounts.assign_role",
        obj=assignment,
        unit=unit,
        at=at,
        facts=_assignment_facts(assignment),
    )
    return assignment


@transaction.atomic
def reopen_role(
    *, by: Actor, assignment: RoleAssignment, valid_to: date | None, at: datetime
) -> RoleAssignment:
    """What ended a role is undone: it is held up to ``valid_to`` (none: without an end) as before."""
    assignment = (
        RoleAssignment.objects.select_related("unit").select_for_update(of=("self",)).get(pk=assignment.pk)
    )
    assignment.valid_to = valid_to
    assignment.save(update_fields=["valid_to"])
    facts = _assignment_facts(assignment)
    audit.record(
        by=by, action="accounts.reopen_role", obj=assignment, unit=assignment.unit, at=at, facts=facts
    )
    return assignment


@transaction.atomic
def end_role(*, by: Actor, assignment: RoleAssignment, last_day: date, at: datetime) -> RoleAssignment | None:
    """The role is held up to ``last_day``. A day before its first withdraws it: none is returned."""
    assignment = (
        RoleAssignment.objects.select_related("unit", "user")
        .select_for_update(of=("self",))
        .get(pk=assignment.pk)
    )
    end_sessions(by=by, user=assignment.user, why="role", at=at)
    withdraw_access(by=by, user=assignment.user, unit=assignment.unit, last_day=last_day, at=at)
    facts = _assignment_facts(assignment) | {"last_day": last_day.isoformat()}
    audit.record(by=by, action="accounts.end_role", obj=assignment, unit=assignment.unit, at=at, facts=facts)
    if last_day < assignment.valid_from:
        assignment.delete()
        return None
    assignment.valid_to = last_day
    assignment.save(update_fields=["valid_to"])
    return assignment


def _assignment_facts(assignment: RoleAssignment) -> dict[str, object]:
    return {
        "user": assignment.user_id,
        "role": assignment.role,
        "valid_from": assignment.valid_from.isoformat(),
        "valid_to": assignment.valid_to.isoformat() if assignment.valid_to else None,
    }
