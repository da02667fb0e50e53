"""Passkeys (WebAuthn): the browser's or phone's own key answers a challenge of this server.

The name of the server, without port, is the relying party: a passkey works under no other name, which is what
makes it proof against copied sign-in pages. The answers come from a browser and are hostile until verified.
"""

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

Json = dict[str, Any]
# What reading and verifying a hostile answer raises.
_BAD = (ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error)


class BadPasskeyError(Exception):
    """The answer of the browser does not fit the challenge, the server or any known key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified answer: which of the secrets gave it, and how often its key has signed."""

    secret: str
    counter: int


def works_at(host: str) -> bool:
    """Whether browsers offer passkeys under this name: not for a bare address."""
    name = _name(host)
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return True
    return False


def begin_registration(
    host: str, site: str, *, user_id: int, username: str, name: str, known: Iterable[str]
) -> tuple[Json, Json]:
    """What the browser is asked, and what to keep until it answers."""
    options, state = _server(host, site).register_begin(
        PublicKeyCredentialUserEntity(id=str(user_id).encode(), name=username, display_name=name),
        [_credential(secret) for secret in known],
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return dict(options), state


def finish_registration(host: str, site: str, state: Json, answer: str) -> Answer:
    """The key that the browser made, as the secret to keep."""
    try:
        made = _server(host, site).register_complete(state, json.loads(answer))
    except _BAD as error:
        raise BadPasskeyError from error
    assert made.credential_data is not None
    return Answer(websafe_encode(bytes(made.credential_data)), made.counter)


def begin_proof(host: str, site: str, *, known: Iterable[str]) -> tuple[Json, Json]:
    """What the browser is asked, and what to keep until it answers."""
    options, state = _server(host, site).authenticate_begin(
        [_credential(secret) for secret in known],
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return dict(options), state


def finish_proof(host: str, site: str, state: Json, answer: str, *, known: Iterable[str]) -> Answer:
    """Which of the ``known`` secrets answered."""
    secrets = {_credential(secret).credential_id: secret for secret in known}
    try:
        response = AuthenticationResponse.from_dict(json.loads(answer))
        credentials = [_credential(secret) for secret in secrets.values()]
        used = _server(host, site).authenticate_complete(state, credentials, response)
    except _BAD as error:
        raise BadPasskeyError from error
    return Answer(secrets[used.credential_id], response.response.authenticator_data.counter)


def _server(host: str, site: str) -> Fido2Server:
    return Fido2Server(PublicKeyCredentialRpEntity(id=_name(host), name=site))


def _credential(secret: str) -> AttestedCredentialData:
    return AttestedCredentialData(websafe_decode(secret))


def _name(host: str) -> str:
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
