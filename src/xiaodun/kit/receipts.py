"""The first answer to a client's write, so that a repeat over a bad network is never a second write.

The client makes a UUID for each record. The service asks ``first_answer`` before it writes and calls
``keep_answer`` in the same transaction; whoever loses a race rolls back whole and asks again.
"""

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection
from django.utils.translation import gettext_lazy as _

from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import Receipt


class AlreadyAnswered(Exception):  # noqa: N818  (an outcome of a race, not a fault)
    """Another request with this id committed first. Leave the transaction, then ask ``first_answer``."""


def _digest(payload: dict[str, Any]) -> str:
    canonical = json.dumps(
        payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, cls=DjangoJSONEncoder
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def first_answer(*, source: str, client_id: UUID, payload: dict[str, Any]) -> dict[str, Any] | None:
    """The answer given before to the same id and payload, or None (one SELECT).

    Raises a ``Refusal`` with code ``receipt-mismatch`` and status 422 if the id was used with another
    payload.
    """
    receipt = Receipt.objects.filter(source=source, client_id=client_id).first()
    if receipt is None:
        return None
    if receipt.payload_hash != _digest(payload):
        raise Refusal(
            "receipt-mismatch",
            _("This record id was used before with other content."),
            status=422,
            facts={"source": source, "client_id": str(client_id), "first_received": receipt.at},
            lifts=_("Send the changed record under a new id, or as a correction of the first one."),
        )
    return dict(receipt.answer)


def keep_answer(
    *, source: str, client_id: UUID, payload: dict[str, Any], answer: dict[str, Any], at: datetime
) -> None:
    """Keep the answer in the caller's transaction (one INSERT, no savepoint).

    Raises ``AlreadyAnswered`` if the id was answered meanwhile; the transaction is then lost, as it should
    be.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("keep_answer() belongs into the transaction of the write that it answers.")
    try:
        Receipt(source=source, client_id=client_id, payload_hash=_digest(payload), answer=answer, at=at).save(
            force_insert=True
        )
    except IntegrityError:
        raise AlreadyAnswered(f"{source} {client_id}") from None
