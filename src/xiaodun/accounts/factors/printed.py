"""Codes on paper: recovery codes, and the one that an office hands over."""

from datetime import datetime

from cryptography.hazmat.primitives import constant_time

from xiaodun.kit import codes

_PURPOSE = "accounts.factor"


def new_code() -> str:
    """A fresh code as it is printed."""
    return codes.new_code()


def kept(code: str) -> str:
    """What is stored of it: enough to recognise it, too little to print it again."""
    return codes.code_digest(code, purpose=_PURPOSE)


def opens(secret: str, code: str, counter: int, at: datetime) -> int | None:
    """See `CodeFactor`."""
    return 1 if counter == 0 and constant_time.bytes_eq(secret.encode(), kept(code).encode()) else None
