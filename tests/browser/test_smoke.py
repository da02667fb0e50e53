"""Every page × role × language × width: renders, accessible, translated, fits, big enough to touch."""

import pytest
from playwright.sync_api import Browser

from tests.access.matrix import ANONYMOUS, PAGES, ROLES
from tests.architecture.source import none
from tests.browser.conftest import Served, sign_in
from tests.browser.inspection import DESK, PHONE, Watched, Words, open_context
from tools.catalogue import apps as catalogue_apps

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def words(served: Served) -> Words:
    from xiaodun.accounts.models import User
    from xiaodun.people.models import Person

    names = {*Person.objects.values_list("name", flat=True), *User.objects.values_list("name", flat=True)}
    texts = {text for app in catalogue_apps() for _context, text in app.texts if isinstance(text, str)}
    return Words(
        data=sorted(names, key=len, reverse=True),
        english=sorted(text for text in texts if "%" not in text and "{" not in text),
    )


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("actor", [ANONYMOUS, *ROLES])
def test_every_page_of_the_role_is_sound(
    browser: Browser, served: Served, words: Words, actor: str, language: str, width: int
):
    context = open_context(browser, base_url=served.url, language=language, width=width)
    if actor != ANONYMOUS:
        sign_in(context, served.district.users[actor], base_url=served.url)
    watched = Watched(context)
    pages = [page for page in PAGES if page.is_page and not page.is_json and page.roles.get(actor) == 200]
    opened = [(served.district.url(page, actor, "own"), 200) for page in pages if page.method == "get"]
    opened.append(("/nothing-here/", 404))
    faults = []
    for url, status in opened:
        found = watched.faults(url, language=language, width=width, words=words, status=status)
        faults += [f"{url}: {fault}" for fault in found]
    context.close()
    none(faults)
