"""Masked values: opened one by one, for a reason, for a quarter of an hour."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires, requires_fresh_factor
from xiaodun.accounts.choices import Right
from xiaodun.desks import selectors
from xiaodun.desks.reveal_forms import RevealForm
from xiaodun.kit import clock
from xiaodun.people.choices import Revealable
from xiaodun.people.services import reveals

# Opening one of these asks for the factor again.
_MOST_SENSITIVE = frozenset({Revealable.ID_NUMBER})


@require_GET
@requires(Right.REVEAL)
def reveal_page(request: ScopedRequest, person_id: int) -> HttpResponse:
    """What may be opened of this person, and what stands open."""
    return _page(request, person_id, None, status=200)


@require_POST
@requires(Right.REVEAL)
def reveal(request: ScopedRequest, person_id: int) -> HttpResponseBase:
    """Open one field; back to the page that then shows it."""
    _person, _unit, fields = selectors.openable(person_id, request.scope, at=clock.now())
    form = RevealForm(request.POST, fields=fields)
    if not form.is_valid():
        return _page(request, person_id, form, status=422)
    opens = requires_fresh_factor(_reveal) if form.cleaned_data["field"] in _MOST_SENSITIVE else _reveal
    return opens(request, person_id)


def _reveal(request: ScopedRequest, person_id: int) -> HttpResponse:
    now = clock.now()
    person, unit, fields = selectors.openable(person_id, request.scope, at=now)
    form = RevealForm(request.POST, fields=fields)
    form.full_clean()
    reveals.reveal(
        by=request.user,
        person=person,
        unit=unit,
        field=form.cleaned_data["field"],
        reason=form.cleaned_data["reason"],
        at=now,
    )
    return redirect("desks:reveal", person_id)


def _page(request: ScopedRequest, person_id: int, form: RevealForm | None, *, status: int) -> HttpResponse:
    page = selectors.reveal_page(person_id, request.scope, by=request.user, at=clock.now())
    form = form or RevealForm(fields=[line.field for line in page.lines if line.open_until is None])
    context = {"page": page, "form": form, "page_title": page.title}
    return render(request, "desks/reveal.html", context, status=status)
