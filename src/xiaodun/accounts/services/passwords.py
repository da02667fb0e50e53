"""Passwords: judged by the profile of the installation, changed by their owner."""

from datetime import datetime

from django.db import transaction

from xiaodun.accounts.models import Actor, FormerPassword, User
from xiaodun.accounts.passwords import current_profile
from xiaodun.accounts.refusals import refuse_weak_password
from xiaodun.accounts.services.sign_in import end_sessions
from xiaodun.kit import audit


@transaction.atomic
def set_password(*, by: Actor, user: User, password: str, at: datetime) -> User:
    """Give ``user`` this password, if the profile takes it; all sessions of the user end.

    Raises:
        Refusal: ``password-too-weak``, with what is wrong with it.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    refuse_weak_password(password, user)
    remembered = current_profile().remembered
    if remembered and user.has_usable_password():
        FormerPassword.objects.create(user=user, password=user.password, set_at=user.password_set_at or at)
        kept = user.former_passwords.order_by("-pk").values_list("pk", flat=True)[:remembered]
        user.former_passwords.exclude(pk__in=list(kept)).delete()
    user.set_password(password)
    user.password_set_at = at
    user.save(update_fields=["password", "password_set_at"])
    end_sessions(by=by, user=user, why="password", at=at)
    audit.record(by=by, action="accounts.set_password", obj=user, at=at)
    return user
