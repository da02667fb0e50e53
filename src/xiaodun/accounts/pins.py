"""What a PIN must be: digits that neither the phone's finder nor a colleague tries first."""

import unicodedata

from django.utils.translation import gettext_lazy as _

from xiaodun.kit.errors import Refusal

SHORTEST, LONGEST = 6, 12
# How often a PIN may be wrong in a row.
TRIES = 5

_RUN = "01234567890"


def plain_pin(typed: str) -> str:
    """The digits as they were meant: phones in Chinese may type full-width ones."""
    return unicodedata.normalize("NFKC", typed).strip()


def refuse_weak_pin(pin: str, *, username: str) -> None:
    """Raises ``pin-too-weak`` for what is not all digits, too short, one digit, a run, or the user name's."""
    is_digits = pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST
    is_one_digit = len(set(pin)) <= 1
    is_run = pin in _RUN or pin in _RUN[::-1]
    is_pair = len(pin) % 2 == 0 and pin == pin[:2] * (len(pin) // 2)
    if not is_digits or is_one_digit or is_run or is_pair or pin in username:
        raise Refusal(
            "pin-too-weak",
            _("This PIN is too easy to guess."),
            status=422,
            lifts=_(
                "Choose {shortest} to {longest} digits: no run such as 123456, no repetition, nothing out of "
                "your user name."
            ).format(shortest=SHORTEST, longest=LONGEST),
        )
