"""Sessions: a new key at each start, an end by rest, by age, by their owner and by what changes a right."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from xiaodun.accounts import services
from xiaodun.accounts.access import requires_fresh_factor
from xiaodun.accounts.assurance import Assurance
from xiaodun.accounts.browsers import browser_of
from xiaodun.accounts.choices import Level, Role
from xiaodun.accounts.models import UserSession
from xiaodun.accounts.services import sign_in
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations.models import Unit
from xiaodun.organisations.tests.cast import AT, make_district

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 7 staple"
START = datetime(2026, 9, 7, 0, 0, tzinfo=UTC)
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"


@pytest.fixture
def teacher():
    user = services.create_user(by=None, username="t1", name="王老师", password=PASSWORD, at=AT)
    unit = make_district().class_1
    services.assign_role(
        by=None, user=user, role=Role.CLASS_TEACHER, unit=unit, valid_from=date(2000, 1, 1), at=AT
    )
    return user


@pytest.fixture
def at(set_clock):
    set_clock(START)
    return lambda **later: set_clock(START + timedelta(**later))


def enter(client: Client) -> Client:
    assert client.post("/sign-in/", {"username": "t1", "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("desks:inbox")).status_code == 200


def test_a_session_starts_under_a_new_key_and_says_where_it_is(client, teacher, at):
    client.post(reverse("accounts:language"), {"language": "en"})
    before = client.session.session_key
    enter(client)
    row = UserSession.objects.get()
    assert row.session_key == client.session.session_key != before
    assert (row.user, row.level, row.address) == (teacher, Level.PASSWORD, "127.0.0.1")
    assert AuditEntry.objects.get(action="accounts.start_session").facts == {
        "how": "password", "level": "password",
    }  # fmt: skip


def test_one_signs_in_again_in_the_same_browser_under_another_key(rf, teacher, at):
    request = rf.post("/sign-in/", HTTP_USER_AGENT=PHONE)
    request.session = Client().session
    first = sign_in.start_session(
        request=request, user=teacher, level=Level.PASSWORD, how="password", at=START
    )
    second = sign_in.start_session(request=request, user=teacher, level=Level.MFA, how="totp", at=START)
    assert first.session_key != second.session_key
    assert [row.level for row in UserSession.objects.all()] == [Level.MFA]
    assert not Session.objects.filter(session_key=first.session_key).exists()
    assert second.browser == "Chrome, Android"


def test_half_an_hour_of_rest_ends_a_session_and_use_keeps_it(client, teacher, at):
    enter(client)
    for minutes in (29, 58, 87):
        at(minutes=minutes)
        assert is_in(client)
    assert UserSession.objects.get().seen_at >= START + timedelta(minutes=87)
    at(minutes=117, seconds=1)
    assert not is_in(client)
    assert not UserSession.objects.exists()
    assert AuditEntry.objects.get(action="accounts.leave_session").facts == {"why": "idle"}


def test_no_session_outlives_twelve_hours(client, teacher, at):
    enter(client)
    for minutes in range(20, 12 * 60, 20):
        at(minutes=minutes)
        assert is_in(client)
    at(hours=12, seconds=1)
    assert not is_in(client)


def test_a_device_may_rest_for_its_shift(teacher):
    assurance = Assurance(Level.DEVICE, START, START, START)
    assert not assurance.is_over(START + timedelta(hours=11, minutes=59))
    assert assurance.is_over(START + timedelta(hours=12))


def test_a_session_that_nobody_started_is_nobodys(client, teacher, at):
    client.force_login(teacher)
    session = client.session
    del session["assurance"]
    session.save()
    assert not is_in(client)


def test_a_demonstrations_session_opens_nothing_in_production(client, teacher, settings, at):
    client.force_login(teacher)
    assert is_in(client)
    settings.IS_DEMO = False
    assert not is_in(client)


@pytest.mark.parametrize("change", ["deactivate", "assign", "end"])
def test_what_changes_a_right_ends_all_sessions_of_the_user(client, teacher, at, change):
    clients = [enter(client), enter(Client())]
    assert all(is_in(each) for each in clients)
    assignment = teacher.assignments.get()
    if change == "deactivate":
        services.deactivate_user(by=None, user=teacher, at=START)
    elif change == "assign":
        services.assign_role(
            by=None,
            user=teacher,
            role=Role.GRADE_LEAD,
            unit=Unit.objects.get_parent(assignment.unit),
            valid_from=date(2026, 9, 1),
            at=START,
        )
    else:
        services.end_role(by=None, assignment=assignment, last_day=date(2030, 1, 1), at=START)
    assert not any(is_in(each) for each in clients)
    assert not Session.objects.exists()
    assert AuditEntry.objects.get(action="accounts.end_sessions").facts["ended"] == 2


@requires_fresh_factor
def _delicate(request):
    return HttpResponse("done")


def _request(rf, method="get", *, age=timedelta(0), **headers):
    now = clock.now()
    request = getattr(rf, method)("/export/?kind=files", headers=headers)
    request.session = {}
    Assurance(Level.PASSWORD, now - age, now, now - age).keep_in(request.session)
    return request


def test_a_delicate_act_asks_again_after_some_minutes(rf, at):
    assert _delicate(_request(rf)).content == b"done"
    old = timedelta(minutes=6)
    assert _delicate(_request(rf, age=old)).url == "/confirm/?next=%2Fexport%2F%3Fkind%3Dfiles"
    posted = _request(rf, "post", age=old, referer="http://testserver/files/7/?tab=log")
    assert _delicate(posted).url == "/confirm/?next=%2Ffiles%2F7%2F%3Ftab%3Dlog"
    foreign = _request(rf, "post", age=old, referer="https://evil.example/x")
    assert _delicate(foreign).url == "/confirm/?next=%2F"
    with pytest.raises(Refusal, match="factor-not-fresh") as refused:
        _delicate(_request(rf, "post", age=old, accept="application/json"))
    assert refused.value.status == 403


def test_the_password_confirms_and_leads_on(client, teacher, at):
    enter(client)
    at(minutes=10)
    url = reverse("accounts:confirm")
    assert client.post(url, {"password": "wrong", "next": "/inbox/"}).status_code == 422
    assert not Assurance.of(client.session).is_fresh(clock.now())
    assert client.post(url, {"password": PASSWORD, "next": "/inbox/"}).url == "/inbox/"
    assert Assurance.of(client.session).is_fresh(clock.now())
    assert client.post(url, {"password": PASSWORD, "next": "https://evil.example/"}).url == "/"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (PHONE, "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) MicroMessenger/8.0.50", "WeChat, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge, Windows"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_a_browser_is_named_as_its_owner_knows_it(header, words):
    assert browser_of(header) == words
