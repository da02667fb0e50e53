"""Second factors: each kind in a module of pure functions, told apart by ``FactorKind``.

A kind whose proof is a short code (an app, a printed list, a token of another algorithm) is a `CodeFactor`
with its line in ``CODE_FACTORS``; nothing else changes for a new one. A passkey answers a challenge instead.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from xiaodun.accounts.choices import FactorKind
from xiaodun.accounts.factors import printed, totp


class CodeFactor(Protocol):
    """What a module of codes offers."""

    def opens(self, secret: str, code: str, counter: int, at: datetime) -> int | None:
        """The counter to keep from now on if ``code`` opens ``secret`` after ``counter``, else none."""


CODE_FACTORS: Mapping[str, CodeFactor] = {
    FactorKind.TOTP: totp,
    FactorKind.RECOVERY: printed,
    FactorKind.ISSUED: printed,
}


def normal(code: str) -> str:
    """The code as it was meant: no blanks, no hyphens, no full-width digits, capitals."""
    return "".join(unicodedata.normalize("NFKC", code).split()).replace("-", "").upper()
