"""Which institutions can begin, and the first day of each."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks.forms import JoinForm
from xiaodun.desks.selectors.readiness import institution_to_join, readiness_page
from xiaodun.desks.services import let_begin
from xiaodun.kit import clock


@require_GET
@requires(Right.MANAGE_PEOPLE)
def readiness(request: ScopedRequest) -> HttpResponse:
    """What each institution has and lacks, and who supplies it."""
    page = readiness_page(request.scope, request.GET, at=clock.now())
    context = {"page": page, "form": JoinForm(), "page_title": page.title}
    return render(request, "desks/readiness.html", context)


@require_POST
@requires(Right.MANAGE_CALENDAR)
def join(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """From this day on the institution owes its checks."""
    unit = institution_to_join(request.scope, unit_id)
    form = JoinForm(request.POST)
    if not form.is_valid():
        page = readiness_page(request.scope, request.GET, at=clock.now())
        context = {"page": page, "form": form, "page_title": page.title}
        return render(request, "desks/readiness.html", context, status=422)
    let_begin(by=request.user, unit=unit, first_day=form.cleaned_data["first_day"], at=clock.now())
    return redirect("desks:readiness")
