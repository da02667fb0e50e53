"""Nothing reaches a page or the database unescaped, and nothing is swallowed or left for later."""

import ast
import re

from tests.architecture.source import PACKAGE, ROOT, module, modules, none, templates

# Where built SQL is reviewed: the text is a constant and values are parameters.
REVIEWED_SQL = {
    "xiaodun.kit.audit": "advisory lock of the sealer, PostgreSQL only",
    "xiaodun.kit.checks": "PRAGMA names from a constant tuple",
    "xiaodun.operations.backup.databases": "names of tables from the database's own catalogue, quoted",
    "xiaodun.operations.doctor.checks": "two constant questions to PostgreSQL",
    "xiaodun.operations.backup.restoring": "the name of the temporary database, quoted by Django",
}


def test_no_python_marks_text_as_safe():
    names = {
        "django.utils.safestring.mark_safe",
        "django.utils.safestring.SafeString",
        "django.utils.safestring.SafeText",
        "django.utils.html.html_safe",
    }
    found = [
        f"{each.where(call)} {name}()" for each in modules() for name, call in each.calls() if name in names
    ]
    none(found)


def test_no_template_switches_escaping_off():
    pattern = re.compile(r"\|\s*safe\b|\|\s*safeseq\b|{%\s*autoescape\s+off")
    assert [
        str(path.relative_to(ROOT)) for path in templates() if pattern.search(path.read_text("utf-8"))
    ] == []


def test_no_template_carries_inline_script_style_or_handler():
    """The content security policy refuses them; a script block of data (application/json) is none."""
    pattern = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")|<style\b|\sstyle=\"|\son[a-z]+=\"|javascript:",
        re.IGNORECASE,
    )
    found = [
        f"{path.relative_to(ROOT)}: {match.group(0).strip()}"
        for path in templates()
        for match in pattern.finditer(path.read_text("utf-8"))
    ]
    none(found)


def test_no_script_writes_markup():
    pattern = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b|new Function")
    scripts = sorted((ROOT / "frontend").rglob("*.js"))
    found = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in scripts
        for match in pattern.finditer(path.read_text("utf-8"))
    ]
    none(found)


def test_sql_is_written_in_reviewed_places_only():
    found = []
    for each in modules():
        for name, call in each.calls():
            attribute = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            is_sql = attribute in {"raw", "extra", "execute", "executemany"} or name.endswith("RawSQL")
            if is_sql and each.name not in REVIEWED_SQL:
                found.append(f"{each.where(call)} {attribute or name}()")
    none(found)
    assert [name for name in REVIEWED_SQL if module(name) is None] == []


def test_no_error_is_swallowed():
    found = []
    for each in modules():
        for node in ast.walk(each.tree):
            if isinstance(node, ast.ExceptHandler):
                names = {"", "Exception", "BaseException"}
                broad = node.type is None or each.full_name(node.type) in names
                silent = all(isinstance(line, ast.Pass | ast.Continue) for line in node.body)
                if silent and broad:
                    found.append(each.where(node))
    none(found)


def test_nothing_is_left_for_later():
    pattern = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    files = [
        path for suffix in ("py", "html", "js", "css", "yaml", "po") for path in PACKAGE.rglob(f"*.{suffix}")
    ]
    files += [
        *(ROOT / "frontend").rglob("*.js"),
        *(ROOT / "tools").glob("*.py"),
        *(ROOT / "docs").rglob("*.md"),
    ]
    found = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in files
        if "vendor" not in path.parts
        for match in pattern.finditer(path.read_text("utf-8"))
    ]
    none(found)


def test_no_test_is_skipped():
    pattern = re.compile(r"pytest\.(skip|xfail|importorskip)\b|mark\.(skip|skipif|xfail)\b|unittest\.skip")
    files = [*PACKAGE.rglob("test_*.py"), *(ROOT / "tests").rglob("*.py")]
    found = [
        str(path.relative_to(ROOT))
        for path in files
        if path.name != "test_output.py" and pattern.search(path.read_text())
    ]
    none(found)
