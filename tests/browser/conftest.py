"""Chromium of the system, a served district, and sign-in for browser tests."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import BrowserContext

from tools.chromium import PHONE, NoChromiumError, context_arguments, launch_arguments
from xiaodun.accounts.assurance import Assurance
from xiaodun.accounts.choices import Level

if TYPE_CHECKING:
    from tests.access.district import District

# Playwright's synchronous interface keeps an event loop in the main thread, and Django then refuses the
# database there. Each test still runs alone in its thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    try:
        return browser_type_launch_args | launch_arguments()
    except NoChromiumError as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    """What journeys get by the fixture ``page``: a phone in China that prefers Chinese."""
    return browser_context_args | context_arguments("zh", PHONE)


def sign_in(context: BrowserContext, user, *, base_url: str) -> None:
    """Give the browser a session of ``user``, without the sign-in page (which has a journey of its own)."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    at = datetime.now(UTC)
    Assurance(Level.DEMO, started_at=at, seen_at=at, proved_at=at).keep_in(session)
    session.create()
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": base_url}]
    )


@dataclass(frozen=True)
class Served:
    """A district on its busy morning behind a real server."""

    url: str
    district: "District"


@pytest.fixture
def served(live_server, set_clock) -> Served:
    """The district of the access matrix, served; its clock stands after the morning."""
    from tests.access.district import make_district

    district = make_district()
    set_clock(district.now)
    return Served(live_server.url, district)
