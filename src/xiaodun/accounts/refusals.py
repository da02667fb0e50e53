"""Refusals that more than one write of this app raises."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.kit.errors import Refusal, RowError


def refuse_weak_password(password: str, user: User) -> None:
    """Raises ``password-too-weak`` with every rule of the profile that ``password`` breaks."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refusal(
            "password-too-weak",
            _("This password is too easy to guess."),
            status=422,
            lifts=_("Choose a longer or less common password."),
            errors=[
                RowError(_("password"), message, _("Choose another password."), field="password")
                for message in error.messages
            ],
        ) from error


def slip_refusal() -> Refusal:
    """One answer for a code that never existed, is used, replaced or past its time."""
    return Refusal(
        "slip-not-valid",
        _("This code does not hold. It may be mistyped, used, replaced by a newer one, or too old."),
        status=422,
        lifts=_("Look at the slip again. If it is right, ask your school office for a new slip."),
    )
