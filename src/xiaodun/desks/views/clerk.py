"""The school clerk's pages: the school's classes, one class, one person, and what is done to them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires
from xiaodun.accounts.choices import Right
from xiaodun.accounts.services import end_role
from xiaodun.desks import forms
from xiaodun.desks.selectors import clerk as pages
from xiaodun.desks.selectors.keys import key_in
from xiaodun.desks.services import take_back_change
from xiaodun.desks.views.clerk_acts import GROUP_ACTS, PERSON_ACTS, SCHOOL_ACTS, Act, Subject
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.selectors import institution_of
from xiaodun.organisations.services import reopen_unit
from xiaodun.people.selectors import colleagues_of
from xiaodun.people.years import grades_of


@require_GET
@requires(Right.MANAGE_PEOPLE)
def lists(request: ScopedRequest) -> HttpResponse:
    """Leads to the reader's school, or to all of the district's."""
    schools = pages.schools_kept_by(request.scope)
    return redirect("desks:clerk_school", schools[0].pk) if schools else redirect("desks:readiness")


@require_GET
@requires(Right.MANAGE_PEOPLE)
def school(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """The school's classes with head counts, teachers and gaps."""
    unit = pages.school_of(request.scope, unit_id)
    page = pages.school_page(unit, at=clock.now(), may_see_readiness=request.scope.has(Right.SEE_COUNTS))
    return render(request, "desks/clerk_school.html", {"page": page, "page_title": page.title})


@require_GET
@requires(Right.MANAGE_PEOPLE)
def group(request: ScopedRequest, group_id: int) -> HttpResponse:
    """One class: who is in it, who has it, what changed lately."""
    unit = pages.group_of(request.scope, group_id)
    page = pages.group_page(unit, request.scope, by=request.user, at=clock.now())
    return render(request, "desks/clerk_group.html", {"page": page, "page_title": page.title})


@require_GET
@requires(Right.MANAGE_PEOPLE)
def person(request: ScopedRequest, person_id: int) -> HttpResponse:
    """One person: where they belong, and what can be done."""
    at = clock.now()
    who = pages.person_of(request.scope, person_id, clock.local_day(at))
    page = pages.person_page(who, request.scope, by=request.user, at=at)
    return render(request, "desks/clerk_person.html", {"page": page, "page_title": page.title})


@require_GET
@requires(Right.MANAGE_PEOPLE)
def school_act(request: ScopedRequest, unit_id: int, act: str) -> HttpResponse:
    """The form of an act on the school."""
    return _ask(request, _school_subject(request, unit_id), SCHOOL_ACTS, act)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def school_act_do(request: ScopedRequest, unit_id: int, act: str) -> HttpResponse:
    """Do it."""
    return _do(request, _school_subject(request, unit_id), SCHOOL_ACTS, act)


@require_GET
@requires(Right.MANAGE_PEOPLE)
def group_act(request: ScopedRequest, group_id: int, act: str) -> HttpResponse:
    """The form of an act on a class, with what follows from it."""
    return _ask(request, _group_subject(request, group_id), GROUP_ACTS, act)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def group_act_do(request: ScopedRequest, group_id: int, act: str) -> HttpResponse:
    """Do it, or say why not with all that was typed."""
    return _do(request, _group_subject(request, group_id), GROUP_ACTS, act)


@require_GET
@requires(Right.MANAGE_PEOPLE)
def person_act(request: ScopedRequest, person_id: int, act: str) -> HttpResponse:
    """The form of an act on a person."""
    subject = _person_subject(request, person_id)
    return _ask(request, subject, _acts_on_person(request, subject), act)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def person_act_do(request: ScopedRequest, person_id: int, act: str) -> HttpResponse:
    """Do it."""
    subject = _person_subject(request, person_id)
    return _do(request, subject, _acts_on_person(request, subject), act)


def _school_subject(request: ScopedRequest, unit_id: int) -> Subject:
    unit = pages.school_of(request.scope, unit_id)
    return Subject(unit, unit)


def _group_subject(request: ScopedRequest, group_id: int) -> Subject:
    unit = pages.group_of(request.scope, group_id)
    institution = institution_of(unit)
    assert institution is not None
    return Subject(unit, institution)


def _person_subject(request: ScopedRequest, person_id: int) -> Subject:
    at = clock.now()
    who = pages.person_of(request.scope, person_id, clock.local_day(at))
    unit = pages.main_group_of(who, request.scope, clock.local_day(at))
    institution = institution_of(unit)
    assert institution is not None
    return Subject(unit, institution, who)


