"""Terms to judge: simulated districts with known truth."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from benchmarks.detection.school.terms import Term
from xiaodun.engine.calendar import SchoolCalendar, state_holidays
from xiaodun.engine.calendar import Term as SchoolTerm
from xiaodun.engine.detection.school import Hierarchy
from xiaodun.engine.simulation import build_census, simulate_term

HERE = Path(__file__).parent
SPLIT = yaml.safe_load((HERE / "split.yaml").read_text(encoding="utf-8"))

FIRST, LAST = date(2020, 9, 1), date(2021, 1, 22)
SEVERITIES = (0.5, 1.0, 2.0)

_DAY = np.timedelta64(1, "D")
_NO_GROUP = "unknown"


def seeds(part: str) -> range:
    """Seeds of the part ("tune" or "report") of the split."""
    span = SPLIT[part]["simulated_seeds"]
    return range(span["first"], span["last"] + 1)


@cache
def _calendar() -> SchoolCalendar:
    return SchoolCalendar.from_state(
        (state_holidays(2020), state_holidays(2021)), terms=(SchoolTerm(FIRST, LAST),)
    )


def simulated(seed: int) -> Term:
    """An autumn term of the bulletin's district: classes of schools, kindergartens and colleges.

    Each seed has its own people and, in turn, a mild, a usual or a severe season.
    """
    term = simulate_term(
        build_census(seed=seed, school_year=FIRST.year),
        seed=seed,
        calendar=_calendar(),
        first=FIRST,
        last=LAST,
        severity=SEVERITIES[seed % len(SEVERITIES)],
    )
    chosen = term.is_class
    row_of = np.full(len(term.groups), -1)
    row_of[chosen] = np.arange(int(chosen.sum()))
    home = np.searchsorted(term.groups, term.census.persons["group"])
    rows = np.concatenate([term.cases, term.background])
    outbreak = np.concatenate([term.cases["outbreak"], np.full(len(term.background), -1)])
    groups = tuple(name for name in term.counts().symptom_groups if name != _NO_GROUP)
    known = (rows["reported"] >= 0) & (row_of[home[rows["person"]]] >= 0)
    rows, outbreak = rows[known], outbreak[known]
    school_days = np.flatnonzero(term.is_school_day)
    first = np.datetime64(term.days[0])
    return Term(
        name=f"seed {seed}",
        days=first + school_days * _DAY,
        hierarchy=Hierarchy(
            np.unique(term.tree["grade"][chosen], return_inverse=True)[1],
            np.unique(term.tree["institution"][chosen], return_inverse=True)[1],
        ),
        pupils=term.census.groups["size"][term.groups[chosen]].astype(np.float64),
        groups=groups,
        case_class=row_of[home[rows["person"]]],
        case_onset=first + rows["onset"].astype(np.int64) * _DAY,
        case_known=np.searchsorted(school_days, rows["reported"]),
        case_groups=np.array([[name in term.picture(row).groups for name in groups] for row in rows]),
        case_outbreak=outbreak.astype(np.intp),
    )
