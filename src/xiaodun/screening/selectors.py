"""Reads of checks, scoped to the reader."""

from datetime import date

from django.http import Http404

from xiaodun.accounts.choices import Right
from xiaodun.accounts.policies import Scope
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.screening.choices import CheckKind
from xiaodun.screening.models import CheckSession, Finding


def group_for_check(scope: Scope, group_id: int, right: Right = Right.SUBMIT_CHECK) -> Unit:
    """The group, if this reader may submit (or, with another right, see) its checks.

    Raises:
        Http404: for a foreign group exactly as for an unknown one.
    """
    group: Unit | None = Unit.objects.filter(scope.q(right), pk=group_id, kind=UnitKind.GROUP).first()
    if group is None:
        raise Http404
    return group


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
