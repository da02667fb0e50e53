"""Which keys a backup needs: public keys and identities of age, and marks of the installation's own keys."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

import pyrage
from django.conf import settings

from xiaodun.operations.backup.container import Identity, Recipient
from xiaodun.operations.backup.errors import SettingMissingError, WrongKeyError


def recipients() -> list[Recipient]:
    """The public keys of ``XIAODUN_BACKUP_RECIPIENTS``."""
    if not settings.BACKUP_RECIPIENTS:
        raise SettingMissingError(
            "XIAODUN_BACKUP_RECIPIENTS is not set. It holds the public key to which backups are encrypted; "
            "`xiaodun keys` prints one."
        )
    try:
        return [Recipient.from_str(text) for text in settings.BACKUP_RECIPIENTS]
    except pyrage.RecipientError:
        raise SettingMissingError(
            "XIAODUN_BACKUP_RECIPIENTS must hold public keys of age, which begin with age1."
        ) from None


def identities_in(file: Path) -> list[Identity]:
    """The identities in a file as ``xiaodun keys`` and ``age-keygen`` write it: one a line, # for remarks."""
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        found = [Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (pyrage.IdentityError, OSError, UnicodeDecodeError):
        raise WrongKeyError(
            f"{file.name} cannot be read as a backup identity: a line that begins with AGE-SECRET-KEY-1."
        ) from None
    if not found:
        raise WrongKeyError(f"{file.name} holds no identity.")
    return found


def mark(key: bytes) -> str:
    """A short mark by which a key is recognised; it tells nothing of a random key."""
    return hashlib.sha256(b"xiaodun key mark\n" + key).hexdigest()[:12]


def marks() -> dict[str, Any]:
    """The marks of the keys without which this database cannot be used."""
    return {
        "audit": mark(settings.AUDIT_KEY),
        "index": mark(settings.INDEX_KEY),
        "master": {str(number): mark(key) for number, key in sorted(settings.MASTER_KEYS.items())},
    }


def require(needed: dict[str, Any]) -> None:
    """Raise ``WrongKeyError`` unless the configured keys are those of the backup."""
    configured = marks()
    if needed["audit"] != configured["audit"]:
        raise WrongKeyError(
            "XIAODUN_AUDIT_KEY is not the key of this backup: its audit could not be verified."
        )
    if needed["index"] != configured["index"]:
        raise WrongKeyError("XIAODUN_INDEX_KEY is not the key of this backup: numbers could not be found.")
    absent = [number for number, each in needed["master"].items() if configured["master"].get(number) != each]
    if absent:
        raise WrongKeyError(
            f"XIAODUN_MASTER_KEYS lacks key {', '.join(absent)} of this backup: encrypted columns could not "
            "be read."
        )


def seal(text: str) -> str:
    """Proof that this installation wrote ``text``: anybody can encrypt to a public key."""
    return hmac.new(settings.AUDIT_KEY, f"backup\n{text}".encode(), hashlib.sha256).hexdigest()
