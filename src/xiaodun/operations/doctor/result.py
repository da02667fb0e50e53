"""What one check found."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise

Text = str | Promise


class State(StrEnum):
    """What a result asks of the administrator."""

    NOW = "now"
    DUE = "due"
    DONE = "done"
    NA = "na"


_ORDER = [State.NOW, State.DUE, State.DONE, State.NA]


@dataclass(frozen=True, slots=True)
class Result:
    """``said``: what was found. ``remedy``: what to do, "" if nothing. ``since``: of when the thing is.

    Nothing here names a person.
    """

    code: str
    title: Text
    state: State
    said: Text
    remedy: Text = ""
    since: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "title": str(self.title),
            "state": self.state.value,
            "said": str(self.said),
            "remedy": str(self.remedy),
            "since": self.since.isoformat() if self.since else None,
        }


def worst(results: Iterable[Result]) -> State:
    """The most pressing state of all."""
    return min((each.state for each in results), key=_ORDER.index, default=State.NA)
