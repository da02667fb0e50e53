"""Writes to the keys of machines."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import TokenScope
from xiaodun.accounts.models import Actor, ApiToken, User
from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit

# 256 bits from the operating system.
_SECRET_BYTES = 32
# Lets a scanner of leaked secrets know whose it is.
_SECRET_PREFIX = "xiaodun_"  # noqa: S105 - a prefix, not a secret


@transaction.atomic
def make_api_token(
    *, by: User, name: str, unit: Unit, scopes: Iterable[str], expires_at: datetime, at: datetime
) -> tuple[ApiToken, str]:
    """A key for a machine, bound to ``unit`` and ``scopes`` (``TokenScope``).

    Returns the token and its secret, which is shown once: only its SHA-256 is stored.
    """
    asked = sorted(set(scopes))
    unknown = [scope for scope in asked if scope not in TokenScope]
    if unknown or not asked:
        raise Refusal(
            "token-scope-unknown",
            _("A token needs scopes, and each must be known."),
            status=422,
            facts={"unknown": unknown, "known": TokenScope.values},
            lifts=_("Choose from the known scopes."),
        )
    if expires_at <= at:
        raise Refusal(
            "token-expired-from-the-start",
            _("A token must expire in the future."),
            status=422,
            facts={"expires_at": expires_at.isoformat()},
            lifts=_("Choose a later moment."),
        )
    if not name.strip():
        raise Refusal(
            "name-missing", _("A token needs a name."), status=422, lifts=_("Name the machine that uses it.")
        )
    secret = _SECRET_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    token = ApiToken.objects.create(
        name=name.strip(),
        unit=unit,
        scopes=asked,
        digest=ApiToken.digest_of(secret),
        made_by=by,
        made_at=at,
        expires_at=expires_at,
    )
    audit.record(
        by=by,
        action="accounts.make_api_token",
        obj=token,
        unit=unit,
        at=at,
        facts={"scopes": asked, "expires_at": expires_at.isoformat()},
    )
    return token, secret


@transaction.atomic
def revoke_api_token(*, by: Actor, token: ApiToken, at: datetime) -> ApiToken:
    """From now on the token opens nothing; a token revoked before keeps its first moment."""
    token = ApiToken.objects.select_related("unit").select_for_update(of=("self",)).get(pk=token.pk)
    if token.revoked_at is None:
        token.revoked_at = at
        token.save(update_fields=["revoked_at"])
        audit.record(by=by, action="accounts.revoke_api_token", obj=token, unit=token.unit, at=at)
    return token
