"""From the code on a slip to a password."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from xiaodun.accounts.forms import ActivationCodeForm, NewPasswordForm
from xiaodun.accounts.services.attempts import Origin
from xiaodun.accounts.services.slips import activate, prove_slip
from xiaodun.accounts.views.proof import answer_status
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal


@require_http_methods(["GET", "POST"])
def activation(request: HttpRequest) -> HttpResponse:
    """First the code, then the password of the user whom it names; the code goes along in the form.

    It comes after "#" in the address that the slip shows as a QR code: browsers keep that to themselves.
    """
    if request.method == "GET":
        return _ask_for_code(request, ActivationCodeForm())
    form = ActivationCodeForm(request.POST)
    if not form.is_valid():
        return _ask_for_code(request, form)
    at = clock.now()
    try:
        slip = prove_slip(code=form.cleaned_data["code"], address=Origin.of(request).address, at=at)
    except Refusal as refusal:
        form.refuse(refusal, "code")
        return _ask_for_code(request, form, refusal)
    chosen = NewPasswordForm(request.POST if "password" in request.POST else None, user=slip.user)
    if chosen.is_bound and chosen.is_valid():
        try:
            activate(slip=slip, password=chosen.cleaned_data["password"], at=at)
        except Refusal as refusal:
            for error in refusal.errors:
                chosen.add_error("password", str(error.message))
            if not refusal.errors:
                raise
        else:
            return render(
                request,
                "accounts/activated.html",
                {"page_title": _("Your password is set"), "username": slip.user.username},
            )
    context = {
        "page_title": _("Choose your password"),
        "form": chosen,
        "code": form.cleaned_data["code"],
        "slip": slip,
    }
    return render(request, "accounts/new_password.html", context, status=422 if chosen.errors else 200)


def _ask_for_code(
    request: HttpRequest, form: ActivationCodeForm, refused: Refusal | None = None
) -> HttpResponse:
    context = {"page_title": _("Start with your slip"), "form": form}
    return answer_status(render(request, "accounts/activation.html", context), form, refused)
