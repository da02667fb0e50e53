"""Readers of pages: a moment at which they look, clients signed in as them, and what a page says."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.markup import Element, parse
from xiaodun.accounts.models import User
from xiaodun.kit import clock, outbox
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Person


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Pages opened within read this moment from the clock (which goes on from there)."""
    clock.shift(moment - datetime.now(UTC))
    try:
        yield
    finally:
        clock.shift(timedelta(0))


def sign_in(user: User, language: str = "zh-hans") -> Client:
    """A client of this user who prefers this language."""
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def words(response: HttpResponse) -> str:
    """All that the page says between ``main`` and its end, in one line."""
    return squeezed(found(response, "main"))


def squeezed(element: Element) -> str:
    """The texts of an element and all below it, with one space between."""
    return " ".join(" ".join(_texts(element)).split())


def _texts(element: Element) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, str):
            yield child
        else:
            yield from _texts(child)


def found(response: HttpResponse, tag: str) -> Element:
    """The first element of this tag."""
    return next(each for each in parse(response.content.decode()).walk() if each.tag == tag)


def all_of(response: HttpResponse, css: str) -> list[Element]:
    """The elements of this class, in order."""
    return [each for each in parse(response.content.decode()).walk() if css in each.classes]


def links(response: HttpResponse, start: str = "") -> list[str]:
    """The addresses that the page leads to, in order."""
    targets = [
        each.attributes.get("href", "") for each in parse(response.content.decode()).walk() if each.tag == "a"
    ]
    return [target for target in targets if target.startswith(start)]


def tap(
    client: Client,
    group: Unit,
    findings: Mapping[Person, list[str]] | None = None,
    *,
    session: int | None = None,
    base_version: int = 0,
) -> str:
    """Send the class page as its script does, let the worker run, return the address that it leads to."""
    now = clock.now()
    body: dict[str, Any] = {
        "client_id": str(uuid4()),
        "day": clock.local_day(now).isoformat(),
        "tapped_at": now.isoformat(),
        "clock_offset_ms": 0,
        "base_version": base_version,
        "findings": [
            {"person": person.pk, "status": "absent_ill", "symptoms": symptoms, "onset": None}
            for person, symptoms in (findings or {}).items()
        ],
    }
    url = (
        reverse("desks:class_submit", args=[group.pk])
        if session is None
        else reverse("desks:check_correct", args=[session])
    )
    answer = client.post(url, data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 201, answer.content
    outbox.drain(now=clock.now())
    next_url: str = answer.json()["next"]
    return next_url
