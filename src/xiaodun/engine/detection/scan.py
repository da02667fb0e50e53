"""Prospective scan statistic: which set of groups had too many cases in the last days?

Every zone (a set of groups: the classes of a grade, the grades of a school, neighbouring schools) is looked
at over the last 1, 2, ... max_days days. The pair with the largest likelihood ratio is the most likely
cluster; its p-value comes from repeating the same search on replicates made under the null hypothesis, so it
pays for the search itself.

References:
  Kulldorff M (1997) A spatial scan statistic. Commun Stat Theory Methods 26:1481-1496.
  Kulldorff M (2001) Prospective time periodic geographical disease surveillance using a scan statistic.
    J R Stat Soc A 164:61-72.
  Kulldorff M, Heffernan R, Hartman J, Assunção R, Mostashari F (2005) A space-time permutation scan statistic
    for disease outbreak detection. PLoS Med 2:e59.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from .base import Detection, FloatArray, as_counts, as_population, masked_alarm, require

__all__ = ["ScanCluster", "ScanStatistic", "Zones", "zones_of_distances", "zones_of_tree"]

Zones = Sequence[Sequence[int]]
"""Sets of groups, each a sequence of row numbers of the counts, from 0."""

_CHUNK = 100  # replicates held in memory together
_SAME = 1e-9  # likelihood ratios closer than this are equal: they differ by the order of additions alone


@dataclass(frozen=True, slots=True)
class ScanCluster:
    """A zone with too many cases.

    zone: number of the zone in the zones given; groups: its rows. first, last: times of the window, from 0,
        inclusive.
    observed, expected: cases in it, expected under the null hypothesis. log_likelihood_ratio: of the two.
    p_value: rank of the ratio among the largest of every replicate, (1 + number at least as large) /
    (replicates + 1); for a secondary cluster this is conservative. recurrence_interval: 1 / p_value, in
    monitoring days: how often chance alone shows a cluster so strong when one looks every day.
    """

    zone: int
    groups: tuple[int, ...]
    first: int
    last: int
    observed: float
    expected: float
    log_likelihood_ratio: float
    p_value: float
    recurrence_interval: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanStatistic:
    """Kulldorff's prospective scan.

    max_days [D]: longest window, in days, >= 1.
    model: "permutation" takes the null from the data: E = row total x column total / C, so neither the size
        of a group nor a day on which all are absent makes a cluster, and no population is needed. "poisson":
        E in proportion to the population (or to ``expected``), the same every day.
    replicates [R]: Monte Carlo replicates, >= 1; the smallest possible p-value is 1 / (R + 1).
    alpha: for ``detect``: alarm for the groups of a cluster with p-value at most this, in (0, 1).
    min_cases: a window with fewer cases is no cluster, >= 1; replicates are held to the same.
    history: times of the study period, the window included, > max_days; None for all times up to the one
        judged.
    seed: of the replicates. A time's replicates depend on the seed and the time alone.

    Raises ``ValueError`` for a parameter outside its range.
    """

    method: ClassVar[str] = "scan"

    max_days: int = 7
    model: Literal["permutation", "poisson"] = "permutation"
    replicates: int = 999
    alpha: float = 0.05
    min_cases: int = 2
    history: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.max_days >= 1, f"max_days must be at least 1, not {self.max_days}")
        require(
            self.model in ("permutation", "poisson"),
            f"model must be permutation or poisson, not {self.model!r}",
        )
        require(self.replicates >= 1, f"replicates must be at least 1, not {self.replicates}")
        require(0 < self.alpha < 1, f"alpha must lie between 0 and 1, not be {self.alpha}")
        require(self.min_cases >= 1, f"min_cases must be at least 1, not {self.min_cases}")
        require(
            self.history is None or self.history > self.max_days,
            f"history must be longer than max_days, not {self.history}",
        )
        require(self.seed >= 0, f"seed must be at least 0, not {self.seed}")

    def scan(
        self,
        counts: npt.ArrayLike,
        zones: Zones,
        *,
        at: int | None = None,
        population: npt.ArrayLike | None = None,
        expected: npt.ArrayLike | None = None,
    ) -> tuple[ScanCluster, ...]:
        """Clusters that are still alive at time ``at``, the most likely first; later ones share no group with
        earlier.

        counts: shape (n_groups, n_times), whole numbers. at: time judged, from 0; None for the last.
        population, expected: for the Poisson model, one of them, broadcastable to the counts; ``expected`` is
        scaled to the number of cases of the study period. Empty where no window has more cases than expected.

        Raises ``ValueError`` for an unknown or broken count, a wrong zone, or a model without what it needs.
        """
        values, _ = as_counts(counts)
        require(
            not bool(np.isnan(values).any()) and bool((values == np.floor(values)).all()),
            "the scan needs whole counts without a gap",
        )
        n_groups, n_times = values.shape
        last = n_times - 1 if at is None else at
        require(0 <= last < n_times, f"at must be a time from 0 to {n_times - 1}, not {at}")
        membership = _membership(zones, n_groups)
        first = 0 if self.history is None else max(0, last + 1 - self.history)
        study = values[:, first : last + 1].astype(np.int64)
        days = min(self.max_days, study.shape[1])
        null = self._null(study, slice(first, last + 1), values.shape, population, expected)
        total = int(study.sum())
        if total == 0:
            return ()

        # Newest day first, so that a running sum gives the windows of 1, 2, ... days.
        recent = study[:, ::-1][:, :days]
        mean = np.tensordot(membership, np.cumsum(null[:, ::-1][:, :days], axis=1), axes=1)
        ratio = self._ratios(np.cumsum(recent, axis=1)[None], membership, mean, total)[0]
        chosen = _disjoint(ratio, membership)
        if not chosen:
            return ()

        rng = np.random.default_rng([self.seed, last])
        largest = np.concatenate(
            [
                self._ratios(
                    np.cumsum(self._replicate(rng, n, study, null, days), axis=2), membership, mean, total
                )
                .reshape(n, -1)
                .max(axis=1)
                for n in _chunks(self.replicates)
            ]
        )
        clusters = []
        for zone, day in chosen:
            found = float(ratio[zone, day])
            p_value = (1 + int((largest >= found - _SAME).sum())) / (self.replicates + 1)
            groups = tuple(int(g) for g in np.flatnonzero(membership[zone]))
            clusters.append(
                ScanCluster(
                    zone=zone,
                    groups=groups,
                    first=last - day,
                    last=last,
                    observed=float(recent[list(groups), : day + 1].sum()),
                    expected=float(mean[zone, day]),
                    log_likelihood_ratio=found,
                    p_value=p_value,
                    recurrence_interval=1.0 / p_value,
                )
            )
        return tuple(clusters)

    def detect(
        self,
        counts: npt.ArrayLike,
        *,
        dates: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
        zones: Zones | None = None,
        times: Sequence[int] | None = None,
    ) -> Detection:
        """Scan at every time (or at ``times``, from 0) as if it were the last.

        zones: None takes every group alone and all together. ``dates`` play no part.

        Result: alarm for the groups of a cluster with p-value at most alpha; score, the recurrence interval
        of the group's cluster in monitoring days, 1 where it is in none; expected, the cases of the cell
        under the null hypothesis; upperbound NaN throughout: a scan judges sets of cells, no single count.
        Masked before there are max_days times of history, and at times not asked for.
        """
        values, shape = as_counts(counts)
        n_groups, n_times = values.shape
        sets: Zones = _each_and_all(n_groups) if zones is None else zones
        wanted = range(n_times) if times is None else times
        expected, score = np.full_like(values, np.nan), np.full_like(values, np.nan)
        alarm, undefined = np.zeros(values.shape, dtype=np.bool_), np.ones(values.shape, dtype=np.bool_)
        for time in wanted:
            require(0 <= time < n_times, f"times must be from 0 to {n_times - 1}, not {time}")
            if time < self.max_days:
                continue
            past = values[:, : time + 1]
            at_risk = None if population is None else as_population(population, values.shape)[:, : time + 1]
            found = self.scan(past, sets, population=at_risk)
            start = 0 if self.history is None else max(0, time + 1 - self.history)
            study = past[:, start:].astype(np.int64)
            null = self._null(study, slice(start, time + 1), past.shape, at_risk, None)
            expected[:, time] = null[:, -1]
            undefined[:, time] = False
            score[:, time] = 1.0
            for cluster in found:
                score[list(cluster.groups), time] = cluster.recurrence_interval
                alarm[list(cluster.groups), time] = cluster.p_value <= self.alpha
        return Detection(
            expected=expected.reshape(shape),
            upperbound=np.full(shape, np.nan),
            score=score.reshape(shape),
            alarm=masked_alarm(alarm.reshape(shape), undefined.reshape(shape)),
        )

    def _null(
        self,
        study: npt.NDArray[np.int64],
        period: slice,
        shape: tuple[int, ...],
        population: npt.ArrayLike | None,
        expected: npt.ArrayLike | None,
    ) -> FloatArray:
        """Expected cases of every cell of the study period; they sum to the observed total."""
        total = float(study.sum())
        if self.model == "permutation":
            require(
                population is None and expected is None,
                "the permutation model needs no population: leave it out, or choose model poisson",
            )
            if total == 0:
                return np.zeros(study.shape)
            return np.outer(study.sum(axis=1), study.sum(axis=0)) / total
        require(
            (population is None) != (expected is None),
            "the poisson model needs either population or expected",
        )
        base = population if expected is None else expected
        assert base is not None
        weights = as_population(base, (shape[0], shape[1]))[:, period]
        result: FloatArray = total * weights / weights.sum()
        return result

    def _replicate(
        self, rng: np.random.Generator, n: int, study: npt.NDArray[np.int64], null: FloatArray, days: int
    ) -> npt.NDArray[np.int64]:
        """Counts of the last ``days`` days under the null, newest first; shape (n, n_groups, days)."""
        n_groups = study.shape[0]
        total = int(study.sum())
        if self.model == "poisson":
            # Given the total, the cases fall on the cells in proportion to their expectation.
            inside = null[:, ::-1][:, :days].ravel() / total
            cells = np.append(inside, max(0.0, 1.0 - float(inside.sum())))
            return rng.multinomial(total, cells / cells.sum(), size=n)[:, :-1].reshape(n, n_groups, days)
        # Shuffle the groups of the cases over their days: both margins stay as they are.
        by_day = study.sum(axis=0)[::-1][:days]
        day_of_case = np.repeat(np.arange(days), by_day)
        group_of_case = np.repeat(np.arange(n_groups), study.sum(axis=1))
        shuffled = rng.permuted(np.tile(group_of_case, (n, 1)), axis=1)[:, : day_of_case.size]
        place = (np.arange(n)[:, None] * n_groups + shuffled) * days + day_of_case[None, :]
        return np.bincount(place.ravel(), minlength=n * n_groups * days).reshape(n, n_groups, days)

    def _ratios(
        self, running: npt.NDArray[np.int64], membership: FloatArray, mean: FloatArray, total: int
    ) -> FloatArray:
        """Log likelihood ratio of every zone and window; shape (n, n_zones, days)."""
        inside = np.matmul(membership, running.astype(np.float64))
        outside, rest = total - inside, total - mean
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.where(inside > 0, inside * np.log(inside / mean), 0.0)
            other = np.where(outside > 0, outside * np.log(outside / rest), 0.0)
        # Rounding of the expectation must not make an excess of a window that holds exactly what is expected.
        counts_as_excess = (inside > mean * (1 + _SAME)) & (inside >= self.min_cases)
        result: FloatArray = np.where(counts_as_excess, own + other, 0.0)
        return result


def zones_of_tree(paths: Sequence[Sequence[str]]) -> dict[tuple[str, ...], tuple[int, ...]]:
    """Zones of a hierarchy: every node with the groups below it, the root ``()`` and the groups themselves
    included.

    paths: for each group (row of the counts) its path, e.g. ("School 1", "Grade 3", "Class 2"). Nodes with
        the same groups
    as their only child are kept: the caller may want their names. Raises ``ValueError`` if two groups share a
        path.
    """
    keys = [tuple(path) for path in paths]
    require(len(set(keys)) == len(keys), "two groups have the same path")
    zones: dict[tuple[str, ...], list[int]] = {}
    for row, key in enumerate(keys):
        for depth in range(len(key) + 1):
            zones.setdefault(key[:depth], []).append(row)
    return {key: tuple(rows) for key, rows in sorted(zones.items())}


def zones_of_distances(distances: npt.ArrayLike, *, largest: int) -> tuple[tuple[int, ...], ...]:
    """Zones of neighbours: each group with its nearest 0, 1, ... others, up to ``largest`` groups in all,
    none twice.

    distances: symmetric, shape (n_groups, n_groups), in any unit.
    """
    array = np.asarray(distances, dtype=np.float64)
    require(
        array.ndim == 2 and array.shape[0] == array.shape[1], f"distances must be square, not {array.shape}"
    )
    require(
        bool((array >= 0).all()) and np.array_equal(array, array.T),
        "distances must be symmetric and not negative",
    )
    require(1 <= largest <= array.shape[0], f"largest must be 1 to {array.shape[0]} groups, not {largest}")
    zones: dict[tuple[int, ...], None] = {}
    for centre in range(array.shape[0]):
        row = array[centre].copy()
        row[centre] = -1.0  # a group comes first in its own zones, also beside one at distance 0
        nearest = np.argsort(row, kind="stable")
        for size in range(1, largest + 1):
            zones[tuple(sorted(int(g) for g in nearest[:size]))] = None
    return tuple(zones)


def _each_and_all(n_groups: int) -> Zones:
    alone: list[tuple[int, ...]] = [(g,) for g in range(n_groups)]
    return alone if n_groups == 1 else [*alone, tuple(range(n_groups))]


def _membership(zones: Zones, n_groups: int) -> FloatArray:
    require(len(zones) > 0, "there must be at least one zone")
    result = np.zeros((len(zones), n_groups))
    for index, zone in enumerate(zones):
        rows = list(zone)
        require(
            len(rows) > 0 and len(set(rows)) == len(rows) and all(0 <= g < n_groups for g in rows),
            f"zone {index} must name different groups from 0 to {n_groups - 1}",
        )
        result[index, rows] = 1.0
    return result


def _disjoint(ratio: FloatArray, membership: FloatArray) -> list[tuple[int, int]]:
    """Zones and windows by falling ratio, each sharing no group with one before it."""
    chosen: list[tuple[int, int]] = []
    taken = np.zeros(membership.shape[1], dtype=np.bool_)
    best_day = ratio.argmax(axis=1)
    best = ratio.max(axis=1)
    # Of equal ratios the smaller zone says more about where to look.
    for zone in np.lexsort((membership.sum(axis=1), -np.round(best, 9))):
        if best[zone] <= 0:
            break
        rows = membership[zone] > 0
        if not bool((taken & rows).any()):
            chosen.append((int(zone), int(best_day[zone])))
            taken |= rows
    return chosen


def _chunks(n: int) -> list[int]:
    return [min(_CHUNK, n - start) for start in range(0, n, _CHUNK)]
