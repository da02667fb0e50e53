"""What people do with a signal: acknowledge it, decide it, record that it was reported."""

from collections.abc import Sequence
from datetime import date, datetime, time

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.kit import audit, clock
from xiaodun.kit.errors import Refusal
from xiaodun.ladders import services as ladders
from xiaodun.surveillance.choices import Channel, Recipient
from xiaodun.surveillance.models import RuledOutPerson, Signal, SignalEvent, SignalReport
from xiaodun.surveillance.selectors import message_facts, person_counts, reports_answering
from xiaodun.surveillance.services.history import log_event

# The lines of a history after which other persons may be counted than before.
_CASES_CHANGED = [
    SignalEvent.Kind.RAISED,
    SignalEvent.Kind.GREW,
    SignalEvent.Kind.CHANGED,
    SignalEvent.Kind.REALARMED,
    SignalEvent.Kind.OTHERS,
    SignalEvent.Kind.JOINED,
]


def acknowledge(*, by: User, signal: Signal, seen: int, at: datetime) -> Signal:
    """Somebody has seen the signal: the ladder stops, the clock of the report goes on.

    Args:
        seen: the newest line of its history that the reader was shown (``newest_event``).

    Raises:
        Refusal: ``signal-not-open`` when it is acknowledged, decided or withdrawn already, ``signal-changed``
            when its cases are not those that the reader was shown.
    """
    with transaction.atomic():
        signal = _locked(signal)
        if signal.state != Signal.State.OPEN:
            raise _not_open(signal)
        _refuse_unseen(signal, seen)
        signal.state = Signal.State.ACKNOWLEDGED
        _mark_seen(signal, by=by, at=at)
        signal.save(update_fields=["state", "acknowledged_at", "acknowledged_by", "acknowledged_count"])
        log_event(signal=signal, kind=SignalEvent.Kind.ACKNOWLEDGED, at=at, by=by)
        ladders.acknowledge(subject=signal.subject, by=by, at=at)
        audit.record(
            by=by,
            action="surveillance.signal.acknowledged",
            obj=signal,
            at=at,
            unit=signal.unit,
            facts={"count": signal.peak_count},
        )
    return signal


def _locked(signal: Signal) -> Signal:
    return (
        Signal.objects.select_for_update(of=("self",), no_key=True)
        .select_related("unit", "rule", "acknowledged_by", "decided_by")
        .get(pk=signal.pk)
    )


def _refuse_unseen(signal: Signal, seen: int) -> None:
    """Nobody decides on cases that the page did not show, be they as many as those that it showed."""
    if not signal.events.filter(pk__gt=seen, kind__in=_CASES_CHANGED).exists():
        return
    shown = signal.events.filter(pk__lte=seen).order_by("pk").values_list("count", flat=True).last()
    raise Refusal(
        "signal-changed",
        _("The cases changed while you were reading."),
        facts={"shown": shown or 0, "count": signal.peak_count},
        labels={"shown": _("Cases you were shown"), "count": _("Cases now")},
        rule=f"{signal.rule.code} v{signal.rule.version}",
        lifts=_("Open the signal again, look at who is counted now and decide then."),
    )


def decide(
    *, by: User, signal: Signal, outcome: Signal.State, reason: str, seen: int, at: datetime
) -> Signal:
    """Confirm a signal or rule it out; ruling out needs a reason. Deciding acknowledges as well.

    Args:
        seen: the newest line of its history that the reader was shown (``newest_event``).

    Raises:
        Refusal: ``signal-not-open`` when it is decided or withdrawn already (the first decision stands),
            ``signal-changed`` when its cases are not those that were shown, ``reason-missing`` (422).
        ValueError: for an outcome other than confirmed or ruled out.
    """
    if outcome not in {Signal.State.CONFIRMED, Signal.State.RULED_OUT}:
        raise ValueError(f"{outcome} is not a decision")
    if outcome == Signal.State.RULED_OUT and not reason.strip():
        raise Refusal(
            "reason-missing",
            _("Ruling out a signal needs a reason."),
            status=422,
            lifts=_("Write in a sentence why these cases do not belong together."),
        )
    with transaction.atomic():
        signal = _locked(signal)
        if signal.state not in {Signal.State.OPEN, Signal.State.ACKNOWLEDGED}:
            raise _not_open(signal)
        _refuse_unseen(signal, seen)
        signal.state = outcome
        signal.decided_at = at
        signal.decided_by = by
        signal.decision_reason = reason.strip()
        _mark_seen(signal, by=by, at=at)
        signal.save()
        kind = SignalEvent.Kind.CONFIRMED if outcome == Signal.State.CONFIRMED else SignalEvent.Kind.RULED_OUT
        log_event(signal=signal, kind=kind, at=at, by=by, note=signal.decision_reason)
        ladders.acknowledge(subject=signal.subject, by=by, at=at)
        if outcome == Signal.State.RULED_OUT:
            _remember_persons(signal, on=clock.local_day(at))
        elif signal.owes_report:
            _chase_report(signal, at=at)
        audit.record(
            by=by,
            action=f"surveillance.signal.{kind.value}",
            obj=signal,
            at=at,
            unit=signal.unit,
            facts={"count": signal.peak_count, "reason": signal.decision_reason},
        )
    return signal


def decide_each(
    *,
    by: User,
    signals: Sequence[tuple[Signal, int]],
    outcome: Signal.State,
    reason: str,
    at: datetime,
) -> list[Signal]:
    """One decision on several signals of the same cases, each with the newest line that the reader was shown.

    Each is decided and logged as by :func:`decide`; a refusal of one leaves all as they were.
    """
    with transaction.atomic():
        return [
            decide(by=by, signal=signal, outcome=outcome, reason=reason, seen=seen, at=at)
            for signal, seen in sorted(signals, key=_order_of_locks)
        ]


