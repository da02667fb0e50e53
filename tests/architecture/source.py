"""The product's own source as the architecture tests read it: parsed once, tests and migrations left out."""

import ast
import configparser
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "xiaodun"


@dataclass(frozen=True)
class Module:
    """One Python file: dotted name, app, path, tree, and what its names stand for."""

    name: str
    app: str
    path: Path
    tree: ast.Module
    imports: dict[str, str]

    def where(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"

    def full_name(self, node: ast.expr) -> str:
        """``datetime.now`` → ``datetime.datetime.now`` by the module's imports; "" for other than names."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self.imports.get(node.id, node.id), *reversed(parts)])

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Every call with the full name of what is called."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield self.full_name(node.func), node


def _imports(tree: ast.Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def is_product(path: Path) -> bool:
    return not {"tests", "migrations", "__pycache__", "static"} & set(path.relative_to(PACKAGE).parts)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the product in order of name."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if not is_product(path):
            continue
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        name = ".".join(["xiaodun", *(part for part in parts if part != "__init__")])
        app = parts[0] if len(parts) > 1 else ""
        found.append(Module(name, app, path, tree, _imports(tree)))
    return tuple(found)


def module(name: str) -> Module | None:
    return next((each for each in modules() if each.name == name), None)


@cache
def floors() -> dict[str, int]:
    """App → floor, 0 at the ground, as `.importlinter` has them; apps on one floor share the number."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    lines = parser["importlinter:contract:floors"]["layers"].split()
    layers: list[list[str]] = []
    joined = " ".join(lines).replace(" | ", "|")
    for layer in joined.split():
        layers.append([name.strip("()") for name in layer.split("|")])
    return {name: height for height, layer in enumerate(reversed(layers)) for name in layer}


def templates() -> tuple[Path, ...]:
    return tuple(sorted(PACKAGE.glob("*/templates/**/*.html")))


def none(found: list[str]) -> None:
    """Fails with every offender on its own line."""
    assert not found, "\n" + "\n".join(found)
