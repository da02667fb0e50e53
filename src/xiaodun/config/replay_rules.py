"""Rule sets, ladders and playbook of a replay: the shipped files, made to hold on the days of an old
outbreak.

A replay asks what the named rules would have said. An outbreak of 2001 lies before the norm of 2006: the
earliest version of each row is therefore taken to hold on all days before it, the latest on all days after
it. Within its own time each row holds as shipped.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml

RULE_SETS = files("xiaodun.surveillance") / "data"
LADDERS = files("xiaodun.ladders") / "data" / "ladders.yaml"
PLAYBOOK = files("xiaodun.duties") / "data" / "playbook.yaml"


def rule_set_names() -> list[str]:
    """The names that ``--rules`` takes."""
    names = (file.name for file in RULE_SETS.iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def rule_set(name: str) -> Traversable:
    """The file of a rule set. ``KeyError`` for an unknown name."""
    if name not in rule_set_names():
        raise KeyError(name)
    return RULE_SETS / f"{name}.yaml"


def stretched(file: Traversable, *, first: date, last: date, folder: Path) -> Path:
    """A copy of a dated file in ``folder`` whose rows cover the days from ``first`` to ``last``."""
    text = file.read_text(encoding="utf-8")
    edits: list[tuple[int, int, str]] = []
    versions: dict[tuple[str, str], list[dict[str, yaml.ScalarNode]]] = defaultdict(list)
    for row in _dated_rows(yaml.compose(text, Loader=yaml.BaseLoader)):
        variant = row["variant"].value if "variant" in row else ""
        versions[row["code"].value, variant].append(row)
    for rows in versions.values():
        earliest = min(rows, key=lambda row: row["valid_from"].value)["valid_from"]
        if date.fromisoformat(earliest.value) > first:
            edits.append((earliest.start_mark.index, earliest.end_mark.index, first.isoformat()))
        ends = [row["valid_to"] for row in rows if "valid_to" in row]
        if len(ends) == len(rows) and all(_is_date(end.value) for end in ends):
            latest = max(ends, key=lambda end: end.value)
            if date.fromisoformat(latest.value) < last:
                edits.append((latest.start_mark.index, latest.end_mark.index, last.isoformat()))
    for start, end, value in sorted(edits, reverse=True):
        text = text[:start] + value + text[end:]
    copy = folder / file.name
    copy.write_text(text, encoding="utf-8")
    return copy


def _is_date(value: str) -> bool:
    return value[:1].isdigit()


def _dated_rows(node: yaml.Node | None) -> Iterator[dict[str, yaml.ScalarNode]]:
    """Every mapping with a code and a first day of validity, as its scalar values."""
    if isinstance(node, yaml.MappingNode):
        scalars = {key.value: value for key, value in node.value if isinstance(value, yaml.ScalarNode)}
        if {"code", "valid_from"} <= scalars.keys():
            yield scalars
        for _key, value in node.value:
            yield from _dated_rows(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _dated_rows(item)
