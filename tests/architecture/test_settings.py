"""Every variable of the environment is declared once, read loudly and documented; every migration is made."""

import ast
import re

import pytest
from django.core.management import call_command

from tests.architecture.source import ROOT, modules, none

DOCUMENT = ROOT / "docs" / "operations" / "settings.md"
READERS = {"text", "flag", "number", "listing", "directory", "secret", "key_ring"}
FROM_FILE = {"secret", "key_ring"}

# Not settings of the product: what the test run itself listens to.
OF_THE_TESTS = {"XIAODUN_TEST_DATABASE_URL"}


def declared() -> set[str]:
    """Names given literally to the readers of `config.env`, in whichever settings module."""
    found: set[str] = set()
    for each in modules():
        for name, call in each.calls():
            reader = name.rpartition(".")[2]
            if (
                name.startswith("xiaodun.config.env.")
                and reader in READERS
                and each.name != "xiaodun.config.env"
            ):
                first = call.args[0]
                assert isinstance(first, ast.Constant), (
                    f"{each.where(call)}: the name of a variable is literal"
                )
                found.add(str(first.value))
                if reader in FROM_FILE:
                    found.add(f"{first.value}_FILE")
    return found


def documented() -> set[str]:
    return set(re.findall(r"`(XIAODUN_[A-Z0-9_]+)`", DOCUMENT.read_text(encoding="utf-8"))) - OF_THE_TESTS


def test_every_declared_variable_is_documented():
    none(sorted(declared() - documented()))


def test_every_documented_variable_is_declared():
    none(sorted(documented() - declared()))


def test_the_environment_is_read_in_one_module():
    found = [
        f"{each.where(node)}"
        for each in modules()
        if each.app != "config"
        for node in ast.walk(each.tree)
        if isinstance(node, ast.Attribute | ast.Name) and each.full_name(node) in {"os.environ", "os.getenv"}
    ]
    none(found)


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
