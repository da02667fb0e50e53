"""What tests read from Markdown: fenced blocks, links, anchors."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<(https?://[^>]+)>")


@dataclass(frozen=True)
class Block:
    """A fenced block with its language."""

    language: str
    text: str


def blocks(path: Path) -> list[Block]:
    return [Block(*found) for found in _FENCE.findall(path.read_text(encoding="utf-8"))]


def links(path: Path) -> Iterator[str]:
    """Targets of all links outside of fenced blocks and code."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    for match in _LINK.finditer(re.sub(r"`[^`]*`", "", text)):
        yield match.group(1) or match.group(2)


def anchors(path: Path) -> set[str]:
    """The anchors of the headings, as the usual hosts make them."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
