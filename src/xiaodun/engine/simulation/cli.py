"""``xiaodun simulate``: a term of an invented district as CSV files, with the truth beside.

    counts.csv     of each class or department and school day: members, checked, absent, illnesses by group
    cases.csv      every infection: person, class, disease, days, infector, setting, outbreak
    outbreaks.csv  every introduction with its size
    windows.csv    when a class had a cluster of a disease

Rows of ``counts.csv`` are what schools wrote down; the other three are the truth that no school knows. No
file holds a name: persons are numbers. A city is written district by district.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any, NoReturn

from xiaodun.engine.calendar import SchoolCalendar, Term, UnconfirmedYearError, state_holidays
from xiaodun.engine.simulation.cases import Setting
from xiaodun.engine.simulation.census import build_census
from xiaodun.engine.simulation.parameters import SYMPTOM_GROUPS, diseases
from xiaodun.engine.simulation.plan import InstitutionPlan, bulletin_district, city
from xiaodun.engine.simulation.term import SimulatedTerm, simulate_term

__all__ = ["main"]

BAD_INPUT = 2
"""Exit code for an option that cannot be used."""

_SEPTEMBER = 9
_UNIT = ("district", "unit")
_HEADS = {
    "counts": (
        *_UNIT, "date", "headcount", "checked", "absent_ill", "absent_other",
        *(f"{group}_reported" for group in SYMPTOM_GROUPS), *(f"{group}_onset" for group in SYMPTOM_GROUPS),
    ),
    "cases": (
        "case", "person", *_UNIT, "disease", "infected", "onset", "symptomatic", "reported", "setting",
        "infector", "outbreak",
    ),
    "outbreaks": ("outbreak", *_UNIT, "disease", "start", "end", "infections", "cases", "reported"),
    "windows": (*_UNIT, "disease", "start", "end", "first_report", "cases", "reported", "linked"),
}  # fmt: skip


class _InputError(Exception):
    """The options cannot be used; the message says what to do about it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _InputError(f"{message}\n{self.format_usage().strip()}")


@dataclass(slots=True)
class _Files:
    """The open files; persons and cases are numbered through all districts."""

    writers: dict[str, Any]
    persons: int = 0
    cases: int = 0
    names: dict[int, str] = field(
        default_factory=lambda: {each.number: code for code, each in diseases().items()}
    )

    def write(self, term: SimulatedTerm) -> None:
        district = int(term.census.institutions["district"][0])
        codes = {int(group): term.census.group_code(int(group)) for group in term.groups}
        self.writers["counts"].writerows(_counts(term, district, codes))
        self.writers["cases"].writerows(self._cases(term, district, codes))
        for row in term.outbreaks():
            self.writers["outbreaks"].writerow(
                (
                    self.cases + int(row["outbreak"]), district, codes[int(row["group"])],
                    self.names[int(row["disease"])], _day(term, row["start"]), _day(term, row["end"]),
                    row["infections"], row["cases"], row["reported"],
                )
            )  # fmt: skip
        for row in term.windows():
            self.writers["windows"].writerow(
                (
                    district, codes[int(row["unit"])], self.names[int(row["disease"])],
                    _day(term, row["start"]), _day(term, row["end"]), _day(term, row["first_report"]),
                    row["cases"], row["reported"], row["linked"],
                )
            )  # fmt: skip
        self.persons += len(term.census.persons)
        self.cases += len(term.cases)

    def _cases(self, term: SimulatedTerm, district: int, codes: dict[int, str]) -> Iterator[tuple[Any, ...]]:
        group = term.census.persons["group"]
        for number, row in enumerate(term.cases.tolist()):
            case = dict(zip(term.cases.dtype.names or (), row, strict=True))
            yield (
                self.cases + number, self.persons + case["person"], district,
                codes[int(group[case["person"]])], self.names[case["disease"]], _day(term, case["infected"]),
                _day(term, case["onset"]),
                int(case["symptomatic"]), _day(term, case["reported"]), Setting(case["setting"]).name.lower(),
                self.cases + case["infector"] if case["infector"] >= 0 else "", self.cases + case["outbreak"],
            )  # fmt: skip


