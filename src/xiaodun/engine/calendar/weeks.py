"""Numbers of weeks: of the term, as schools count, and of the year, as epidemiologists count."""

from __future__ import annotations

from datetime import date, timedelta

__all__ = ["epi_week", "school_week"]


def school_week(term_start: date, day: date) -> int:
    """The number of the week of the term (第几周) that holds ``day``; the week of ``term_start`` is 1.

    Weeks run from Monday to Sunday. Weeks of holiday count on. ``ValueError`` before the first week.
    """
    first_monday = term_start - timedelta(days=term_start.weekday())
    week = (day - first_monday).days // 7 + 1
    if week < 1:
        raise ValueError(f"{day} lies before the first week of the term that begins on {term_start}")
    return week


def epi_week(day: date) -> tuple[int, int]:
    """The epidemiological week of ``day`` as (year, week), week 1 to 53.

    Weeks run from Monday to Sunday and belong to the year that holds their Thursday (ISO 8601): the weeks of
    China's national influenza surveillance. The week-year differs from the calendar year around New Year.
    Not the weeks of the CDC of the United States, which begin on Sunday.
    """
    iso = day.isocalendar()
    return iso.year, iso.week
