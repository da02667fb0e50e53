"""The only place that reads a clock.

Services, selectors and engines take time as an argument; views, commands and jobs ask here. A demo runs on a
fictional clock that is shifted once at process start, so that its "today" is a winter school morning.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_shift = timedelta(0)


def shift(by: timedelta) -> None:
    """Shift this process's clock (demo only; ``config`` refuses it for a production database)."""
    global _shift
    _shift = by


def is_shifted() -> bool:
    return _shift != timedelta(0)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC) + _shift


def local_day(at: datetime) -> date:
    """The civil day in China at the moment ``at``; school days and onset days are these days."""
    return at.astimezone(SHANGHAI).date()


def local_moment(day: date, of_day: time) -> datetime:
    """The moment at which clocks in China show ``of_day`` on ``day``."""
    return datetime.combine(day, of_day, tzinfo=SHANGHAI)


def local_span(day: date) -> tuple[datetime, datetime]:
    """First and last moment of a civil day in China, both inclusive, for range look-ups."""
    start = local_moment(day, time.min)
    return start, start + timedelta(days=1, microseconds=-1)
