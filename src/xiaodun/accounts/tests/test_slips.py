"""Activation slips: printed by the office, used once by their owner, worth nothing after."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.factories import BEFORE, TERM
from xiaodun.accounts.models import ActivationSlip, User
from xiaodun.accounts.services import assign_role, create_user, deactivate_user
from xiaodun.accounts.services.slips import SLIP_LASTS
from xiaodun.kit.models import AuditEntry

PASSWORD = "vierzehn Pferde"
CODE = re.compile(r"\b(?:[2-9A-Z]{4}-){2}[2-9A-Z]{4}\b")


@pytest.fixture
def office(cast, set_clock) -> Client:
    set_clock(cast.at)
    client = Client()
    client.force_login(cast.clerk)
    return client


def print_slip(office: Client, school, user: User | None = None) -> list[str]:
    """The codes on the sheet that the office prints."""
    data = {"user": user.pk} if user else {}
    answer = office.post(f"/staff/{school.pk}/slips/", data)
    assert answer.status_code == 200, answer.content.decode()
    # Each stands in words and in the picture's address.
    return list(dict.fromkeys(CODE.findall(answer.content.decode())))


def type_code(code: str, password: str = "", again: str | None = None):
    data = {"code": code}
    if password:
        data |= {"password": password, "again": password if again is None else again}
    return Client().post("/activate/", data)


def test_the_sheet_holds_a_slip_for_everybody_without_a_password_and_only_digests_stay(cast, office):
    codes = print_slip(office, cast.school)
    others = User.objects.filter(assignments__unit__path__startswith=cast.school.path).exclude(
        pk=cast.clerk.pk
    )
    assert set(ActivationSlip.objects.values_list("user", flat=True)) == {user.pk for user in others}
    assert len(codes) == len(others)
    kept = " ".join(str(value) for row in ActivationSlip.objects.values_list() for value in row)
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    assert AuditEntry.objects.filter(
        action="accounts.issue_slips", unit_path=cast.school.path
    ).count() == len(codes)


def test_the_owner_sees_whose_slip_it_is_chooses_a_password_and_signs_in_with_it(cast, office):
    (code,) = print_slip(office, cast.school, cast.teacher)
    asked = type_code(code.lower().replace("-", " "))
    assert "赵老师" in asked.content.decode()
    assert "育才小学" in asked.content.decode()
    done = type_code(code, PASSWORD)
    assert done.status_code == 200
    assert "teacher" in done.content.decode()
    cast.teacher.refresh_from_db()
    assert cast.teacher.check_password(PASSWORD)
    assert AuditEntry.objects.filter(action="accounts.activate", object_id=str(cast.teacher.pk)).count() == 1


def test_unknown_used_replaced_late_and_foreign_codes_get_the_same_answer(cast, office, set_clock):
    (replaced,) = print_slip(office, cast.school, cast.colleague)
    (replacing,) = print_slip(office, cast.school, cast.colleague)
    (used,) = print_slip(office, cast.school, cast.teacher)
    (left,) = print_slip(office, cast.school, cast.doctor)
    (late,) = print_slip(office, cast.school, cast.grade_lead)
    assert type_code(used, PASSWORD).status_code == 200
    deactivate_user(by=cast.officer, user=cast.doctor, at=cast.at)
    answers = [type_code(code) for code in ("2222-2222-2222", replaced, used, left)]
    assert type_code(replacing).status_code == 200
    set_clock(cast.at + SLIP_LASTS + timedelta(seconds=1))
    answers.append(type_code(late))
    assert {answer.status_code for answer in answers} == {422}
    plain = set()
    for answer, code in zip(answers, ("2222-2222-2222", replaced, used, left, late), strict=True):
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", text.replace(code, ""))
        plain.add(re.sub(r"\d\d:\d\d|data-now=\"[^\"]*\"|\d+ 月 \d+ 日", "", text))
    assert len(plain) == 1
    assert AuditEntry.objects.filter(action="accounts.record_refused_code").count() == 5


def test_a_weak_or_mistyped_password_keeps_the_slip(cast, office):
    (code,) = print_slip(office, cast.school, cast.teacher)
    assert type_code(code, "short").status_code == 422
    assert type_code(code, PASSWORD, again="something else").status_code == 422
    cast.teacher.refresh_from_db()
    assert not cast.teacher.has_usable_password()
    assert type_code(code, PASSWORD).status_code == 200


def test_no_office_prints_a_slip_for_whoever_also_works_beyond_it_nor_for_oneself(cast, office):
    assign_role(
        by=None,
        user=cast.doctor,
        role="district_officer",
        unit=cast.district,
        valid_from=TERM[0],
        at=BEFORE,
    )
    for user in (cast.doctor, cast.clerk, cast.stranger):
        answer = office.post(f"/staff/{cast.school.pk}/slips/", {"user": user.pk})
        assert answer.status_code == 409
    print_slip(office, cast.school)
    assert not ActivationSlip.objects.filter(user__in=[cast.doctor, cast.clerk, cast.stranger]).exists()


def test_a_foreign_school_is_as_absent_as_an_unknown_one(cast, office):
    assert office.get(f"/staff/{cast.other_school.pk}/").status_code == 404
    assert office.post(f"/staff/{cast.other_school.pk}/slips/").status_code == 404


def test_a_slip_shows_neither_user_name_nor_birthday_nor_number(cast, office, set_clock):
    create_user(by=None, username="13800000000", name="宋老师", at=BEFORE)
    user = User.objects.get(username="13800000000")
    assign_role(by=None, user=user, role="class_teacher", unit=cast.class_d, valid_from=TERM[0], at=BEFORE)
    answer = office.post(f"/staff/{cast.school.pk}/slips/", {"user": user.pk})
    assert "宋老师" in answer.content.decode()
    assert "13800000000" not in answer.content.decode()


def test_the_staff_page_says_who_can_sign_in_and_whose_slip_waits(cast, office):
    print_slip(office, cast.school, cast.colleague)
    (code,) = print_slip(office, cast.school, cast.teacher)
    assert type_code(code, PASSWORD).status_code == 200
    page = office.get(f"/staff/{cast.school.pk}/").content.decode()
    assert page.count("可以登录") == 1
    assert page.count("激活单有效至") == 1
    # Everybody else but the two.
    assert page.count("还没有密码") == page.count('role="rowheader"') - 2
    assert "郑老师" not in page
