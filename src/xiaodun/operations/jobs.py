"""Long work on the system that somebody asked for."""

from huey.contrib.djhuey import db_task

from xiaodun.kit import clock
from xiaodun.kit.requestid import request_id
from xiaodun.operations.selectors import run_waiting
from xiaodun.operations.services import take_backup


@db_task()  # type: ignore[untyped-decorator]  # huey has no types
def back_up(run_id: int) -> None:
    """Take the backup that was asked for; one that another worker took is left to it."""
    run = run_waiting(run_id)
    if run is not None:
        with request_id():
            take_backup(run=run, test=True, at=clock.now())
