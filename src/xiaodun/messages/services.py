"""Sending, reading and withdrawing messages. Nothing but this module sends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.kit.errors import Refusal
from xiaodun.messages import kinds
from xiaodun.messages.models import Message
from xiaodun.organisations.models import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One text to several users. ``facts`` fill the templates of ``kind`` and are stored: they name no child.

    ``sent_at``: the moment at which it counts as sent, which for a step of a ladder is the moment at which
    the step fell due.
    """

    to: tuple[User, ...]
    kind: str
    unit: Unit
    facts: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""
    subject: str = ""
    is_urgent: bool = False
    sent_at: datetime


def register_kind(*, code: str, title: kinds.Text, body: kinds.Text) -> None:
    """Declare a kind of message in ``AppConfig.ready()``; ``ValueError`` if the code is taken.

    ``title`` and ``body``: translatable templates over the facts (``%(unit)s``). A fact that has a twin with
    the ending ``_en`` shows the twin to readers of English.
    """
    kinds.add(kinds.Kind(code, title, body))


def send(
    *,
    to: Iterable[User],
    kind: str,
    unit: Unit,
    facts: Mapping[str, Any],
    url: str = "",
    subject: str = "",
    urgent: bool = False,
    at: datetime,
) -> int:
    """Tell these users, each once; returns how many. One INSERT, none for nobody."""
    draft = Draft(
        to=tuple(to),
        kind=kind,
        unit=unit,
        facts=facts,
        url=url,
        subject=subject,
        is_urgent=urgent,
        sent_at=at,
    )
    return send_each(drafts=[draft], at=at)


def send_each(*, drafts: Iterable[Draft], at: datetime) -> int:
    """Send many drafts with one bulk INSERT; returns how many messages were made.

    Nothing is dated later than ``at``. Raises ``ValueError`` for that, for an unknown kind and for a draft
    that lacks a fact that its words need.
    """
    rows = []
    for draft in drafts:
        if draft.sent_at > at:
            raise ValueError(f"A message of {draft.sent_at} cannot be sent at {at}.")
        kind = kinds.kind_of(draft.kind)
        try:
            kinds.words(kind.title, draft.facts)
            kinds.words(kind.body, draft.facts)
        except KeyError as error:
            raise ValueError(f"A message of the kind {draft.kind!r} needs the fact {error}.") from error
        for user in {user.pk: user for user in draft.to}.values():
            rows.append(
                Message(
                    recipient=user,
                    kind=draft.kind,
                    unit=draft.unit,
                    facts=dict(draft.facts),
                    url=draft.url,
                    is_urgent=draft.is_urgent,
                    subject=draft.subject,
                    sent_at=draft.sent_at,
                )
            )
    Message.objects.bulk_create(rows)
    return len(rows)


def mark_read(*, by: User, message: Message, at: datetime) -> Message:
    """The reader has seen it; the first time counts.

    Raises:
        Refusal: ``message-unknown`` (404) for a message to somebody else.
    """
    if message.recipient_id != by.pk:
        raise Refusal(
            "message-unknown",
            _("There is no such message for you."),
            status=404,
            lifts=_("Go back to your messages and choose one of the list."),
        )
    if Message.objects.filter(pk=message.pk, read_at__isnull=True).update(read_at=at):
        message.read_at = at
    return message


def mark_read_at(*, by: User, urls: Iterable[str], at: datetime) -> int:
    """The reader has opened what these addresses show: their messages that lead there are read.

    Returns how many; looks before it writes, so that a page without news costs no lock.
    """
    found = Message.objects.filter(recipient=by, read_at__isnull=True, withdrawn_at__isnull=True)
    unread = list(found.filter(url__in=list(urls)).values_list("pk", flat=True))
    return Message.objects.filter(pk__in=unread, read_at__isnull=True).update(read_at=at) if unread else 0


def mark_read_about(*, by: User, subject: str, at: datetime) -> int:
    """The reader has acted on the matter: their messages about it are read. Returns how many."""
    return Message.objects.filter(
        recipient=by, subject=subject, read_at__isnull=True, withdrawn_at__isnull=True
    ).update(read_at=at)


def mark_all_read(*, by: User, newest: int, at: datetime) -> int:
    """The reader is done with all messages up to the one with the id ``newest``, the newest that was shown.

    One that came since stays unread: nobody has seen it. Returns how many were marked.
    """
    found = Message.objects.filter(recipient=by, read_at__isnull=True, withdrawn_at__isnull=True)
    return found.filter(pk__lte=newest).update(read_at=at)


def withdraw(*, subject: str, at: datetime) -> int:
    """The matter is settled: its unread messages stay visible as withdrawn. Returns how many there were."""
    return withdraw_each(subjects=[subject], at=at)


def withdraw_each(*, subjects: Iterable[str], at: datetime) -> int:
    """As :func:`withdraw` for many matters with one UPDATE."""
    return Message.objects.filter(
        subject__in=list(subjects), read_at__isnull=True, withdrawn_at__isnull=True
    ).update(withdrawn_at=at)
