"""The main job in Chromium, on a phone and in Chinese: from a teacher's tap to a decision and to the rows."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in
from tests.factories import Cast, ill, settle, submit
from tools.chromium import PHONE, open_context
from xiaodun.accounts.models import User
from xiaodun.kit import clock
from xiaodun.kit.clock import local_moment
from xiaodun.screening.models import CheckSession
from xiaodun.surveillance.models import Signal

pytestmark = pytest.mark.browser


@pytest.fixture
def opens(
    browser: Browser, live_server, transactional_db, set_clock: Callable[[datetime], None]
) -> Callable[[User], Page]:
    """``opens(user)``: a phone in Chinese, signed in as this user, on the first page of the day."""
    contexts = []

    def for_user(user: User) -> Page:
        context = open_context(browser, base_url=live_server.url, language="zh", width=PHONE)
        contexts.append(context)
        sign_in(context, user, base_url=live_server.url)
        page = context.new_page()
        page.goto("/")
        return page

    yield for_user
    for context in contexts:
        context.close()


@pytest.fixture
def morning(transactional_db, set_clock: Callable[[datetime], None]) -> Cast:
    """The cast before its first check, and the clock of the pages with it."""
    from tests.factories import make_cast

    cast = make_cast()
    set_clock(cast.at)
    return cast


def note_ill(page: Page, name: str, symptom: str) -> None:
    """Tap a pupil, ill at home, with this symptom."""
    page.get_by_role("button", name=name).click()
    sheet = page.locator("#check-sheet")
    sheet.get_by_role("button", name="病假", exact=True).click()
    sheet.get_by_role("button", name=symptom, exact=True).click()
    sheet.locator("#sheet-save").click()


def test_a_healthy_class_is_one_tap_after_opening(morning, opens):
    page = opens(morning.teacher)
    page.locator(".x-dock").get_by_role("link", name="去晨检").click()
    page.get_by_role("button", name="提交：5 人全部正常").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("晨检已交")
    expect(page.get_by_text("5 人正常，零报告已交")).to_be_visible()
    session = CheckSession.objects.get()
    assert (session.group, session.expected, session.present) == (morning.class_a, 5, 5)


def test_from_the_third_similar_case_to_the_decision(morning, opens):
    first, second, third, *_ = morning.pupils
    teacher = opens(morning.teacher)
    teacher.locator(".x-dock").get_by_role("link", name="去晨检").click()
    for person in (first, second, third):
        note_ill(teacher, person.name, "呕吐")
    teacher.get_by_role("button", name="提交：2 人正常，3 人有情况").click()
    expect(teacher.get_by_role("heading", level=1)).to_have_text("晨检已交")
    settle(at=clock.now())
    teacher.reload()
    expect(teacher.get_by_text("本班有聚集信号")).to_be_visible()
    signal = Signal.objects.get(unit=morning.class_a)

    for user in (morning.principal, morning.officer):
        page = opens(user)
        page.get_by_role("link", name="三(1)班 · 呕吐、腹泻 · 3 例").first.click()
        expect(page.locator(".x-strip-now")).to_contain_text("剩 23 小时")
        expect(page.get_by_text("姓名和症状已遮盖")).to_be_visible()
        expect(page.get_by_role("rowheader", name=first.name)).to_have_count(0)

    doctor = opens(morning.doctor)
    doctor.locator(".x-dock").get_by_role("link", name="看信号").click()
    expect(doctor.get_by_role("rowheader", name=first.name)).to_be_visible()
    doctor.get_by_role("button", name="签收").click()
    expect(doctor.locator("#decision")).to_contain_text("李校医 07:42 签收，当时 3 例")
    # Ruling out without a reason leads to the field; nothing chosen is lost.
    doctor.get_by_role("radio", name="排除").check()
    doctor.get_by_role("button", name="提交判定").click()
    doctor.locator(".x-errors").get_by_role("link").click()
    expect(doctor.get_by_label("原因", exact=True)).to_be_focused()
    expect(doctor.get_by_role("radio", name="排除")).to_be_checked()
    doctor.keyboard.type("前一晚同在校外就餐")
    doctor.get_by_role("button", name="提交判定").click()
    expect(doctor.locator("#decision")).to_contain_text("前一晚同在校外就餐")
    signal.refresh_from_db()
    assert (signal.state, signal.decided_by) == (Signal.State.RULED_OUT, morning.doctor)


def test_the_number_on_the_board_opens_to_its_rows(morning, opens):
    submit(morning.class_a, ill(morning.pupils[0], "fever"), by=morning.teacher, at=morning.at)
    settle(at=morning.at + timedelta(seconds=1))
    page = opens(morning.officer)
    page.get_by_role("navigation", name="底部导航").get_by_role("link", name="看板").click()
    card = page.get_by_role("row").filter(has_text="育才小学")
    card.get_by_role("link", name="病 1").click()
    expect(page.locator(".x-opened-number")).to_contain_text("1")
    expect(page.get_by_text("与明细核对一致")).to_be_visible()
    expect(page.get_by_role("cell", name="三(1)班")).to_be_visible()
    expect(page.get_by_text(morning.pupils[0].name)).to_have_count(0)


def test_a_missing_class_is_found_from_the_principals_first_page(morning, opens, set_clock):
    set_clock(local_moment(morning.day, time(9, 0)))
    page = opens(morning.principal)
    expect(page.get_by_role("heading", name="过时未交")).to_be_visible()
    page.locator(".x-bottomnav").get_by_role("link", name="本校").click()
    expect(page.get_by_role("heading", name="今日未完成")).to_be_visible()
    # The heat table opens at the latest day: its last column is in view.
    assert page.locator(".x-heat tbody .x-heat-check").first.bounding_box()["x"] < PHONE


def test_the_doctor_works_from_the_list_to_one_childs_thread(morning, opens):
    submit(morning.class_a, ill(morning.pupils[0], "fever"), by=morning.teacher, at=morning.at)
    settle(at=morning.at + timedelta(seconds=1))
    page = opens(morning.doctor)
    page.locator(".x-bottomnav").get_by_role("link", name="病例档案").click()
    page.get_by_role("link", name=morning.pupils[0].name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(morning.pupils[0].name)
    expect(page.get_by_text("晨检 · 病假")).to_be_visible()