def _counts(term: SimulatedTerm, district: int, codes: dict[int, str]) -> Iterator[list[Any]]:
    counts = term.counts()
    school_days = [number for number, is_open in enumerate(term.is_school_day) if is_open]
    for unit, group in enumerate(counts.units):
        for day in school_days:
            known = (counts.headcount, counts.checked, counts.absent_ill, counts.absent_other)
            yield [
                district, codes[int(group)], term.days[day], *(each[unit, day] for each in known),
                *counts.by_report[:, unit, day], *counts.by_onset[:, unit, day],
            ]  # fmt: skip


def _day(term: SimulatedTerm, number: int) -> date | str:
    """The date of a day of the term; empty for none. An onset may lie beyond the term's last day."""
    return date.fromordinal(term.days[0].toordinal() + int(number)) if number >= 0 else ""


def _plans(arguments: argparse.Namespace) -> Sequence[InstitutionPlan]:
    if arguments.only is None:
        return city(arguments.persons) if arguments.persons else bulletin_district()
    known = {plan.code: plan for plan in bulletin_district()}
    if unknown := [code for code in arguments.only if code not in known]:
        raise _InputError(f"there is no institution {unknown[0]}; there are {', '.join(known)}")
    return [plan for code, plan in known.items() if code in arguments.only]


def _parser() -> _Parser:
    parser = _Parser(
        prog="xiaodun simulate",
        description="Writes a term of an invented district: what the schools wrote down, and what was true.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder for the four files; made if absent")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another term (%(default)s)")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--persons", type=int, help="about so many people: one school to millions (65,000)")
    size.add_argument("--only", nargs="+", metavar="CODE", help="these institutions, for example p01 k03")
    parser.add_argument("--disease", action="append", metavar="NAME", help="only this one; can be repeated")
    parser.add_argument("--severity", type=float, default=1.0, help="of the influenza season (%(default)s)")
    parser.add_argument(
        "--from", dest="first", type=date.fromisoformat, default=date(2020, 9, 1), metavar="DATE",
        help="first day of the term (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--to", dest="last", type=date.fromisoformat, default=date(2021, 1, 29), metavar="DATE",
        help="last day of the term (%(default)s)",
    )  # fmt: skip
    return parser


def _terms(arguments: argparse.Namespace) -> Iterator[SimulatedTerm]:
    first, last = arguments.first, arguments.last
    years = [state_holidays(year) for year in range(first.year, last.year + 1)]
    term = (Term(first, last),) if first <= last else None
    calendar = SchoolCalendar.from_state(years, terms=term)
    school_year = first.year if first.month >= _SEPTEMBER else first.year - 1
    for _, plans in groupby(_plans(arguments), key=lambda plan: plan.district):
        census = build_census(seed=arguments.seed, school_year=school_year, plans=list(plans))
        yield simulate_term(
            census,
            seed=arguments.seed,
            calendar=calendar,
            first=first,
            last=last,
            only=arguments.disease,
            severity=arguments.severity,
        )


def _write(folder: Path, terms: Iterable[SimulatedTerm]) -> _Files:
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        writers = {}
        for name, head in _HEADS.items():
            file = stack.enter_context((folder / f"{name}.csv").open("w", encoding="utf-8", newline=""))
            writers[name] = csv.writer(file, lineterminator="\n")
            writers[name].writerow(head)
        files = _Files(writers)
        for term in terms:
            files.write(term)
    return files


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    try:
        arguments = _parser().parse_args(argv)
        terms = _terms(arguments)
        ready = next(terms)  # whatever cannot be simulated is refused before a file is touched
        files = _write(arguments.folder, _from(ready, terms))
    except (_InputError, ValueError, UnconfirmedYearError) as error:
        print(f"xiaodun simulate: {error}", file=sys.stderr)
        return BAD_INPUT
    print(f"{files.persons:,} people, {files.cases:,} infections in {arguments.folder}.")
    return 0


def _from(first: SimulatedTerm, others: Iterator[SimulatedTerm]) -> Iterator[SimulatedTerm]:
    yield first
    yield from others
