"""Codes of an authenticator app (TOTP, RFC 6238): six digits, thirty seconds, SHA-1, as all apps do."""

import base64
import secrets
from datetime import datetime

from cryptography.hazmat.primitives import constant_time
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

_DIGITS = 6
_STEP = 30
# 160 bits, as RFC 4226 recommends.
_SECRET_BYTES = 20
# Phones are some seconds off, and typing takes time: the step before and the one after open too.
_TOLERANCE = 1


def new_secret() -> str:
    """A fresh secret in Base32, which can also be typed."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def address(secret: str, *, username: str, issuer: str) -> str:
    """The ``otpauth`` address that the QR code holds."""
    return _totp(secret).get_provisioning_uri(username, issuer)


def opens(secret: str, code: str, counter: int, at: datetime) -> int | None:
    """See `CodeFactor`. A step that opened once, and all before it, never open again."""
    now = int(at.timestamp()) // _STEP
    for step in range(now - _TOLERANCE, now + _TOLERANCE + 1):
        expected = code_at(secret, step * _STEP)
        if constant_time.bytes_eq(expected, code.encode()) and step > counter:
            return step
    return None


def code_at(secret: str, timestamp: int) -> bytes:
    """What the app shows at that second."""
    return _totp(secret).generate(timestamp)


def _totp(secret: str) -> TOTP:
    # SHA-1 is what authenticator apps know; HMAC does not rest on its resistance to collisions.
    return TOTP(base64.b32decode(secret), _DIGITS, SHA1(), _STEP)  # noqa: S303
