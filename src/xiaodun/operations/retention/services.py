"""Letting go of what has had its time, and holding it where a named ground demands it."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.kit import audit, clock, retention
from xiaodun.kit.errors import Refusal
from xiaodun.operations.choices import RunKind, RunState
from xiaodun.operations.models import LegalHold, Run
from xiaodun.operations.retention.rules import rules_on
from xiaodun.operations.retention.selectors import holds_on
from xiaodun.operations.retention.signing import signature_of
from xiaodun.organisations.models import Unit


def let_go(*, dry: bool = False, by: User | None = None, at: datetime) -> Run:
    """Delete every row whose time is over by the rules of the day, and leave a signed report.

    Figures of the days concerned are frozen first. ``dry``: count only. Repeated, it finds nothing more; cut
    off, the next night goes on.
    """
    run = Run.objects.create(
        kind=RunKind.RETENTION, state=RunState.RUNNING, asked_by=by, asked_at=at, started_at=at
    )
    held = [hold.unit.path for hold in holds_on(clock.local_day(at))]
    found = rules_on(clock.local_day(at))
    if not dry:
        days = {day for kind, _rule, before in found for day in kind.days(before=before, held=held)}
        # Every day between: an illness of Friday and Monday counts on Saturday, without a row of that day.
        for first in sorted(days)[:1]:
            days = {first + timedelta(days=n) for n in range((max(days) - first).days + 1)}
        retention.announce_purge(days, at)
    lines = []
    for kind, rule, before in found:
        all_ = kind.expired(before=before).count()
        kept = all_ - kind.expired(before=before, held=held).count()
        gone = all_ - kept if dry else kind.purge(before=before, held=held)
        lines.append(
            {
                "code": rule.code,
                "version": rule.version,
                "before": before.isoformat(),
                "rows": gone,
                "held": kept,
            }
        )
    return _report(run, lines, dry, at)


@transaction.atomic
def _report(run: Run, lines: list[dict[str, Any]], dry: bool, at: datetime) -> Run:
    run.facts = {
        "dry": dry,
        "at": at.isoformat(),
        "lines": lines,
        "rows": sum(line["rows"] for line in lines),
    }
    run.facts["signature"] = signature_of(run.facts)
    run.state, run.progress, run.finished_at = RunState.DONE, 100, at
    run.save()
    audit.record(by=run.asked_by, action="operations.let_go", obj=run, at=at, facts=run.facts)
    return run


@transaction.atomic
def ask_for_hold(*, by: User, unit: Unit, reason: str, until: date, at: datetime) -> LegalHold:
    """Ask that nothing of a unit and all below expires until a day; a second person must confirm.

    Raises:
        Refusal: ``reason-missing``, ``hold-ended`` (the end is not in the future).
    """
    if not reason.strip():
        raise Refusal(
            "reason-missing",
            _("A hold needs its ground."),
            status=422,
            lifts=_("Name the case and who asked for it."),
        )
    if until <= clock.local_day(at):
        raise Refusal(
            "hold-ended",
            _("A hold ends on a day to come."),
            status=422,
            facts={"until": until},
            lifts=_("Choose a later day."),
        )
    hold = LegalHold.objects.create(
        unit=unit, reason=reason.strip()[:300], until=until, asked_by=by, asked_at=at
    )
    audit.record(by=by, action="operations.ask_for_hold", obj=hold, unit=unit, at=at, facts={"until": until})
    return hold


@transaction.atomic
def confirm_hold(*, by: User, hold: LegalHold, at: datetime) -> LegalHold:
    """The second person.

    Raises:
        Refusal: ``second-person`` when it is the first one again.
    """
    hold = LegalHold.objects.select_for_update().get(pk=hold.pk)
    if hold.asked_by_id == by.pk:
        raise Refusal(
            "second-person",
            _("A second person must confirm a hold."),
            status=409,
            lifts=_("Ask a colleague of the district office or the auditor."),
        )
    if hold.confirmed_at is None:
        hold.confirmed_by, hold.confirmed_at = by, at
        hold.save(update_fields=["confirmed_by", "confirmed_at"])
        audit.record(by=by, action="operations.confirm_hold", obj=hold, unit=hold.unit, at=at)
    return hold


@transaction.atomic
def lift_hold(*, by: User, hold: LegalHold, at: datetime) -> LegalHold:
    """End a hold before its day."""
    hold = LegalHold.objects.select_for_update().get(pk=hold.pk)
    if hold.lifted_at is None:
        hold.lifted_by, hold.lifted_at = by, at
        hold.save(update_fields=["lifted_by", "lifted_at"])
        audit.record(by=by, action="operations.lift_hold", obj=hold, unit=hold.unit, at=at)
    return hold
