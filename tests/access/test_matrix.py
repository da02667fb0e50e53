"""The access matrix is complete, and every cell of it is what the server answers."""

import json
import re
from collections import defaultdict

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver

from tests.access.district import District, make_district
from tests.access.matrix import ACTORS, ANONYMOUS, DOCTOR, PAGES, ROLES, Page, cells
from tests.architecture.source import none


def patterns(resolver=None, prefix: str = "") -> list[str]:
    """The name of every address that the product answers; one without a name is a mistake and raises."""
    names = []
    for entry in (resolver or get_resolver()).url_patterns:
        if hasattr(entry, "url_patterns"):
            names += patterns(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
        else:
            assert entry.name, f"The address {entry.pattern} has no name."
            names.append(prefix + entry.name)
    return names


def test_every_address_stands_in_the_matrix_and_nothing_else_does():
    in_table = {page.name for page in PAGES}
    none([f"{name} is not in tests/access/matrix.py" for name in sorted(set(patterns()) - in_table)])
    none([f"{name} has no address" for name in sorted(in_table - set(patterns()))])


@pytest.fixture
def district(db: None) -> District:
    return make_district()


def client_of(district: District, actor: str) -> Client:
    """A client with the session or the key of this actor, from before anything changed."""
    client = Client(raise_request_exception=False)
    if actor in district.secrets:
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {district.secrets[actor]}"
    elif actor != ANONYMOUS:
        client.force_login(district.users[actor])
    return client


def ask(district: District, client: Client, page: Page, actor: str, scope: str):
    """The answer of the server to this actor, with whatever it wrote undone."""
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
    return url, answer


def body(url: str, content: bytes) -> str:
    """The body without what differs in every answer: request id, form tokens, and the address asked for."""
    text = content.decode()
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "REQUEST", text)
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "TOKEN", text)
    return text.replace(url, "ADDRESS")


def is_never_stored(answer) -> bool:
    """Whether no browser and no proxy keeps a copy of what somebody signed in has seen."""
    return "no-store" in answer.headers.get("Cache-Control", "")


@pytest.mark.django_db
def test_every_cell_of_the_matrix_is_what_the_server_answers(district: District, set_clock, capsys):
    wrong: list[str] = []
    not_found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    count = 0
    clients = {actor: client_of(district, actor) for actor in ACTORS}
    for page, actor, scope, expected in cells():
        set_clock(district.now)
        url, answer = ask(district, clients[actor], page, actor, scope)
        count += 1
        if answer.status_code != expected:
            wrong.append(f"{page.name} {actor} {scope}: {answer.status_code} instead of {expected} ({url})")
        if answer.status_code == 200 and actor in ROLES and not is_never_stored(answer):
            wrong.append(
                f"{page.name} {actor} {scope}: may be stored ({answer.headers.get('Cache-Control')})"
            )
        if answer.status_code == 404:
            not_found[page.name, actor][scope] = body(url, answer.content)
    for (name, actor), bodies in not_found.items():
        if len(set(bodies.values())) > 1:
            wrong.append(f"{name} {actor}: the bodies for {', '.join(bodies)} differ, which tells them apart")
    with capsys.disabled():
        print(
            f"\naccess matrix: {len(PAGES)} addresses, {len(ACTORS)} actors, {count} cells, "
            f"wrong={len(wrong)}"
        )
    none(wrong)


@pytest.mark.django_db
def test_every_write_of_a_page_needs_the_token_of_its_form(district: District, set_clock):
    """Else a foreign page could make the browser of somebody signed in write."""
    set_clock(district.now)
    client = Client(enforce_csrf_checks=True)
    client.force_login(district.users[DOCTOR])
    wrong = []
    for page in PAGES:
        if page.method == "get" or page.name.startswith("api:"):
            continue
        answer = client.post(district.url(page, DOCTOR, "own"), page.data)
        if answer.status_code != 403:
            wrong.append(f"{page.name}: {answer.status_code} without a token")
    none(wrong)


@pytest.mark.django_db
def test_every_address_that_writes_refuses_to_be_read(district: District, set_clock):
    """A link, a crawler or a prefetch must not write."""
    set_clock(district.now)
    client = Client()
    client.force_login(district.users[DOCTOR])
    wrong = []
    for page in PAGES:
        if page.method == "get":
            continue
        answer = client.get(district.url(page, DOCTOR, "own"))
        if answer.status_code != 405:
            wrong.append(f"{page.name}: {answer.status_code} to GET")
    none(wrong)
