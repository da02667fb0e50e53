"""The page that asks once more who is there, before a delicate act."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from xiaodun.accounts.access import ScopedRequest, entrance, is_own_address
from xiaodun.accounts.forms import CodeForm, ConfirmForm
from xiaodun.accounts.services import sign_in
from xiaodun.accounts.services.attempts import Origin, prove_password
from xiaodun.accounts.views.proof import answer_status, proof_context, prove
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@entrance
def confirm(request: ScopedRequest) -> HttpResponse:
    """Show the second factor again (without one: the password) and go on to ``next``."""
    asked = request.POST.get("next") or request.GET.get("next") or "/"
    onwards = asked if is_own_address(request, asked) else "/"
    has_factor = request.user.factors.exists()
    data = request.POST if request.method == "POST" else None
    form: CodeForm | ConfirmForm = CodeForm(data) if has_factor else ConfirmForm(data)
    refused: Refusal | None = None
    if form.is_bound:
        try:
            how = _how_confirmed(request, form)
        except Refusal as refusal:
            refused = refusal
            form.refuse(refusal)
        else:
            if how:
                sign_in.renew_proof(request=request, by=request.user, how=how, at=clock.now())
                return HttpResponseRedirect(onwards)
    context = {
        "page_title": _("Confirm that it is you"),
        "form": form,
        "next": onwards,
        "address": resolve_url("accounts:confirm"),
        **(proof_context(request, request.user) if has_factor else {}),
    }
    return answer_status(render(request, "accounts/confirm.html", context), form, refused)


def _how_confirmed(request: ScopedRequest, form: CodeForm | ConfirmForm) -> str:
    """By what the posted form proves its sender; "" if it is incomplete."""
    if isinstance(form, CodeForm):
        factor = prove(request, request.user, form, at=clock.now())
        return factor.kind if factor else ""
    if not form.is_valid():
        return ""
    prove_password(
        username=request.user.username,
        password=form.cleaned_data["password"],
        origin=Origin.of_session(request),
        at=clock.now(),
    )
    return "password"
