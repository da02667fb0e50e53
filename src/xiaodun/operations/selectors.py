"""Reads for the system's page. Nothing in them is about any person."""

from dataclasses import dataclass
from datetime import datetime

from xiaodun.operations.choices import RunState
from xiaodun.operations.doctor import Result, examine, worst
from xiaodun.operations.models import Run

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class HealthPage:
    """What must be done first, then what is well, then what was done lately."""

    state: str
    pressing: list[Result]
    quiet: list[Result]
    runs: list[Run]
    is_busy: bool
    at: datetime


def health_page(*, at: datetime) -> HealthPage:
    """The checks in order of pressure, and the newest runs."""
    results = examine(at)
    runs = list(Run.objects.order_by("-pk")[:_SHOWN])
    return HealthPage(
        state=worst(results),
        pressing=[each for state in ("now", "due") for each in results if each.state == state],
        quiet=[each for each in results if each.state not in {"now", "due"}],
        runs=runs,
        is_busy=any(run.state in {RunState.WAITING, RunState.RUNNING} for run in runs),
        at=at,
    )


def run_waiting(run_id: int) -> Run | None:
    """The run of that number, if it waits to be taken."""
    return Run.objects.filter(pk=run_id, state=RunState.WAITING).first()


def waiting_backups(*, before: datetime) -> list[int]:
    """Backups asked for before then that no worker took: their wake-up was lost."""
    rows = Run.objects.filter(state=RunState.WAITING, asked_at__lt=before)
    return list(rows.values_list("pk", flat=True))
