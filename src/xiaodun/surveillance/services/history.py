"""The visible history of a signal, written with whatever happened to it."""

from datetime import datetime

from xiaodun.accounts.models import User
from xiaodun.surveillance.models import Signal, SignalEvent


def log_event(
    *, signal: Signal, kind: SignalEvent.Kind, at: datetime, by: User | None = None, note: str = ""
) -> None:
    """One line of the history, with the count at that moment."""
    SignalEvent.objects.create(signal=signal, kind=kind, at=at, count=signal.peak_count, by=by, note=note)
