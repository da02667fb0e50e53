"""Why persons and enrolments cannot be taken: one row of a page, or many rows of a batch at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from xiaodun.kit.errors import Refusal, RowError

Item = TypeVar("Item")

# Persons looked up in one query: below the number of parameters that SQLite takes.
_IDS_A_QUERY = 10_000


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be taken: code, what is wrong, what to do."""

    code: str
    message: str | Promise
    remedy: str | Promise
    status: int = 422
    field: str = ""


def refusal_of(fault: Fault, facts: Mapping[str, object]) -> Refusal:
    return Refusal(fault.code, fault.message, status=fault.status, facts=facts, lifts=fault.remedy)


def row_error(position: int, fault: Fault, person: int | None = None) -> RowError:
    where = format_lazy(_("row {number}"), number=position)
    return RowError(where, fault.message, fault.remedy, person=person, field=fault.field)


def batch_refusal(errors: Sequence[RowError]) -> Refusal:
    return Refusal(
        "rows-faulty",
        _("Some rows cannot be taken. Nothing was saved."),
        status=422,
        facts={"faulty": len(errors)},
        lifts=_("Correct the rows listed and send the whole again."),
        errors=errors,
    )


def parts(items: Sequence[Item]) -> Iterable[Sequence[Item]]:
    return (items[start : start + _IDS_A_QUERY] for start in range(0, len(items), _IDS_A_QUERY))
