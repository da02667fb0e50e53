"""The State's days off and make-up workdays (调休) of a year.

The State Council announces them each autumn for the following year; they cannot be computed. This module
reads them from the `holidays` package and says when a year has not been announced to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

__all__ = ["StateYear", "state_holidays"]

_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StateYear:
    """Days off and make-up workdays of one calendar year.

    ``days_off`` maps every day of a holiday to its Chinese name, the weekend days inside a holiday included:
    a training body that teaches on Saturdays does not teach on the Saturday of National Day.
    ``workdays`` maps each weekend day on which the State works to the Chinese word for it.
    ``confirmed`` is false when no make-up workday is known: the law's holidays are then listed, but the
    announcement, which moves weekends, is missing.
    """

    year: int
    days_off: Mapping[date, str] = field(hash=False)
    workdays: Mapping[date, str] = field(hash=False)
    confirmed: bool


def state_holidays(year: int) -> StateYear:
    """The State's calendar of ``year`` as the installed `holidays` package knows it.

    Takes about a second at the first call: seed a table from it, do not ask within a request.

    Every year since 2001 moved some weekends, so a year without any is one that the package does not yet
    know; it then lists the holidays of the law alone and says nothing. Such a year comes back unconfirmed.
    """
    import holidays  # half a second of import, needed only where a calendar is seeded

    # The neighbours are read too: 2022-12-31 belongs to the New Year's holiday of 2023.
    listed = holidays.country_holidays("CN", years=(year - 1, year, year + 1), language="zh_CN")
    named = dict(listed.items())
    # The package keeps some working weekends of 2001 to 2011 in every answer, whatever the year.
    workdays = {day for day in listed.weekend_workdays if day.year == year}
    working = set(listed.weekend_workdays)

    days_off = {day: name for day, name in named.items() if day.year == year}
    for day, name in named.items():
        for step in (_DAY, -_DAY):
            neighbour = day + step
            while neighbour.weekday() >= _SATURDAY and neighbour not in named and neighbour not in working:
                if neighbour.year == year:
                    days_off.setdefault(neighbour, name)
                neighbour += step
    return StateYear(
        year=year,
        days_off=dict(sorted(days_off.items())),
        workdays=dict.fromkeys(sorted(workdays), "调休上班"),
        confirmed=bool(workdays),
    )
