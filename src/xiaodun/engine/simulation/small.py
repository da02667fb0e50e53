"""A small district: six institutions, forty groups, some fourteen hundred people, their checks up to a day.

All rates behind it describe an invented district; none is a rule or an estimate for a real one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from xiaodun.engine.simulation.dice import Dice
from xiaodun.engine.simulation.district import District, Truth
from xiaodun.engine.simulation.illness import draw_illnesses, plant_clusters
from xiaodun.engine.simulation.roster import DISTRICT_CODE, draw_roster
from xiaodun.engine.simulation.taps import draw_checks

__all__ = ["MIN_SCHOOL_DAYS", "small_district"]

MIN_SCHOOL_DAYS = 15
"""With fewer days the three clusters have no quiet days around them."""

_MISSING_ON_LAST_DAY = ("p01-5-1", "j01-2-2", "c01-1-2")  # 五(1)班, 八(2)班 and a college class
_LATE_ON_LAST_DAY = ("k01-3-2", "s01-2-1")  # 大二班, 高二(1)班

_SEPTEMBER = 9

# One stream of random numbers a subject.
_PEOPLE, _ILLNESS, _TAPS = 1, 2, 3


def small_district(*, seed: int, last_day: date, school_days: Sequence[date]) -> District:
    """An invented district with the checks of ``school_days``, the last of which is ``last_day``.

    The same arguments give the same district, byte for byte, on every machine. All groups are checked on all
    the given days, the training body's too. The school year is the one that holds ``last_day``; everybody is
    enrolled from its first of September, or from the first school day if that is earlier.

    Raises ``ValueError`` for a negative seed, fewer than :data:`MIN_SCHOOL_DAYS` days, days that do not
    ascend, or a last day that is not ``last_day``.
    """
    days = tuple(school_days)
    if seed < 0:
        raise ValueError(f"a seed is a whole number from 0, not {seed}")
    if len(days) < MIN_SCHOOL_DAYS:
        raise ValueError(f"{len(days)} school days given, at least {MIN_SCHOOL_DAYS} needed")
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError("school days must ascend, each once")
    if days[-1] != last_day:
        raise ValueError(f"the last school day is {days[-1]}, not {last_day}")

    school_year = last_day.year if last_day.month >= _SEPTEMBER else last_day.year - 1
    roster = draw_roster(
        Dice(seed, _PEOPLE), school_year=school_year, since=min(date(school_year, _SEPTEMBER, 1), days[0])
    )
    illness_dice = Dice(seed, _ILLNESS)
    clusters, planted = plant_clusters(illness_dice, roster, days)
    illnesses = draw_illnesses(illness_dice, roster, days, clusters, planted)
    checks = draw_checks(
        Dice(seed, _TAPS),
        roster,
        days,
        illnesses,
        always_checked=[cluster.group for cluster in clusters],
        missing_on_last_day=_MISSING_ON_LAST_DAY,
        late_on_last_day=_LATE_ON_LAST_DAY,
    )
    return District(
        code=DISTRICT_CODE,
        name_zh="示范区",
        name_en="Model District",
        school_days=days,
        institutions=tuple(roster.institutions),
        grades=tuple(roster.grades),
        groups=tuple(roster.groups),
        persons=tuple(roster.persons),
        enrolments=tuple(roster.enrolments),
        staff=tuple(roster.staff),
        checks=checks,
        truth=Truth(clusters, _MISSING_ON_LAST_DAY, _LATE_ON_LAST_DAY),
    )
