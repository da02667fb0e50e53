"""The tablet at a gate, the PINs of the guards, and who is on duty."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import ActivationSlip, Actor, GateTablet, GuardPin, Shift, User
from xiaodun.accounts.pins import TRIES, plain_pin, refuse_weak_pin
from xiaodun.accounts.selectors import TABLET, guards_of, open_tablets
from xiaodun.accounts.services.attempts import count_refused_code, refuse_code_guesses
from xiaodun.accounts.services.slips import record_refused_code, take_slip
from xiaodun.kit import audit, clock, codes
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit

CODE_LASTS = timedelta(hours=1)
SHIFT_LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class AnnouncedTablet:
    """The tablet-to-be and the code that makes one of it, shown once."""

    tablet: GateTablet
    code: str


@dataclass(frozen=True, slots=True)
class EnrolledTablet:
    """The tablet and the secret for its cookie."""

    tablet: GateTablet
    secret: str


@transaction.atomic
def announce_tablet(*, by: User, unit: Unit, name: str, at: datetime) -> AnnouncedTablet:
    """A tablet of the institution ``unit``, to be enrolled within the hour by its one-time code."""
    if not name.strip():
        raise Refusal(
            "name-missing", _("A tablet needs a name."), status=422, lifts=_("Name the gate where it stands.")
        )
    code = codes.new_code()
    tablet = GateTablet.objects.create(
        unit=unit,
        name=name.strip(),
        code_digest=codes.code_digest(code, purpose=TABLET),
        code_expires_at=at + CODE_LASTS,
        made_by=by,
        made_at=at,
    )
    audit.record(by=by, action="accounts.announce_tablet", obj=tablet, unit=unit, at=at)
    return AnnouncedTablet(tablet, code)


@transaction.atomic
def enrol_tablet(*, code: str, address: str, at: datetime) -> EnrolledTablet | None:
    """Whoever types ``code`` first makes this browser, at ``address``, the tablet; none if it does not hold.

    Raises:
        Refusal: ``sign-in-paused`` after too many codes that did not.
    """
    refuse_code_guesses(address=address, at=at)
    waiting = GateTablet.objects.select_related("unit").select_for_update(of=("self",))
    tablet = waiting.filter(
        code_digest=codes.code_digest(code, purpose=TABLET),
        code_expires_at__gt=at,
        enrolled_at__isnull=True,
        revoked_at__isnull=True,
    ).first()
    if tablet is None:
        record_refused_code(purpose=TABLET, address=address, at=at)
        return None
    secret = codes.new_secret()
    tablet.digest, tablet.enrolled_at = codes.secret_digest(secret), at
    tablet.save(update_fields=["digest", "enrolled_at"])
    audit.record(by=None, action="accounts.enrol_tablet", obj=tablet, unit=tablet.unit, at=at)
    return EnrolledTablet(tablet, secret)


@transaction.atomic
def revoke_tablet(*, by: Actor, tablet: GateTablet, at: datetime) -> GateTablet:
    """The tablet opens nothing any more, and the shift at it is over."""
    tablet = GateTablet.objects.select_related("unit").select_for_update(of=("self",)).get(pk=tablet.pk)
    if tablet.revoked_at is None:
        tablet.revoked_at = at
        tablet.save(update_fields=["revoked_at"])
        audit.record(by=by, action="accounts.revoke_tablet", obj=tablet, unit=tablet.unit, at=at)
        _end_running(tablet, by=by, at=at)
    return tablet


@transaction.atomic
def set_guard_pin(*, slip: ActivationSlip, tablet: GateTablet, pin: str, at: datetime) -> User:
    """The holder of ``slip``, a guard of the tablet's institution, chooses ``pin``; the slip is used up.

    Raises:
        Refusal: ``slip-not-valid``, ``pin-too-weak``, ``not-a-guard-here``.
    """
    pin = plain_pin(pin)
    guard = take_slip(slip=slip, at=at)
    if guard not in guards_of(tablet.unit, clock.local_day(at)):
        raise Refusal(
            "not-a-guard-here",
            _("This slip does not belong to a guard of this school."),
            status=422,
            lifts=_("Use the slip on your own phone or computer."),
        )
    refuse_weak_pin(pin, username=guard.username)
    GuardPin.objects.update_or_create(
        user=guard, defaults={"pin": make_password(pin), "failures": 0, "set_at": at}
    )
    audit.record(by=guard, action="accounts.set_guard_pin", obj=guard, unit=tablet.unit, at=at)
    return guard


@transaction.atomic
def begin_shift(*, tablet: GateTablet, guard: User, pin: str, address: str, at: datetime) -> Shift | None:
    """``guard`` is on duty at ``tablet`` for up to twelve hours; whoever was before is off.

    None if the PIN is not right, is locked after five wrong ones, or was never set: one answer for all.

    Raises:
        Refusal: ``sign-in-paused`` after too many wrong ones from ``address``.
    """
    refuse_code_guesses(address=address, at=at)
    tablet = open_tablets().select_related("unit").select_for_update(of=("self",)).get(pk=tablet.pk)
    kept = GuardPin.objects.select_for_update().filter(user=guard, failures__lt=TRIES).first()
    if guard not in guards_of(tablet.unit, clock.local_day(at)) or kept is None:
        count_refused_code(address=address, at=at)
        return None
    is_right = check_password(plain_pin(pin), kept.pin)
    kept.failures = 0 if is_right else kept.failures + 1
    kept.save(update_fields=["failures"])
    if not is_right:
        count_refused_code(address=address, at=at)
        audit.record(
            by=None,
            action="accounts.begin_shift",
            obj=tablet,
            unit=tablet.unit,
            at=at,
            facts={"guard": guard.pk, "right": False, "locked": kept.failures >= TRIES},
        )
        return None
    _end_running(tablet, by=guard, at=at)
    shift = Shift.objects.create(tablet=tablet, guard=guard, started_at=at, until=at + SHIFT_LASTS)
    audit.record(
        by=guard,
        action="accounts.begin_shift",
        obj=shift,
        unit=tablet.unit,
        at=at,
        facts={"tablet": tablet.pk, "guard": guard.pk, "right": True},
    )
    return shift


@transaction.atomic
def end_shift(*, by: Actor, tablet: GateTablet, at: datetime) -> int:
    """Nobody is on duty at ``tablet`` any more; how many shifts that ended."""
    tablet = GateTablet.objects.select_related("unit").select_for_update(of=("self",)).get(pk=tablet.pk)
    return _end_running(tablet, by=by, at=at)


@transaction.atomic
def drop_guard(*, by: Actor, user: User, at: datetime) -> None:
    """The user is no guard any more: no PIN, and a running shift is over."""
    if GuardPin.objects.filter(user=user).delete()[0]:
        audit.record(by=by, action="accounts.drop_guard", obj=user, at=at)
    running = GateTablet.objects.filter(shifts__guard=user, shifts__ended_at__isnull=True)
    for tablet in running.select_related("unit"):
        _end_running(tablet, by=by, at=at)


def _end_running(tablet: GateTablet, *, by: Actor, at: datetime) -> int:
    """A shift that ran out by itself ended then, not now."""
    running = list(Shift.objects.select_for_update().filter(tablet=tablet, ended_at__isnull=True))
    for shift in running:
        shift.ended_at = min(at, shift.until)
        shift.save(update_fields=["ended_at"])
        audit.record(
            by=by,
            action="accounts.end_shift",
            obj=shift,
            unit=tablet.unit,
            at=at,
            facts={"tablet": tablet.pk, "guard": shift.guard_id, "ended_at": shift.ended_at.isoformat()},
        )
    return len(running)
