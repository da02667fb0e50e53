"""Pages of those who answer for a district's data: what is kept how long, what is held, what was deleted."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiaodun.accounts.access import ScopedRequest, login_required
from xiaodun.accounts.policies import keeps
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.operations.retention import selectors, services
from xiaodun.operations.retention.forms import HoldForm


@require_http_methods(["GET", "POST"])
@login_required
def retention(request: ScopedRequest) -> HttpResponse:
    """Rules, holds and reports; a POST asks for a hold."""
    _only_keepers(request)
    form = HoldForm(request.POST or None, units=selectors.units_held_by(request.scope))
    if request.method == "POST" and form.is_valid():
        services.ask_for_hold(by=request.user, at=clock.now(), **form.cleaned_data)
        return redirect("operations:retention")
    page = selectors.retention_page(request.scope, at=clock.now())
    context = {"page": page, "form": form, "page_title": _("What is kept, and for how long")}
    return render(request, "operations/retention.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def hold_confirm(request: ScopedRequest, hold_id: int) -> HttpResponse:
    """The second person says yes."""
    hold = selectors.hold_visible_to(request.scope, hold_id)
    services.confirm_hold(by=request.user, hold=hold, at=clock.now())
    return redirect("operations:retention")


@require_POST
@login_required
def hold_lift(request: ScopedRequest, hold_id: int) -> HttpResponse:
    """The ground is gone before the day."""
    hold = selectors.hold_visible_to(request.scope, hold_id)
    services.lift_hold(by=request.user, hold=hold, at=clock.now())
    return redirect("operations:retention")


@require_GET
@login_required
def report(request: ScopedRequest, run_id: int) -> HttpResponse:
    """One report as a file, with its signature."""
    run = selectors.report_visible_to(request.scope, run_id)
    response = JsonResponse(run.facts, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = f'attachment; filename="retention-{run.pk}.json"'
    return response


def _only_keepers(request: ScopedRequest) -> None:
    if not keeps(request.scope):
        raise Refusal(
            "right-missing",
            _("Your role does not include this."),
            status=403,
            lifts=_("The district office and its auditor answer for what is kept."),
        )
