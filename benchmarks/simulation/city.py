"""Build a city of 2.5 million people and let a term pass over it, district by district.

    python benchmarks/simulation/city.py [--persons 2500000] [--districts 3] [--output FILE]

Processor time, one thread; peak memory of the process as the system counts it. A term is simulated for each
district by itself, as a province would spread it over processes: only the census of the whole city is held at
once. All districts cost the same, so a few of them are timed and the city is their mean times the number.
"""

from __future__ import annotations

import os

os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})

import argparse
import platform
import resource
import time
from datetime import date
from itertools import groupby
from pathlib import Path

import numpy as np

from xiaodun.engine.calendar import SchoolCalendar, Term, state_holidays
from xiaodun.engine.simulation import build_census, city, simulate_term

FIRST, LAST = date(2020, 9, 1), date(2021, 1, 29)


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row(step: str, people: int, groups: int, seconds: float) -> str:
    return f"| {step} | {people:,} | {groups:,} | {seconds:.1f} | {peak_megabytes():.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--persons", type=int, default=2_500_000)
    parser.add_argument("--districts", type=int, default=3, help="whose term is timed (%(default)s)")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    years = [state_holidays(2020), state_holidays(2021)]
    calendar = SchoolCalendar.from_state(years, terms=(Term(FIRST, LAST),))
    lines = [
        "# A simulated city",
        "",
        "Made by `python benchmarks/simulation/city.py`.",
        f"One thread, Python {platform.python_version()}, NumPy {np.__version__}.",
        "",
        "| step | people | groups | processor time, s | peak memory, MB |",
        "|---|---|---|---|---|",
    ]

    start = time.process_time()
    plans = city(arguments.persons)
    census = build_census(seed=1, school_year=2020, plans=plans)
    spent = time.process_time() - start
    lines.append(row("census of the city", len(census.persons), len(census.groups), spent))
    del census

    start = time.process_time()
    people = groups = cases = days = 0
    districts = [list(own) for _, own in groupby(plans, key=lambda plan: plan.district)]
    timed = districts[: arguments.districts]
    for own in timed:
        district = build_census(seed=1, school_year=2020, plans=own)
        term = simulate_term(district, seed=1, calendar=calendar, first=FIRST, last=LAST)
        counts = term.counts()
        people += len(district.persons)
        groups += len(district.groups)
        cases += len(term.cases) + len(term.background)
        days += int((counts.checked > 0).sum())
    spent = time.process_time() - start
    lines.append(row(f"a term of {len(timed)} districts, with counts", people, groups, spent))
    whole = spent / len(timed) * len(districts)
    lines += [
        "",
        f"The terms hold {cases:,} infections and illnesses and {days:,} class checks.",
        f"By this the {len(districts)} districts of the city take {whole:.0f} s on one core.",
    ]
    text = "\n".join(lines) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
