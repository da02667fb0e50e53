"""Where every session starts, with the level of its sign-in, and where it ends."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.contrib.auth import login, logout
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from xiaodun.accounts.assurance import Assurance
from xiaodun.accounts.browsers import browser_of
from xiaodun.accounts.choices import Level
from xiaodun.accounts.models import Actor, User, UserSession
from xiaodun.kit import audit

_BACKEND = "django.contrib.auth.backends.ModelBackend"


@transaction.atomic
def start_session(*, request: HttpRequest, user: User, level: Level, how: str, at: datetime) -> UserSession:
    """Sign ``user`` in, in this browser, under a new session key. The only place where a session starts.

    The caller has judged who it is. ``level`` is how sure that judgement is, and what doors ask for
    (``access.requires``); ``how`` says to the audit by what means ("password", "totp", "demo", "device").
    """
    _forget([request.session.session_key])
    login(request, user, backend=_BACKEND)
    # Django keeps the key when the same user signs in once more.
    request.session.cycle_key()
    Assurance(level, started_at=at, seen_at=at, proved_at=at).keep_in(request.session)
    key = request.session.session_key
    assert key is not None
    session = UserSession.objects.create(
        user=user,
        session_key=key,
        level=level,
        browser=browser_of(request.headers.get("User-Agent", "")),
        address=request.META.get("REMOTE_ADDR") or None,
        started_at=at,
        seen_at=at,
    )
    audit.record(
        by=user, action="accounts.start_session", obj=user, at=at, facts={"how": how, "level": level.value}
    )
    return session


@transaction.atomic
def mark_session_seen(*, request: HttpRequest, at: datetime) -> None:
    """Keep that the session is in use."""
    assurance = Assurance.of(request.session)
    assert assurance is not None
    replace(assurance, seen_at=at).keep_in(request.session)
    UserSession.objects.filter(session_key=request.session.session_key).update(seen_at=at)


@transaction.atomic
def renew_proof(*, request: HttpRequest, by: User, how: str, at: datetime) -> None:
    """Keep that ``by`` has just shown a factor again; for a while, delicate acts ask for none."""
    assurance = Assurance.of(request.session)
    assert assurance is not None
    replace(assurance, proved_at=at).keep_in(request.session)
    audit.record(by=by, action="accounts.renew_proof", obj=by, at=at, facts={"how": how})


@transaction.atomic
def leave_session(*, request: HttpRequest, by: User, why: str, at: datetime) -> None:
    """End the session of this browser; ``why``: "signed out", "idle"."""
    _forget([request.session.session_key])
    # The middleware ends a session while it finds out who the user is: Django must not ask it again.
    request.user = by
    logout(request)
    audit.record(by=by, action="accounts.leave_session", obj=by, at=at, facts={"why": why})


@transaction.atomic
def end_session(*, by: Actor, session: UserSession, at: datetime) -> None:
    """End one session of a user, in whatever browser it is; its next request is nobody's."""
    _forget([session.session_key])
    audit.record(by=by, action="accounts.end_session", obj=session.user, at=at)


@transaction.atomic
def end_sessions(*, by: Actor, user: User, why: str, at: datetime, keep: str | None = None) -> int:
    """End all sessions of ``user`` but the one whose key is ``keep``; how many they were."""
    keys = list(user.sessions.exclude(session_key=keep).values_list("session_key", flat=True))
    if keys:
        _forget(keys)
        facts = {"why": why, "ended": len(keys)}
        audit.record(by=by, action="accounts.end_sessions", obj=user, at=at, facts=facts)
    return len(keys)


@transaction.atomic
def forget_ended_sessions(*, at: datetime) -> None:
    """Drop the rows of sessions that ended because nobody came back to them."""
    Session.objects.filter(expire_date__lt=at).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()


def _forget(keys: Iterable[str | None]) -> None:
    ended = [key for key in keys if key]
    Session.objects.filter(session_key__in=ended).delete()
    UserSession.objects.filter(session_key__in=ended).delete()
