"""Who leaves or is transferred loses at once whatever was handed out: slips, phones, PIN, shift, keys."""

from datetime import date, datetime, time, timedelta

from django.db import transaction

from xiaodun.accounts.choices import RevokedFor
from xiaodun.accounts.models import Actor, ApiToken, Device, User
from xiaodun.accounts.services.devices import revoke_devices
from xiaodun.accounts.services.gate import drop_guard
from xiaodun.accounts.services.slips import revoke_slips
from xiaodun.accounts.services.tokens import revoke_api_token
from xiaodun.kit import audit, clock
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import within


@transaction.atomic
def withdraw_access(*, by: Actor, user: User, unit: Unit | None, last_day: date | None, at: datetime) -> None:
    """In the transaction that ends a role of ``user`` on ``unit``, or (none) closes the user.

    ``last_day``: the role is held up to then. If it is still to come, phones hold until its end and no
    longer, and the rest falls with the right itself, which is read at every request.
    """
    if last_day is not None and last_day >= clock.local_day(at):
        end = clock.local_moment(last_day + timedelta(days=1), time.min)
        capped = Device.objects.filter(user=user, revoked_at__isnull=True, expires_at__gt=end)
        if count := capped.update(expires_at=end):
            facts = {"devices": count, "until": end.isoformat()}
            audit.record(by=by, action="accounts.withdraw_access", obj=user, at=at, facts=facts)
        return
    revoke_slips(by=by, users=[user], at=at)
    devices = list(Device.objects.filter(user=user, revoked_at__isnull=True))
    revoke_devices(by=by, devices=devices, why=RevokedFor.LEFT, at=at)
    drop_guard(by=by, user=user, at=at)
    # Whoever made a key has seen its secret.
    keys = ApiToken.objects.filter(made_by=user, revoked_at__isnull=True)
    if unit is not None:
        keys = keys.filter(within("unit__path", unit.path))
    for token in keys:
        revoke_api_token(by=by, token=token, at=at)
