"""Desks that refresh themselves: which do, what a refresh costs, and what it says."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from xiaodun.accounts.choices import Role
from xiaodun.desks.tests.cast import at, found, sign_in
from xiaodun.messages import services as messages
from xiaodun.screening.tests.cast import School, make_school, moment
from xiaodun.surveillance.models import Signal

pytestmark = pytest.mark.django_db


@pytest.fixture
def school() -> School:
    return make_school()


def region(response):
    """The part that refreshes itself, or None."""
    main = found(response, "main")
    return main if "hx-get" in main.attributes else None


def test_today_board_signals_and_school_refresh_themselves_where_they_are(school):
    client = sign_in(school.users[Role.DISTRICT_OFFICER])
    with at(moment(0, 9, 0)):
        for url in (
            "/today/",
            "/board/?state=now&sort=name",
            "/signals/?state=report",
            f"/institutions/{school.institution.pk}/",
        ):
            assert region(client.get(url)).attributes["hx-get"] == url


def test_the_past_and_what_is_being_decided_stand_still(school):
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], RASH))
    client = sign_in(school.users[Role.DISTRICT_OFFICER])
    with at(moment(1, 9, 0)):
        for url in (
            "/board/?day=2020-12-14",
            f"/institutions/{school.institution.pk}/?day=2020-12-14",
            "/signals/?state=confirmed",
            f"/signals/{Signal.objects.get().pk}/",
            "/messages/",
        ):
            assert region(client.get(url)) is None, url


RASH = ["rash"]


@pytest.mark.parametrize("role", [Role.SCHOOL_DOCTOR, Role.DISTRICT_OFFICER])
def test_a_refresh_costs_no_more_queries_than_its_page_and_writes_nothing(school, role):
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], RASH))
    client = sign_in(school.users[role])
    urls = ["/today/", "/signals/", f"/institutions/{school.institution.pk}/"]
    urls += ["/board/"] if role == Role.DISTRICT_OFFICER else []
    with at(moment(0, 9, 0)):
        for url in urls:
            client.get(url)
            with CaptureQueriesContext(connection) as page:
                client.get(url)
            # Whoever left the page open has read nothing of what came since.
            messages.send(
                to=[school.users[role]],
                kind="duty-missed",
                unit=room,
                facts={"unit": "三(2)班", "duty": "晨检", "deadline": "08:30"},
                url=f"/groups/{room.pk}/check/?day=2020-12-14",
                at=moment(0, 8, 30),
            )
            with CaptureQueriesContext(connection) as refresh:
                client.get(url, headers={"hx-request": "true"})
            assert len(refresh) <= len(page), url
            assert all(query["sql"].startswith("SELECT") for query in refresh.captured_queries), url


def test_a_refresh_after_the_session_ended_is_401_and_no_sign_in_page(school, client):
    assert client.get("/today/", headers={"hx-request": "true"}).status_code == 401


def test_the_numbers_that_are_said_aloud_are_those_of_the_page(school):
    room = school.classes[0]
    client = sign_in(school.users[Role.PRINCIPAL])
    with at(moment(0, 9, 0)):
        before = region(client.get("/today/")).attributes["data-news"]
        school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], RASH))
        after = region(client.get("/today/")).attributes["data-news"]
    assert before == "待处理信号 0 个，超时 2 项。"
    assert after == "待处理信号 1 个，超时 1 项。"
