"""Reading the reference results of ``tests/data/detection``."""

import csv
import functools
import json
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[5] / "tests" / "data" / "detection"
EPIESTIM = DATA / "oracles" / "epiestim_influenza_matsumoto.json"


@functools.cache
def all_series():
    """Every series with its runs."""
    paths = sorted(path for path in (DATA / "oracles").glob("*.json") if path != EPIESTIM)
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def runs_of(*functions):
    """(series, run) for every run of these R functions."""
    return [
        (series, run) for series in all_series() for run in series["runs"] if run["function"] in functions
    ]


def run_name(value):
    """Readable id of a parametrised run."""
    if "runs" in value:
        return value["series"]
    return value["id"]


def numbers(values):
    """A list with null as NaN."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def judged(run):
    """The cells of the run's range."""
    return slice(run["first"] - 1, run["last"])


class Simulated:
    """The simulated series, with and without the current outbreak, and the truth in the weeks under test."""

    first, last = 576, 624

    def __init__(self):
        with (DATA / "simulated" / "sim_series.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.keys = [(row["scenario"], row["rep"]) for row in rows]
        self.counts = np.array([[int(y) for y in row["with_outbreak"].split()] for row in rows], dtype=float)
        self.without = self.counts.copy()
        outbreak = np.zeros(self.counts.shape, dtype=bool)
        place = {key: row for row, key in enumerate(self.keys)}
        with (DATA / "simulated" / "sim_truth.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                series = place[row["scenario"], row["rep"]]
                for week, cases in zip(row["weeks"].split(), row["cases"].split(), strict=True):
                    self.without[series, int(week) - 1] -= int(cases)
                    outbreak[series, int(week) - 1] = True
        self.tested = slice(self.first - 1, self.last)
        self.outbreak = outbreak[:, self.tested]

    def r_alarm_weeks(self, method):
        """Alarm weeks (from 1) of R by series, and the alarms in the series without the current outbreak."""
        with (DATA / "simulated" / "sim_r_results.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["method"] == method]
        weeks = {(r["scenario"], r["rep"]): list(map(int, r["alarm_weeks"].split())) for r in rows}
        clean = {(r["scenario"], r["rep"]): int(r["fp_clean"]) for r in rows}
        return [weeks[key] for key in self.keys], [clean[key] for key in self.keys]

    def r_summary(self, method):
        """R's means over all series."""
        with (DATA / "simulated" / "sim_r_summary.csv").open(encoding="utf-8", newline="") as file:
            (row,) = (row for row in csv.DictReader(file) if row["method"] == method)
        return {name: float(value) for name, value in row.items() if name != "method"}
