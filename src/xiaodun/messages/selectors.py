"""Reads of messages: the reader's own, and what became of those about one matter."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404

from xiaodun.accounts.models import User
from xiaodun.messages.models import Message


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message about a matter: to whom, and what became of it."""

    user_id: int
    name: str
    sent_at: datetime
    read_at: datetime | None
    withdrawn_at: datetime | None


def inbox_visible_to(user: User) -> QuerySet[Message]:
    """The user's own messages, the last to arrive first, withdrawn ones included, with their units."""
    return Message.objects.filter(recipient=user).select_related("unit").order_by("-pk")


def message_visible_to(user: User, message_id: int) -> Message:
    """One message to the user; ``Http404`` alike for an unknown one and for somebody else's."""
    message = inbox_visible_to(user).filter(pk=message_id).first()
    if message is None:
        raise Http404
    return message


def unread_count(user: User) -> int:
    """How many messages wait for the user; withdrawn ones do not. One query on a partial index."""
    return Message.objects.filter(recipient=user, read_at__isnull=True, withdrawn_at__isnull=True).count()


def deliveries(subject: str) -> list[Delivery]:
    """Every message about a matter in order of sending. One query."""
    rows = Message.objects.filter(subject=subject).order_by("sent_at", "pk")
    return [
        Delivery(*row)
        for row in rows.values_list("recipient_id", "recipient__name", "sent_at", "read_at", "withdrawn_at")
    ]
