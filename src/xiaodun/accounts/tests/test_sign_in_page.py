"""Signing in and out, the demonstration's buttons, the language."""

from datetime import date

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from xiaodun.accounts import cookies, services
from xiaodun.accounts.access import login_required, requires
from xiaodun.accounts.assurance import Assurance
from xiaodun.accounts.choices import Level, Right, Role
from xiaodun.accounts.middleware import ScopeMiddleware
from xiaodun.accounts.models import User
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations.tests.cast import AT, make_district

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 7 staple"
SIGN_IN = "/sign-in/"


@pytest.fixture
def teacher():
    user = services.create_user(by=None, username="t1", name="王老师", password=PASSWORD, at=AT)
    unit = make_district().class_1
    services.assign_role(
        by=None, user=user, role=Role.CLASS_TEACHER, unit=unit, valid_from=date(2000, 1, 1), at=AT
    )
    return user


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def test_the_right_password_opens_a_new_session_and_leads_on(client, teacher):
    client.post(reverse("accounts:language"), {"language": "en"})
    before = client.session.session_key
    response = client.post(SIGN_IN, {"username": "t1", "password": PASSWORD, "next": "/sign-in/?x=1"})
    assert (response.status_code, response.url) == (302, "/sign-in/?x=1")
    assert client.session.session_key != before
    assert AuditEntry.objects.get(action="accounts.start_session").actor_id == teacher.pk


def test_nobody_is_led_to_another_site(client, teacher):
    response = client.post(SIGN_IN, {"username": "t1", "password": PASSWORD, "next": "https://evil.example/"})
    assert response.url == reverse(django_settings.LOGIN_REDIRECT_URL)


def test_an_unknown_user_a_wrong_password_and_a_closed_account_get_the_same_answer(client, teacher, settings):
    settings.IS_DEMO = False  # its pages show a clock
    User.objects.create(username="none", name="无密码", password="!")
    closed = services.create_user(by=None, username="closed", name="离职", password=PASSWORD, at=AT)
    services.deactivate_user(by=None, user=closed, at=AT)
    bodies = set()
    for username, password in (
        ("t1", "wrong"), ("nobody", PASSWORD), ("closed", PASSWORD), ("none", PASSWORD), ("none", "!"),
    ):  # fmt: skip
        response = client.post(SIGN_IN, {"username": username, "password": password})
        assert response.status_code == 422
        body = response.content.decode().replace(f'value="{username}"', "")
        bodies.add("\n".join(line for line in body.splitlines() if "csrfmiddlewaretoken" not in line))
        assert not signed_in(client)

    assert len(bodies) == 1
    failed = AuditEntry.objects.filter(action="accounts.failed_sign_in").order_by("pk")
    assert [entry.facts["known"] for entry in failed] == [True, False, True, True, True]
    assert "nobody" not in str(list(failed.values()))


def test_an_empty_form_asks_for_both_and_counts_as_no_failure(client):
    response = client.post(SIGN_IN, {})
    assert response.status_code == 422
    assert response.content.decode().count('class="x-field-error"') == 2
    assert not AuditEntry.objects.exists()


def test_the_page_keeps_the_way_back_and_sends_on_who_is_signed_in(client, teacher):
    assert 'name="next" value="/signals/3/"' in client.get(SIGN_IN, {"next": "/signals/3/"}).content.decode()
    client.force_login(teacher)
    assert client.get(SIGN_IN).status_code == 302


def test_a_demonstration_offers_one_button_a_role_and_signs_in_by_it(client, teacher):
    page = client.get(SIGN_IN).content.decode()
    assert page.count('name="role"') == 1
    response = client.post(reverse("accounts:sign_in_to_demo"), {"role": "class_teacher"})
    assert (response.status_code, signed_in(client)) == (302, True)
    assert AuditEntry.objects.get(action="accounts.start_session").facts == {"how": "demo", "level": "demo"}


@pytest.mark.parametrize(
    ("mode", "is_demo"), [("production", True), ("production", False), ("demo", False), ("replay", True)]
)
def test_outside_of_a_demonstration_there_is_no_button_and_no_way_round_it(
    client, teacher, settings, mode, is_demo
):
    settings.MODE, settings.IS_DEMO = mode, is_demo
    assert 'name="role"' not in client.get(SIGN_IN).content.decode()
    response = client.post(reverse("accounts:sign_in_to_demo"), {"role": "class_teacher"})
    assert (response.status_code, signed_in(client)) == (404, False)


