"""Rules, playbooks and ladders as YAML files that a non-programmer can read and a machine can check.

YAML 1.1 reads ``18:00`` as 1080, ``no`` as false and keeps the last of two equal keys in silence. Here such a
value stays text, booleans are ``true`` and ``false`` only, and a repeated key is an error.
"""

import re
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


class DataFileError(Exception):
    """A data file is malformed; the text names file, line, what is wrong there."""


class _PlainLoader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
    ("timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
    ("null", r"null|~|", "n~\0"),
):
    _PlainLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), ["" if c == "\0" else c for c in _first]
    )


def _mapping(loader: _PlainLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in made:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice", key_node.start_mark
            )
        made[key] = loader.construct_object(value_node, deep=True)
    return made


_PlainLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(file: Path | Traversable, schema: type[Model]) -> Model:
    """Read a YAML file into a pydantic model; raises ``DataFileError`` with every fault's line.

    A file inside the package: ``importlib.resources.files("xiaodun.duties") / "data" / "playbook.yaml"``.
    Let the schema forbid extra fields (``model_config = ConfigDict(extra="forbid")``), so that a misspelt
    one fails.
    """
    text = file.read_text(encoding="utf-8")
    loader = _PlainLoader(text)
    try:
        root = loader.get_single_node()
        content = loader.construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise DataFileError(f"{file.name}, line {line}: {error.problem}.") from error
    finally:
        loader.dispose()
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        faults = [
            f"{file.name}, line {_line(root, fault['loc'])}: "
            f"{'.'.join(str(step) for step in fault['loc']) or 'file'}: {fault['msg']}."
            for fault in error.errors(include_url=False)
        ]
        raise DataFileError("\n".join(faults)) from error


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line of the deepest part of ``location`` that the file has."""
    line = node.start_mark.line + 1 if node is not None else 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line
