"""Reads of signals, scoped to the reader."""

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from xiaodun.absence.selectors import cases_with_onset
from xiaodun.accounts.choices import Right, Role
from xiaodun.accounts.policies import Scope
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.ladders import selectors as ladders
from xiaodun.ladders.selectors import NextStep, Notice
from xiaodun.people.policies import mask_name
from xiaodun.surveillance.models import Signal, SignalEvent

WAITING = [Signal.State.OPEN, Signal.State.ACKNOWLEDGED]
# Whoever may decide; a class teacher or grade lead acknowledges only.
DECIDING_ROLES = frozenset({Role.SCHOOL_DOCTOR, Role.PRINCIPAL, Role.DISTRICT_OFFICER})


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
    """Signals that somebody confirmed or ruled out on this local day."""
    return list(signals_visible_to(scope).filter(decided_at__range=clock.local_span(day)))


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


def may_decide(scope: Scope, signal: Signal) -> bool:
    """Whether the reader may confirm or rule out (and not only acknowledge) this signal."""
    return any(
        grant.role in DECIDING_ROLES and signal.unit.path.startswith(grant.unit_path)
        for grant in scope.grants_for(Right.REVIEW_SIGNALS)
    )


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One counted person as this reader may see them: symptoms only with the right to see children."""

    person_id: int | None
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
            person_id=case.person_id if in_full else None,
            number=case.person.number if in_full else "",
            name=case.person.name if in_full else mask_name(case.person.name),
            onset=onset,
            symptoms=tuple(symptoms.get((person_id, onset), ())),
            is_unknown=case.is_unknown,
        )
        for (person_id, onset), case in counted.items()
    ]
    return sorted(rows, key=lambda row: (row.onset, row.number, row.name))


def person_count(signal: Signal) -> int:
    """How many different persons the signal counts; somebody ill twice in its time is one."""
    return signal.cases.values("person").distinct().count()


def events_of(signal: Signal) -> list[SignalEvent]:
    """What happened to the signal, in order, with whoever did it."""
    return list(signal.events.select_related("by"))


def told_about(signal: Signal) -> list[Notice]:
    """Whom the ladder told and when, in order."""
    return ladders.history(signal.subject)


def next_told_about(signal: Signal) -> NextStep | None:
    """Whom the ladder tells next and when, unless somebody acknowledges before; none if it has stopped."""
    return ladders.next_step(signal.subject)
