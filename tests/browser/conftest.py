"""Chromium of the system, a served district, and sign-in for browser tests."""

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import BrowserContext

if TYPE_CHECKING:
    from tests.access.district import District

# Playwright's synchronous interface keeps an event loop in the main thread, and Django then refuses the
# database there. Each test still runs alone in its thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# Chromium shall talk to the server under test and to nobody else.
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
)


def launch_arguments() -> dict:
    """How Chromium is started; without the sandbox for root only, who cannot have one."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.exit(
            "Browser tests need: sudo apt-get install chromium fontconfig fonts-noto-cjk", returncode=1
        )
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": executable, "args": [*ARGUMENTS, *sandbox]}


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    return browser_type_launch_args | launch_arguments()


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    """What journeys get by the fixture ``page``: a phone in China that prefers Chinese."""
    return browser_context_args | {
        "locale": "zh-CN",
        "timezone_id": "Asia/Shanghai",
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
        "reduced_motion": "reduce",
    }


def sign_in(context: BrowserContext, user, *, base_url: str) -> None:
    """Give the browser a session of ``user``, without the sign-in page (which has a journey of its own)."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
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