def test_a_role_that_nobody_holds_and_a_mere_visit_sign_nobody_in(client, teacher):
    url = reverse("accounts:sign_in_to_demo")
    assert client.post(url, {"role": "principal"}).status_code == 404
    assert client.post(url).status_code == 404
    assert client.get(url).status_code == 405
    assert not signed_in(client)


def test_signing_out_takes_a_post(client, teacher):
    client.force_login(teacher)
    assert client.get(reverse("accounts:sign_out")).status_code == 405
    assert signed_in(client)
    assert client.post(reverse("accounts:sign_out")).url == SIGN_IN
    assert not signed_in(client)
    assert AuditEntry.objects.get(action="accounts.leave_session").facts == {"why": "signed out"}


def test_a_closed_account_ends_with_the_next_request(client, teacher):
    client.force_login(teacher)
    services.deactivate_user(by=None, user=teacher, at=AT)
    assert client.get(SIGN_IN).status_code == 200


def test_a_language_chosen_before_signing_in_stays_with_the_user(client, teacher):
    response = client.post(reverse("accounts:language"), {"language": "en", "next": SIGN_IN})
    assert (response.url, response.cookies["django_language"].value) == (SIGN_IN, "en")
    assert 'lang="en"' in client.get(SIGN_IN).content.decode()
    client.post(SIGN_IN, {"username": "t1", "password": PASSWORD})
    teacher.refresh_from_db()
    assert teacher.language == "en"


def test_the_next_user_of_a_shared_pc_reads_in_the_own_language(client, teacher):
    client.force_login(teacher)
    client.post(reverse("accounts:language"), {"language": "en"})
    client.post(reverse("accounts:sign_out"))
    services.create_user(by=None, username="t2", name="李老师", password=PASSWORD, at=AT)
    response = client.post(SIGN_IN, {"username": "t2", "password": PASSWORD})
    assert response.cookies["django_language"].value == "zh-hans"


def test_an_unknown_language_is_not_found_and_a_foreign_address_not_followed(client):
    url = reverse("accounts:language")
    assert client.post(url, {"language": "xx"}).status_code == 404
    assert client.post(url, {"language": "en", "next": "https://evil.example/"}).url == "/"
    assert client.get(url).status_code == 405


def _request(user, level=Level.PASSWORD, **headers):
    request = RequestFactory().get("/files/?state=open", headers=headers)
    request.user, request.session = user, {}
    Assurance(level, AT, AT, AT).keep_in(request.session)
    ScopeMiddleware(lambda _request: HttpResponse())(request)
    return request


def _page(request):
    return HttpResponse("inside")


def test_a_door_lets_in_by_right_and_leads_a_visitor_to_the_sign_in_page(teacher):
    visitor = AnonymousUser()
    for door in (login_required(_page), requires(Right.SUBMIT_CHECK)(_page)):
        assert door(_request(teacher)).content == b"inside"
        response = door(_request(visitor))
        assert (response.status_code, response.url) == (302, "/sign-in/?next=/files/%3Fstate%3Dopen")
        with pytest.raises(Refusal, match="sign-in-needed") as refused:
            door(_request(visitor, accept="application/json"))
        assert refused.value.status == 401
    with pytest.raises(Refusal, match="right-missing") as refused:
        requires(Right.MANAGE_RULES)(_page)(_request(teacher))
    assert refused.value.status == 403


def test_a_door_opens_to_an_enrolled_device_only_if_it_says_so(teacher):
    assert requires(Right.SUBMIT_CHECK, at_least=Level.DEVICE)(_page)(_request(teacher, Level.DEVICE)).content
    for door in (login_required(_page), requires(Right.SUBMIT_CHECK)(_page)):
        assert door(_request(teacher, Level.DEVICE)).url.startswith("/sign-in/?next=")


def test_an_enrolled_phone_is_asked_for_its_pin_only_where_the_pin_opens(teacher):
    request = _request(AnonymousUser())
    request.COOKIES[cookies.DEVICE] = "secret"
    assert requires(Right.SUBMIT_CHECK, at_least=Level.DEVICE)(_page)(request).url.startswith("/pin/?next=")
    for door in (login_required(_page), requires(Right.SUBMIT_CHECK)(_page)):
        assert door(request).url.startswith("/sign-in/?next=")


def test_the_scope_is_read_once_a_request_and_anew_in_the_next(teacher, django_assert_num_queries):
    request = _request(teacher)
    with django_assert_num_queries(1):
        assert request.scope.has(Right.SUBMIT_CHECK)
        assert request.scope.highest_role is Role.CLASS_TEACHER
    for assignment in teacher.assignments.all():
        services.end_role(by=None, assignment=assignment, last_day=date(1999, 12, 31), at=AT)
    assert not _request(teacher).scope.grants
