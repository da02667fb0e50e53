"""The access matrix is complete, and every cell of it is what the server answers."""

import re
from collections import defaultdict

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.access.crawl import Answer
from tests.access.district import District, make_district
from tests.access.matrix import ACTORS, DOCTOR, PAGES, ROLES
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


def body(answer: Answer) -> str:
    """The body without what differs in every answer: request id, form tokens, and the address asked for."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "REQUEST", answer.text)
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "TOKEN", text)
    return text.replace(answer.url, "ADDRESS")


def is_never_stored(answer: Answer) -> bool:
    """Whether no browser and no proxy keeps a copy of what somebody signed in has seen."""
    return "no-store" in answer.headers.get("Cache-Control", "")


def test_every_cell_of_the_matrix_is_what_the_server_answers(walked, capsys):
    _district, _canaries, crawl = walked
    wrong: list[str] = []
    not_found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for answer in crawl.answers:
        if answer.status != answer.expected:
            wrong.append(f"{answer}: {answer.status} instead of {answer.expected}")
        if answer.status == 200 and answer.actor in ROLES and not is_never_stored(answer):
            wrong.append(f"{answer}: may be stored ({answer.headers.get('Cache-Control')})")
        if answer.status == 404:
            not_found[answer.page.name, answer.actor][answer.scope] = body(answer)
    for (name, actor), bodies in not_found.items():
        if len(set(bodies.values())) > 1:
            wrong.append(f"{name} {actor}: the bodies for {', '.join(bodies)} differ, which tells them apart")
    with capsys.disabled():
        print(
            f"\naccess matrix: {len(PAGES)} addresses, {len(ACTORS)} actors, {len(crawl.answers)} cells, "
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
