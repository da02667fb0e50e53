"""Bindings of accounts to what their owners are called elsewhere."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import Binding, User
from xiaodun.accounts.protection import binding_index
from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal


@transaction.atomic
def bind(*, by: User, provider: str, external_id: str, at: datetime) -> Binding:
    """From now on who is ``external_id`` at ``provider`` signs in as ``by``, who is signed in and says so.

    Raises:
        Refusal: ``binding-taken`` when it leads to another account, or this account has one.
    """
    try:
        with transaction.atomic():
            binding = Binding.objects.create(
                user=by, provider=provider, index=binding_index(provider, external_id), bound_at=at
            )
    except IntegrityError:
        raise Refusal(
            "binding-taken",
            _("This account is connected already, here or with somebody else."),
            lifts=_("End the other connection first."),
        ) from None
    audit.record(by=by, action="accounts.bind", obj=binding, at=at, facts={"provider": provider})
    return binding


@transaction.atomic
def unbind(*, by: User, binding: Binding, at: datetime) -> None:
    """It opens nothing any more."""
    facts = {"provider": binding.provider, "user": binding.user_id}
    audit.record(by=by, action="accounts.unbind", obj=binding, at=at, facts=facts)
    binding.delete()
