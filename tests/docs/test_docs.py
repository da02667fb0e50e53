"""The documentation is true: its commands exist, its links lead somewhere, every page can be reached."""

import re
import shlex
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, none
from tests.docs.markdown import anchors, blocks, links
from xiaodun.config import cli

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def console_commands() -> set[str]:
    """The commands that the overview of `xiaodun --help` names."""
    return set(re.findall(r"^  ([a-z]+)  ", cli.OVERVIEW, re.MULTILINE))


def fault_of(line: str) -> str | None:
    """What is wrong with a line of a shell block, None if it can be typed."""
    words = shlex.split(line, comments=True)
    while words and re.match(r"^[A-Z_]+=", words[0]):
        words = words[1:]
    if not words:
        return None
    program, arguments = words[0].removeprefix(".venv/bin/"), words[1:]
    files = [word for word in arguments if "/" in word and not word.startswith(("-", "/", "http", "var/"))]
    missing = [name for name in files if not (ROOT / name.partition("::")[0]).exists()]
    planned = [
        name for name in missing if name.startswith("src/xiaodun/hygiene")
    ]  # made by the recipe above it
    if missing and missing != planned:
        return f"{line}: there is no {', '.join(missing)}"
    if program == "make":
        asked = [word for word in arguments if "=" not in word]
        unknown = [word for word in asked if word not in make_targets()]
        return f"{line}: no such target" if unknown else None
    if program == "xiaodun":
        first = next((word for word in arguments if not word.startswith("-")), None)
        return f"{line}: no such command" if first and first not in console_commands() else None
    return None


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_can_be_typed(page: Path):
    lines = [
        line.removeprefix("$ ")
        for block in blocks(page)
        if block.language == "sh"
        for line in block.text.replace("\\\n", " ").splitlines()
    ]
    none([fault for fault in map(fault_of, lines) if fault])


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_link_leads_somewhere(page: Path):
    wrong = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists():
            wrong.append(f"{link}: no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            wrong.append(f"{link}: no such heading")
    none(wrong)


def test_every_page_can_be_reached_from_the_readme():
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        local = [link.partition("#")[0] for link in links(page) if "://" not in link]
        waiting += [(page.parent / target).resolve() for target in local if target]
    none([page.relative_to(ROOT).as_posix() for page in PAGES if page not in reached])


def test_both_readmes_have_the_same_parts_and_commands():
    english, chinese = ROOT / "README.md", ROOT / "README.zh-CN.md"
    shell = [[block.text for block in blocks(page) if block.language == "sh"] for page in (english, chinese)]
    assert shell[0] == shell[1]
    levels = [
        re.findall(r"^#+ ", page.read_text(encoding="utf-8"), re.MULTILINE) for page in (english, chinese)
    ]
    assert levels[0] == levels[1]


def test_every_command_of_the_console_says_what_it_is_for():
    assert console_commands() >= {"demo", "serve", "replay", "detect", "verify", "keys", "check"}


def test_no_page_names_a_machine_or_a_registry():
    pattern = re.compile(r"(?<![\w.])/(?:work|root|home|tmp)/\w|\b(?:pypi|npmjs)\.(?:org|com)\b")
    none(
        [
            f"{page.relative_to(ROOT)}: {match.group()}"
            for page in PAGES
            for match in pattern.finditer(page.read_text(encoding="utf-8"))
        ]
    )
