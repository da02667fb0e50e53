"""The tablet at the gate: made one by a code, then who is on duty."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from xiaodun.accounts import cookies
from xiaodun.accounts.forms import ActivationCodeForm, GuardPinForm, ShiftForm
from xiaodun.accounts.models import GateTablet
from xiaodun.accounts.selectors import guards_of, shift_at, tablet_of
from xiaodun.accounts.services.attempts import Origin
from xiaodun.accounts.services.gate import begin_shift, end_shift, enrol_tablet, set_guard_pin
from xiaodun.accounts.services.slips import prove_slip
from xiaodun.accounts.views.proof import answer_status
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal


@require_http_methods(["GET", "POST"])
def gate(request: HttpRequest) -> HttpResponse:
    """Who is on duty since when, and the change of guards; elsewhere the way to become a tablet."""
    tablet = _tablet(request)
    if tablet is None:
        return _become_tablet(request)
    at = clock.now()
    guards = guards_of(tablet.unit, clock.local_day(at))
    form = ShiftForm(request.POST if request.method == "POST" else None, guards=guards)
    refused: Refusal | None = None
    if form.is_bound and form.is_valid():
        try:
            shift = begin_shift(tablet=tablet, address=Origin.of(request).address, at=at, **form.cleaned_data)
        except Refusal as refusal:
            refused = refusal
            form.refuse(refusal, "pin")
        else:
            if shift is not None:
                return redirect("accounts:gate")
            form.add_error(
                "pin",
                _("This PIN opens no shift. After five wrong ones it is locked: set a new one with a slip."),
            )
    context = {
        "page_title": _("Gate: {name}").format(name=tablet.name),
        "page_subtitle": tablet.unit.label,
        "form": form,
        "guards": guards,
        "shift": shift_at(tablet, at),
    }
    return answer_status(render(request, "accounts/gate.html", context), form, refused)


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Going off duty asks for no PIN: with nobody on duty the tablet can do less, not more."""
    tablet = _tablet(request)
    if tablet is None:
        raise Http404
    at = clock.now()
    shift = shift_at(tablet, at)
    end_shift(by=shift.guard if shift else None, tablet=tablet, at=at)
    return redirect("accounts:gate")


@require_http_methods(["GET", "POST"])
def guard_pin(request: HttpRequest) -> HttpResponse:
    """A guard chooses the PIN, with the slip from the school office."""
    tablet = _tablet(request)
    if tablet is None:
        return redirect("accounts:gate")
    at = clock.now()
    form = GuardPinForm(request.POST if request.method == "POST" else None)
    refused: Refusal | None = None
    if form.is_bound and form.is_valid():
        try:
            slip = prove_slip(code=form.cleaned_data["code"], address=Origin.of(request).address, at=at)
            set_guard_pin(slip=slip, tablet=tablet, pin=form.cleaned_data["pin"], at=at)
        except Refusal as refusal:
            refused = refusal
            form.refuse(refusal, "pin" if refusal.code == "pin-too-weak" else "code")
        else:
            return redirect("accounts:gate")
    context = {"page_title": _("Choose your PIN"), "page_subtitle": tablet.unit.label, "form": form}
    return answer_status(render(request, "accounts/guard_pin.html", context), form, refused)


def _become_tablet(request: HttpRequest) -> HttpResponse:
    form = ActivationCodeForm(request.POST if request.method == "POST" else None)
    refused: Refusal | None = None
    if form.is_bound and form.is_valid():
        code, address = form.cleaned_data["code"], Origin.of(request).address
        try:
            enrolled = enrol_tablet(code=code, address=address, at=clock.now())
        except Refusal as refusal:
            refused = refusal
            form.refuse(refusal, "code")
        else:
            if enrolled is not None:
                response = redirect("accounts:gate")
                cookies.keep_secret(response, cookies.TABLET, enrolled.secret)
                return response
            form.add_error("code", _("This code does not hold. The school office makes a new one."))
    context = {"page_title": _("Set up a gate tablet"), "form": form}
    return answer_status(render(request, "accounts/new_tablet.html", context), form, refused)


def _tablet(request: HttpRequest) -> GateTablet | None:
    return tablet_of(cookies.secret_in(request, cookies.TABLET))
