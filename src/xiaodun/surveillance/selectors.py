"""Reads of signals, scoped to the reader."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from xiaodun.absence.selectors import cases_with_onset
from xiaodun.accounts.choices import Right, Role
from xiaodun.accounts.policies import Scope
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.ladders import selectors as ladders
from xiaodun.ladders.selectors import NextStep, Notice
from xiaodun.organisations.selectors import institution_of
from xiaodun.people.policies import mask_name
from xiaodun.surveillance.choices import Recipient
from xiaodun.surveillance.models import Signal, SignalCase, SignalEvent, SignalReport

WAITING = [Signal.State.OPEN, Signal.State.ACKNOWLEDGED]
OWES_REPORT = Q(state=Signal.State.CONFIRMED, reported_at__isnull=True)
# Whoever may decide; a class teacher or grade lead acknowledges only.
DECIDING_ROLES = frozenset({Role.SCHOOL_DOCTOR, Role.PRINCIPAL, Role.DISTRICT_OFFICER})
# Whoever may record that a confirmed signal was reported: the named reporter besides.
REPORTING_ROLES = DECIDING_ROLES | {Role.SCHOOL_REPORTER}
# Of the row in hand, read in one statement with it: neither is newer than the other.
_NEWEST_EVENT = SignalEvent.objects.filter(signal=OuterRef("pk")).order_by("-pk").values("pk")[:1]


def signals_visible_to(scope: Scope) -> QuerySet[Signal]:
    """Every signal of the reader's units, withdrawn ones included, the earliest deadline first."""
    return (
        Signal.objects.filter(scope.q(Right.REVIEW_SIGNALS, "unit__"))
        .select_related("unit", "rule", "acknowledged_by", "decided_by")
        .order_by("deadline_at", "pk")
    )


def waiting_signals(scope: Scope) -> list[Signal]:
    """Signals that wait for an acknowledgment or a decision, the earliest deadline first."""
    return list(signals_visible_to(scope).filter(state__in=WAITING))


def decided_on(scope: Scope, day: date) -> list[Signal]:
    """Signals that somebody confirmed or ruled out on this local day, where that still stands."""
    return list(
        signals_visible_to(scope).filter(
            state__in=[Signal.State.CONFIRMED, Signal.State.RULED_OUT],
            decided_at__range=clock.local_span(day),
        )
    )


def signal_visible_to(scope: Scope, signal_id: int) -> Signal:
    """One signal.

    Raises:
        Http404: for a foreign signal exactly as for an unknown one.
    """
    signal = signals_visible_to(scope).filter(pk=signal_id).first()
    if signal is None:
        raise Http404
    return signal


def decidable_by(scope: Scope, signal_id: int) -> Signal:
    """One signal that the reader may decide.

    Raises:
        Http404: for a foreign signal exactly as for an unknown one.
        Refusal: ``decision-not-yours`` (403) when the reader may see and acknowledge it, but not decide.
    """
    signal = signal_visible_to(scope, signal_id)
    if not may_decide(scope, signal):
        raise Refusal(
            "decision-not-yours",
            _("Deciding this signal is not part of your role."),
            status=403,
            lifts=_("The school doctor, the principal or the district decides; you can acknowledge it."),
        )
    return signal


def reportable_by(scope: Scope, signal_id: int) -> Signal:
    """One signal of which the reader may record a report.

    Raises:
        Http404: for a foreign signal exactly as for an unknown one.
        Refusal: ``report-not-yours`` (403) when the reader may see it, but not record its report.
    """
    signal = signal_visible_to(scope, signal_id)
    if not may_report(scope, signal):
        raise Refusal(
            "report-not-yours",
            _("Recording the report of this signal is not part of your role."),
            status=403,
            lifts=_("The school reporter, the school doctor, the principal or the district records it."),
        )
    return signal


def may_decide(scope: Scope, signal: Signal) -> bool:
    """Whether the reader may confirm or rule out (and not only acknowledge) this signal."""
    return _holds(scope, signal, DECIDING_ROLES)


def may_report(scope: Scope, signal: Signal) -> bool:
    """Whether the reader may record the report of this signal once it is confirmed."""
    return _holds(scope, signal, REPORTING_ROLES)


def _holds(scope: Scope, signal: Signal, roles: frozenset[Role]) -> bool:
    return any(
        grant.role in roles and signal.unit.path.startswith(grant.unit_path)
        for grant in scope.grants_for(Right.REVIEW_SIGNALS)
    )


def owed_reports(scope: Scope) -> list[Signal]:
    """Confirmed signals of which somebody must still be told, where the reader may record that."""
    confirmed = signals_visible_to(scope).filter(OWES_REPORT)
    return [signal for signal in confirmed if may_report(scope, signal)]


