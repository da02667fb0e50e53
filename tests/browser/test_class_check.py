"""The class check on a teacher's phone: one tap, a lost network, a faster colleague, a night in between."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import sign_in
from tests.factories import Cast, ill, submit
from tools.chromium import PHONE, open_context
from xiaodun.screening.choices import FindingStatus
from xiaodun.screening.models import CheckSession, Finding

pytestmark = pytest.mark.browser

SUBMIT = "**/check/submit*"


@pytest.fixture
def morning(live_server, transactional_db, set_clock: Callable[[datetime], None]) -> Cast:
    """The cast before its first check, and the clock of the pages with it."""
    from tests.factories import make_cast

    cast = make_cast()
    set_clock(cast.at)
    return cast


@pytest.fixture
def check(browser: Browser, live_server, morning: Cast) -> Iterator[Page]:
    """The teacher's check of class_a, open on a phone in Chinese."""
    context = open_context(browser, base_url=live_server.url, language="zh", width=PHONE)
    sign_in(context, morning.teacher, base_url=live_server.url)
    page = context.new_page()
    page.goto(f"/groups/{morning.class_a.pk}/check/")
    expect(page.locator("#check-submit")).to_be_enabled()
    yield page
    context.close()


def note_ill(page: Page, name: str, symptom: str) -> None:
    """Tap a pupil, ill at home, with this symptom."""
    page.get_by_role("button", name=name).click()
    sheet = page.locator("#check-sheet")
    sheet.get_by_role("button", name="病假", exact=True).click()
    sheet.get_by_role("button", name=symptom, exact=True).click()
    sheet.locator("#sheet-save").click()


def in_force() -> set[tuple[str, str, tuple[str, ...]]]:
    """Who has which finding now: name, status, symptoms."""
    rows = Finding.objects.filter(replaced_in__isnull=True).select_related("person")
    return {(row.person.name, row.status, tuple(row.symptoms)) for row in rows}


def send_until_done(check: Page) -> None:
    """The page says that it could not tell and offers to try again, which may happen by itself meanwhile."""
    retry = check.locator("#check-errors").get_by_role("button")
    done = check.get_by_role("heading", name="晨检已交")
    expect(retry.or_(done).first).to_be_visible()
    if retry.is_visible():
        retry.click()
    expect_done(check)


