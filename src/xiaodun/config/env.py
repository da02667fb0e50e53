"""Settings from the environment, read loudly: a missing or malformed value stops the start and says why.

Every variable is declared once with its meaning; ``docs/operations/settings.md`` must list each (a test
compares).
"""

import base64
import binascii
import os
from dataclasses import dataclass
from pathlib import Path


class SettingError(Exception):
    """A setting is missing or malformed; the text names the variable and the remedy."""


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    meaning: str
    default: str | None


DECLARED: dict[str, Variable] = {}


def _read(name: str, meaning: str, default: str | None) -> str | None:
    DECLARED[name] = Variable(name, meaning, default)
    value = os.environ.get(name, "").strip()
    return value or default


def public_values() -> dict[str, str]:
    """What is set of the variables declared so far, without secrets (the database's address holds one)."""
    return {
        name: os.environ[name]
        for name in DECLARED
        if name in os.environ and not name.removesuffix("_FILE").endswith(("_KEY", "_KEYS", "_URL"))
    }


def text(name: str, meaning: str, default: str | None = None) -> str:
    value = _read(name, meaning, default)
    if value is None:
        raise SettingError(f"{name} is not set. It holds: {meaning}.")
    return value


def flag(name: str, meaning: str, *, default: bool) -> bool:
    value = (_read(name, meaning, "true" if default else "false") or "").lower()
    if value not in {"true", "false"}:
        raise SettingError(f"{name} must be true or false, not {value!r}.")
    return value == "true"


def number(name: str, meaning: str, *, default: int) -> int:
    value = _read(name, meaning, str(default)) or ""
    try:
        return int(value)
    except ValueError:
        raise SettingError(f"{name} must be a whole number, not {value!r}.") from None


def listing(name: str, meaning: str, *, default: str) -> list[str]:
    value = _read(name, meaning, default) or ""
    return [part.strip() for part in value.split(",") if part.strip()]


def directory(name: str, meaning: str, default: Path | None = None) -> Path:
    value = _read(name, meaning, None if default is None else str(default))
    if value is None:
        raise SettingError(f"{name} is not set. It holds: {meaning}.")
    return Path(value)


def secret(name: str, meaning: str, *, least: int) -> str:
    """A secret from the variable or, with the suffix ``_FILE``, from a file.

    Too short a secret is refused, and a file that everybody on the machine may read.
    """
    DECLARED[f"{name}_FILE"] = Variable(f"{name}_FILE", f"file (mode 0600) that holds {name}", None)
    path = os.environ.get(f"{name}_FILE", "").strip()
    if path:
        DECLARED[name] = Variable(name, meaning, None)
        if Path(path).stat().st_mode & 0o007:
            raise SettingError(f"{name}_FILE may be read by everybody. Set its mode to 0600.")
        value = Path(path).read_text(encoding="utf-8").strip()
    else:
        value = text(name, meaning)
    if len(value) < least:
        raise SettingError(f"{name} is shorter than {least} characters. Make one with `xiaodun keys`.")
    return value


def key_ring(name: str, meaning: str) -> dict[int, bytes]:
    """Numbered AES-256 keys, ``1:BASE64,2:BASE64``; the highest number encrypts, all decrypt."""
    return parse_key_ring(name, secret(name, meaning, least=46))


def parse_key_ring(name: str, text_: str) -> dict[int, bytes]:
    """``1:BASE64,2:BASE64`` as numbers and keys; ``name`` says in an error where it came from."""
    ring: dict[int, bytes] = {}
    for part in text_.split(","):
        number_text, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
            number_ = int(number_text)
        except (binascii.Error, ValueError):
            raise SettingError(f"{name}: each key is NUMBER:BASE64 (see `xiaodun keys`).") from None
        if len(key) != 32 or not 1 <= number_ <= 255:
            raise SettingError(f"{name}: key {number_} must have 32 bytes and a number from 1 to 255.")
        if number_ in ring:
            raise SettingError(f"{name}: the key number {number_} stands twice.")
        ring[number_] = key
    return ring