def _order_of_locks(pair: tuple[Signal, int]) -> tuple[str, int, int]:
    """By rule and then by age, as judging locks them: two that wait for each other would both be stuck."""
    signal, _seen = pair
    return signal.rule.code, signal.rule.version, signal.pk


def _remember_persons(signal: Signal, *, on: date) -> None:
    persons = set(signal.cases.values_list("person_id", flat=True))
    RuledOutPerson.objects.bulk_create(
        [RuledOutPerson(signal=signal, person_id=person, ruled_out_on=on) for person in sorted(persons)],
        ignore_conflicts=True,
    )


def _chase_report(signal: Signal, *, at: datetime) -> None:
    """The report is owed from now on by whoever may record it, and climbs until it is on record."""
    facts = message_facts(signal)
    facts["deadline"] = f"{signal.deadline_at.astimezone(clock.SHANGHAI):%m-%d %H:%M}"
    ladders.start(
        code=signal.rule.report_ladder,
        subject=signal.report_subject,
        unit=signal.unit,
        message_kind="signal-report",
        facts=facts,
        url=f"/signals/{signal.pk}/",
        at=at,
    )


def record_report(
    *,
    by: User,
    signal: Signal,
    seen: int,
    to_whom: Recipient,
    how: Channel,
    reference: str,
    reported_at: datetime,
    at: datetime,
) -> SignalReport:
    """Record that somebody was told of a confirmed signal. The report itself is made by the usual way.

    Several are allowed. Once all whom the rule names have been told, the clock stops and nobody is chased.

    Args:
        seen: the newest line of its history that the reader was shown (``newest_event``).

    Raises:
        Refusal: ``signal-not-confirmed`` when nothing is to be reported, ``signal-changed`` when its cases
            are not those that were shown, ``report-time-wrong`` (422) for a moment that has not come or lies
            before the first onset.
    """
    with transaction.atomic():
        signal = _locked(signal)
        if signal.state != Signal.State.CONFIRMED:
            raise _not_confirmed(signal)
        _refuse_unseen(signal, seen)
        _refuse_wrong_moment(signal, reported_at, at=at)
        report = SignalReport.objects.create(
            signal=signal,
            to_whom=to_whom,
            how=how,
            reference=reference.strip(),
            reported_at=reported_at,
            count=person_counts([signal]).get(signal.pk, signal.peak_count),
            by=by,
            at=at,
        )
        audit.record(
            by=by,
            action="surveillance.signal.reported",
            obj=signal,
            at=at,
            unit=signal.unit,
            facts={
                "to_whom": str(to_whom),
                "how": str(how),
                "reference": report.reference,
                "reported_at": reported_at,
                "count": report.count,
            },
        )
        _stop_clock(signal, at=at)
    return report


def record_report_each(
    *,
    by: User,
    signals: Sequence[tuple[Signal, int]],
    to_whom: Recipient,
    how: Channel,
    reference: str,
    reported_at: datetime,
    at: datetime,
) -> list[SignalReport]:
    """One call that told of several signals of the same cases; a refusal of one records none."""
    with transaction.atomic():
        return [
            record_report(
                by=by,
                signal=signal,
                seen=seen,
                to_whom=to_whom,
                how=how,
                reference=reference,
                reported_at=reported_at,
                at=at,
            )
            for signal, seen in sorted(signals, key=_order_of_locks)
        ]


def _stop_clock(signal: Signal, *, at: datetime) -> None:
    """Once everybody whom the rule names has been told since the clock started."""
    if signal.reported_at is not None:
        return
    first: dict[str, datetime] = {}
    for to_whom, moment in reports_answering(signal).values_list("to_whom", "reported_at"):
        first[to_whom] = min(moment, first.get(to_whom, moment))
    if set(signal.rule.report_to) <= first.keys():
        signal.reported_at = max(first[to_whom] for to_whom in signal.rule.report_to)
        signal.save(update_fields=["reported_at"])
        ladders.stop(subject=signal.report_subject, at=at)


def _refuse_wrong_moment(signal: Signal, reported_at: datetime, *, at: datetime) -> None:
    if clock.local_moment(signal.first_start, time.min) <= reported_at <= at:
        return
    raise Refusal(
        "report-time-wrong",
        _("Nobody can have been told at that moment."),
        status=422,
        facts={"reported_at": reported_at.isoformat()},
        lifts=_("Enter when you reported: not before the first onset, and not later than now."),
    )


def _not_confirmed(signal: Signal) -> Refusal:
    return Refusal(
        "signal-not-confirmed",
        _("Only a confirmed signal is reported."),
        facts={"state": str(signal.state), "stands": str(Signal.State(signal.state).label)},
        labels={"stands": _("How it stands")},
        rule=f"{signal.rule.code} v{signal.rule.version}",
        lifts=_("Decide the signal first. What you reported by telephone can be recorded right after."),
    )


def _mark_seen(signal: Signal, *, by: User, at: datetime) -> None:
    signal.acknowledged_at = at
    signal.acknowledged_by = by
    signal.acknowledged_count = signal.peak_count


def _not_open(signal: Signal) -> Refusal:
    seen_by = signal.decided_by or signal.acknowledged_by
    return Refusal(
        "signal-not-open",
        _("This signal does not wait for that any more."),
        facts={
            "state": str(signal.state),
            "stands": str(Signal.State(signal.state).label),
            "by": seen_by.name if seen_by else "",
        },
        labels={"stands": _("How it stands"), "by": _("Last seen to by")},
        rule=f"{signal.rule.code} v{signal.rule.version}",
        lifts=_("Reload the page; what was done stands in its history."),
    )
