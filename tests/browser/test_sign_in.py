"""Sign-in in Chromium, on a phone and in Chinese: second factors, a forced change, a paused account."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.factories import Cast
from tools.chromium import PHONE, open_context
from xiaodun.accounts.factors import totp
from xiaodun.accounts.models import User
from xiaodun.accounts.services import factors
from xiaodun.accounts.services.passwords import set_password
from xiaodun.kit import clock

pytestmark = pytest.mark.browser

PASSWORD = "correct horse 7 staple"


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def morning(transactional_db, set_clock) -> Cast:
    from tests.factories import make_cast

    cast = make_cast()
    set_clock(cast.at)
    for user in (cast.doctor, cast.teacher):
        set_password(by=None, user=user, password=PASSWORD, at=cast.at)
    return cast


@pytest.fixture
def phone(browser, live_server) -> Page:
    """A phone on which nobody has signed in."""
    context = open_context(browser, base_url=live_server.url, language="zh", width=PHONE)
    yield context.new_page()
    context.close()


def enter(page: Page, user: User, password: str = PASSWORD) -> None:
    page.goto("/sign-in/")
    page.get_by_label("工号或手机号").fill(user.username)
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录", exact=True).last.click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="退出").click()


def code_now(secret: str) -> str:
    return totp.code_at(secret, int(clock.now().timestamp())).decode()


def test_from_the_first_sign_in_over_enrolment_to_a_sign_in_with_a_code(morning, phone, set_clock):
    enter(phone, morning.doctor)
    expect(phone.get_by_role("heading", name="设置第二重验证")).to_be_visible()
    phone.get_by_role("link", name="验证器应用").click()
    phone.get_by_text("无法扫描").click()
    secret = phone.locator(".x-secret").inner_text().replace(" ", "")
    phone.get_by_label("应用显示的六位数字").fill(code_now(secret))
    phone.get_by_role("button", name="完成，使用此应用").click()
    phone.get_by_role("button", name="生成并显示新恢复码").click()
    codes = phone.locator(".x-codes code").all_inner_texts()
    assert len(codes) == 10
    phone.get_by_role("link", name="我已保存好").click()
    expect(phone).to_have_url("/today/")
    sign_out(phone)

    set_clock(morning.at + timedelta(minutes=5))
    enter(phone, morning.doctor)
    phone.get_by_label("验证码").fill("000000")
    phone.get_by_role("button", name="确认").click()
    expect(phone.get_by_role("alert").first).to_contain_text("验证码不正确")
    phone.get_by_label("验证码").fill(code_now(secret))
    phone.get_by_role("button", name="确认").click()
    expect(phone).to_have_url("/today/")
    sign_out(phone)

    enter(phone, morning.doctor)
    phone.get_by_label("验证码").fill(codes[0])
    phone.get_by_role("button", name="确认").click()
    expect(phone).to_have_url("/today/")
    phone.get_by_role("link", name="登录与安全").click()
    expect(phone.get_by_role("link", name="恢复码")).to_contain_text("还剩 9 个")


def test_a_passkey_is_made_and_opens(morning, phone):
    protocol = phone.context.new_cdp_session(phone)
    protocol.send("WebAuthn.enable")
    protocol.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    enter(phone, morning.doctor)
    phone.get_by_role("link", name="通行密钥").click()
    phone.get_by_label("通行密钥名称").fill("办公室手机")
    phone.get_by_role("button", name="创建通行密钥").click()
    expect(phone.get_by_role("heading", name="恢复码")).to_be_visible()
    phone.goto("/account/")
    expect(phone.get_by_text("办公室手机")).to_be_visible()
    sign_out(phone)

    enter(phone, morning.doctor)
    phone.get_by_role("button", name="使用通行密钥").click()
    expect(phone).to_have_url("/today/")


def test_dengbao_asks_for_a_new_password_before_anything_else(morning, phone, set_clock, settings):
    settings.PASSWORD_PROFILE = "dengbao"
    set_clock(morning.at + timedelta(days=90))
    enter(phone, morning.teacher)
    expect(phone.get_by_text("您的密码已到期")).to_be_visible()
    phone.get_by_label("当前密码").fill(PASSWORD)
    for label in ("新密码", "再次输入新密码"):
        phone.get_by_label(label, exact=True).fill("plain quiet words")
    phone.get_by_role("button", name="修改密码").click()
    expect(phone.locator(".x-field-error").first).to_contain_text("密码")
    phone.get_by_label("当前密码").fill(PASSWORD)
    for label in ("新密码", "再次输入新密码"):
        phone.get_by_label(label, exact=True).fill("Three quiet words 3")
    phone.get_by_role("button", name="修改密码").click()
    expect(phone.get_by_role("heading", name="登录与安全")).to_be_visible()
    phone.goto("/today/")
    expect(phone).to_have_url("/today/")


def test_a_paused_account_says_how_long_and_its_owner_goes_on_where_the_browser_is_known(
    morning, phone, browser, live_server
):
    enter(phone, morning.teacher)
    expect(phone).to_have_url("/today/")
    sign_out(phone)
    stranger = open_context(browser, base_url=live_server.url, language="zh", width=PHONE)
    page = stranger.new_page()
    for _n in range(6):
        enter(page, morning.teacher, "wrong")
    expect(page.get_by_role("alert").first).to_contain_text("请等待 15 分钟后再试")
    stranger.close()
    enter(phone, morning.teacher)
    expect(phone).to_have_url("/today/")


def test_a_password_is_shown_and_hidden(morning, phone):
    phone.goto("/sign-in/")
    field = phone.get_by_label("密码", exact=True)
    field.fill(PASSWORD)
    shows = phone.get_by_role("button", name="显示密码")
    shows.click()
    expect(field).to_have_attribute("type", "text")
    shows.click()
    expect(field).to_have_attribute("type", "password")


def test_a_delicate_act_asks_for_the_factor_again(morning, phone, set_clock):
    secret = totp.new_secret()
    factors.add_totp(by=morning.doctor, secret=secret, code=code_now(secret), keep=None, at=morning.at)
    set_clock(morning.at + timedelta(minutes=2))
    enter(phone, morning.doctor)
    phone.get_by_label("验证码").fill(code_now(secret))
    phone.get_by_role("button", name="确认").click()
    expect(phone).to_have_url("/today/")
    set_clock(morning.at + timedelta(minutes=12))
    phone.goto("/account/factor/recovery/")
    phone.get_by_label("验证码").fill(code_now(secret))
    phone.get_by_role("button", name="确认").click()
    expect(phone.get_by_role("button", name="生成并显示新恢复码")).to_be_visible()
