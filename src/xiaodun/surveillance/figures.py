"""The figure of signals that wait for somebody."""

from collections.abc import Mapping

from django.db.models import Count
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from xiaodun.figures import registry
from xiaodun.figures.registry import Column, Definition, FigureScope, Row, Rows, State, Tag, Value
from xiaodun.kit import clock
from xiaodun.surveillance.choices import SymptomGroup
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import WAITING


def _open_signals(scope: FigureScope) -> Mapping[int, Value]:
    rows = (
        Signal.objects.filter(
            scope.q("unit__"), state__in=WAITING, raised_at__lte=clock.local_span(scope.day)[1]
        )
        .values_list("unit__path")
        .annotate(number=Count("pk"))
    )
    tally = scope.tally(dict(rows))
    return {pk: Value(number, state=State.NOW if number else State.ZERO) for pk, number in tally.items()}


def _open_signals_rows(scope: FigureScope) -> Rows:
    found = (
        Signal.objects.filter(
            scope.q("unit__"), state__in=WAITING, raised_at__lte=clock.local_span(scope.day)[1]
        )
        .select_related("unit", "rule")
        .order_by("deadline_at", "pk")
    )
    english = (get_language() or "").startswith("en")
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
                    "rule": signal.rule.name_en if english else signal.rule.name,
                    "deadline": signal.deadline_at,
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
                "Signals of the rules in force that wait for an acknowledgment or a decision. Confirmed, "
                "ruled out and withdrawn ones are left out."
            ),
            unit_word=_("signals"),
            source=_("Rules on onsets; see each signal for its rule and version"),
            compute=_open_signals,
            rows=_open_signals_rows,
        )
    )
