"""The school clerk's and the officer's work in Chromium, on a phone and at a desk, in both languages."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in
from tests.factories import Cast
from tools.chromium import DESK, PHONE, open_context
from xiaodun.accounts.models import RoleAssignment, User
from xiaodun.accounts.services import end_role
from xiaodun.organisations.models import Unit
from xiaodun.people.selectors import roster

pytestmark = pytest.mark.browser


@pytest.fixture
def morning(transactional_db, set_clock: Callable[[datetime], None]) -> Cast:
    from tests.factories import make_cast

    cast = make_cast()
    set_clock(cast.at)
    return cast


@pytest.fixture
def opens(browser: Browser, live_server) -> Callable[..., Page]:
    """``opens(user, language, width)``: a browser signed in as this user."""
    contexts = []

    def for_user(user: User, language: str = "zh", width: int = PHONE) -> Page:
        context = open_context(browser, base_url=live_server.url, language=language, width=width)
        contexts.append(context)
        sign_in(context, user, base_url=live_server.url)
        return context.new_page()

    yield for_user
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("language", "width", "choose", "label"),
    [("zh", PHONE, "指定班主任", "班主任"), ("en", DESK, "Choose a teacher", "Class teacher")],
)
def test_a_class_without_a_teacher_gets_one(morning, opens, language, width, choose, label):
    held = RoleAssignment.objects.get(unit=morning.class_b)
    end_role(by=None, assignment=held, last_day=morning.day - timedelta(days=1), at=morning.at)
    page = opens(morning.clerk, language, width)
    page.goto("/lists/")
    row = page.get_by_role("listitem").filter(has_text="三(2)班" if language == "zh" else "Class 3(2)")
    row.get_by_role("link", name=choose).click()
    page.get_by_label(label, exact=True).select_option(label="赵老师")
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_text("赵老师")).to_be_visible()
    assert RoleAssignment.objects.get(unit=morning.class_b, valid_to__isnull=True).user == morning.teacher


def test_a_substitute_sees_the_class_on_that_day_only(morning, opens, set_clock):
    clerk = opens(morning.clerk)
    clerk.goto(f"/lists/groups/{morning.class_a.pk}/")
    clerk.get_by_role("link", name="代班").click()
    clerk.get_by_label("代班", exact=True).select_option(label="钱老师")
    clerk.get_by_role("button", name="指定").click()
    expect(clerk.get_by_text("钱老师")).to_be_visible()

    substitute = opens(morning.colleague)
    substitute.goto(f"/groups/{morning.class_a.pk}/check/")
    expect(substitute.get_by_role("button", name="提交：5 人全部正常")).to_be_visible()
    set_clock(morning.at + timedelta(days=1))
    answer = substitute.goto(f"/groups/{morning.class_a.pk}/check/")
    assert answer is not None
    assert answer.status == 404


def test_a_refused_pupil_keeps_what_was_typed_and_a_move_is_undone(morning, opens):
    page = opens(morning.clerk)
    page.goto(f"/lists/groups/{morning.class_a.pk}/")
    page.get_by_role("link", name="添加学生").click()
    page.get_by_label("学号").fill(morning.pupils[0].number)
    page.get_by_label("姓名").fill("苏新")
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_text("person-number-taken")).to_be_visible()
    expect(page.get_by_label("姓名")).to_have_value("苏新")
    page.get_by_label("学号").fill("N900")
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_role("link", name="苏新")).to_be_visible()

    page.get_by_role("link", name="苏新").click()
    page.get_by_role("link", name="调班").click()
    page.get_by_label("调到").select_option(label="三(2)班")
    page.get_by_label("到新班第一天").fill((morning.day + timedelta(days=1)).isoformat())
    page.get_by_role("button", name="调班").click()
    page.goto(f"/lists/groups/{morning.class_a.pk}/")
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("link", name="苏新")).to_be_visible()
    assert len(roster(morning.class_a, morning.day + timedelta(days=1))) == 6


def test_a_person_is_found_by_initials_from_the_keyboard(morning, opens):
    page = opens(morning.doctor, "en", DESK)
    page.goto("/persons/")
    page.keyboard.type("szy")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="单志远").first).to_be_visible()
    assert "szy" not in page.url


@pytest.mark.parametrize(("language", "width", "begin"), [("zh", PHONE, "启用"), ("en", DESK, "Begin")])
def test_the_officer_sets_the_first_day_of_who_can_begin(morning, opens, language, width, begin):
    Unit.objects.filter(path__startswith=morning.other_school.path).update(first_day=None)
    page = opens(morning.officer, language, width)
    page.goto("/readiness/")
    row = page.get_by_role("row").filter(
        has_text=morning.other_school.name_en if language == "en" else "青禾小学"
    )
    row.get_by_role("button", name=begin, exact=True).click()
    expect(page.locator("main form")).to_have_count(0)
    morning.other_class.refresh_from_db()
    assert morning.other_class.first_day == morning.day
