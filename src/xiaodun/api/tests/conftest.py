"""A school system with a token, and a way to talk to the API."""

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import Cast, settle
from xiaodun.accounts.services import make_api_token

ALL_SCOPES = ("checks:write", "rosters:read", "figures:read")


@pytest.fixture
def token(cast: Cast) -> Callable[..., str]:
    """``token(unit, scopes=…)``: the secret of a fresh token, of the school unless a unit is named."""

    def make(unit=None, *, scopes=ALL_SCOPES, lasts=timedelta(days=30)) -> str:
        _row, secret = make_api_token(
            by=cast.officer,
            name="school system",
            unit=unit or cast.school,
            scopes=scopes,
            expires_at=cast.at + lasts,
            at=cast.at,
        )
        return secret

    return make


@pytest.fixture
def cluster(api, cast: Cast, check) -> None:
    """The school's system has sent three pupils of class_a with vomiting; what follows is delivered."""
    ill = [
        {"person": pupil.number, "status": "absent_ill", "symptoms": ["vomiting"]}
        for pupil in cast.pupils[:3]
    ]
    assert api.post("checks", {"checks": [check(cast.class_a, *ill)]}).json()["stored"] == 1
    settle(at=cast.at + timedelta(minutes=10))


class Api:
    """A machine that holds one token (or none)."""

    def __init__(self, secret: str | None) -> None:
        self._client = Client(raise_request_exception=False)
        self._headers = {"authorization": f"Bearer {secret}"} if secret else {}

    def get(self, path: str, **query: object) -> HttpResponse:
        return self._client.get(f"/api/v1/{path}", query, headers=self._headers)

    def post(self, path: str, body: object) -> HttpResponse:
        text = body if isinstance(body, str) else json.dumps(body)
        return self._client.post(
            f"/api/v1/{path}", text, content_type="application/json", headers=self._headers
        )

    def put(self, path: str) -> HttpResponse:
        return self._client.put(f"/api/v1/{path}", headers=self._headers)


@pytest.fixture
def api(cast: Cast, token, set_clock) -> Api:
    """The school's own system, on the morning of the cast."""
    set_clock(cast.at)
    return Api(token())


@pytest.fixture
def check(cast: Cast) -> Callable[..., dict]:
    """``check(group, finding, …)``: one check of the morning as it is sent, of class_a unless named."""

    def make(of=None, *findings: dict, **changes: object) -> dict:
        return {
            "client_id": str(uuid4()),
            "group": (of or cast.class_a).code,
            "day": cast.day.isoformat(),
            "kind": "morning",
            "tapped_at": cast.at.isoformat(),
            "clock_offset_ms": 0,
            "findings": list(findings),
        } | changes

    return make
