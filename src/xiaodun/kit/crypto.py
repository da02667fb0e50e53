"""Authenticated encryption under the installation's master keys (AES-256-GCM, NIST SP 800-38D).

A ciphertext is ``key number (1 byte) | nonce (12 bytes) | ciphertext and tag``. The highest key number
encrypts, every configured key decrypts, so that keys rotate without a flag day. The ``context`` binds a
ciphertext to its place: moved elsewhere it does not open.

A blind index is what equal values have in common without saying what they are: HMAC-SHA-256 under a key of
its own. It finds a number that is known in full and no part of one.
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE = 12


class UnreadableError(Exception):
    """A ciphertext does not open: altered, moved, or its key is no longer configured."""


def encrypt(clear: bytes, *, context: str) -> bytes:
    """Encrypt under the newest master key."""
    number = max(settings.MASTER_KEYS)
    return bytes([number]) + encrypt_with(settings.MASTER_KEYS[number], clear, context=context)


def decrypt(stored: bytes, *, context: str) -> bytes:
    """Open what ``encrypt`` made with the same context; raises ``UnreadableError``."""
    if not stored or stored[0] not in settings.MASTER_KEYS:
        raise UnreadableError(
            f"{context}: no master key number {stored[0] if stored else 'at all'} is configured."
        )
    return decrypt_with(settings.MASTER_KEYS[stored[0]], stored[1:], context=context)


def encrypt_with(key: bytes, clear: bytes, *, context: str) -> bytes:
    """Encrypt under a given 32-byte key: ``nonce | ciphertext and tag``."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, clear, context.encode())


def decrypt_with(key: bytes, stored: bytes, *, context: str) -> bytes:
    """Open what ``encrypt_with`` made with the same key and context; raises ``UnreadableError``."""
    try:
        return AESGCM(key).decrypt(stored[:_NONCE], stored[_NONCE:], context.encode())
    except (InvalidTag, ValueError):
        raise UnreadableError(
            f"{context}: the ciphertext was altered or moved, or the key is another."
        ) from None


def blind_index(value: str, *, context: str) -> str:
    """The index of ``value`` within ``context``; the caller writes equal values equally."""
    return hmac.new(settings.INDEX_KEY, f"{context}\n{value}".encode(), hashlib.sha256).hexdigest()
