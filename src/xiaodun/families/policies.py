"""Until when a link holds."""

from datetime import date, datetime, time

from xiaodun.kit.clock import local_day, local_moment

# A school year of China begins on 1 September.
_FIRST_MONTH = 9
# How often binding a phone may fail before the link binds none any more.
TRIES = 5


def end_of_school_year(at: datetime) -> datetime:
    """The moment at which the school year of ``at`` is over."""
    today = local_day(at)
    year = today.year + 1 if today.month >= _FIRST_MONTH else today.year
    return local_moment(date(year, _FIRST_MONTH, 1), time.min)
