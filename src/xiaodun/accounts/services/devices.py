"""Phones that a user enrols: what they open is little, and they lose it easily."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Level, RevokedFor, Right
from xiaodun.accounts.models import Actor, Device, User, UserSession
from xiaodun.accounts.pins import TRIES, plain_pin, refuse_weak_pin
from xiaodun.accounts.policies import device_scope
from xiaodun.accounts.selectors import open_devices, scope_of
from xiaodun.accounts.services.sign_in import end_session
from xiaodun.kit import audit, clock, codes
from xiaodun.kit.errors import Refusal

DEVICE_LASTS = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class EnrolledDevice:
    """The device and its secret, which goes into the browser's cookie and is kept as a digest only."""

    device: Device
    secret: str


@transaction.atomic
def enrol_device(
    *, by: User, name: str, pin: str, replaced: Device | None = None, at: datetime
) -> EnrolledDevice:
    """``by``, signed in fully, may from now on open the check of the own groups here with ``pin``.

    ``replaced``: what this browser was enrolled as before.

    Raises:
        Refusal: ``device-without-group`` for whoever checks no group today; ``pin-too-weak``.
    """
    pin = plain_pin(pin)
    if not device_scope(scope_of(by, clock.local_day(at))).has(Right.SUBMIT_CHECK):
        raise Refusal(
            "device-without-group",
            _("A phone is enrolled for the check of one's own class, and you have none today."),
            lifts=_("Sign in with your password; for another role no phone is enrolled."),
        )
    refuse_weak_pin(pin, username=by.username)
    if replaced is not None:
        revoke_devices(by=by, devices=[replaced], why=RevokedFor.REPLACED, at=at)
    secret = codes.new_secret()
    device = Device.objects.create(
        user=by,
        name=name.strip() or str(_("Phone")),
        digest=codes.secret_digest(secret),
        pin=make_password(pin),
        enrolled_at=at,
        expires_at=at + DEVICE_LASTS,
    )
    audit.record(
        by=by,
        action="accounts.enrol_device",
        obj=device,
        at=at,
        facts={"expires_at": device.expires_at.isoformat()},
    )
    return EnrolledDevice(device, secret)


@transaction.atomic
def try_pin(*, device: Device, pin: str, at: datetime) -> bool:
    """Whether ``pin`` opens the device; the fifth wrong one in a row revokes it.

    The device's row is the lock, so that tries at once are counted one by one.
    """
    locked = (
        open_devices(at).select_related("user").select_for_update(of=("self",)).filter(pk=device.pk).first()
    )
    if locked is None:
        return False
    if check_password(plain_pin(pin), locked.pin):
        locked.failures, locked.used_at = 0, at
        locked.save(update_fields=["failures", "used_at"])
        audit.record(by=locked.user, action="accounts.try_pin", obj=locked, at=at, facts={"right": True})
        return True
    locked.failures += 1
    locked.save(update_fields=["failures"])
    audit.record(by=None, action="accounts.try_pin", obj=locked, at=at, facts={"right": False})
    if locked.failures >= TRIES:
        revoke_devices(by=None, devices=[locked], why=RevokedFor.GUESSED, at=at)
    return False


@transaction.atomic
def revoke_devices(*, by: Actor, devices: Sequence[Device], why: RevokedFor, at: datetime) -> int:
    """These devices open nothing any more, nor do sessions opened with a PIN; how many they were."""
    waiting = Device.objects.filter(pk__in=[device.pk for device in devices], revoked_at__isnull=True)
    revoked = list(waiting.select_for_update().order_by("pk"))
    for device in revoked:
        device.revoked_at, device.revoked_for = at, why
        device.save(update_fields=["revoked_at", "revoked_for"])
        audit.record(
            by=by,
            action="accounts.revoke_devices",
            obj=device,
            at=at,
            facts={"user": device.user_id, "why": why.value},
        )
    owners = {device.user_id for device in revoked}
    for session in UserSession.objects.filter(user__in=owners, level=Level.DEVICE).select_related("user"):
        end_session(by=by, session=session, at=at)
    return len(revoked)
