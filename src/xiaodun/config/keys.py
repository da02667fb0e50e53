"""The secrets of an installation: made once, kept outside of the database."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from pyrage import x25519

from xiaodun.config.env import SettingError


@dataclass(frozen=True, slots=True)
class Keys:
    """``secret_key`` signs sessions and forms, ``audit_key`` the audit; ``index_key`` makes encrypted numbers
    findable; ``master_keys`` encrypt.
    """

    secret_key: str
    audit_key: str
    index_key: str
    master_keys: str


def new_keys() -> Keys:
    """Fresh random keys of the full length."""
    return Keys(
        secret_key=secrets.token_urlsafe(64),
        audit_key=secrets.token_urlsafe(48),
        index_key=secrets.token_urlsafe(48),
        master_keys="1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
    )


def new_identity() -> tuple[str, str]:
    """A pair for backups: the public key, which encrypts, and the identity, which alone can decrypt."""
    identity = x25519.Identity.generate()
    return str(identity.to_public()), str(identity)


def load_or_make_identity(file: Path) -> str:
    """The public key of the identity in ``file``, made at the first call with mode 0600."""
    if not file.exists():
        public, identity = new_identity()
        with open(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as stream:
            stream.write(f"# public key: {public}\n{identity}\n")
    lines = file.read_text(encoding="utf-8").splitlines()
    return str(x25519.Identity.from_str(lines[-1]).to_public())


def load_or_make(file: Path) -> Keys:
    """The keys in ``file``, made at the first call with mode 0600; one that others may read is refused."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if file.stat().st_mode & 0o077:
            raise SettingError(f"{file.name} may be read by others. Set its mode to 0600.") from None
        try:
            return Keys(**json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            raise SettingError(
                f"{file} does not hold the keys that this version needs. It belongs to a demonstration of "
                "another version: delete its folder, and a new one is made."
            ) from None
    keys = new_keys()
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(asdict(keys), stream)
    return keys
