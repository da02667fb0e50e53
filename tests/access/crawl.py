"""One walk over every cell of the access matrix, read by the tests of the matrix and of the canaries."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO

from django.db import transaction
from django.test import Client

from tests.access.district import District
from tests.access.matrix import ACTORS, ANONYMOUS, PHONE, TEACHER, Page, cells
from xiaodun.accounts.assurance import Assurance
from xiaodun.accounts.choices import Level
from xiaodun.kit import clock
from xiaodun.kit.logs import Formatter


@dataclass(frozen=True)
class Answer:
    """What the server answered in one cell."""

    page: Page
    actor: str
    scope: str
    expected: int
    url: str
    status: int
    headers: dict[str, str]
    text: str

    def __str__(self) -> str:
        return f"{self.page.name} {self.actor} {self.scope} ({self.url})"


@dataclass
class Crawl:
    """All answers, and what was logged meanwhile as it is written to the log."""

    answers: list[Answer] = field(default_factory=list)
    logged: str = ""


def walk(district: District, *, before: Callable[[], object] = lambda: None) -> Crawl:
    """Ask for every cell; whatever it wrote is undone. ``before``: called in front of each request."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter())
    root = logging.getLogger()
    root.addHandler(handler)
    crawl = Crawl()
    try:
        clients = {actor: client_of(district, actor) for actor in ACTORS}
        for page, actor, scope, expected in cells():
            clock.shift(district.now - datetime.now(UTC))
            before()
            crawl.answers.append(ask(district, clients[actor], page, actor, scope, expected))
    finally:
        root.removeHandler(handler)
    crawl.logged = stream.getvalue()
    return crawl


def client_of(district: District, actor: str) -> Client:
    """A client with the session or the key of this actor, from before anything changed."""
    client = Client(raise_request_exception=False)
    if actor in district.secrets:
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {district.secrets[actor]}"
    elif actor == PHONE:
        client.force_login(district.users[TEACHER])
        session = client.session
        at = clock.now()
        Assurance(Level.DEVICE, started_at=at, seen_at=at, proved_at=at).keep_in(session)
        session.save()
    elif actor != ANONYMOUS:
        client.force_login(district.users[actor])
    return client


def ask(district: District, client: Client, page: Page, actor: str, scope: str, expected: int) -> Answer:
    cookies = dict(client.cookies)
    headers = {"accept": "application/json"} if page.is_json else {"accept": "text/html"}
    send = getattr(client, page.method)
    with transaction.atomic():
        url = district.url(page, actor, scope)
        if page.method != "get" and page.is_json:
            answer = send(url, json.dumps(page.data), content_type="application/json", headers=headers)
        else:
            answer = send(url, page.data, headers=headers) if page.data else send(url, headers=headers)
        transaction.set_rollback(True)
    # The session is back in the database as well, whatever was signed out.
    client.cookies.clear()
    client.cookies.update(cookies)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = content.decode("utf-8", "replace")
    if "json" in answer.headers.get("Content-Type", ""):
        # In plain characters: JSON escapes what is not ASCII.
        text = json.dumps(json.loads(text), ensure_ascii=False)
    return Answer(
        page=page,
        actor=actor,
        scope=scope,
        expected=expected,
        url=url,
        status=answer.status_code,
        headers=dict(answer.headers),
        text=text,
    )
