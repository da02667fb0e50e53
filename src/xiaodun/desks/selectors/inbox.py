"""Messages to one reader."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.accounts.models import User
from xiaodun.messages.models import Message
from xiaodun.messages.selectors import inbox_visible_to

PAGE = 50


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Messages, newest first; ``next_url`` leads to older ones by key."""

    title: str
    messages: list[Message]
    next_url: str


def inbox_page(user: User, *, before: str) -> InboxPage:
    """One page of the reader's messages; ``before`` is the id of the last one seen."""
    found = inbox_visible_to(user)
    if before.isdigit():
        found = found.filter(pk__lt=int(before))
    shown = list(found.order_by("-pk")[: PAGE + 1])
    next_url = f"{reverse('desks:inbox')}?before={shown[PAGE - 1].pk}" if len(shown) > PAGE else ""
    return InboxPage(title=_("Messages"), messages=shown[:PAGE], next_url=next_url)
