"""Terms and days: what an officer, or a principal for the own school, enters."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks.forms import OverrideForm, TermForm
from xiaodun.desks.selectors.calendar import calendar_page, unit_with_calendar
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit
from xiaodun.organisations.services import open_term, override_day


@require_GET
@requires(Right.MANAGE_CALENDAR)
def calendar(request: ScopedRequest) -> HttpResponse:
    """Leads to the reader's own unit."""
    return redirect("desks:calendar_of", unit_with_calendar(request.scope, None).pk)


@require_GET
@requires(Right.MANAGE_CALENDAR)
def calendar_of(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """Terms, days closed or opened, and which State years are confirmed."""
    return _page(request, unit_with_calendar(request.scope, unit_id))


@require_POST
@requires(Right.MANAGE_CALENDAR)
def term(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """Enter a term."""
    unit = unit_with_calendar(request.scope, unit_id)
    form = TermForm(request.POST, prefix="term")
    if not form.is_valid():
        return _page(request, unit, term_form=form)
    try:
        open_term(by=request.user, unit=unit, at=clock.now(), **form.cleaned_data)
    except Refusal as refusal:
        return _page(request, unit, term_form=form, refusal=refusal)
    return redirect("desks:calendar_of", unit_id)


@require_POST
@requires(Right.MANAGE_CALENDAR)
def override(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """Close or open a day against the calendar, with a reason."""
    unit = unit_with_calendar(request.scope, unit_id)
    form = OverrideForm(request.POST, prefix="day")
    if not form.is_valid():
        return _page(request, unit, override_form=form)
    override_day(
        by=request.user,
        unit=unit,
        day=form.cleaned_data["day"],
        is_open=form.cleaned_data["is_open"] == "open",
        reason=form.cleaned_data["reason"],
        at=clock.now(),
    )
    return redirect("desks:calendar_of", unit_id)


def _page(
    request: ScopedRequest,
    unit: Unit,
    *,
    term_form: TermForm | None = None,
    override_form: OverrideForm | None = None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    page = calendar_page(unit, at=clock.now())
    is_refused = term_form is not None or override_form is not None
    context = {
        "page": page,
        "term_form": term_form or TermForm(prefix="term"),
        "override_form": override_form or OverrideForm(prefix="day"),
        "refusal": refusal,
        "page_title": page.title,
        "page_subtitle": unit.label,
    }
    status = refusal.status if refusal else 422 if is_refused else 200
    return render(request, "desks/calendar.html", context, status=status)
