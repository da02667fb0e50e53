"""The staff of an institution for whoever manages its accounts: who can sign in, slips, sheets."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires, requires_fresh_factor
from xiaodun.accounts.choices import Right
from xiaodun.accounts.selectors import StaffMember, staff_of
from xiaodun.accounts.services.slips import issue_slips
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import institutions_visible_to


@require_GET
@requires(Right.MANAGE_ACCOUNTS)
def schools(request: ScopedRequest) -> HttpResponse:
    """The institutions whose accounts the reader manages; the only one opens by itself."""
    institutions = list(institutions_visible_to(request.scope, Right.MANAGE_ACCOUNTS))
    if len(institutions) == 1:
        return redirect("accounts:staff", institutions[0].pk)
    context = {"page_title": _("Staff access"), "institutions": institutions}
    return render(request, "accounts/schools.html", context)


@require_GET
@requires(Right.MANAGE_ACCOUNTS)
def staff(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """Who works here, and whether they can sign in."""
    institution = institution_for_accounts(request, unit_id)
    members = staff_of(request.scope, institution, clock.now())
    context = {
        "page_title": _("Staff access"),
        "page_subtitle": institution.label,
        "institution": institution,
        "members": members,
        "waiting": sum(_gets_first_slip(request, member) for member in members),
        "questions": [
            {
                "id": f"slip-{member.user.pk}",
                "title": _("Print a slip for {name}?").format(name=member.user.name),
                "values": {"user": member.user.pk},
            }
            for member in members
            if member.is_managed and member.user != request.user
        ],
    }
    return render(request, "accounts/staff.html", context)


@require_POST
@requires(Right.MANAGE_ACCOUNTS)
@requires_fresh_factor
def print_slips(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """A sheet of fresh slips: for the one user asked for, else for all who have never chosen a password.

    The codes are in this answer only. Whoever loses the sheet prints another, and the first is worth nothing.
    """
    institution = institution_for_accounts(request, unit_id)
    at = clock.now()
    members = staff_of(request.scope, institution, at)
    asked = request.POST.get("user", "")
    if asked:
        chosen = [member for member in members if str(member.user.pk) == asked and member.is_managed]
    else:
        chosen = [member for member in members if _gets_first_slip(request, member)]
    if not chosen:
        raise Refusal(
            "nobody-needs-a-slip",
            _("There is nobody here for whom you can print a slip."),
            lifts=_("Whoever also works elsewhere gets the slip from the district office."),
        )
    issued = issue_slips(by=request.user, unit=institution, users=[member.user for member in chosen], at=at)
    context = {
        "page_title": _("Activation slips"),
        "page_subtitle": institution.label,
        "institution": institution,
        "address": _address(request),
        "slips": [
            {"slip": slip, "roles": member.roles, "link": f"{_address(request)}#{slip.code}"}
            for slip, member in zip(issued, chosen, strict=True)
        ],
    }
    return render(request, "accounts/slips.html", context)


def institution_for_accounts(request: ScopedRequest, unit_id: int) -> Unit:
    """The institution, if the reader manages its accounts; else 404."""
    institution: Unit = get_object_or_404(
        institutions_visible_to(request.scope, Right.MANAGE_ACCOUNTS), pk=unit_id
    )
    return institution


def _gets_first_slip(request: ScopedRequest, member: StaffMember) -> bool:
    return member.is_waiting and member.is_managed and member.user != request.user


def _address(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("accounts:activate"))
