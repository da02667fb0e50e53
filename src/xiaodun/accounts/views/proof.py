"""The part of two pages that asks for a second factor: a code, or a passkey's answer to a challenge."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import FactorKind
from xiaodun.accounts.factors import passkeys
from xiaodun.accounts.forms import CodeForm
from xiaodun.accounts.models import Factor, User
from xiaodun.accounts.services.attempts import Origin
from xiaodun.accounts.services.factors import prove_code, prove_passkey
from xiaodun.kit.errors import Refusal

# The challenge that the page on the screen holds; each is used up by the first answer.
_CHALLENGE = "passkey-challenge"


def proof_context(request: HttpRequest, user: User) -> dict[str, Any]:
    """What ``accounts/parts/proof.html`` shows: a fresh challenge where a passkey can answer it."""
    known = list(user.factors.filter(kind=FactorKind.PASSKEY).values_list("secret", flat=True))
    has_code = user.factors.exclude(kind=FactorKind.PASSKEY).exists()
    options = None
    if known and passkeys.works_at(request.get_host()):
        options, request.session[_CHALLENGE] = passkeys.begin_proof(
            request.get_host(), settings.SITE_NAME, known=known
        )
    return {"passkey_options": options, "has_code": has_code}


def prove(request: HttpRequest, user: User, form: CodeForm, *, at: datetime) -> Factor | None:
    """The factor that the posted form proves; none if it is incomplete, which the form then says.

    Raises:
        Refusal: the code or the answer does not fit, or there were too many.
    """
    answer = request.POST.get("credential")
    if answer:
        # The field of the code is empty, and nobody missed it.
        form.fields["code"].required = False
        state = request.session.pop(_CHALLENGE, None)
        if state is None:
            raise Refusal("passkey-wrong", _("The page was too old. Try the passkey again."), status=422)
        return prove_passkey(user=user, host=request.get_host(), state=state, answer=answer, at=at)
    if not form.is_valid():
        return None
    address = Origin.of(request).address
    return prove_code(user=user, code=form.cleaned_data["code"], address=address, at=at)


def answer_status(response: HttpResponse, form: Form, refused: Refusal | None) -> HttpResponse:
    """422 (or the refusal's own status) for a refused form, which tells it from an empty one."""
    if refused is not None:
        response.status_code = refused.status
        if refused.status == 429:
            response["Retry-After"] = str(60 * int(refused.facts["minutes"]))
    elif form.is_bound:
        response.status_code = 422
    return response
