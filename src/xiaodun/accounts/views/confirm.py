"""The page that asks once more who is there, before a delicate act."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from xiaodun.accounts.access import ScopedRequest, is_own_address, login_required
from xiaodun.accounts.forms import ConfirmForm
from xiaodun.accounts.services import sign_in
from xiaodun.kit import clock


@require_http_methods(["GET", "POST"])
@login_required
def confirm(request: ScopedRequest) -> HttpResponse:
    """Show the password again and go on to ``next``."""
    asked = request.POST.get("next") or request.GET.get("next") or "/"
    onwards = asked if is_own_address(request, asked) else "/"
    form = ConfirmForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_bound and form.is_valid():
        sign_in.renew_proof(request=request, by=request.user, how="password", at=clock.now())
        return HttpResponseRedirect(onwards)
    context = {"page_title": _("Confirm that it is you"), "form": form, "next": onwards}
    return render(request, "accounts/confirm.html", context, status=422 if form.is_bound else 200)
