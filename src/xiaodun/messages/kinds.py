"""Kinds of message: their words by code. A message stores facts; words are made in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message. ``title`` and ``body`` are templates over the facts: ``%(unit)s``."""

    code: str
    title: Text
    body: Text


_kinds: dict[str, Kind] = {}


def add(kind: Kind) -> None:
    """Make a kind known; ``ValueError`` if its code is taken, so that a clash shows at start."""
    if kind.code in _kinds:
        raise ValueError(f"Two kinds of message call themselves {kind.code!r}.")
    _kinds[kind.code] = kind


def kind_of(code: str) -> Kind:
    """The kind of that code; ``ValueError`` if no app registered it."""
    if code not in _kinds:
        raise ValueError(f"No kind of message is called {code!r}; register it in AppConfig.ready().")
    return _kinds[code]


def words(template: Text, facts: Mapping[str, Any]) -> str:
    """The template filled in the active language; in English ``name_en``, if given, replaces ``name``."""
    if (get_language() or "").startswith("en"):
        facts = {name: facts.get(f"{name}_en") or value for name, value in facts.items()}
    return str(template) % facts
