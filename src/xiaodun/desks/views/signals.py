"""Signals: the list, one signal with its clock, acknowledge, decide."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks import selectors
from xiaodun.kit import clock
from xiaodun.surveillance import services as surveillance
from xiaodun.surveillance.forms import DecisionForm
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import decidable_by, signal_visible_to


@require_GET
@requires(Right.REVIEW_SIGNALS)
def signal_list(request: ScopedRequest) -> HttpResponse:
    """Every signal of the reader's units: waiting ones first, by deadline; then what became of the others."""
    page = selectors.signal_list(
        request.scope, chosen=request.GET.get("state", ""), before=request.GET.get("before", "")
    )
    return render(request, "desks/signals.html", {"page": page, "page_title": page.title})


@require_GET
@requires(Right.REVIEW_SIGNALS)
def signal_page(request: ScopedRequest, signal_id: int) -> HttpResponse:
    """Why it rang, who is counted, how long is left, who was told, and the reader's decision."""
    return _page(request, signal_visible_to(request.scope, signal_id), DecisionForm(), status=200)


def _page(request: ScopedRequest, signal: Signal, form: DecisionForm, *, status: int) -> HttpResponse:
    page = selectors.signal_page(signal, request.scope, by=request.user, at=clock.now())
    context = {"page": page, "form": form, "page_title": page.title}
    return render(request, "desks/signal.html", context, status=status)


def _seen(request: ScopedRequest) -> int:
    """The count that the page showed; without one the reader has seen none."""
    text = request.POST.get("seen", "")
    return int(text) if text.isascii() and text.isdecimal() else 0


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
    """Confirm, or rule out with a reason: a named person's decision."""
    signal = decidable_by(request.scope, signal_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _page(request, signal, form, status=422)
    surveillance.decide(
        by=request.user,
        signal=signal,
        outcome=form.cleaned_data["outcome"],
        reason=form.cleaned_data["reason"],
        seen=_seen(request),
        at=clock.now(),
    )
    return redirect("desks:signal", signal_id)
