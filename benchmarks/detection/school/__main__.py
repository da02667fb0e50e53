"""What each method finds at which price, on the tuning part of split.yaml: ``python -m
benchmarks.detection.school``.

For every method and setting: false alarms a school and term, the share of outbreaks found, and the median
of the school days by which its first alarm came before the norm's. The other part of the split is looked at
once, when a setting has been chosen.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from benchmarks.detection.school.measure import Result, leads, measure
from benchmarks.detection.school.methods import METHODS, NORM
from benchmarks.detection.school.sources import seeds, simulated


def results_of(seed: int) -> dict[str, list[Result]]:
    """Every method at every setting on the term of one seed."""
    term = simulated(seed)
    return {
        method.name: [measure(term, each) for each in method.alarms(term, method.settings)]
        for method in METHODS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--first", type=int, help="only so many of the tuning seeds")
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.workers) as pool:
        found = list(pool.map(results_of, list(seeds("tune"))[: arguments.first]))
    for method in METHODS:
        for number, setting in enumerate(method.settings):
            each = [result[method.name][number] for result in found]
            price = sum(r.false_alarms for r in each) / sum(r.school_terms for r in each)
            lead = np.concatenate(
                [leads(r.found, result[NORM][0].found) for r, result in zip(each, found, strict=True)]
            )
            hit = np.concatenate([np.isfinite(r.found) for r in each]).mean()
            print(
                f"{method.name:26} {setting:8g} {method.setting:28} false {price:6.3f}  "
                f"found {hit:.3f}  median lead {np.median(lead):g}"
            )


if __name__ == "__main__":
    main()
