"""From paper to a phone, in Chromium and in Chinese: slips of staff, tablets of gates, links of families."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from tests.architecture.source import none
from tests.browser.conftest import sign_in
from tests.browser.inspection import Watched, Words
from tests.factories import Cast, make_cast
from tools.chromium import PHONE, open_context
from xiaodun.accounts import cookies
from xiaodun.accounts.models import User
from xiaodun.accounts.selectors import slip_of
from xiaodun.accounts.services.devices import enrol_device
from xiaodun.accounts.services.gate import announce_tablet, begin_shift, enrol_tablet, set_guard_pin
from xiaodun.accounts.services.slips import issue_slips
from xiaodun.families.models import FamilyPhone
from xiaodun.families.services import acknowledge, issue_links
from xiaodun.organisations.services import set_phone
from xiaodun.people.policies import mask_name
from xiaodun.people.services.guardians import GuardianValues, set_guardians
from xiaodun.screening.models import CheckSession

pytestmark = pytest.mark.browser

PASSWORD, PIN = "vierzehn Pferde", "738205"


@pytest.fixture
def morning(transactional_db, set_clock: Callable[[datetime], None]) -> Cast:
    cast = make_cast()
    set_clock(cast.at)
    return cast


@pytest.fixture
def phones(browser: Browser, live_server) -> Callable[..., Page]:
    """``phones()``: a phone in Chinese with nobody signed in; ``phones(user)``: with this user."""
    contexts = []

    def opened(user: User | None = None) -> Page:
        context = open_context(browser, base_url=live_server.url, language="zh", width=PHONE)
        contexts.append(context)
        if user is not None:
            sign_in(context, user, base_url=live_server.url)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


def print_slip(office: Page, name: str) -> str:
    office.goto("/staff/")
    office.get_by_role("button", name=f"打印激活单 {name}").click()
    office.locator("dialog[open]").get_by_role("button", name="打印激活单").click()
    expect(office.locator(".x-qr")).to_have_count(1)
    return office.locator("p.x-slip-code").inner_text()


def test_from_the_slip_to_the_next_mornings_check_by_pin_until_the_office_takes_the_phone_back(
    morning, phones, set_clock
):
    office, phone = phones(morning.clerk), phones()
    code = print_slip(office, morning.teacher.name)
    phone.goto(f"/activate/#{code}")
    expect(phone.get_by_label("激活单上的激活码")).to_have_value(code)
    assert code not in phone.url
    phone.get_by_role("button", name="下一步").click()
    expect(phone.locator("main")).to_contain_text("赵老师")
    phone.get_by_label("新密码", exact=True).fill(PASSWORD)
    phone.get_by_label("再次输入新密码").fill(PASSWORD)
    phone.get_by_role("button", name="确认密码").click()
    phone.get_by_role("link", name="登录", exact=True).click()
    phone.get_by_label("工号或手机号").fill("teacher")
    phone.get_by_label("密码", exact=True).fill(PASSWORD)
    phone.locator("form").filter(has=phone.get_by_label("工号或手机号")).get_by_role(
        "button", name="登录", exact=True
    ).click()
    phone.get_by_role("link", name="我的手机").click()
    phone.get_by_label("新数字密码", exact=True).fill(PIN)
    phone.get_by_label("再次输入新数字密码").fill(PIN)
    phone.get_by_role("button", name="登记", exact=True).click()
    expect(phone.locator("main")).to_contain_text("本机")

    set_clock(morning.at + timedelta(days=1))
    phone.goto("/")
    expect(phone.get_by_role("heading", level=1)).to_have_text("用数字密码打开")
    phone.get_by_label("数字密码", exact=True).fill(PIN)
    phone.get_by_role("button", name="打开晨检").click()
    phone.get_by_role("button", name="提交：5 人全部正常").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("晨检已交")
    assert CheckSession.objects.get().submitted_by == morning.teacher
    # Anything else asks for the password.
    phone.goto("/today/")
    expect(phone.get_by_role("heading", level=1)).to_have_text("登录")

    office.goto("/staff/")
    office.get_by_role("link", name="手机和门岗平板").click()
    office.get_by_role("button", name="收回 赵老师").click()
    office.locator("dialog[open]").get_by_role("button", name="收回", exact=True).click()
    expect(office.get_by_text("还没有登记手机")).to_be_visible()
    phone.goto("/")
    expect(phone.get_by_role("heading", level=1)).to_have_text("登录")


def test_a_guard_begins_the_shift_at_the_tablet_and_ends_it(morning, phones):
    office, tablet = phones(morning.clerk), phones()
    office.goto(reverse("accounts:equipment", args=[morning.school.pk]))
    office.get_by_label("新平板放在哪个门").fill("东门")
    office.get_by_role("button", name="生成启用码").click()
    code = office.locator("p.x-slip-code").inner_text()
    tablet.goto("/gate/")
    tablet.get_by_label("激活单上的激活码").fill(code)
    tablet.get_by_role("button", name="启用").click()
    expect(tablet.get_by_role("heading", level=1)).to_have_text("门岗：东门")
    slip = print_slip(office, morning.guard.name)
    tablet.get_by_role("link", name="第一次使用，或忘记了数字密码").click()
    tablet.get_by_label("激活单上的激活码").fill(slip)
    tablet.get_by_label("新数字密码", exact=True).fill(PIN)
    tablet.get_by_label("再次输入新数字密码").fill(PIN)
    tablet.get_by_role("button", name="确认数字密码").click()
    tablet.get_by_role("radio", name=morning.guard.name).check()
    tablet.get_by_label("数字密码", exact=True).fill(PIN)
    tablet.get_by_role("button", name="开始值班").click()
    expect(tablet.locator(".x-duty")).to_have_text(morning.guard.name)
    tablet.get_by_role("button", name="结束值班").click()
    tablet.locator("dialog[open]").get_by_role("button", name="结束值班").click()
    expect(tablet.get_by_text("此门现在没有人值班。")).to_be_visible()


def test_a_family_reads_the_notice_acknowledges_it_and_binds_its_phone(morning, phones):
    child = morning.pupils[0]
    set_phone(by=None, unit=morning.school, phone="0371-60000000", at=morning.at)
    set_guardians(
        by=None, person=child, guardians=[GuardianValues("王芳", "mother", "13800138000")], at=morning.at
    )
    teacher, phone = phones(morning.teacher), phones()
    teacher.goto("/families/")
    teacher.get_by_role("button", name="打印 5 张家长单").click()
    expect(teacher.locator(".x-qr")).to_have_count(5)
    # The picture cannot be read back here: the office prints this child's again.
    (slip,) = issue_links(by=morning.clerk, group=morning.class_a, persons=[child], at=morning.at)
    phone.goto(reverse("families:child", args=[slip.secret]))
    expect(phone.locator("body")).to_contain_text("王*明")
    phone.get_by_role("button", name="我已阅读并知晓").click()
    expect(phone.locator(".x-errors")).to_be_visible()
    phone.get_by_label("您的姓名").fill("王芳")
    phone.get_by_role("radio", name="母亲").check()
    phone.get_by_role("button", name="我已阅读并知晓").click()
    expect(phone.get_by_text("现在没有其他要做的。")).to_be_visible()
    expect(phone.get_by_role("link", name="给学校打电话")).to_have_attribute("href", "tel:0371-60000000")
    phone.get_by_role("link", name="绑定这部手机").click()
    phone.get_by_label("您的手机号").fill("138 0013 8000")
    phone.get_by_label("家长单上的绑定码").fill(slip.code)
    phone.get_by_role("button", name="绑定这部手机").click()
    expect(phone.get_by_role("heading", name="谁看过孩子的记录")).to_be_visible()
    assert FamilyPhone.objects.get().person == child


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_that_a_cookie_or_a_sheet_opens_are_sound(
    morning, browser: Browser, live_server, language: str
):
    """The smoke test opens the others."""
    at = morning.at
    device = enrol_device(by=morning.teacher, name="Android", pin=PIN, at=at)
    announced = announce_tablet(by=morning.clerk, unit=morning.school, name="1", at=at)
    tablet = enrol_tablet(code=announced.code, address="192.0.2.1", at=at)
    assert tablet is not None
    (slip,) = issue_slips(by=morning.clerk, unit=morning.school, users=[morning.guard], at=at)
    set_guard_pin(slip=slip_of(slip.code, at), tablet=tablet.tablet, pin=PIN, at=at)
    (link,) = issue_links(by=morning.teacher, group=morning.class_a, persons=morning.pupils[:1], at=at)
    context = open_context(browser, base_url=live_server.url, language=language, width=PHONE)
    kept = {cookies.DEVICE: device.secret, cookies.TABLET: tablet.secret}
    context.add_cookies(
        [{"name": name, "value": value, "url": live_server.url} for name, value in kept.items()]
    )
    watched = Watched(context)
    masked = mask_name(morning.pupils[0].name)
    words = Words(data=[masked, *sorted({user.name for user in User.objects.all()})], english=[])
    child = reverse("families:child", args=[link.secret])

    def faults(*urls: str) -> list[str]:
        return [
            f"{url}: {fault}"
            for url in urls
            for fault in watched.faults(url, language=language, width=PHONE, words=words)
        ]

    found = faults(reverse("accounts:unlock"), reverse("accounts:gate"), reverse("accounts:guard_pin"), child)
    begin_shift(tablet=tablet.tablet, guard=morning.guard, pin=PIN, address="192.0.2.1", at=at)
    acknowledge(link=morning.pupils[0].links.get(), language=language, name="Wang", relation="mother", at=at)
    found += faults(reverse("accounts:gate"), child, reverse("families:bind", args=[link.secret]))
    context.close()
    none(found)
