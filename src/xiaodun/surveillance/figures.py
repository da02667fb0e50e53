"""The figure of signals that wait for somebody."""

from collections.abc import Mapping

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from xiaodun.figures import registry
from xiaodun.figures.registry import Column, Definition, FigureScope, Row, Rows, State, Tag, Value
from xiaodun.kit import clock
from xiaodun.surveillance.choices import SymptomGroup
from xiaodun.surveillance.models import Signal, SignalEvent
from xiaodun.surveillance.selectors import WAITING

# What begins a wait, and what ends it.
_BEGINS = [
    SignalEvent.Kind.RAISED,
    SignalEvent.Kind.REALARMED,
    SignalEvent.Kind.OTHERS,
    SignalEvent.Kind.JOINED,
]
_TURNS = [
    *_BEGINS,
    SignalEvent.Kind.CONFIRMED,
    SignalEvent.Kind.RULED_OUT,
    SignalEvent.Kind.MERGED,
    SignalEvent.Kind.WITHDRAWN,
]


def _waiting(scope: FigureScope) -> QuerySet[Signal]:
    """The signals that wait now; for a past day those that waited at its end, by their history."""
    signals = Signal.objects.filter(scope.q("unit__"))
    if scope.day >= clock.local_day(scope.at):
        return signals.filter(state__in=WAITING)
    end = clock.local_span(scope.day)[1]
    # In the order in which they were written: what was judged late bears the moment of its entry.
    last_turn = SignalEvent.objects.filter(signal=OuterRef("pk"), kind__in=_TURNS, at__lte=end)
    return (
        signals.filter(raised_at__lte=end)
        .annotate(last_turn=Subquery(last_turn.order_by("-pk").values("kind")[:1]))
        .filter(last_turn__in=_BEGINS)
    )


def _open_signals(scope: FigureScope) -> Mapping[int, Value]:
    rows = _waiting(scope).order_by().values_list("unit__path").annotate(number=Count("pk"))
    tally = scope.tally(dict(rows))
    return {pk: Value(number, state=State.NOW if number else State.ZERO) for pk, number in tally.items()}


def _open_signals_rows(scope: FigureScope) -> Rows:
    found = _waiting(scope).select_related("unit", "rule").order_by("deadline_at", "pk")
    return Rows(
        columns=[
            Column("state", _("State"), kind="state"),
            Column("unit", _("Group")),
            Column("symptoms", _("Symptoms")),
            Column("count", _("Cases"), kind="number"),
            Column("rule", _("Rule")),
            Column("deadline", _("Report by"), kind="moment"),
        ],
        rows=[
            Row(
                unit=signal.unit,
                cells={
                    "state": Tag(
                        State.NOW if signal.state == Signal.State.OPEN else State.DUE,
                        Signal.State(signal.state).label,
                    ),
                    "unit": signal.unit.label,
                    "symptoms": str(SymptomGroup(signal.symptom_group).label),
                    "count": signal.peak_count,
                    "rule": signal.rule.label,
                    "deadline": signal.deadline_at if signal.clock_runs else None,
                },
                url=f"/signals/{signal.pk}/",
            )
            for signal in found
        ],
    )


def register() -> None:
    """Make the figure known; called once at start."""
    registry.register(
        Definition(
            code="surveillance.open_signals",
            version=1,
            name=_("Open signals"),
            meaning=_(
                "Signals of the rules in force that wait for an acknowledgment or a decision; of a past "
                "day, those that waited at its end. Confirmed, ruled out and withdrawn ones are left out."
            ),
            unit_word=ngettext_lazy("signal", "signals"),
            source=_("Rules on onsets; see each signal for its rule and version"),
            compute=_open_signals,
            rows=_open_signals_rows,
        )
    )
