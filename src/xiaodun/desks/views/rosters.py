"""Lists of pupils: hand in, follow the reading, look at what would change, apply, confirm who left."""

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.desks.forms import RosterForm
from xiaodun.desks.selectors.rosters import (
    marked_file,
    roster_list,
    roster_page,
    roster_progress,
    roster_units,
    roster_visible_to,
)
from xiaodun.desks.services import log_read
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.people.choices import RosterKind
from xiaodun.people.imports.opening import open_file
from xiaodun.people.imports.workbooks import marked, template
from xiaodun.people.services import rosters as services

_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
@requires(Right.MANAGE_PEOPLE)
def roster_index(request: ScopedRequest) -> HttpResponse:
    """The form for a list, and the lists that were handed in."""
    return _index(request, _form(request))


@require_POST
@requires(Right.MANAGE_PEOPLE)
def hand_in(request: ScopedRequest) -> HttpResponse:
    """Keep the file and have it read; nothing is changed yet."""
    form = _form(request)
    if not form.is_valid():
        return _index(request, form)
    file = form.cleaned_data["file"]
    try:
        roster = services.hand_in_roster(
            by=request.user,
            unit=form.cleaned_data["unit"],
            kind=RosterKind.PUPILS,
            file_name=file.name,
            content=file.read(),
            effective_on=form.cleaned_data["effective_on"],
            at=clock.now(),
        )
    except Refusal as refusal:
        form.add_error(
            "effective_on" if refusal.code == "day-too-far" else "file", f"{refusal.message} {refusal.lifts}"
        )
        return _index(request, form)
    return redirect("desks:roster", roster.pk)


@require_GET
@requires(Right.MANAGE_PEOPLE)
def roster_template(request: ScopedRequest) -> HttpResponse:
    """An empty list to fill in."""
    return _workbook(template(RosterKind.PUPILS), "xiaodun-pupils.xlsx")


@require_GET
@requires(Right.MANAGE_PEOPLE)
def roster(request: ScopedRequest, roster_id: int) -> HttpResponse:
    """How far a list is, what it would change, what is wrong with it."""
    now = clock.now()
    found = roster_visible_to(request.scope, roster_id)
    page = roster_page(found, clock.local_day(now))
    shown = [each.person.pk for each in page.missing]
    log_read(by=request.user, page="roster", unit=found.unit, person_ids=shown, obj=found, at=now)
    return render(request, "desks/roster.html", {"page": page, "page_title": page.title})


@require_GET
@requires(Right.MANAGE_PEOPLE)
def progress(request: ScopedRequest, roster_id: int) -> JsonResponse:
    """How far the work on a list is."""
    return JsonResponse(roster_progress(roster_visible_to(request.scope, roster_id)))


@require_GET
@requires(Right.MANAGE_PEOPLE)
def roster_marked(request: ScopedRequest, roster_id: int) -> HttpResponse:
    """The list with its faulty cells marked and what to do behind each row."""
    found = roster_visible_to(request.scope, roster_id)
    kept = marked_file(found)
    if kept is None:
        raise Http404
    content, problems = kept
    services.record_marked_roster(by=request.user, roster=found, at=clock.now())
    return _workbook(marked(open_file(found.file_name, content), problems), "xiaodun-corrections.xlsx")


@require_POST
@requires(Right.MANAGE_PEOPLE)
def answer(request: ScopedRequest, roster_id: int) -> HttpResponse:
    """Who is meant by the rows that may mean somebody on record."""
    found = roster_visible_to(request.scope, roster_id)
    answers = {
        name.removeprefix("answer-"): value
        for name, value in request.POST.items()
        if name.startswith("answer-") and isinstance(value, str)
    }
    services.answer_roster(by=request.user, roster=found, answers=answers, at=clock.now())
    return redirect("desks:roster", roster_id)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def approve(request: ScopedRequest, roster_id: int) -> HttpResponse:
    """Apply the list as it was shown."""
    found = roster_visible_to(request.scope, roster_id)
    services.approve_roster(by=request.user, roster=found, at=clock.now())
    return redirect("desks:roster", roster_id)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def discard(request: ScopedRequest, roster_id: int) -> HttpResponse:
    """Apply nothing and delete the file."""
    found = roster_visible_to(request.scope, roster_id)
    services.discard_roster(by=request.user, roster=found, at=clock.now())
    return redirect("desks:rosters")


@require_POST
@requires(Right.MANAGE_PEOPLE)
def leavers(request: ScopedRequest, roster_id: int) -> HttpResponse:
    """Those whom the list lacks and who have left: their last day is today."""
    found = roster_visible_to(request.scope, roster_id)
    persons = [int(each) for each in request.POST.getlist("person") if each.isascii() and each.isdecimal()]
    now = clock.now()
    services.confirm_leavers(
        by=request.user, roster=found, persons=persons, last_day=clock.local_day(now), at=now
    )
    return redirect("desks:roster", roster_id)


def _form(request: ScopedRequest) -> RosterForm:
    today = clock.local_day(clock.now())
    units = roster_units(request.scope)
    if request.method == "POST":
        return RosterForm(request.POST, request.FILES, units=units, today=today)
    return RosterForm(units=units, today=today)


def _index(request: ScopedRequest, form: RosterForm) -> HttpResponse:
    page = roster_list(request.scope, request.GET.get("before", ""))
    context = {"page": page, "form": form, "page_title": page.title}
    return render(request, "desks/rosters.html", context, status=422 if form.errors else 200)


def _workbook(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=_EXCEL, headers=headers)
