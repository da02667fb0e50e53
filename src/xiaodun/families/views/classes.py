"""The families of a class for its teacher and the school office: slips, and how far each family has come."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires, requires_fresh_factor
from xiaodun.accounts.choices import Right
from xiaodun.families.selectors import classes_to_invite, families_of
from xiaodun.families.services import issue_links
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import institution_of, institutions_visible_to
from xiaodun.organisations.services import set_phone


@require_GET
@requires(Right.INVITE_FAMILIES)
def classes(request: ScopedRequest) -> HttpResponse:
    """The classes whose families the reader invites; the only one opens by itself."""
    groups = list(classes_to_invite(request.scope, clock.local_day(clock.now())))
    offices = list(institutions_visible_to(request.scope, Right.INVITE_FAMILIES))
    if len(groups) == 1 and not offices:
        return redirect("families:group", groups[0].pk)
    context = {"page_title": _("Families"), "groups": groups, "offices": offices}
    return render(request, "families/classes.html", context)


@require_POST
@requires(Right.INVITE_FAMILIES)
def keep_phone(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """The number of the school's office, which slips and pages of families show."""
    office = get_object_or_404(institutions_visible_to(request.scope, Right.INVITE_FAMILIES), pk=unit_id)
    set_phone(by=request.user, unit=office, phone=request.POST.get("phone", "")[:32], at=clock.now())
    return redirect("families:classes")


@require_GET
@requires(Right.INVITE_FAMILIES)
def group(request: ScopedRequest, group_id: int) -> HttpResponse:
    """Who has a slip, who has acknowledged, whose phone is bound."""
    unit = _group(request, group_id)
    families = families_of(unit, clock.now())
    context = {
        "page_title": _("Families"),
        "page_subtitle": unit.label,
        "group": unit,
        "families": families,
        "waiting": sum(family.link is None for family in families),
        "questions": [
            {
                "id": f"link-{family.person.pk}",
                "title": _("Print a new slip for {name}?").format(name=family.person.name),
                "values": {"person": family.person.pk},
            }
            for family in families
        ],
    }
    return render(request, "families/group.html", context)


@require_POST
@requires(Right.INVITE_FAMILIES)
@requires_fresh_factor
def print_links(request: ScopedRequest, group_id: int) -> HttpResponse:
    """A sheet of fresh slips: for the one child asked for, else for all who have none.

    Links and codes are in this answer only.
    """
    unit = _group(request, group_id)
    at = clock.now()
    families = families_of(unit, at)
    asked = request.POST.get("person", "")
    if asked:
        chosen = [family for family in families if str(family.person.pk) == asked]
    else:
        chosen = [family for family in families if family.link is None]
    if not chosen:
        raise Refusal(
            "nobody-needs-a-slip",
            _("Every family of this class has its slip."),
            lifts=_("Print a new one for a single child whose slip is lost."),
        )
    issued = issue_links(by=request.user, group=unit, persons=[each.person for each in chosen], at=at)
    context = {
        "page_title": _("Slips for families"),
        "page_subtitle": unit.label,
        "group": unit,
        "institution": institution_of(unit),
        "slips": [
            {
                "family": family,
                "code": link.code,
                "expires_at": link.expires_at,
                "link": request.build_absolute_uri(reverse("families:child", args=[link.secret])),
            }
            for link, family in zip(issued, chosen, strict=True)
        ],
    }
    return render(request, "families/slips.html", context)


def _group(request: ScopedRequest, group_id: int) -> Unit:
    found: Unit = get_object_or_404(
        classes_to_invite(request.scope, clock.local_day(clock.now())), pk=group_id
    )
    return found