def _acts_on_person(request: ScopedRequest, subject: Subject) -> Mapping[str, Act]:
    may_correct = pages.may_correct(request.scope, subject.unit)
    return {name: act for name, act in PERSON_ACTS.items() if name != "correct" or may_correct}


def _form(request: ScopedRequest, subject: Subject, act: Act, *, data: Any = None) -> forms.ActForm:
    day = clock.local_day(clock.now())
    form = act.form(data, initial=act.initial(subject, day))
    groups = [
        subject.institution,
        *grades_of(subject.institution),
        *pages.groups_in(subject.institution, day),
    ]
    form.offer(
        groups=[
            unit
            for unit in groups
            if request.scope.may(Right.MANAGE_PEOPLE, unit)
            and (
                subject.person is not None or unit.pk != subject.unit.pk or unit.kind == UnitKind.INSTITUTION
            )
        ],
        users=colleagues_of(subject.institution, day),
        persons=pages.persons_in(subject.unit, day) if {"person", "persons"} & set(form.fields) else [],
        shown_name=lambda who: pages.shown_name(who, request.scope.may(Right.SEE_ROSTER, subject.unit)),
    )
    return form


def _act(acts: Mapping[str, Act], name: str) -> Act:
    if name not in acts:
        raise Http404
    return acts[name]


def _ask(request: ScopedRequest, subject: Subject, acts: Mapping[str, Act], name: str) -> HttpResponse:
    act = _act(acts, name)
    return _page(request, subject, act, _form(request, subject, act), status=200)


def _do(request: ScopedRequest, subject: Subject, acts: Mapping[str, Act], name: str) -> HttpResponse:
    act = _act(acts, name)
    form = _form(request, subject, act, data=request.POST)
    if not form.is_valid():
        return _page(request, subject, act, form, status=422)
    data = {key: value for key, value in form.cleaned_data.items() if key != "sure"}
    try:
        return redirect(act.run(request.user, subject, data, clock.now()))
    except Refusal as refusal:
        return _page(request, subject, act, form, status=refusal.status, refusal=refusal)


def _page(
    request: ScopedRequest,
    subject: Subject,
    act: Act,
    form: forms.ActForm,
    *,
    status: int,
    refusal: Refusal | None = None,
) -> HttpResponse:
    context = {
        "act": act,
        "form": form,
        "refusal": refusal,
        "page_title": act.title,
        "page_subtitle": subject.unit.label,
        "crumbs": pages.act_crumbs(subject.unit, subject.institution, subject.person),
    }
    return render(request, "desks/clerk_act.html", context, status=status)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def undo(request: ScopedRequest, group_id: int) -> HttpResponse:
    """Take back a move or a last day that was entered lately."""
    unit = pages.group_of(request.scope, group_id)
    at = clock.now()
    person_id = key_in(request.POST.get("person", ""))
    who = pages.person_of(request.scope, person_id or 0, clock.local_day(at))
    other_id = key_in(request.POST.get("other", ""))
    other = pages.group_of(request.scope, other_id) if other_id else None
    try:
        day = parse_date(request.POST.get("day", ""))
    except ValueError:
        day = None
    if day is None or request.POST.get("kind") not in {"moved_out", "moved_in", "leaves"}:
        raise Http404
    take_back_change(
        by=request.user, kind=request.POST["kind"], person=who, group=unit, other=other, day=day, at=at
    )
    return redirect("desks:clerk_group", group_id)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def end_substitute(request: ScopedRequest, group_id: int) -> HttpResponse:
    """The substitute has the class no longer, from this day on."""
    unit = pages.group_of(request.scope, group_id)
    held = pages.substitution_of(unit, key_in(request.POST.get("assignment", "")))
    at = clock.now()
    end_role(by=request.user, assignment=held, last_day=clock.local_day(at) - timedelta(days=1), at=at)
    return redirect("desks:clerk_group", group_id)


@require_POST
@requires(Right.MANAGE_PEOPLE)
def reopen(request: ScopedRequest, group_id: int) -> HttpResponse:
    """A class closed by mistake goes on; its pupils and its teacher are entered anew."""
    unit = pages.group_of(request.scope, group_id)
    reopen_unit(by=request.user, unit=unit, at=clock.now())
    return redirect("desks:clerk_group", group_id)