def siblings_of(scope: Scope, signal: Signal) -> list[Signal]:
    """Signals of other rules that count the same persons of the same unit with the same kind of symptoms, as
    the two limbs of one norm do, each with its ``newest_event``.

    They stand as this one does: all to be decided, or all confirmed and not reported yet.
    """
    together = OWES_REPORT if signal.owes_report else Q(state__in=WAITING)
    if not (signal.owes_report or signal.state in WAITING):
        return []
    day = timedelta(days=1)
    return list(
        signals_visible_to(scope)
        .filter(
            together,
            unit=signal.unit_id,
            symptom_group=signal.symptom_group,
            first_start__lte=signal.last_end + day,
            last_end__gte=signal.first_start - day,
            cases__person__in=signal.cases.values("person"),
        )
        .exclude(rule=signal.rule_id)
        .annotate(newest_event=Subquery(_NEWEST_EVENT))
        .distinct()
    )


def newest_event(signal: Signal) -> int:
    """The newest line of its history: whoever is shown what is read after this has seen it."""
    return signal.events.latest("pk").pk


def reports_of(signal: Signal) -> list[SignalReport]:
    """Who was told of it, in the order of entry, with whoever entered it."""
    return list(signal.reports.select_related("by"))


def reports_answering(signal: Signal) -> QuerySet[SignalReport]:
    """The reports that answer the clock now running, in the order of entry.

    Before a signal rose somebody may have rung about the same cases. What was said before a ruling out does
    not answer the cases that came after it, whenever it was entered.
    """
    answering = signal.reports.filter(at__gte=signal.clock_from)
    if signal.clock_from > signal.raised_at:
        # To the minute, as moments of reports are entered.
        answering = answering.filter(reported_at__gte=signal.clock_from.replace(second=0, microsecond=0))
    return answering


def recipients_left(signal: Signal) -> list[Recipient]:
    """Whom the rule names and nobody has told yet since the clock started. One query."""
    told = set(reports_answering(signal).values_list("to_whom", flat=True))
    return [Recipient(to_whom) for to_whom in signal.rule.report_to if to_whom not in told]


def persons_untold(signal: Signal, persons: int) -> int:
    """Of how many of its ``persons`` somebody whom the rule names has not been told. One query."""
    told = dict(reports_answering(signal).values_list("to_whom", "count"))
    return max(0, persons - min(told.get(to_whom, 0) for to_whom in signal.rule.report_to))


def message_facts(signal: Signal) -> dict[str, Any]:
    """What a message may say: the unit with its institution, the rule and the count; no child and no name."""
    unit = signal.unit
    institution = institution_of(unit)
    units = [unit] if institution is None else [institution, unit]
    return {
        "unit": " ".join(each.name for each in units),
        "unit_en": " ".join(each.name_en or each.name for each in units),
        "rule": signal.rule.name,
        "rule_en": signal.rule.name_en,
        "count": signal.peak_count,
        "symptom_group": signal.symptom_group,
    }


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One counted person as this reader may see them: symptoms only with the right to see children."""

    person_id: int
    number: str
    name: str
    onset: date
    symptoms: tuple[str, ...]
    is_unknown: bool


def cases_of(signal: Signal, scope: Scope) -> list[CaseRow]:
    """The persons behind the count, by onset. Without the right to see children: masked name, no symptoms."""
    in_full = scope.may(Right.SEE_CHILDREN, signal.unit)
    counted = {(case.person_id, case.onset): case for case in signal.cases.select_related("person")}
    symptoms: dict[tuple[int, date], list[str]] = {}
    if in_full and counted:
        onsets = [onset for _person, onset in counted]
        for _group, person_id, onset, codes in cases_with_onset(
            group_ids=[signal.unit_id], start=min(onsets), end=max(onsets)
        ):
            symptoms[person_id, onset] = codes
    rows = [
        CaseRow(
            person_id=case.person_id,
            number=case.person.number if in_full else "",
            name=case.person.name if in_full else mask_name(case.person.name),
            onset=onset,
            symptoms=tuple(symptoms.get((person_id, onset), ())),
            is_unknown=case.is_unknown,
        )
        for (person_id, onset), case in counted.items()
    ]
    return sorted(rows, key=lambda row: (row.onset, row.number, row.name))


def person_counts(signals: Iterable[Signal]) -> dict[int, int]:
    """How many different persons each signal counts; somebody ill twice in its time is one. One query."""
    found = SignalCase.objects.filter(signal__in=[signal.pk for signal in signals])
    return dict(found.values_list("signal").annotate(number=Count("person", distinct=True)).order_by())


def events_of(signal: Signal) -> list[SignalEvent]:
    """What happened to the signal, in order, with whoever did it."""
    return list(signal.events.select_related("by"))


def told_about(signal: Signal) -> list[Notice]:
    """Whom the ladders told and when, in order: to look at it first, to report it after a confirmation."""
    return ladders.history(signal.subject) + ladders.history(signal.report_subject)


def next_told_about(signal: Signal) -> NextStep | None:
    """Whom a ladder tells next and when, unless somebody acts before; none if nothing climbs."""
    return ladders.next_step(signal.report_subject if signal.owes_report else signal.subject)
