"""Bearer tokens, and what one may do where."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja.security import HttpBearer

from xiaodun.accounts.choices import TokenScope
from xiaodun.accounts.models import ApiToken
from xiaodun.accounts.policies import Scope
from xiaodun.accounts.selectors import authenticate_token, scope_of_token
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal


class TokenAuth(HttpBearer):
    """``Authorization: Bearer …`` with the secret of an API token that is neither expired nor revoked."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        return authenticate_token(token, clock.now())


def token_of(request: HttpRequest) -> ApiToken:
    """The token that opened this request."""
    token: Any = getattr(request, "auth", None)
    assert isinstance(token, ApiToken)
    return token


def scope_for(request: HttpRequest, needed: TokenScope) -> Scope:
    """The rights of the request's token on its unit.

    Raises:
        Refusal: ``token-scope-missing`` (403) when the token was made for other things.
    """
    token = token_of(request)
    if needed not in token.scopes:
        raise Refusal(
            "token-scope-missing",
            _("This token was not made for that."),
            status=403,
            facts={"needed": str(needed), "has": list(token.scopes)},
            lifts=_("Have a token made with the scope that is named under needed."),
        )
    return scope_of_token(token)
