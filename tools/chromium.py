"""The system's Chromium as tests and screenshots use it: a phone or a desk in China."""

import os
import shutil

from playwright.sync_api import Browser, BrowserContext

# Chromium shall talk to the server that is looked at and to nobody else.
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
)

PHONE, DESK = 390, 1440
HEIGHTS = {PHONE: 844, DESK: 900}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
LANGUAGES = {"zh": "zh-hans", "en": "en"}

# A page has come to rest: loaded, and no part of it says that it is still being filled.
READY = "() => document.readyState === 'complete' && !document.querySelector('[aria-busy=true]')"


class NoChromiumError(RuntimeError):
    """There is no browser; the text says how to get one."""


def launch_arguments() -> dict:
    """How Playwright starts Chromium; without its sandbox for root only, who cannot have one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next((path for path in map(shutil.which, names) if path), None)
    if executable is None:
        raise NoChromiumError("A browser is needed: sudo apt-get install chromium fontconfig fonts-noto-cjk")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": executable, "args": [*ARGUMENTS, *sandbox]}


def context_arguments(language: str, width: int) -> dict:
    """A phone (touch, 390 px) or a desk (mouse, 1440 px) that prefers ``language`` ("zh", "en"), in China."""
    return {
        "locale": LOCALES[language],
        "timezone_id": "Asia/Shanghai",
        "viewport": {"width": width, "height": HEIGHTS[width]},
        "has_touch": width == PHONE,
        "is_mobile": width == PHONE,
        "reduced_motion": "reduce",
    }


def open_context(browser: Browser, *, base_url: str, language: str, width: int) -> BrowserContext:
    """A browser of its own, without anybody signed in, that reads in ``language``."""
    context = browser.new_context(base_url=base_url, **context_arguments(language, width))
    speak(context, base_url=base_url, language=language)
    return context


def speak(context: BrowserContext, *, base_url: str, language: str) -> None:
    """Read on in ``language``; signing in goes back to the user's own."""
    context.add_cookies([{"name": "django_language", "value": LANGUAGES[language], "url": base_url}])
