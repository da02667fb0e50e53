"""Every page × role × language × width: renders, accessible, translated, fits, big enough to touch."""

import pytest
from playwright.sync_api import Browser

from tests.access.matrix import ANONYMOUS, PAGES, ROLES
from tests.architecture.source import none
from tests.browser.conftest import Served, sign_in
from tests.browser.inspection import DESK, PHONE, Watched, Words, open_context
from tools.catalogue import apps as catalogue_apps
from xiaodun.accounts.models import User
from xiaodun.people.models import Person

pytestmark = pytest.mark.browser


def words_of(served: Served) -> Words:
    names = {*Person.objects.values_list("name", flat=True), *User.objects.values_list("name", flat=True)}
    texts = {text for app in catalogue_apps() for _context, text in app.texts if isinstance(text, str)}
    return Words(
        data=sorted(names, key=len, reverse=True),
        english=sorted(text for text in texts if "%" not in text and "{" not in text),
    )


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_of_every_role_is_sound(browser: Browser, served: Served, language: str, width: int):
    words = words_of(served)
    faults = []
    for actor in (ANONYMOUS, *ROLES):
        context = open_context(browser, base_url=served.url, language=language, width=width)
        if actor != ANONYMOUS:
            sign_in(context, served.district.users[actor], base_url=served.url)
        watched = Watched(context)
        for url, status in addresses(served, actor):
            found = watched.faults(url, language=language, width=width, words=words, status=status)
            faults += [f"{actor} {url}: {fault}" for fault in found]
        context.close()
    none(faults)


def addresses(served: Served, actor: str) -> list[tuple[str, int]]:
    """Every page that the access matrix gives to the actor, and one that does not exist."""
    pages = [
        page
        for page in PAGES
        if page.is_page and page.method == "get" and not page.is_json and page.roles.get(actor) == 200
    ]
    return [*((served.district.url(page, actor, "own"), 200) for page in pages), ("/nothing-here/", 404)]
