"""Hold simulated outbreaks against published ones: tables and pictures of docs/engine/simulation-results.md.

    python benchmarks/simulation/compare.py [--seeds 8]

Every figure is a mean over seeds with the 2.5th and 97.5th percentile of the seeds; nothing is drawn by hand.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt

from xiaodun.engine.calendar import SchoolCalendar, Term, state_holidays
from xiaodun.engine.simulation import (
    InstitutionPlan,
    Kind,
    Setting,
    SimulatedTerm,
    build_census,
    diseases,
    simulate_term,
)
from xiaodun.engine.simulation.epidemic import spread
from xiaodun.engine.simulation.linelist import LineList
from xiaodun.engine.simulation.world import World

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "outbreaks"
PAGE = ROOT / "docs" / "engine" / "simulation-results.md"

MATSUMOTO = (date(2014, 10, 20), date(2015, 2, 28))
WINTER_BREAK = (date(2014, 12, 26), 13)  # assumed: the schools' own dates are not published
_MEASLES_OFTEN = 60
AUTUMN = (date(2020, 9, 1), date(2021, 1, 29))
REAL, SIMULATED = "#b03a2e", "#1f618d"


@dataclass
class Figures:
    """Values of one quantity by seed."""

    values: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        known = np.array([value for value in self.values if not np.isnan(value)])
        if not len(known):
            return "none"
        low, high = np.percentile(known, [2.5, 97.5])
        return f"{known.mean():.2f} ({low:.2f} to {high:.2f})"


# --- influenza in Matsumoto -------------------------------------------------------------------------------


def matsumoto(seeds: Iterable[int]) -> tuple[LineList, list[LineList]]:
    with (DATA / "influenza_matsumoto_2014_linelist.csv").open(encoding="utf-8") as file:
        real = LineList.of_rows(csv.DictReader(file), first=MATSUMOTO[0])
    start, length = WINTER_BREAK
    calendar = SchoolCalendar(
        days_off=frozenset(start + timedelta(days=day) for day in range(length)),
        workdays=frozenset(),
        confirmed_years=frozenset({2014, 2015}),
    )
    census = build_census(seed=1, school_year=2014, plans=real.plans())
    number = diseases()["influenza"].number
    simulated = []
    for seed in seeds:
        term = simulate_term(
            census, seed=seed, calendar=calendar, first=MATSUMOTO[0], last=MATSUMOTO[1], only={"influenza"}
        )
        simulated.append(LineList.of_term(term, number))
    return real, simulated


def matsumoto_table(real: LineList, simulated: list[LineList]) -> str:
    rows = (
        ("attack rate", "attack_rate"),
        ("variance of class counts / binomial variance", "dispersion"),
        ("cases 1-4 days apart in one class / by chance", "same_class_ratio"),
        ("share of the largest week", "peak_share"),
    )
    lines = ["| 15 schools, 241 classes | Matsumoto | simulated: mean (95 % of seeds) |", "|---|---|---|"]
    for label, name in rows:
        figures = Figures([getattr(each, name) for each in simulated])
        lines.append(f"| {label} | {getattr(real, name):.2f} | {figures} |")
    return "\n".join(lines)


def matsumoto_picture(real: LineList, simulated: list[LineList]) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    weeks = -(-(MATSUMOTO[1] - MATSUMOTO[0]).days // 7) + 1
    curves = np.array([np.pad(each.by_week, (0, weeks))[:weeks] for each in simulated])
    days = [MATSUMOTO[0] + timedelta(weeks=week) for week in range(weeks)]
    low, high = np.percentile(curves, [2.5, 97.5], axis=0)
    left.fill_between(days, low, high, color=SIMULATED, alpha=0.2, label="95 % of simulated seasons")
    for number, curve in enumerate(curves[:5]):
        left.plot(days, curve, color=SIMULATED, lw=0.8, label=None if number else "five of them")
    left.plot(days, np.pad(real.by_week, (0, weeks))[:weeks], color=REAL, lw=2, label="Matsumoto")
    left.set_ylabel("onsets a week")
    left.tick_params(axis="x", rotation=30)
    left.legend(frameon=False, fontsize=8)
    edges = np.linspace(0, 0.8, 17)
    right.hist(real.attack_rate_by_class, edges, density=True, color=REAL, alpha=0.45, label="Matsumoto")
    pooled = np.concatenate([each.attack_rate_by_class for each in simulated])
    right.hist(pooled, edges, density=True, histtype="step", color=SIMULATED, lw=2, label="simulated")
    right.set_xlabel("attack rate of a class")
    right.set_ylabel("density of classes")
    right.legend(frameon=False, fontsize=8)
    save(figure, "simulation-matsumoto.png")


# --- norovirus in Derbyshire ------------------------------------------------------------------------------


def derbyshire() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Absences by day, class sizes, absences by class."""
    with (DATA / "norovirus_derbyshire_2001_linelist.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    classes = sorted({row["class"] for row in rows})
    size = np.array([sum(row["class"] == name for row in rows) for name in classes])
    ill = [row for row in rows if row["day_absent"]]
    by_class = np.array([sum(row["class"] == name for row in ill) for name in classes])
    return np.bincount([int(row["day_absent"]) for row in ill]), size, by_class


def derbyshire_like(size: np.ndarray, number: int) -> list[tuple[np.ndarray, float]]:
    """Outbreaks of one introduction into a school of that size: onsets by day, attack rate."""
    middle = round(float(size.mean()))
    grades = tuple((6 + year, len(size) // 5) for year in range(5))
    plan = InstitutionPlan(0, Kind.PRIMARY, 1, True, 0, 0, grades, (middle - 4, middle + 4))
    calendar = SchoolCalendar(days_off=frozenset(), workdays=frozenset(), confirmed_years=frozenset({2001}))
    census = build_census(seed=1, school_year=2001, plans=[plan])
    pupils = int((~census.persons["is_staff"]).sum())
    world = World.of(census, calendar, date(2001, 3, 5), date(2001, 5, 20))
    disease = diseases()["norovirus"]
    often = replace(disease, introductions=disease.introductions * 50, common_source=None)
    found = []
    for seed in range(number):
        cases = spread(world, often, seed=seed)
        own = cases[(cases["outbreak"] == 0) & cases["symptomatic"]]
        own = own[~census.persons["is_staff"][own["person"]]]
        if len(own):
            found.append((np.bincount(own["onset"] - own["onset"].min()), len(own) / pupils))
    return found


def derbyshire_compared() -> str:
    real, size, by_class = derbyshire()
    outbreaks = derbyshire_like(size, 400)
    sizes = np.array([rate for _, rate in outbreaks])
    large = sorted(outbreaks, key=lambda each: -each[1])
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
    for number, (curve, _) in enumerate(large[:12]):
        label = None if number else "largest simulated ones"
        axes[0].plot(curve, color=SIMULATED, lw=0.7, alpha=0.7, label=label)
    axes[0].plot(real[np.flatnonzero(real)[0] :], color=REAL, lw=2, label="Derbyshire 2001")
    axes[0].set_xlabel("day of the outbreak")
    axes[0].set_ylabel("new absences or onsets")
    axes[0].set_xlim(0, 50)
    axes[0].legend(frameon=False, fontsize=8)
    axes[1].hist(sizes, np.linspace(0, 0.6, 31), color=SIMULATED, alpha=0.6, log=True)
    axes[1].axvline(by_class.sum() / size.sum(), color=REAL, lw=2)
    axes[1].set_xlabel("attack rate of the school (line: Derbyshire)")
    axes[1].set_ylabel("outbreaks")
    save(figure, "simulation-derbyshire.png")
    share = {limit: (sizes >= limit).mean() for limit in (0.05, 0.2, 0.38)}
    return "\n".join(
        [
            f"| {len(sizes)} introductions into such a school: the outbreak reaches | share |",
            "|---|---|",
            *(f"| {limit:.0%} of the pupils | {part:.1%} |" for limit, part in share.items()),
        ]
    )


# --- all diseases -----------------------------------------------------------------------------------------


def terms(seeds: Iterable[int]) -> Iterable[SimulatedTerm]:
    calendar = SchoolCalendar.from_state([state_holidays(2020), state_holidays(2021)], terms=(Term(*AUTUMN),))
    census = build_census(seed=1, school_year=2020)
    for seed in seeds:
        yield simulate_term(census, seed=seed, calendar=calendar, first=AUTUMN[0], last=AUTUMN[1])


def all_diseases(seeds: Iterable[int]) -> tuple[str, str]:
    quantities = ("incubation", "at_home", "everywhere", "infections", "windows", "largest")
    figures = {code: {name: Figures() for name in quantities} for code in diseases()}
    intervals: dict[str, list[int]] = {code: [] for code in diseases()}
    curves: dict[str, list[np.ndarray]] = {code: [] for code in diseases()}
    n_days = 0
    for term in terms(seeds):
        windows, outbreaks = term.windows(), term.outbreaks()
        n_days = len(term.days)
        for code, disease in diseases().items():
            own = term.cases[term.cases["disease"] == disease.number]
            # Measles comes so seldom that its intervals are measured in a term of their own.
            often = replace(disease, introductions=disease.introductions * _MEASLES_OFTEN)
            cases = spread(term.world, often, seed=term.seed) if code == "measles" else term.cases
            passed = cases[(cases["disease"] == disease.number) & (cases["infector"] >= 0)]
            source = cases[passed["infector"]]
            pair = passed["symptomatic"] & source["symptomatic"]
            interval = passed["onset"].astype(int) - source["onset"]
            home = pair & (passed["setting"] == Setting.HOUSEHOLD)
            found = figures[code]
            length = (cases["onset"] - cases["infected"])[cases["disease"] == disease.number]
            found["incubation"].values.append(float(length.mean()) if len(length) else np.nan)
            found["at_home"].values.append(float(interval[home].mean()) if home.any() else np.nan)
            found["everywhere"].values.append(float(interval[pair].mean()) if pair.any() else np.nan)
            found["infections"].values.append(len(own))
            found["windows"].values.append(int((windows["disease"] == disease.number).sum()))
            size = outbreaks["cases"][outbreaks["disease"] == disease.number]
            found["largest"].values.append(float(size.max(initial=0)))
            intervals[code] += interval[pair].tolist()
            shown = own["onset"][own["symptomatic"] & (own["onset"] < n_days)]
            curves[code].append(np.bincount(shown // 7, minlength=-(-n_days // 7)))
    disease_pictures(intervals, curves)
    first = [
        "| disease | serial interval, published | at home | everywhere | incubation, in file | simulated |",
        "|---|---|---|---|---|---|",
    ]
    second = [
        "| disease | infections a term | class windows of 3 and more cases | cases of the largest outbreak |",
        "|---|---|---|---|",
    ]
    for code, disease in diseases().items():
        published = disease.published
        known = "–"
        if "serial_interval" in published:
            known = f"{published['serial_interval']}, {published['serial_interval_source']}"
        mean = float(np.arange(len(disease.incubation)) @ disease.incubation)
        f = figures[code]
        first.append(
            f"| {code} | {known} | {f['at_home']} | {f['everywhere']} | {mean:.2f} | {f['incubation']} |"
        )
        second.append(f"| {code} | {f['infections']} | {f['windows']} | {f['largest']} |")
    return "\n".join(first), "\n".join(second)


def disease_pictures(intervals: dict[str, list[int]], curves: dict[str, list[np.ndarray]]) -> None:
    figure, axes = plt.subplots(2, 4, figsize=(12, 5))
    for axis, (code, values) in zip(axes.flat, intervals.items(), strict=False):
        longest = int(np.percentile(values, 99.5)) if values else 20
        axis.hist(values, np.arange(-1, longest + 2) - 0.5, density=True, color=SIMULATED, alpha=0.6)
        published = diseases()[code].published.get("serial_interval")
        if published:
            axis.axvline(published, color=REAL, lw=2)
        axis.set_title(f"{code}, {len(values)} pairs", fontsize=9)
    axes.flat[-1].axis("off")
    axes.flat[-1].text(0, 0.5, "serial interval, days\nred: published mean", fontsize=9)
    save(figure, "simulation-intervals.png")
    figure, axes = plt.subplots(2, 4, figsize=(12, 5))
    for axis, (code, found) in zip(axes.flat, curves.items(), strict=False):
        weeks = np.array(found)
        low, high = np.percentile(weeks, [2.5, 97.5], axis=0)
        axis.fill_between(range(weeks.shape[1]), low, high, color=SIMULATED, alpha=0.2)
        for curve in weeks[:4]:
            axis.plot(curve, color=SIMULATED, lw=0.8)
        axis.set_title(code, fontsize=9)
    axes.flat[-1].axis("off")
    text = "onsets in the district by week of the term\nband: 95 % of seeds; four seeds drawn"
    axes.flat[-1].text(0, 0.5, text, fontsize=9)
    save(figure, "simulation-curves.png")


def save(figure: plt.Figure, name: str) -> None:
    figure.tight_layout()
    figure.savefig(PAGE.parent / name, dpi=90, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8, help="terms and winters (%(default)s)")
    seeds = range(parser.parse_args().seeds)
    real, simulated = matsumoto(seeds)
    matsumoto_picture(real, simulated)
    noro = derbyshire_compared()
    intervals, held = all_diseases(seeds)
    text = (
        (Path(__file__).parent / "page.md")
        .read_text(encoding="utf-8")
        .format(
            seeds=len(seeds),
            matsumoto=matsumoto_table(real, simulated),
            derbyshire=noro,
            intervals=intervals,
            terms=held,
        )
    )
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
