"""Asking a vendor's server. What it answers is hostile until it has been looked at."""

import json
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

_SECONDS = 10.0
_LONGEST_ANSWER = 64 * 1024
_LONGEST_ID = 128


class VendorError(Exception):
    """The vendor did not answer, or answered something else than documented. Holds none of what it said."""


def ask(
    method: str,
    address: str,
    *,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The JSON object with which the server at ``address`` answers.

    Only servers of ``settings.SIGN_IN_VENDORS`` are asked; no redirect is followed; the whole answer must be
    here within ten seconds.
    """
    parts = urlsplit(address)
    if f"{parts.scheme}://{parts.netloc}" not in settings.SIGN_IN_VENDORS:
        raise VendorError("not on the list of servers that may be asked")
    deadline = time.monotonic() + _SECONDS
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=_SECONDS)
    try:
        sent = None if body is None else json.dumps(body).encode()
        connection.request(
            method,
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            sent,
            {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})},
        )
        response = connection.getresponse()
        if response.status != 200:
            raise VendorError(f"status {response.status}")
        received = b""
        while chunk := response.read1(8192):
            received += chunk
            # A server that sends a byte now and then would hold this process for as long as it likes.
            if len(received) > _LONGEST_ANSWER or time.monotonic() > deadline:
                raise VendorError("an answer too long or too slow")
        answer = json.loads(received)
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise VendorError(type(error).__name__) from None
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise VendorError("no object")
    return answer


def text_of(answer: Mapping[str, Any], name: str) -> str:
    """A short text of the answer that must be there."""
    value = answer.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ANSWER:
        raise VendorError(f"no {name}")
    return value


def id_of(answer: Mapping[str, Any], name: str) -> str:
    """The id of a person in the answer."""
    value = text_of(answer, name)
    if len(value) > _LONGEST_ID or not value.isprintable():
        raise VendorError(f"no {name}")
    return value
