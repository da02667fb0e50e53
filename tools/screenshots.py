"""Every page × role × language × width of a fresh demonstration as a picture, with an index to leaf through.

    make screenshots            into screenshots/, about five minutes
    python tools/screenshots.py FOLDER

Pages are found as a reader finds them: by the links from the first page of each role, one picture for each
kind of page. Ends with 1 if a page did not answer 200.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.chromium import (  # noqa: E402
    DESK,
    HEIGHTS,
    LANGUAGES,
    PHONE,
    READY,
    NoChromiumError,
    launch_arguments,
    open_context,
    speak,
)

ROLES = (
    "class_teacher",
    "dormitory_supervisor",
    "grade_lead",
    "school_doctor",
    "school_reporter",
    "principal",
    "district_officer",
    "school_clerk",
    "guard",
    "system_administrator",
    "auditor",
)
SIGN_IN = "/sign-in/"
START = "from xiaodun.config.cli import main; raise SystemExit(main())"


@dataclass(frozen=True)
class Picture:
    """One page as one role sees it in one language and width."""

    page: str
    role: str
    language: str
    width: int
    url: str
    status: int

    @property
    def file(self) -> str:
        return f"{self.page}-{self.role}-{self.language}-{self.width}.png"


@contextmanager
def demonstration() -> Iterator[str]:
    """The address of a demonstration in a folder of its own, stopped and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="xiaodun-screenshots-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-c", START, "demo", "--data", folder, "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                found = re.search(r"http://localhost:\d+", line)
                if found:
                    break
            else:
                raise RuntimeError("The demonstration did not start; its message stands above.")
            yield found.group()
        finally:
            process.terminate()
            process.wait(timeout=30)


def page_name(path: str) -> str | None:
    """What kind of page an address is, by the name of its URL pattern; None for what is no page of ours."""
    from django.urls import Resolver404, resolve

    try:
        name = resolve(path).view_name
    except Resolver404:
        return None
    return re.sub(r"[^a-z0-9]+", "-", name.rpartition(":")[2].lower())


def sign_in(context: BrowserContext, role: str, *, base_url: str, language: str) -> None:
    page = context.new_page()
    page.goto(SIGN_IN)
    page.locator(f"[name=role][value={role}]").first.click()
    page.wait_for_url(lambda url: SIGN_IN not in url)
    page.close()
    speak(context, base_url=base_url, language=language)


def pages_of(context: BrowserContext) -> dict[str, str]:
    """One address for each kind of page that links lead to, in the order of discovery."""
    page = context.new_page()
    found: dict[str, str] = {}
    waiting = ["/today/"]
    while waiting:
        url = waiting.pop(0)
        name = page_name(urlsplit(url).path)
        if name is None or name in found:
            continue
        page.goto(url)
        page.wait_for_function(READY)
        found[name] = url
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        here = urlsplit(page.url)
        waiting += [
            parts.path
            for parts in map(urlsplit, links)
            if (parts.scheme, parts.netloc) == (here.scheme, here.netloc)
        ]
    page.close()
    return found


def take(context: BrowserContext, folder: Path, role: str, language: str, width: int, pages: dict[str, str]):
    """Picture every page; yields what was taken."""
    page = context.new_page()
    for name, url in pages.items():
        answer = page.goto(url)
        page.wait_for_function(READY)
        picture = Picture(name, role, language, width, url, answer.status if answer else 0)
        # As tall as the page, so that the bar at the bottom of a phone stands at the bottom of the picture.
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": max(height, HEIGHTS[width])})
        page.screenshot(path=folder / picture.file)
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        yield picture
    page.close()


def take_all(browser: Browser, base_url: str, folder: Path) -> list[Picture]:
    taken: list[Picture] = []
    for role in ("visitor", *ROLES):
        pages = {"sign-in": SIGN_IN}
        for language in LANGUAGES:
            for width in (PHONE, DESK):
                context = open_context(browser, base_url=base_url, language=language, width=width)
                if role != "visitor":
                    sign_in(context, role, base_url=base_url, language=language)
                    if "today" not in pages:
                        pages = pages_of(context)
                taken += take(context, folder, role, language, width, pages)
                context.close()
        sys.stdout.write(f"{role}: {len(pages)} pages\n")
    return taken


def index(taken: list[Picture]) -> str:
    """A page that shows all pictures: one row a page and role, one column a language and width."""
    rows: dict[tuple[str, str], list[Picture]] = {}
    for picture in taken:
        rows.setdefault((picture.page, picture.role), []).append(picture)
    cells = "\n".join(
        f"<section><h2>{escape(page)} <small>{escape(role)}</small></h2><div>"
        + "".join(
            f'<figure><a href="{escape(each.file)}"><img src="{escape(each.file)}" loading="lazy" alt=""></a>'
            f"<figcaption>{each.language} {each.width} px, status {each.status}</figcaption></figure>"
            for each in pictures
        )
        + "</div></section>"
        for (page, role), pictures in sorted(rows.items())
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Xiaodun: screenshots</title>
<style>
body {{ font: 15px/1.5 sans-serif; margin: 24px; background: #f4f6f8; color: #1b2733 }}
section div {{ display: flex; gap: 16px; align-items: flex-start; overflow-x: auto }}
figure {{ margin: 0 }} img {{ height: 420px; border: 1px solid #c9d1d9; background: #fff }}
small {{ font-weight: 400; color: #5b6876 }}
</style></head><body><h1>{len(taken)} pictures of {len(rows)} pages</h1>
{cells}
</body></html>
"""


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "xiaodun.config.settings.test"
    import django

    django.setup()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    try:
        arguments = launch_arguments()
    except NoChromiumError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with demonstration() as base_url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**arguments)
        taken = take_all(browser, base_url, folder)
        browser.close()
    (folder / "index.html").write_text(index(taken), encoding="utf-8")
    wrong = [picture for picture in taken if picture.status != 200]
    for picture in wrong:
        sys.stderr.write(f"{picture.url} answered {picture.status} to {picture.role}\n")
    sys.stdout.write(f"{len(taken)} pictures in {folder}; open {folder / 'index.html'}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
