"""Reads of checks, scoped to the reader."""

from datetime import date, datetime, timedelta

from django.http import Http404
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.accounts.selectors import scope_of
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.screening.choices import CheckKind
from xiaodun.screening.models import CheckSession, Finding


def group_for_check(scope: Scope, group_id: int) -> Unit:
    """The group, if this reader may submit its checks.

    Raises:
        Http404: for a foreign group exactly as for an unknown one.
    """
    group: Unit | None = Unit.objects.filter(
        scope.q(Right.SUBMIT_CHECK), pk=group_id, kind=UnitKind.GROUP
    ).first()
    if group is None:
        raise Http404
    return group


def open_group_for_check(scope: Scope, group_id: int, day: date) -> Unit:
    """As :func:`group_for_check`; a group that was closed before ``day`` is as absent as an unknown one."""
    group = group_for_check(scope, group_id)
    if group.last_day is not None and group.last_day < day:
        raise Http404
    return group


def refuse_foreign_tap(
    user: User, group: Unit, *, tapped_at: datetime, clock_offset_ms: int | None, received_at: datetime
) -> None:
    """Refuse a tap of a day on which ``user`` could not have submitted for the group.

    A record from an offline queue is judged twice: on arrival, by the door, and here as of the tap, by the
    server's clock. Where the client knows no offset the check counts from its arrival, and nothing is asked.

    Raises:
        Refusal: ``tap-not-entitled`` (403).
    """
    if clock_offset_ms is None:
        return
    day = clock.local_day(tapped_at - timedelta(milliseconds=clock_offset_ms))
    if day == clock.local_day(received_at) or scope_of(user, day).may(Right.SUBMIT_CHECK, group):
        return
    raise Refusal(
        "tap-not-entitled",
        _("This check was tapped on a day on which the group was not yours to check."),
        status=403,
        facts={"day": day.isoformat()},
        lifts=_("Whoever had the group on that day can send it; you can check the group anew."),
    )


def session_visible_to(scope: Scope, session_id: int) -> CheckSession:
    """A session whose children this reader may see, with group and submitter.

    Raises:
        Http404: for a foreign session exactly as for an unknown one.
    """
    session = (
        CheckSession.objects.select_related("group", "submitted_by")
        .filter(scope.q(Right.SEE_CHILDREN, "group__"), pk=session_id)
        .first()
    )
    if session is None:
        raise Http404
    return session


def session_of(group: Unit, kind: CheckKind, day: date) -> CheckSession | None:
    """The session of a group on a day, with its submitter, or None while nobody has checked."""
    return CheckSession.objects.select_related("submitted_by").filter(group=group, kind=kind, day=day).first()


def findings_in_force(session: CheckSession) -> list[Finding]:
    """The exceptions of a session as they stand after all corrections, with persons (one query)."""
    return list(
        session.findings.filter(replaced_in__isnull=True).select_related("person").order_by("person__number")
    )


def finding_history(session: CheckSession) -> list[Finding]:
    """Every finding that ever stood in a session, replaced ones included, with persons (one query)."""
    return list(session.findings.select_related("person").order_by("person_id", "since_version"))
