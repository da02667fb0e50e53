"""Attempts to prove who one is: counted before they are judged, paused when too many fail.

A limit on an account alone would let anybody lock out its owner; a limit on an address would lock out a
school behind one address at 07:30. So failures count per account for browsers that it does not know, per
browser for one that it does, and per address so generously that only a machine gets there. Codes and PINs
count by address apart from passwords, so that neither keeps out whoever has the other.
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.known_browsers import KnownBrowser
from xiaodun.accounts.models import Actor, AttemptCount, User
from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal, Text

# Longer than any pause.
_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an attempt comes from."""

    browser: KnownBrowser
    address: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Origin":
        """Of an attempt to sign in."""
        return cls(KnownBrowser.of(request), request.META.get("REMOTE_ADDR", ""))

    @classmethod
    def of_session(cls, request: HttpRequest) -> "Origin":
        """Of somebody signed in who shows the password once more: as good as a known browser."""
        key = hashlib.sha256((request.session.session_key or "").encode()).hexdigest()
        return cls(KnownBrowser({str(request.user.pk): key}), request.META.get("REMOTE_ADDR", ""))


def prove_password(*, username: str, password: str, origin: Origin, at: datetime) -> User:
    """The user with this name and password.

    Raises:
        Refusal: ``sign-in-failed``, the same for an unknown name, a wrong password and a closed account;
            ``sign-in-paused`` after too many failures, whether or not the name is known.
    """
    username = unicodedata.normalize("NFKC", username).strip()
    user = User.objects.filter(username=username).first()
    name = origin.browser.name_for(user) if user else None
    if name is None:
        _refuse_while_address_paused(_address_key(origin.address), at)
    key = f"browser:{name}" if name else _account_key(user, username)
    _claim_attempt(key, user, at)
    # Takes as long for a name that nobody has: Django hashes the password all the same.
    found = authenticate(username=username, password=password)
    if not isinstance(found, User):
        _record_failure(user, origin, at)
        raise Refusal("sign-in-failed", _("The user name or the password is wrong."), status=422)
    _clear(key)
    return found


def claim_factor_attempt(*, user: User, at: datetime) -> None:
    """Count an attempt at the second factor of ``user`` before it is judged; refuse it during a pause.

    Only who knows the password gets here, so there is one count an account. The caller, a service, keeps the
    audit row and calls `clear_factor_attempts` when the factor fits.
    """
    _claim_attempt(f"factor:{user.pk}", user, at)


def clear_factor_attempts(*, user: User, at: datetime) -> None:
    """Forget the failures at the second factor of ``user``: it fits."""
    _clear(f"factor:{user.pk}")


def refuse_code_guesses(*, address: str, at: datetime) -> None:
    """Judge no code and no PIN from ``address`` while it is paused for those that did not fit.

    Raises:
        Refusal: ``sign-in-paused``, whatever was typed.
    """
    _refuse_while_address_paused(f"code-{_address_key(address)}", at)


def count_refused_code(*, address: str, at: datetime) -> None:
    """One more code or PIN from ``address`` did not fit; the caller, a service, keeps the audit row."""
    _count_at_address(f"code-{_address_key(address)}", at)


@transaction.atomic
def lift_pause(*, by: Actor, user: User, at: datetime) -> None:
    """Let ``user`` try again at once, after the office has made sure who asks."""
    AttemptCount.objects.filter(user=user).delete()
    audit.record(by=by, action="accounts.lift_pause", obj=user, at=at)


@transaction.atomic
def forget_attempts(*, at: datetime) -> None:
    """Drop counts and pauses that have had their time."""
    AttemptCount.objects.filter(since__lt=at - _KEPT).delete()


@transaction.atomic
def _claim_attempt(key: str, user: User | None, at: datetime) -> None:
    """Count one attempt at ``key``. Counting first keeps a hundred guesses sent at once to the limit as well.

    The last attempt that the limit allows starts the pause; success takes it back.
    """
    row, _is_new = AttemptCount.objects.select_for_update().get_or_create(
        key=key, defaults={"user": user, "since": at}
    )
    if row.paused_until is not None and row.paused_until > at:
        lifts = _("Waiting lifts it. If it is urgent, your school office can lift it at once.")
        raise _paused(row.paused_until - at, lifts=lifts)
    if row.paused_until is not None or at - row.since >= settings.SIGN_IN_WINDOW:
        row.count, row.since, row.paused_until = 0, at, None
    row.count += 1
    if row.count >= settings.SIGN_IN_FAILURES:
        row.paused_until = at + settings.SIGN_IN_PAUSE
    row.save()


@transaction.atomic
def _record_failure(user: User | None, origin: Origin, at: datetime) -> None:
    """Keep that it failed. An unknown name is not kept: it may be a mistyped password."""
    is_paused = _count_at_address(_address_key(origin.address), at)
    facts = {"known": user is not None, "address_paused": is_paused}
    audit.record(by=None, action="accounts.failed_sign_in", obj=user or User(), at=at, facts=facts)


@transaction.atomic
def _count_at_address(key: str, at: datetime) -> bool:
    """Count one failure; whether the address is paused now."""
    row, _is_new = AttemptCount.objects.select_for_update().get_or_create(key=key, defaults={"since": at})
    if at - row.since >= settings.SIGN_IN_WINDOW:
        row.count, row.since, row.paused_until = 0, at, None
    row.count += 1
    if row.count >= settings.SIGN_IN_ADDRESS_FAILURES:
        row.paused_until = at + settings.SIGN_IN_ADDRESS_PAUSE
    row.save()
    return row.paused_until is not None


def _refuse_while_address_paused(key: str, at: datetime) -> None:
    row = AttemptCount.objects.filter(key=key, paused_until__gt=at).first()
    if row is not None and row.paused_until is not None:
        raise _paused(row.paused_until - at, lifts=_("Waiting lifts it."))


def _clear(key: str) -> None:
    AttemptCount.objects.filter(key=key).delete()


def _paused(left: timedelta, *, lifts: Text) -> Refusal:
    minutes = -(-left // timedelta(minutes=1))
    return Refusal(
        "sign-in-paused",
        _("Too many attempts have failed. Wait %(minutes)s min, then try again.") % {"minutes": minutes},
        status=429,
        facts={"minutes": minutes},
        lifts=lifts,
    )


def _account_key(user: User | None, username: str) -> str:
    if user is not None:
        return f"account:{user.pk}"
    # Its hash, not the name: it may be a password typed into the wrong field.
    return f"name:{hashlib.sha256(username.encode()).hexdigest()}"


def _address_key(address: str) -> str:
    """One household or school has one IPv4 address, or one IPv6 network of 64 bits."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "address:unknown"
    if isinstance(parsed, IPv6Address):
        return f"address:{int(parsed) >> 64:x}"
    return f"address:{parsed}"
