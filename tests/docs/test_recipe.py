"""CONTRIBUTING, "Add an app", followed to the letter in a copy: the contracts hold, and bite."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.contracts import run_contracts
from tests.architecture.source import ROOT
from tests.docs.markdown import blocks

SETTINGS = "src/xiaodun/config/settings/base.py"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout with the app of the recipe in it."""
    root = tmp_path_factory.mktemp("recipe")
    ignore = shutil.ignore_patterns("__pycache__", "vendor")
    for folder in ("src", "tests", "tools"):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignore)
    for name in (".importlinter", "pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, root / name)
    for block in blocks(ROOT / "CONTRIBUTING.md"):
        first, _, rest = block.text.partition("\n")
        if block.language == "python" and first.startswith("# src/"):
            file = root / first.removeprefix("# ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(rest, encoding="utf-8")
    replace(root / ".importlinter", "(hygiene)", "hygiene")
    replace(root / SETTINGS, '    "xiaodun.duties",\n', '    "xiaodun.duties",\n    "xiaodun.hygiene",\n')
    run(root, "-m", "django", "makemigrations", "hygiene", "--settings=xiaodun.config.settings.test")
    return root


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} has {text.count(old)} times {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def run(root: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=environment | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_app_of_the_recipe_keeps_the_contracts(copy: Path):
    kept, report = run_contracts(copy)
    assert kept, report


def test_its_own_tests_and_the_gates_for_floors_and_writes_pass(copy: Path):
    report = run(
        copy,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "src/xiaodun/hygiene",
        "tests/architecture/test_floors.py",
        "tests/architecture/test_writes.py",
    )
    assert re.search(r"\d+ passed", report), report


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("services", "from xiaodun.surveillance import services as _higher"),
        ("models", "from xiaodun.screening.models import Finding as _higher"),
        ("selectors", "from xiaodun.config import env as _higher"),
        ("selectors", "from xiaodun.messages.models import Message as _foreign"),
    ],
)
def test_an_import_that_goes_up_or_into_a_foreign_room_breaks_a_contract(copy: Path, room: str, line: str):
    file = copy / "src" / "xiaodun" / "hygiene" / f"{room}.py"
    before = file.read_text(encoding="utf-8")
    file.write_text(f"{before}\n{line}\n", encoding="utf-8")
    kept, _report = run_contracts(copy)
    file.write_text(before, encoding="utf-8")
    assert not kept


def test_an_app_without_a_floor_breaks_a_contract(copy: Path):
    stray = copy / "src" / "xiaodun" / "gadgets"
    stray.mkdir()
    (stray / "__init__.py").touch()
    kept, report = run_contracts(copy)
    shutil.rmtree(stray)
    assert not kept, report
