"""Phones of the staff and tablets of the gates, for whoever manages the institution's accounts."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from xiaodun.accounts.access import ScopedRequest, requires, requires_fresh_factor
from xiaodun.accounts.choices import RevokedFor, Right
from xiaodun.accounts.selectors import devices_of_staff, open_tablets, shift_at, staff_of
from xiaodun.accounts.services.devices import revoke_devices
from xiaodun.accounts.services.gate import announce_tablet, revoke_tablet
from xiaodun.accounts.views.staff import institution_for_accounts
from xiaodun.kit import clock


@require_GET
@requires(Right.MANAGE_ACCOUNTS)
def equipment(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """What is enrolled here and can be taken back."""
    institution = institution_for_accounts(request, unit_id)
    at = clock.now()
    tablets = open_tablets().filter(unit=institution).order_by("name", "pk")
    context = {
        "page_title": _("Phones and gate tablets"),
        "page_subtitle": institution.label,
        "institution": institution,
        "devices": devices_of_staff(staff_of(request.scope, institution, at), at),
        "tablets": [{"tablet": tablet, "shift": shift_at(tablet, at)} for tablet in tablets],
    }
    return render(request, "accounts/equipment.html", context)


@require_POST
@requires(Right.MANAGE_ACCOUNTS)
def revoke_device(request: ScopedRequest, unit_id: int, device_id: int) -> HttpResponse:
    """A phone is lost: the school office takes it back."""
    institution = institution_for_accounts(request, unit_id)
    at = clock.now()
    managed = devices_of_staff(staff_of(request.scope, institution, at), at)
    found = [device for device in managed if device.pk == device_id]
    if not found:
        raise Http404
    revoke_devices(by=request.user, devices=found, why=RevokedFor.LOST, at=at)
    return redirect("accounts:equipment", unit_id)


@require_POST
@requires(Right.MANAGE_ACCOUNTS)
@requires_fresh_factor
def announce(request: ScopedRequest, unit_id: int) -> HttpResponse:
    """A new tablet: its code, to be typed on it within the hour. It is in this answer only."""
    institution = institution_for_accounts(request, unit_id)
    announced = announce_tablet(
        by=request.user, unit=institution, name=request.POST.get("name", "")[:40], at=clock.now()
    )
    context = {
        "page_title": _("Code for the tablet"),
        "page_subtitle": institution.label,
        "institution": institution,
        "announced": announced,
        "address": request.build_absolute_uri(reverse("accounts:gate")),
    }
    return render(request, "accounts/tablet_code.html", context)


@require_POST
@requires(Right.MANAGE_ACCOUNTS)
def revoke_gate(request: ScopedRequest, unit_id: int, tablet_id: int) -> HttpResponse:
    """A tablet is lost or goes elsewhere."""
    institution = institution_for_accounts(request, unit_id)
    tablet = get_object_or_404(open_tablets().filter(unit=institution), pk=tablet_id)
    revoke_tablet(by=request.user, tablet=tablet, at=clock.now())
    return redirect("accounts:equipment", unit_id)
