"""Signals: the list, one signal with its clock, acknowledge, decide, record the report."""

from collections.abc import Sequence

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks import selectors
from xiaodun.desks.selectors.keys import key_in
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.messages import services as messages
from xiaodun.surveillance import services as surveillance
from xiaodun.surveillance.forms import DecisionForm, ReportForm
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import (
    decidable_by,
    recipients_left,
    reportable_by,
    siblings_of,
    signal_visible_to,
)


@require_GET
@requires(Right.REVIEW_SIGNALS)
def signal_list(request: ScopedRequest) -> HttpResponse:
    """Every signal of the reader's units: waiting ones first, by deadline; then what became of the others."""
    page = selectors.signal_list(
        request.scope,
        chosen=request.GET.get("state", ""),
        before=request.GET.get("before", ""),
        at=clock.now(),
    )
    return render(request, "desks/signals.html", {"page": page, "page_title": page.title})


@require_GET
@requires(Right.REVIEW_SIGNALS)
def signal_page(request: ScopedRequest, signal_id: int) -> HttpResponse:
    """Why it alarmed, who is counted, how long is left, who was told, and the reader's decision."""
    signal = signal_visible_to(request.scope, signal_id)
    messages.mark_read_at(by=request.user, urls=[request.path], at=clock.now())
    return _page(request, signal)


def _page(
    request: ScopedRequest,
    signal: Signal,
    *,
    decision: DecisionForm | None = None,
    report: ReportForm | None = None,
) -> HttpResponse:
    """The page with the form that applies; one that was not accepted stands as it was typed, with 422."""
    page = selectors.signal_page(signal, request.scope, by=request.user, at=clock.now())
    if decision is None and page.is_waiting and page.may_decide:
        decision = DecisionForm(siblings=page.siblings)
    if report is None and page.may_report:
        report = _report_form(signal, page.siblings, data=None)
    context = {"page": page, "form": decision, "report_form": report, "page_title": page.title}
    is_wrong = any(form is not None and form.errors for form in (decision, report))
    return render(request, "desks/signal.html", context, status=422 if is_wrong else 200)


def _report_form(signal: Signal, siblings: Sequence[Signal], data: QueryDict | None) -> ReportForm:
    left = recipients_left(signal)
    return ReportForm(data, siblings=siblings, at=clock.now(), to_whom=left[0] if left else "")


def _seen(request: ScopedRequest, name: str = "seen") -> int:
    """The newest line of its history that the page showed; without one the reader has seen nothing."""
    return key_in(request.POST.get(name, "")) or 0


def _with_siblings(
    request: ScopedRequest, signal: Signal, siblings: Sequence[Signal], form: DecisionForm | ReportForm
) -> list[tuple[Signal, int]]:
    """The signal and those taken along, each with what the page showed of it."""
    together = [each for each in siblings if each.pk in form.cleaned_data["together"]]
    return [(signal, _seen(request)), *((each, _seen(request, f"seen-{each.pk}")) for each in together)]


@require_POST
@requires(Right.REVIEW_SIGNALS)
def acknowledge(request: ScopedRequest, signal_id: int) -> HttpResponse:
    """Somebody has seen it: the ladder stops, the clock goes on."""
    signal = signal_visible_to(request.scope, signal_id)
    surveillance.acknowledge(by=request.user, signal=signal, seen=_seen(request), at=clock.now())
    return redirect("desks:signal", signal_id)


@require_POST
@requires(Right.REVIEW_SIGNALS)
def decide(request: ScopedRequest, signal_id: int) -> HttpResponse:
    """Confirm, or rule out with a reason: a named person's decision, on signals of the same cases at once."""
    signal = decidable_by(request.scope, signal_id)
    siblings = siblings_of(request.scope, signal)
    form = DecisionForm(request.POST, siblings=siblings)
    if not form.is_valid():
        return _page(request, signal, decision=form)
    surveillance.decide_each(
        by=request.user,
        signals=_with_siblings(request, signal, siblings, form),
        outcome=form.cleaned_data["outcome"],
        reason=form.cleaned_data["reason"],
        at=clock.now(),
    )
    return redirect("desks:signal", signal_id)


@require_POST
@requires(Right.REVIEW_SIGNALS)
def report(request: ScopedRequest, signal_id: int) -> HttpResponse:
    """Record that somebody was told of a confirmed signal; once all have been, its clock stops."""
    signal = reportable_by(request.scope, signal_id)
    siblings = siblings_of(request.scope, signal)
    form = _report_form(signal, siblings, data=request.POST)
    if not form.is_valid():
        return _page(request, signal, report=form)
    try:
        surveillance.record_report_each(
            by=request.user,
            signals=_with_siblings(request, signal, siblings, form),
            to_whom=form.cleaned_data["to_whom"],
            how=form.cleaned_data["how"],
            reference=form.cleaned_data["reference"],
            reported_at=form.cleaned_data["reported_at"],
            at=clock.now(),
        )
    except Refusal as refusal:
        if refusal.code != "report-time-wrong":
            raise
        form.add_error("reported_at", str(refusal.lifts))
        return _page(request, signal, report=form)
    return redirect("desks:signal", signal_id)
