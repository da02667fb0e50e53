"""The two profiles of passwords, by the setting ``PASSWORD_PROFILE``.

``asvs`` (OWASP ASVS 5.0, 6.2): length against guessing, no composition, no change without a cause.
``dengbao`` (GB/T 22239-2019, 8.1.4.1): what an assessor of the graded protection asks for.
Both: at least 12 characters, none of the common ones, not like the user's names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from xiaodun.accounts.models import User


@dataclass(frozen=True, slots=True)
class Profile:
    """``classes``: how many of capitals, small letters, digits, others; ``remembered``: not to be re-used."""

    classes: int = 0
    longest_age: timedelta | None = None
    remembered: int = 0


PROFILES: Mapping[str, Profile] = {
    "asvs": Profile(),
    "dengbao": Profile(classes=3, longest_age=timedelta(days=90), remembered=5),
}

# A user name of this length inside of a password is no accident.
_TELLING = 4
_CLASSES: tuple[Callable[[str], bool], ...] = (str.isupper, str.islower, str.isdigit)


def current_profile() -> Profile:
    """The profile of this installation."""
    return PROFILES[settings.PASSWORD_PROFILE]


def is_due(user: User, at: datetime) -> bool:
    """Whether ``user`` must change the password before anything else."""
    age = current_profile().longest_age
    return age is not None and user.password_set_at is not None and at - user.password_set_at >= age


class ProfileValidator:
    """Asks what the profile asks beyond length and commonness. One of ``AUTH_PASSWORD_VALIDATORS``."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ``ValidationError`` for a password that the profile refuses."""
        profile = current_profile()
        kinds = sum(any(is_one(character) for character in password) for is_one in _CLASSES)
        kinds += any(not character.isalnum() for character in password)
        if kinds < profile.classes:
            raise ValidationError(
                _("Use at least %(classes)s of: capitals, small letters, digits, other signs.")
                % {"classes": profile.classes},
                code="password_too_plain",
            )
        if user is None or user.pk is None:
            return
        if len(user.username) >= _TELLING and user.username.casefold() in password.casefold():
            raise ValidationError(_("The password contains your user name."), code="password_too_similar")
        former = [user.password] if user.has_usable_password() else []
        if profile.remembered:
            rows = user.former_passwords.order_by("-pk").values_list("password", flat=True)
            former += rows[: profile.remembered]
        if any(check_password(password, each) for each in former):
            raise ValidationError(
                _("You have used this password before. Choose a new one."), code="password_reused"
            )

    def get_help_text(self) -> str:
        """What the page says before somebody types."""
        profile = current_profile()
        if not profile.classes:
            return ""
        return _("At least %(classes)s of: capitals, small letters, digits, other signs.") % {
            "classes": profile.classes
        }
