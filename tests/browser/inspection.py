"""What a page must keep in every language and width: opened once, all faults listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

from tools.chromium import PHONE, READY

INSPECT = (Path(__file__).parent / "inspect.js").read_text(encoding="utf-8")

# WCAG 2.2, levels A and AA, and the common practice that axe checks beside it.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

MIN_TARGET = 44


@dataclass(frozen=True)
class Words:
    """Names of people, which may stand anywhere, and English texts that Chinese pages must not show."""

    data: Sequence[str]
    english: Sequence[str]


class Watched:
    """A page whose console, errors and failed requests are kept."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.noise: list[str] = []
        self.page.on(
            "console",
            lambda message: self._hear(
                f"console {message.type}: {message.text}", message.type in {"error", "warning"}
            ),
        )
        self.page.on("pageerror", lambda error: self._hear(f"script failed: {error}", True))
        self.page.on(
            "requestfailed",
            lambda request: self._hear(f"request failed: {request.url} {request.failure}", True),
        )

    def _hear(self, line: str, is_fault: bool) -> None:
        if is_fault:
            self.noise.append(line)

    def faults(self, url: str, *, language: str, width: int, words: Words, status: int = 200) -> list[str]:
        """Open ``url`` and list all that is wrong with it."""
        self.noise.clear()
        answer = self.page.goto(url)
        self.page.wait_for_function(READY)
        found = []
        if answer is None or answer.status != status:
            found.append(f"status {answer.status if answer else None} instead of {status}")
        # The browser itself reports the status of an error page.
        found += [line for line in self.noise if status == 200 or "Failed to load resource" not in line]
        found += self.page.evaluate(
            INSPECT,
            {
                "minTarget": MIN_TARGET if width == PHONE else 0,
                "language": language,
                "data": list(words.data),
                "english": list(words.english),
            },
        )
        found += self._axe(width)
        return found

    def _axe(self, width: int) -> list[str]:
        self.page.evaluate(AXE_SCRIPT)
        options: dict[str, Any] = {
            "runOnly": {"type": "tag", "values": list(RULES)},
            "resultTypes": ["violations"],
            # On the phone inspect.js measures a stricter 44 px; axe takes what the bottom bar covers before
            # one scrolls for too small.
            "rules": {"target-size": {"enabled": width != PHONE}},
        }
        report = self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"axe {violation['id']}: {violation['help']}: {' '.join(map(str, node['target']))}"
            for violation in report["violations"]
            for node in violation["nodes"]
        ]
