"""Messages to one reader."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.desks.selectors.keys import key_in
from xiaodun.kit import clock
from xiaodun.messages.models import Message
from xiaodun.messages.selectors import inbox_visible_to, unread_count
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import ancestors_of

PAGE = 50
# Messages of this many days stand open, older ones fold.
RECENT_DAYS = 3


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Messages, newest first, those of the last days apart; ``next_url`` leads to older ones by key."""

    title: str
    recent: list[Message]
    older: list[Message]
    older_unread: int
    days: int
    may_read_all: bool
    # The id of the newest message shown: what comes later is not read by "read all".
    newest: int
    is_first: bool
    next_url: str


def inbox_page(user: User, *, before: str, at: datetime) -> InboxPage:
    """One page of the reader's messages; ``before`` is the id of the last one seen."""
    found = inbox_visible_to(user)
    key = key_in(before)
    if key is not None:
        found = found.filter(pk__lt=key)
    shown = list(found.order_by("-pk")[: PAGE + 1])
    next_url = f"{reverse('desks:inbox')}?before={shown[PAGE - 1].pk}" if len(shown) > PAGE else ""
    since = clock.local_span(clock.local_day(at) - timedelta(days=RECENT_DAYS - 1))[0]
    recent = [message for message in shown[:PAGE] if message.sent_at >= since]
    older = [message for message in shown[:PAGE] if message.sent_at < since]
    return InboxPage(
        title=_("Messages"),
        recent=recent,
        older=older,
        older_unread=sum(message.is_unread for message in older),
        days=RECENT_DAYS,
        may_read_all=unread_count(user) > 0 and bool(shown),
        newest=shown[0].pk if shown else 0,
        is_first=key is None,
        next_url=next_url,
    )


def message_target(message: Message, scope: Scope) -> str:
    """Where a message leads its reader.

    A missing check leads whoever is told of it without submitting for the group themselves (grade lead,
    principal, district) to the institution's page, or to the grade's for whoever sees only the grade.
    """
    inbox = reverse("desks:inbox")
    group = _group_to_check(message.url)
    if group is None or scope.may(Right.SUBMIT_CHECK, group):
        return message.url or inbox
    pages = [
        unit
        for unit in ancestors_of([group])[group.pk]
        if unit.kind in {UnitKind.INSTITUTION, UnitKind.GRADE}
        and (scope.may(Right.SEE_COUNTS, unit) or scope.may(Right.SEE_CHILDREN, unit))
    ]
    if not pages:
        return inbox
    query = urlsplit(message.url).query
    return reverse("desks:institution", args=[pages[0].pk]) + (f"?{query}" if query else "")


def _group_to_check(url: str) -> Unit | None:
    """The group whose class page the address opens; none for any other page."""
    try:
        match = resolve(urlsplit(url).path)
    except Resolver404:
        return None
    if match.view_name != "desks:class_check":
        return None
    group: Unit | None = Unit.objects.filter(pk=match.kwargs["group_id"]).first()
    return group
