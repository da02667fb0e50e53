"""Refusals, ids and caching of answers, through real requests."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import include, path
from django.utils.translation import gettext_lazy

from xiaodun.kit.errors import Refusal, RowError, problem_json, wants_json
from xiaodun.kit.requestid import current_request_id, request_id


def refuse(request):
    raise Refusal(
        "not-recovered",
        gettext_lazy("This request cannot be understood."),
        facts={"on": datetime(2026, 11, 3, tzinfo=UTC)},
        rule="return-rule/3",
        lifts="A certificate.",
        errors=[RowError("row 2", "unknown number", "correct it", person=5, field="number")],
    )


def busy(request):
    raise OperationalError("database is locked")


def unknown(request):
    raise Http404("somebody else's object")


def cacheable(request):
    return HttpResponse("shell", headers={"Cache-Control": "max-age=60"})


def plain(request):
    return HttpResponse(current_request_id())


urlpatterns = [
    path("", include("xiaodun.kit.urls")),
    path("api/refuse", refuse),
    path("api/unknown", unknown),
    path("api/busy", busy),
    path("busy", busy),
    path("cacheable", cacheable),
    path("plain", plain),
]
handler500 = "xiaodun.kit.views.server_error"

MIDDLEWARE = [
    "xiaodun.kit.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "xiaodun.kit.middleware.RefusalMiddleware",
    "xiaodun.kit.middleware.NoStoreMiddleware",
]


@pytest.fixture(autouse=True)
def _addresses():
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=MIDDLEWARE):
        yield


def test_a_refusal_is_problem_json_with_everything_that_explains_it(client):
    response = client.get("/api/refuse")
    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body.pop("request_id") == response["X-Request-ID"]
    assert body == {
        "type": "urn:xiaodun:problem:not-recovered",
        "title": "Conflict",
        "status": 409,
        "detail": body["detail"],
        "code": "not-recovered",
        "facts": {"on": "2026-11-03T00:00:00Z"},
        "rule": "return-rule/3",
        "lifts": "A certificate.",
        "errors": [
            {
                "where": "row 2",
                "message": "unknown number",
                "remedy": "correct it",
                "person": 5,
                "field": "number",
            }
        ],
    }


def test_what_is_unknown_to_the_api_says_nothing_about_why(client):
    response = client.get("/api/unknown")
    assert response.status_code == 404
    assert response.json()["code"] == "not-found"
    assert b"somebody" not in response.content


def test_a_locked_database_is_503_with_retry_after(client):
    response = client.get("/api/busy")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response.json()["code"] == "database-unavailable"


def test_the_page_of_a_lost_database_needs_no_database(client, django_assert_num_queries):
    response = client.get("/busy", headers={"accept": "text/html"})
    assert response.status_code == 503
    assert response["X-Request-ID"] in response.content.decode()


@pytest.mark.parametrize(
    ("accept", "content_type", "expected"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "", False),
        ("*/*", "", False),
        ("application/json", "", True),
        ("application/problem+json", "", True),
        ("text/html", "application/json", True),
    ],
)
def test_who_gets_json(accept, content_type, expected):
    request = RequestFactory().post("/check/1", {}, content_type or "text/plain", headers={"accept": accept})
    assert wants_json(request) is expected


def test_a_problem_outside_of_a_request_has_no_id():
    assert json.loads(problem_json(Refusal("x", "y")).content)["request_id"] == ""


def test_each_request_has_its_own_id_and_takes_none_from_the_client(client):
    first = client.get("/plain", headers={"x-request-id": "forged\nline"})
    second = client.get("/plain")
    assert UUID(first["X-Request-ID"]) != UUID(second["X-Request-ID"])
    assert first.content.decode() == first["X-Request-ID"]
    assert current_request_id() == ""


def test_ids_nest():
    with request_id("outer"):
        with request_id() as inner:
            assert current_request_id() == inner != "outer"
        assert current_request_id() == "outer"


def test_answers_are_not_stored_unless_the_view_allows_it(client):
    assert client.get("/plain")["Cache-Control"] == "no-store, private"
    assert client.get("/cacheable")["Cache-Control"] == "max-age=60"


@pytest.mark.django_db
def test_health_tells_the_age_of_the_oldest_announcement_and_nothing_personal(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "database": "reachable",
        "outbox_waiting": 0,
        "outbox_oldest_seconds": 0,
        "outbox_failing": 0,
    }
    assert client.post("/healthz").status_code == 405
