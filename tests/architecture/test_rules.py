"""No medical number in code: numbers come from dated rows that name their source."""

import ast
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.source import PACKAGE, ROOT, modules, none

DATA_FILES = sorted(PACKAGE.glob("*/data/*.yaml"))

# docs and reference: V read in the rule, V2 in a secondary text, M from memory, M? doubtful, P our proposal.
MARKS = {"V", "V2", "M", "M?", "P"}

RULE_WORDS = re.compile(
    r"(^|_)(threshold|min_cases|window_days|incubation|isolation|quarantine|fever|report_within\w*|wait_minutes|"
    r"deadline|remind_at|late_weight|clock_tolerance\w*)(_|$)"
)


def rows(content: Any) -> list[dict[str, Any]]:
    """The dated rows of a data file: the mappings that carry a code and a version."""
    if isinstance(content, dict):
        own = [content] if "version" in content else []
        return own + [row for value in content.values() for row in rows(value)]
    if isinstance(content, list):
        return [row for value in content for row in rows(value)]
    return []


@pytest.mark.parametrize("path", DATA_FILES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_every_dated_row_names_source_mark_and_validity(path: Path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = rows(content)
    assert found, f"{path.relative_to(ROOT)} has no dated row"
    for row in found:
        assert row.get("code"), row
        assert row.get("source"), row
        assert row.get("source_mark") in MARKS, row
        assert isinstance(row.get("valid_from"), date), row
        assert "valid_to" not in row or row["valid_to"] is None or row["valid_to"] >= row["valid_from"], row


def _is_number_or_time(node: ast.AST | None) -> bool:
    if isinstance(node, ast.Constant):
        return (
            isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
            and node.value not in {0, 1}
        )
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in {"time", "timedelta"} and any(
            isinstance(argument, ast.Constant)
            for argument in [*node.args, *(each.value for each in node.keywords)]
        )
    return False


def test_no_body_temperature_stands_in_code():
    """Detection is left out: there such a number is a coefficient of an approximation."""
    found = [
        f"{each.where(node)} {node.value}"
        for each in modules()
        if not each.name.startswith("xiaodun.engine.detection")
        for node in ast.walk(each.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and 35 <= node.value <= 43
    ]
    none(found)


def test_no_threshold_deadline_or_waiting_time_stands_in_code():
    """Outside the engine, whose numbers are the parameters of published methods."""
    found = []
    for each in modules():
        if each.app == "engine":
            continue
        for node in ast.walk(each.tree):
            pairs: list[tuple[str, ast.AST | None]] = []
            if isinstance(node, ast.Call):
                pairs = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
            elif isinstance(node, ast.Assign):
                pairs = [(target.id, node.value) for target in node.targets if isinstance(target, ast.Name)]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                pairs = [(node.target.id, node.value)]
            found += [
                f"{each.where(node)} {name}"
                for name, value in pairs
                if RULE_WORDS.search(name.lower()) and _is_number_or_time(value)
            ]
    none(found)


def test_no_count_rule_is_made_from_literal_numbers():
    found = [
        each.where(call)
        for each in modules()
        for name, call in each.calls()
        if name.endswith(".CountRule") and any(isinstance(argument, ast.Constant) for argument in call.args)
    ]
    none(found)
