"""Every page × role × language × width: renders, accessible, translated, fits, big enough to touch."""

import pytest
from playwright.sync_api import Browser

from tests.access.matrix import ANONYMOUS, HEALTH, OFFICES, PAGES, TEACHER
from tests.architecture.source import none
from tests.browser.conftest import Served, sign_in
from tests.browser.inspection import Watched, Words
from tools.catalogue import apps as catalogue_apps
from tools.chromium import DESK, PHONE, open_context
from xiaodun.accounts.models import User
from xiaodun.people.models import Person
from xiaodun.people.policies import mask_name

pytestmark = pytest.mark.browser

# Pages that show other parts to other roles: opened by each of them in every combination.
DIFFER_BY_ROLE = {"desks:today"}


def words_of(served: Served) -> Words:
    persons = set(Person.objects.values_list("name", flat=True))
    names = persons | {mask_name(name) for name in persons} | set(User.objects.values_list("name", flat=True))
    texts = {text for app in catalogue_apps() for _context, text in app.texts if isinstance(text, str)}
    return Words(
        data=sorted(names, key=len, reverse=True),
        english=sorted(text for text in texts if "%" not in text and "{" not in text),
    )


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_of_every_role_is_sound(browser: Browser, served: Served, language: str, width: int):
    """On the phone in Chinese every page of every role; in the other three every page once."""
    words = words_of(served)
    once = set() if (language, width) == ("zh", PHONE) else {page.name for page in PAGES} - DIFFER_BY_ROLE
    faults, opened = [], set()
    for actor in (*reversed(HEALTH), *OFFICES, ANONYMOUS):
        context = open_context(browser, base_url=served.url, language=language, width=width)
        if actor != ANONYMOUS:
            sign_in(context, served.district.users[actor], base_url=served.url)
        watched = Watched(context)
        for page in PAGES:
            if not page.is_opened_by(actor) or page.name in once & opened:
                continue
            opened.add(page.name)
            url = served.district.url(page, actor, "own")
            found = watched.faults(url, language=language, width=width, words=words)
            faults += [f"{actor} {url}: {fault}" for fault in found]
        # A page that does not exist says so as soundly.
        if actor == TEACHER:
            found = watched.faults("/nothing-here/", language=language, width=width, words=words, status=404)
            faults += [f"{actor} /nothing-here/: {fault}" for fault in found]
        context.close()
    none(faults)