def expect_done(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("晨检已交")


def test_a_healthy_class_is_sent_by_one_tap(morning, check):
    check.locator("#check-submit").click()
    expect_done(check)
    session = CheckSession.objects.get()
    assert (session.group, session.expected, session.present) == (morning.class_a, 5, 5)


def test_an_answer_lost_on_its_way_is_asked_for_again_and_counts_once(morning, check):
    def lose_the_answer(route: Route) -> None:
        route.fetch()  # the server has stored it
        route.abort("connectionreset")

    note_ill(check, morning.pupils[0].name, "发热")
    check.route(SUBMIT, lose_the_answer, times=1)
    check.locator("#check-submit").click()
    send_until_done(check)
    assert CheckSession.objects.get().version == 1
    assert in_force() == {(morning.pupils[0].name, "absent_ill", ("fever",))}


def test_a_body_cut_off_on_its_way_is_not_an_answer(morning, check):
    def cut_the_body(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text()[:9])

    check.route(SUBMIT, cut_the_body, times=1)
    check.locator("#check-submit").click()
    send_until_done(check)
    assert CheckSession.objects.get().version == 1


def test_what_waited_for_the_network_is_sent_when_it_is_back(morning, check):
    note_ill(check, morning.pupils[0].name, "发热")
    check.context.set_offline(True)
    check.locator("#check-submit").click()
    expect(check.locator("#check-errors")).to_contain_text("没有提交成功")
    assert not CheckSession.objects.exists()
    check.context.set_offline(False)
    expect_done(check)
    assert CheckSession.objects.count() == 1
    assert in_force() == {(morning.pupils[0].name, "absent_ill", ("fever",))}


def test_signed_out_for_a_while_sends_the_same_attempt(morning, check, live_server):
    sent: list[dict] = []
    check.on("request", lambda request: request.method == "POST" and sent.append(request.post_data_json))
    cookies = check.context.cookies()
    check.context.clear_cookies(name="sessionid")
    check.locator("#check-submit").click()
    expect(check.locator("#check-errors")).to_be_visible()
    check.context.add_cookies(cookies)
    check.locator("#check-errors").get_by_role("button").click()
    expect_done(check)
    first, second = sent
    assert (first["client_id"], first["tapped_at"]) == (second["client_id"], second["tapped_at"])


def test_where_a_colleague_was_faster_both_entries_meet_in_a_correction(morning, check):
    ours, theirs, both, *_ = morning.pupils
    note_ill(check, ours.name, "发热")
    note_ill(check, both.name, "咳嗽")
    submit(
        morning.class_a,
        ill(theirs, "rash"),
        ill(both, "vomiting"),
        by=morning.grade_lead,
        at=morning.at,
    )
    check.locator("#check-submit").click()
    bar = check.locator("#check-errors")
    expect(bar).to_contain_text("您点的内容都还在")
    expect(bar).to_contain_text(morning.grade_lead.name)
    # Only what differs is named: the colleague's own entry is taken over.
    expect(bar.get_by_role("listitem")).to_have_count(2)
    expect(bar.get_by_role("listitem").nth(1)).to_contain_text("呕吐")
    expect(check.get_by_role("button", name=theirs.name)).to_contain_text("病假")
    assert CheckSession.objects.get().version == 1

    check.locator("#check-submit").click()
    expect_done(check)
    assert CheckSession.objects.get().version == 2
    assert in_force() == {
        (ours.name, FindingStatus.ABSENT_ILL, ("fever",)),
        (theirs.name, FindingStatus.ABSENT_ILL, ("rash",)),
        (both.name, FindingStatus.ABSENT_ILL, ("cough",)),
    }


def test_the_first_day_of_an_illness_can_be_typed(morning, check):
    name = morning.pupils[0].name
    check.get_by_role("button", name=name).click()
    sheet = check.locator("#check-sheet")
    sheet.get_by_role("button", name="病假", exact=True).click()
    sheet.get_by_role("button", name="其他日期", exact=True).click()
    field = sheet.locator("input[type=date]")
    expect(field).to_be_focused()
    assert (field.get_attribute("min"), field.get_attribute("max")) == ("2019-12-17", "2020-12-16")
    # Chromium's field follows the browser's own language, English here: month, day, year.
    check.keyboard.type("12072020")
    expect(field).to_be_focused()
    check.keyboard.press("Enter")
    expect(field).to_have_value("2020-12-07")
    # What lies outside the range is not taken over.
    field.fill("2021-01-05")
    field.blur()
    expect(field).to_have_value("2020-12-07")
    sheet.locator("#sheet-save").click()
    check.locator("#check-submit").click()
    expect_done(check)
    assert Finding.objects.get().onset.isoformat() == "2020-12-07"


def wake_next_morning(page: Page, set_clock: Callable[[datetime], None], at: datetime) -> None:
    """The phone is taken up again a day later, by its own clock and by the server's."""
    tomorrow = page.evaluate("Date.now()") / 1000 + 86400
    page.clock.set_fixed_time(tomorrow)
    set_clock(at + timedelta(days=1))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_page_left_open_overnight_goes_on_to_today(morning, check, set_clock):
    expect(check.locator("#check-sub")).to_contain_text("16")
    wake_next_morning(check, set_clock, morning.at)
    expect(check.locator("#check-sub")).to_contain_text("17")


def test_what_was_tapped_overnight_is_not_dropped_unasked(morning, check, set_clock):
    note_ill(check, morning.pupils[0].name, "发热")
    wake_next_morning(check, set_clock, morning.at)
    bar = check.locator("#check-errors")
    expect(bar).to_contain_text("新的一天")
    expect(check.get_by_role("button", name=morning.pupils[0].name)).to_contain_text("病假")
    bar.get_by_role("button").click()
    expect(check.locator("#check-sub")).to_contain_text("17")
    expect(check.locator("#check-submit")).to_contain_text("全部正常")
