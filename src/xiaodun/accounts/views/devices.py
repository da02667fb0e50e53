"""Enrolled phones: their owner's list, and the PIN that opens them."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from xiaodun.accounts import cookies
from xiaodun.accounts.access import ScopedRequest, is_own_address, login_required
from xiaodun.accounts.browsers import browser_of
from xiaodun.accounts.choices import Level, RevokedFor, Right
from xiaodun.accounts.forms import DeviceForm, PinForm
from xiaodun.accounts.models import Device
from xiaodun.accounts.policies import device_scope
from xiaodun.accounts.selectors import device_of, open_devices
from xiaodun.accounts.services.devices import enrol_device, revoke_devices, try_pin
from xiaodun.accounts.services.sign_in import start_session
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal


@require_http_methods(["GET", "POST"])
@login_required
def devices(request: ScopedRequest) -> HttpResponse:
    """One's own phones, and this one among them if it shall be."""
    at = clock.now()
    here = _own_device_here(request)
    name = browser_of(request.headers.get("User-Agent", ""))
    form = DeviceForm(request.POST if request.method == "POST" else None, initial={"name": name})
    if form.is_bound and form.is_valid():
        try:
            enrolled = enrol_device(
                by=request.user,
                name=form.cleaned_data["name"],
                pin=form.cleaned_data["pin"],
                replaced=here,
                at=at,
            )
        except Refusal as refusal:
            form.add_error("pin", f"{refusal.message} {refusal.lifts}")
        else:
            response = redirect("accounts:devices")
            cookies.keep_secret(
                response, cookies.DEVICE, enrolled.secret, lasts=enrolled.device.expires_at - at
            )
            return response
    context = {
        "page_title": _("My phones"),
        "form": form,
        "here": here,
        "devices": open_devices(at).filter(user=request.user).order_by("enrolled_at"),
        "may_enrol": device_scope(request.scope).has(Right.SUBMIT_CHECK),
    }
    return render(request, "accounts/devices.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def revoke(request: ScopedRequest, device_id: int) -> HttpResponse:
    """Take a phone of one's own back."""
    at = clock.now()
    device = get_object_or_404(open_devices(at).filter(user=request.user), pk=device_id)
    revoke_devices(by=request.user, devices=[device], why=RevokedFor.LOST, at=at)
    return redirect("accounts:devices")


@require_http_methods(["GET", "POST"])
def unlock(request: HttpRequest) -> HttpResponse:
    """The PIN of the phone; without an enrolled phone the way to full sign-in."""
    at = clock.now()
    asked = request.POST.get("next") or request.GET.get("next") or "/"
    onwards = asked if is_own_address(request, asked) else "/"
    device = device_of(cookies.secret_in(request, cookies.DEVICE), at)
    if device is None:
        response = redirect("accounts:sign_in")
        response.delete_cookie(cookies.DEVICE)
        return response
    form = PinForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if try_pin(device=device, pin=form.cleaned_data["pin"], at=at):
            start_session(request=request, user=device.user, level=Level.DEVICE, how="device", at=at)
            return HttpResponseRedirect(onwards)
        if device_of(cookies.secret_in(request, cookies.DEVICE), at) is None:
            return redirect("accounts:unlock")
        form.add_error("pin", _("This PIN is wrong. After five wrong ones the phone is signed off."))
    context = {
        "page_title": _("Open with your PIN"),
        "form": form,
        "device": device,
        "next": onwards,
    }
    return render(request, "accounts/unlock.html", context, status=422 if form.errors else 200)


def _own_device_here(request: ScopedRequest) -> Device | None:
    device = device_of(cookies.secret_in(request, cookies.DEVICE), clock.now())
    return device if device is not None and device.user == request.user else None
