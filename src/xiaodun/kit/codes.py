"""Secrets that go on paper or into a cookie: made at random here, kept by others as a digest only.

A *code* is read from paper and typed: 59 random bits, few enough to type and therefore kept under a key (with
the database alone nobody can try them out) and short-lived, single-use and throttled by its owner. A *secret*
is scanned or stored by a machine: 192 random bits need neither salt nor slowness.
"""

import hashlib
import secrets
import unicodedata

from django.utils.crypto import salted_hmac

# Without 0 and O, 1, I and L, nor U beside V: on paper they are misread.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12
_GROUP = 4
_SECRET_BYTES = 24


def new_code() -> str:
    """A fresh code as it is printed: ``7KQM-2FXA-93HT``."""
    made = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
    return "-".join(made[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def code_digest(typed: str, *, purpose: str) -> str:
    """What is kept of a code, however it was typed: small letters, full-width ones, with or without dashes.

    ``purpose`` keeps the codes of one kind from opening another.
    """
    plain = unicodedata.normalize("NFKC", typed).upper()
    kept = "".join(letter for letter in plain if letter.isalnum())
    return salted_hmac(f"xiaodun.code.{purpose}", kept, algorithm="sha256").hexdigest()


def new_secret() -> str:
    """A fresh secret for an address or a cookie."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def secret_digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
