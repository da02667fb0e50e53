"""Parts for the outbox's tests: a subscriber that keeps what it heard, and two wake-ups."""

from datetime import datetime
from typing import Any

woken: list[bool] = []


class Recorder:
    """Remembers each call; the first ``failures`` calls fail instead."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.calls: list[tuple[dict[str, Any], datetime]] = []

    def __call__(self, payload: dict[str, Any], *, at: datetime) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("not now")
        self.calls.append((payload, at))


def wake() -> None:
    woken.append(True)


def die() -> None:
    raise SystemError("the queue's file is gone")
