"""A desk that refreshes itself: it shows the new, moves nothing under a reader, says when it is old."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served, sign_in
from tests.factories import ill, settle, submit
from tools.chromium import DESK, open_context
from xiaodun.kit import clock
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import WAITING

pytestmark = pytest.mark.browser

# What the 30 seconds of the timer do, without waiting for them.
REFRESH = "document.querySelector('[data-live]').dispatchEvent(new Event('refresh'))"


@pytest.fixture
def desk(browser, served: Served) -> Page:
    """The district's Today in English at a desk; signals wait."""
    context = open_context(browser, base_url=served.url, language="en", width=DESK)
    sign_in(context, served.district.users["district_officer"], base_url=served.url)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/today/")
    yield page
    context.close()
    assert faults == []


def one_more(served: Served) -> Signal:
    """Class 4(2), which nobody has checked yet, has three children ill."""
    cast = served.district.cast
    room = cast.class_d
    findings = [ill(person, "rash") for person in cast.members[room.pk][:3]]
    submit(room, *findings, by=cast.doctor, at=clock.now())
    settle(at=clock.now())
    return Signal.objects.get(unit=room)


def refresh(page: Page) -> None:
    with page.expect_response("**/today/"):
        page.evaluate(REFRESH)


def test_a_new_signal_appears_by_itself_and_is_said_aloud(desk, served):
    desk.wait_for_function("window.htmx")
    region = desk.locator("[data-live]")
    before = region.get_attribute("data-news")
    signal = one_more(served)
    refresh(desk)
    expect(desk.locator(f"main a[href='/signals/{signal.pk}/']").first).to_be_visible()
    after = region.get_attribute("data-news")
    assert after != before
    expect(desk.locator("#live-news")).to_have_text(after)
    own = served.district.cast.district.path
    waiting = Signal.objects.filter(state__in=WAITING, unit__path__startswith=own)
    expect(desk.locator("#top-nav .x-count").first).to_contain_text(str(waiting.count()))
    expect(desk.locator("#live-bar")).to_be_hidden()
    # The region that came refreshes itself as well.
    refresh(desk)


def test_nothing_moves_while_the_keyboard_is_on_the_list(desk, served):
    desk.wait_for_function("window.htmx")
    link = desk.locator("main a").first
    desk.keyboard.press("Tab")
    link.focus()
    signal = one_more(served)
    desk.evaluate(REFRESH)
    desk.wait_for_timeout(300)
    expect(desk.locator(f"main a[href='/signals/{signal.pk}/']")).to_have_count(0)
    expect(link).to_be_focused()
    link.blur()
    refresh(desk)
    expect(desk.locator(f"main a[href='/signals/{signal.pk}/']").first).to_be_visible()


def test_a_hidden_tab_asks_for_nothing_and_catches_up_when_seen(desk, served):
    desk.wait_for_function("window.htmx")
    asked: list[str] = []
    desk.on("request", lambda request: asked.append(request.url))
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
    desk.evaluate(hide % "true")
    desk.evaluate(REFRESH)
    desk.wait_for_timeout(300)
    assert asked == []
    desk.evaluate(hide % "false")
    refresh(desk)


def test_without_an_answer_the_page_says_since_when_it_is_old_and_recovers(desk, served):
    desk.wait_for_function("window.htmx")
    shown = desk.locator("[data-live]").get_attribute("data-at")
    desk.context.set_offline(True)
    desk.evaluate(REFRESH)
    expect(desk.locator("#live-bar")).to_contain_text(f"Not refreshed since {shown}")
    desk.context.set_offline(False)
    refresh(desk)
    expect(desk.locator("#live-bar")).to_be_hidden()


def test_whoever_was_signed_out_is_told_and_keeps_the_page(desk, served):
    desk.wait_for_function("window.htmx")
    desk.context.clear_cookies()
    desk.evaluate(REFRESH)
    expect(desk.locator("#live-bar")).to_contain_text("you are signed out")
    expect(desk.get_by_role("heading", name="To decide now")).to_be_visible()
