"""Templates hold together: parents, parts, blocks, addresses and files that they name exist."""

import pytest
from django.contrib.staticfiles import finders
from django.template import engines
from django.template.base import FilterExpression, Template
from django.template.defaulttags import URLNode
from django.template.loader_tags import BlockNode, ExtendsNode, IncludeNode
from django.templatetags.static import StaticNode
from django.urls import get_resolver

from tests.architecture.source import ROOT, none, templates

NAMES = [path.as_posix().rpartition("/templates/")[2] for path in templates()]


def compiled(name: str) -> Template:
    return engines["django"].get_template(name).template


def constant(expression: object) -> str | None:
    """The text of a literal filter expression; None for a variable."""
    if (
        isinstance(expression, FilterExpression)
        and isinstance(expression.var, str)
        and not expression.filters
    ):
        return str(expression.var)
    return None


def chain(name: str) -> list[Template]:
    """The template, its parent, its parent's parent, …"""
    found = [compiled(name)]
    while True:
        extends = next(iter(found[-1].nodelist.get_nodes_by_type(ExtendsNode)), None)
        if extends is None:
            return found
        parent = constant(extends.parent_name)
        assert parent, f"{name}: the parent of a template is named literally"
        found.append(compiled(parent))


def url_names() -> set[str]:
    names: set[str] = set()

    def walk(resolver, prefix: str) -> None:
        for entry in resolver.url_patterns:
            if hasattr(entry, "url_patterns"):
                walk(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
            elif entry.name:
                names.add(prefix + entry.name)

    walk(get_resolver(), "")
    return names


def test_no_two_apps_have_a_template_of_the_same_name():
    assert sorted({name for name in NAMES if NAMES.count(name) > 1}) == []


@pytest.mark.parametrize("name", NAMES)
def test_template_compiles_and_all_that_it_names_exists(name: str):
    line = chain(name)
    wrong: list[str] = []
    for node in line[0].nodelist.get_nodes_by_type(IncludeNode):
        part = constant(node.template)
        if part is not None:
            compiled(part)
    for node in line[0].nodelist.get_nodes_by_type(URLNode):
        # `{% url … as name %}` asks whether the address exists.
        target = constant(node.view_name)
        if target is not None and node.asvar is None and target not in url_names():
            wrong.append(f"no address named {target}")
    for node in line[0].nodelist.get_nodes_by_type(StaticNode):
        file = constant(node.path)
        if file is not None and finders.find(file) is None:
            wrong.append(f"no static file {file}")
    if len(line) > 1:
        known = {node.name for parent in line[1:] for node in parent.nodelist.get_nodes_by_type(BlockNode)}
        extends = line[0].nodelist.get_nodes_by_type(ExtendsNode)[0]
        wrong += [
            f"block {block.name} is in no parent: its content would vanish"
            for block in extends.nodelist
            if isinstance(block, BlockNode) and block.name not in known
        ]
    none(wrong)


def test_every_template_stands_in_a_folder_named_like_its_app():
    """Else two apps would shadow each other; error pages that Django looks up by name are the exception."""
    misplaced = [
        str(path.relative_to(ROOT))
        for path, name in zip(templates(), NAMES, strict=True)
        if "/" in name and name.partition("/")[0] != path.relative_to(ROOT / "src" / "xiaodun").parts[0]
    ]
    none(misplaced)
