"""Activation slips: a code on paper becomes a password that nobody else has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import RevokedFor
from xiaodun.accounts.models import ActivationSlip, Actor, User
from xiaodun.accounts.refusals import slip_refusal
from xiaodun.accounts.selectors import SLIP, open_devices, open_slips, slip_of
from xiaodun.accounts.services.attempts import count_refused_code, refuse_code_guesses
from xiaodun.accounts.services.devices import revoke_devices
from xiaodun.accounts.services.passwords import set_password
from xiaodun.kit import audit, codes
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit

SLIP_LASTS = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class IssuedSlip:
    """What goes on paper. The code exists here and nowhere else."""

    user: User
    code: str
    expires_at: datetime


@transaction.atomic
def issue_slips(*, by: User, unit: Unit, users: Sequence[User], at: datetime) -> list[IssuedSlip]:
    """A fresh slip for each of these users of ``unit``; whatever slip a user still had is worth nothing now.

    Raises:
        Refusal: ``slip-for-oneself``: an own password is changed with the old one in hand.
    """
    if by in users:
        raise Refusal(
            "slip-for-oneself",
            _("A slip for yourself would let anybody who sits at your screen take your place."),
            lifts=_("Change your own password, or ask a colleague of the office or the district for a slip."),
        )
    # In one order, so that two clerks who print at once cannot wait for each other.
    locked = User.objects.select_for_update().filter(pk__in=[user.pk for user in users]).order_by("pk")
    list(locked.values_list("pk"))
    revoke_slips(by=by, users=users, at=at)
    issued = [IssuedSlip(user, codes.new_code(), at + SLIP_LASTS) for user in users]
    slips = ActivationSlip.objects.bulk_create(
        ActivationSlip(
            user=each.user,
            unit=unit,
            digest=codes.code_digest(each.code, purpose=SLIP),
            made_by=by,
            made_at=at,
            expires_at=each.expires_at,
        )
        for each in issued
    )
    for slip in slips:
        audit.record(
            by=by,
            action="accounts.issue_slips",
            obj=slip,
            unit=unit,
            at=at,
            facts={"user": slip.user_id, "expires_at": slip.expires_at.isoformat()},
        )
    return issued


@transaction.atomic
def revoke_slips(*, by: Actor, users: Sequence[User], at: datetime) -> int:
    """The slips that these users have not used yet are worth nothing now; how many they were."""
    waiting = ActivationSlip.objects.filter(user__in=users, used_at__isnull=True, revoked_at__isnull=True)
    revoked = list(waiting.select_related("unit"))
    waiting.update(revoked_at=at)
    for slip in revoked:
        audit.record(
            by=by,
            action="accounts.revoke_slips",
            obj=slip,
            unit=slip.unit,
            at=at,
            facts={"user": slip.user_id},
        )
    return len(revoked)


@transaction.atomic
def activate(*, slip: ActivationSlip, password: str, at: datetime) -> User:
    """The holder of ``slip`` chooses ``password``; the slip is used up.

    Raises:
        Refusal: ``password-too-weak``; ``slip-not-valid`` when somebody else was faster.
    """
    user = take_slip(slip=slip, at=at)
    user = set_password(by=user, user=user, password=password, at=at)
    # Whoever needs a new password may not know who used the old one.
    revoke_devices(by=user, devices=list(open_devices(at).filter(user=user)), why=RevokedFor.PASSWORD, at=at)
    audit.record(by=user, action="accounts.activate", obj=user, unit=slip.unit, at=at)
    return user


@transaction.atomic
def take_slip(*, slip: ActivationSlip, at: datetime) -> User:
    """Use the slip up; its user, locked."""
    user = User.objects.select_for_update().get(pk=slip.user_id)
    if not open_slips(at).filter(pk=slip.pk).update(used_at=at):
        raise slip_refusal()
    audit.record(
        by=user, action="accounts.take_slip", obj=slip, unit=slip.unit, at=at, facts={"user": user.pk}
    )
    return user


def prove_slip(*, code: str, address: str, at: datetime) -> ActivationSlip:
    """The slip with this code, typed at ``address``.

    Raises:
        Refusal: ``slip-not-valid``, the same for a code that never existed, is used, replaced or late;
            ``sign-in-paused`` after too many of them.
    """
    refuse_code_guesses(address=address, at=at)
    slip = slip_of(code, at)
    if slip is None:
        record_refused_code(purpose=SLIP, address=address, at=at)
        raise slip_refusal()
    return slip


@transaction.atomic
def record_refused_code(*, purpose: str, address: str, at: datetime) -> None:
    """Keep that a code was refused; not the code itself, which may be the right one of somebody else."""
    count_refused_code(address=address, at=at)
    audit.record(
        by=None, action="accounts.record_refused_code", obj=ActivationSlip(), at=at, facts={"code": purpose}
    )
