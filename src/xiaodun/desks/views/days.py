"""The day in a page's address."""

from datetime import date, timedelta

from django.http import Http404, HttpRequest
from django.utils.dateparse import parse_date

from xiaodun.kit import clock

# Outside of these no record can exist, and arithmetic on days would leave the calendar.
_FIRST = date(2000, 1, 1)
_AHEAD = timedelta(days=366)


def day_in(request: HttpRequest) -> date:
    """The day in the address, or today.

    Raises:
        Http404: for an unreadable day, one before the year 2000 and one more than a year ahead.
    """
    today = clock.local_day(clock.now())
    text = request.GET.get("day", "")
    if not text:
        return today
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not _FIRST <= day <= today + _AHEAD:
        raise Http404
    return day
