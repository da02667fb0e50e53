"""The model behind :mod:`xiaodun.engine.detection.school`: what is usual, how sure that is, and what may
alarm.

All arrays of classes have shape (n_classes, n_days), those of a level (n_units, n_days).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .base import FloatArray
from .special import negative_binomial_quantile, regularised_incomplete_beta

__all__ = [
    "LEVELS",
    "Judged",
    "Memory",
    "Past",
    "Tree",
    "Windowed",
    "judge",
    "kinds_of_days",
    "learn",
    "window",
]

IntArray = npt.NDArray[np.intp]

_WITHIN_A_SCHOOL = ("class", "grade", "school")
LEVELS = (*_WITHIN_A_SCHOOL, "district")

_WEEKDAYS = 7
_AFTER_BREAK = 7  # the kind of a day that ends a break longer than a weekend
_KINDS = 8
_WEEKEND_GAP = 3  # calendar days from a Friday to a Monday

_KIND_PRIOR = 20.0
"""Cases that the first guess of a day's factor is worth."""

_SHAPE_PRIOR = 50.0
"""Weight of the prior shape against the squared expected counts that its moment estimate rests on."""

_LARGEST_VARIANCE, _LEAST_VARIANCE = 1.0, 0.01
"""Limits of the variance of relative rates: units neither differ without bound nor not at all."""

_SPREAD_PRIOR = 20.0
"""Expected cases that the first guess of the dispersion is worth."""

_SPREAD_GUESS = 1.1

_CUT_AT = 3.0
"""Standard deviations above the usual beyond which a school's last days are not learnt."""

_FEW_DAYS = 3
"""School days looked at together for that."""

_LONGEST_CLUSTER = 15
"""School days after which a school that stands out is taken to have changed."""

_HALF_A_CASE = 0.5
"""Added to the district's cases, so that a syndrome that nobody had yet is rare, not impossible."""

_SMALLEST_TAIL = 1e-9
"""Rarer is not told apart: no allowance is so small."""

_STEPS_A_DECADE = 20
_THRESHOLDS = 10.0 ** -np.arange(1.0, 9.0001, 1 / _STEPS_A_DECADE)  # from lax to strict
_MOST_COUNTS = 2_000  # no window of a district's school comes near


@dataclass(frozen=True, slots=True)
class Memory:
    """Half-lives in school days and prior shapes, as
    :class:`~xiaodun.engine.detection.school.SchoolDetector` says.
    """

    relative: float
    level: float
    wait: int
    school_shape: float
    class_shape: float


class Tree:
    """Sums of classes by grade, school and district, and the school of every unit."""

    def __init__(self, grade: IntArray, school: IntArray) -> None:
        n_classes = school.size
        self.school = school
        of: dict[str, IntArray] = {
            "class": np.arange(n_classes),
            "grade": grade,
            "school": school,
            "district": np.zeros(n_classes, dtype=np.intp),
        }
        self.size = {level: int(numbers.max()) + 1 for level, numbers in of.items()}
        self._order = {level: np.argsort(numbers, kind="stable") for level, numbers in of.items()}
        self._start = {
            level: np.searchsorted(numbers[self._order[level]], np.arange(self.size[level]))
            for level, numbers in of.items()
        }
        self.first_class = self._order["school"][self._start["school"]]
        # A school's units draw on one allowance.
        self.school_of: dict[str, IntArray] = {
            level: school[self._order[level]][self._start[level]] for level in _WITHIN_A_SCHOOL
        }

    def total(self, values: FloatArray, level: str) -> FloatArray:
        """Sum over the classes (first axis) of each unit of the level."""
        sums: FloatArray = np.add.reduceat(values[self._order[level]], self._start[level], axis=0)
        return sums


def kinds_of_days(days: npt.NDArray[np.datetime64] | None, n_days: int) -> tuple[IntArray, FloatArray]:
    """Kind of each school day (its weekday, or the first after a break) and the first guess of each kind's
    factor.

    Whoever fell ill on a day off is known on the next school day: the guess grows with the square root of
    the calendar days that a school day covers, at most those of a weekend; what the data say soon replaces
    it. Without dates all days are of one kind.
    """
    if days is None:
        return np.zeros(n_days, dtype=np.intp), np.ones(_KINDS)
    numbers = days.astype(np.int64)
    gaps = np.diff(numbers, prepend=numbers[0] - 1)
    weekday = (numbers + 3) % _WEEKDAYS  # 1970-01-01 was a Thursday; 0 is Monday
    kind = np.where(gaps > _WEEKEND_GAP, _AFTER_BREAK, weekday).astype(np.intp)
    guess = np.ones(_KINDS)
    for each in np.unique(kind):
        guess[each] = float(np.sqrt(np.minimum(gaps[kind == each], _WEEKEND_GAP).mean()))
    return kind, guess


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What each day amounts to, and what was believed after it.

    observed, exposure: count and children x factor of the day; 0 where a class was not checked. known:
        whether it was. trusted: whether it was learnt from.
    rate: cases per unit of exposure, class by class.
    doubt_level, doubt_school, doubt_class: squared coefficient of variation of the district's rate (n_days,),
        of the school's and of the class's relative rate.
    """

    observed: FloatArray
    exposure: FloatArray
    known: npt.NDArray[np.bool_]
    trusted: npt.NDArray[np.bool_]
    rate: FloatArray
    doubt_level: FloatArray
    doubt_school: FloatArray
    doubt_class: FloatArray

    @classmethod
    def empty(cls, observed: FloatArray, known: npt.NDArray[np.bool_]) -> Past:
        shape = observed.shape
        return cls(
            observed=observed,
            exposure=np.zeros(shape),
            known=known,
            trusted=np.ones(shape, dtype=bool),
            rate=np.zeros(shape),
            doubt_level=np.ones(shape[1]),
            doubt_school=np.ones(shape),
            doubt_class=np.ones(shape),
        )


def learn(
    values: FloatArray,
    children: FloatArray,
    kinds: tuple[IntArray, FloatArray],
    tree: Tree,
    memory: Memory,
) -> Past:
    """Go through the days once; after each, draw classes towards their school and schools towards the
    district.

    A day is learnt only ``memory.wait`` days later, and not at all where its school stood out in between:
    an outbreak must not become the new normal. A school that stands out for longer than a cluster lasts is
    learnt after all, since then it is its usual that changed.
    """
    n_classes, n_days = values.shape
    kind, factor_guess = kinds
    known = ~np.isnan(values)
    past = Past.empty(np.where(known, values, 0.0), known)
    suspect = _Suspect(tree, n_days)
    keep, keep_level = (0.5 ** (1 / half) for half in (memory.relative, memory.level))
    level_sums = np.array([_HALF_A_CASE, 0.0])
    kind_sums = np.zeros((_KINDS, 2))
    school_sums = np.zeros((tree.size["school"], 2))
    class_sums = np.zeros((n_classes, 2))
    school_rate, class_rate = np.ones(tree.size["school"]), np.ones(n_classes)
    level = 0.0
    usual = np.zeros(values.shape)
    for day in range(n_days):
        factor = (_KIND_PRIOR * factor_guess + kind_sums[:, 0]) / (_KIND_PRIOR + kind_sums[:, 1])
        past.exposure[:, day] = np.where(known[:, day], children[:, day] * factor[kind[day]], 0.0)
        usual[:, day] = past.exposure[:, day] * level * school_rate[tree.school] * class_rate
        if day > memory.wait + _FEW_DAYS:
            suspect.look(past.observed, usual, day)
        learnt = day - memory.wait
        if learnt >= 0:
            trusted = ~suspect.days[tree.school, learnt]
            seen = np.where(trusted, past.observed[:, learnt], 0.0)
            exposure = np.where(trusted, past.exposure[:, learnt], 0.0)
            level_sums = keep_level * level_sums + (seen.sum(), exposure.sum())
            level = level_sums[0] / max(level_sums[1], 1.0)
            of_level = exposure * level
            school_sums = keep * school_sums + np.column_stack(
                (tree.total(seen, "school"), tree.total(of_level, "school"))
            )
            school_shape = _shape(school_sums, memory.school_shape)
            school_rate = (school_shape + school_sums[:, 0]) / (school_shape + school_sums[:, 1])
            of_school = of_level * school_rate[tree.school]
            class_sums = keep * class_sums + np.column_stack((seen, of_school))
            class_shape = _shape(class_sums, memory.class_shape)
            class_rate = (class_shape + class_sums[:, 0]) / (class_shape + class_sums[:, 1])
            kind_sums *= keep
            kind_sums[kind[learnt]] += (
                seen.sum(),
                (of_school * class_rate).sum() / factor[kind[learnt]],
            )
            past.doubt_school[:, day] = (1 / (school_shape + school_sums[:, 0]))[tree.school]
            past.doubt_class[:, day] = 1 / (class_shape + class_sums[:, 0])
            past.doubt_level[day] = 1 / max(level_sums[0], _HALF_A_CASE)
        past.rate[:, day] = level * school_rate[tree.school] * class_rate
    past.trusted[:] = ~suspect.days[tree.school]
    return past


class _Suspect:
    """Days of schools that stood out too much to be learnt from, known at most a few days later."""

    def __init__(self, tree: Tree, n_days: int) -> None:
        self._tree = tree
        self.days = np.zeros((tree.size["school"], n_days), dtype=bool)
        self._running = np.zeros(tree.size["school"])

    def look(self, observed: FloatArray, usual: FloatArray, day: int) -> None:
        """Mark the last few days of each school in which a class or the school as a whole stands out on
        ``day``.
        """
        first = day - _FEW_DAYS + 1
        count, expected = (each[:, first : day + 1].sum(axis=1) for each in (observed, usual))
        class_out = _stands_out(count, expected)
        out = _stands_out(self._tree.total(count, "school"), self._tree.total(expected, "school"))
        out |= self._tree.total(class_out.astype(np.float64), "school") > 0
        self._running = np.where(out, self._running + 1, 0.0)
        self.days[out & (self._running <= _LONGEST_CLUSTER), first : day + 1] = True


def _stands_out(count: FloatArray, expected: FloatArray) -> npt.NDArray[np.bool_]:
    out: npt.NDArray[np.bool_] = count > expected + _CUT_AT * np.sqrt(expected) + 1
    return out


def _shape(sums: FloatArray, prior: float) -> float:
    """Shape of the gamma law of the units' relative rates, by moments: E(S - E)^2 = E + E^2 / shape."""
    seen, expected = sums[:, 0], sums[:, 1]
    excess = float(((seen - expected) ** 2 - expected).sum()) + _SHAPE_PRIOR / prior
    variance = excess / (float((expected**2).sum()) + _SHAPE_PRIOR)
    return 1 / min(max(variance, _LEAST_VARIANCE), _LARGEST_VARIANCE)


@dataclass(frozen=True, slots=True, eq=False)
class Windowed:
    """The windows of one length that end on each day, for the units of one level.

    observed: cases in it. usual: cases expected. variance: of the count, >= usual. NaN where the past is
    too short or no class of the unit was checked.
    """

    observed: FloatArray
    usual: FloatArray
    variance: FloatArray


def window(past: Past, tree: Tree, level: str, length: int, wait: int, warm_up: int) -> Windowed:
    """Windows of ``length`` days judged by what was believed on the day before they began."""
    n_days = past.observed.shape[1]
    first = warm_up + wait + length - 1
    shape = (tree.size[level], n_days)
    if first >= n_days:
        return Windowed(*(np.full(shape, np.nan) for _ in range(3)))
    days = slice(first, n_days)
    believed = slice(first - length, n_days - length)
    observed = _sums(past.observed, length)[:, days]
    of_class = _sums(past.exposure, length)[:, days] * past.rate[:, believed]
    usual = tree.total(of_class, level)
    # A school's doubt is common to its classes and adds up; the classes' own doubts are independent.
    squared_doubt = tree.total(of_class**2 * past.doubt_class[:, believed], level)
    if level == "district":
        of_school = tree.total(of_class, "school")
        doubt = past.doubt_school[tree.first_class, believed]
        squared_doubt += (of_school**2 * doubt).sum(axis=0) + usual**2 * past.doubt_level[believed]
    else:
        squared_doubt += tree.total(of_class * np.sqrt(past.doubt_school[:, believed]), level) ** 2
    counted = tree.total(observed, level)
    poisson_gamma = usual + squared_doubt
    trusted = tree.total(past.trusted[:, days].astype(np.float64), level) > 0
    spread = _spread(counted, usual, poisson_gamma, trusted, length + wait)
    unchecked = tree.total(past.known[:, days].astype(np.float64), level) == 0
    filled = tuple(np.full(shape, np.nan) for _ in range(3))
    for target, values in zip(filled, (counted, usual, spread * poisson_gamma), strict=True):
        target[:, days] = np.where(unchecked | (usual <= 0), np.nan, values)
    return Windowed(*filled)


def _sums(values: FloatArray, length: int) -> FloatArray:
    """Sums of the last ``length`` days, fewer at the start."""
    sums = np.cumsum(values, axis=1)
    result: FloatArray = sums.copy()
    result[:, length:] -= sums[:, :-length]
    return result


def _spread(
    counted: FloatArray,
    usual: FloatArray,
    poisson_gamma: FloatArray,
    trusted: npt.NDArray[np.bool_],
    lag: int,
) -> FloatArray:
    """Dispersion of the level's windows beyond the gamma-Poisson law, before each: shape (n_days,), >= 1.

    Children of a household or a table fall ill together. Pearson's ratio over all units and windows that
    were learnt from and ended before the one judged began; shrunk towards a first guess.
    """
    ratio: FloatArray = np.full(counted.shape[1], _SPREAD_GUESS)
    top = np.cumsum(np.where(trusted, (counted - usual) ** 2, 0.0).sum(axis=0))
    base = np.cumsum(np.where(trusted, poisson_gamma, 0.0).sum(axis=0))
    ratio[lag:] = (_SPREAD_PRIOR * _SPREAD_GUESS + top[:-lag]) / (_SPREAD_PRIOR + base[:-lag])
    result: FloatArray = np.maximum(ratio, 1.0)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the windows of a level's units say on each day; see ``SchoolDetection``."""

    score: FloatArray
    price: FloatArray
    days: FloatArray
    observed: FloatArray
    usual: FloatArray
    upperbound: FloatArray


def judge(
    windows: Mapping[str, Sequence[Windowed]], tree: Tree, *, least: int, looks: float, budget: float
) -> dict[str, Judged]:
    """Score every unit, and say what it would cost to alarm whenever something is at least so unusual.

    Counts are whole, so an alarm at a tail probability of at most q happens less often than q. What really
    happens is added up exactly, over all windows of all units that draw on one allowance (a school's), for
    each q of a grid: that sum times ``looks`` is the price, in false alarms a term. ``upperbound`` is of
        the one-day window at ``budget``.
    """
    n_days = next(iter(windows.values()))[0].observed.shape[1]
    judged = {
        level: Judged(*(np.full((tree.size[level], n_days), np.nan) for _ in range(6)))
        for level in _WITHIN_A_SCHOOL
    }
    judged["district"] = _judge_district(windows["district"], least, looks, budget)
    for day in range(n_days):
        mass = np.zeros((tree.size["school"], _THRESHOLDS.size))
        tails = {
            level: _tails(windows[level], tree.school_of[level], day, least, mass)
            for level in _WITHIN_A_SCHOOL
        }
        # From strict to lax: what happens at each threshold.
        prices = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1] * looks
        for level, tail in tails.items():
            _write(judged[level], day, tail, windows[level], prices[tree.school_of[level]], least, budget)
    return judged


def _judge_district(windows: Sequence[Windowed], least: int, looks: float, budget: float) -> Judged:
    """As ``judge`` for the district, whose counts are large: what happens at a threshold is the threshold."""
    observed, usual, variance = (
        np.stack([getattr(each, name)[0] for each in windows]) for name in ("observed", "usual", "variance")
    )
    known = ~np.isnan(usual)
    size, success = _law(np.where(known, usual, 1.0), np.where(known, variance, 2.0))
    counts = np.where(known & (observed >= least), observed, 0.0)
    tail = np.where(counts > 0, regularised_incomplete_beta(np.maximum(counts, 1.0), size, 1 - success), 1.0)
    tail = np.where(known, np.clip(tail, _SMALLEST_TAIL, 1.0), np.inf)
    best = tail.argmin(axis=0)
    columns = np.arange(best.size)
    is_known = known[0]
    smallest = np.where(is_known, tail[best, columns], np.nan)
    allowed = budget / (looks * len(windows))
    bound = negative_binomial_quantile(1 - min(allowed, 0.5), usual[0], variance[0] / usual[0])
    return Judged(
        score=-np.log10(smallest)[None],
        price=(smallest * looks * len(windows))[None],
        days=np.where(is_known, best + 1.0, np.nan)[None],
        observed=np.where(is_known, observed[best, columns], np.nan)[None],
        usual=np.where(is_known, usual[best, columns], np.nan)[None],
        upperbound=np.where(is_known, bound, np.nan)[None],
    )


def _law(usual: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Size and success probability of the negative binomial law of this mean and variance."""
    variance = np.maximum(variance, usual * (1 + 1e-9))
    return usual**2 / (variance - usual), usual / variance


def _tails(
    windows: Sequence[Windowed], payer: IntArray, day: int, least: int, mass: FloatArray
) -> FloatArray:
    """Tail probability P(Y >= count) of each unit's windows, shape (n_units, n_windows), NaN where there is
    none.

    Adds to ``mass``, shape (n_payers, n_thresholds), the chance of every count under the strictest
    threshold at which it would still alarm.
    """
    observed, usual, variance = (
        np.column_stack([getattr(each, name)[:, day] for each in windows])
        for name in ("observed", "usual", "variance")
    )
    tails = np.full(usual.shape, np.nan)
    judged = ~np.isnan(usual)
    if not judged.any():
        return tails
    counts = observed[judged]
    size, success = _law(usual[judged], variance[judged])
    owner = np.broadcast_to(payer[:, None], usual.shape)[judged] * _THRESHOLDS.size
    found = np.where(counts < least, 1.0, _SMALLEST_TAIL)
    # Entries leave the walk once nothing rarer can be told apart.
    rows = np.arange(counts.size)
    chance, tail = success**size, np.ones_like(success)
    for count in range(_MOST_COUNTS):
        if count >= least:
            here = counts == count
            found[rows[here]] = tail[here]
            rare = tail <= _THRESHOLDS[0]
            place = owner[rare] + _place(tail[rare])
            mass += np.bincount(place, weights=chance[rare], minlength=mass.size).reshape(mass.shape)
        tail = tail - chance
        chance = chance * ((count + size) / (count + 1) * (1 - success))
        going = tail > _SMALLEST_TAIL
        if not going.all():
            rows, counts, owner, size, success, chance, tail = (
                each[going] for each in (rows, counts, owner, size, success, chance, tail)
            )
            if not rows.size:
                break
    tails[judged] = found
    return tails


def _place(tail: FloatArray) -> IntArray:
    """Number of the strictest threshold that is not below the tail probability; -1 above the laxest."""
    place = np.floor((np.log10(_THRESHOLDS[0]) - np.log10(tail)) * _STEPS_A_DECADE + 1e-9)
    result: IntArray = np.maximum(np.minimum(place, _THRESHOLDS.size - 1), -1).astype(np.intp)
    return result


def _write(
    judged: Judged,
    day: int,
    tails: FloatArray,
    windows: Sequence[Windowed],
    prices: FloatArray,
    least: int,
    budget: float,
) -> None:
    known = ~np.isnan(tails[:, 0])
    if not known.any():
        return
    best = np.where(np.isnan(tails), np.inf, tails).argmin(axis=1)
    rows = np.arange(len(best))
    tail = np.where(known, tails[rows, best], 1.0)
    place = _place(tail)
    for target, values in (
        (judged.score, -np.log10(tail)),
        (judged.price, np.where(place < 0, np.inf, prices[rows, place])),
        (judged.days, best + 1.0),
        (judged.observed, np.column_stack([each.observed[:, day] for each in windows])[rows, best]),
        (judged.usual, np.column_stack([each.usual[:, day] for each in windows])[rows, best]),
        (judged.upperbound, _upperbound(windows[0], day, prices, least, budget)),
    ):
        target[:, day] = np.where(known, values, np.nan)


def _upperbound(one_day: Windowed, day: int, prices: FloatArray, least: int, budget: float) -> FloatArray:
    """Largest count of one day that costs more than the budget; NaN where no count is cheap enough."""
    usual, variance = one_day.usual[:, day], one_day.variance[:, day]
    bound = np.full(usual.shape, np.nan)
    open_ = ~np.isnan(usual) & (prices[:, -1] <= budget)
    size, success = _law(np.where(open_, usual, 1.0), np.where(open_, variance, 2.0))
    chance, tail = success**size, np.ones_like(usual)
    rows = np.arange(usual.size)
    for count in range(_MOST_COUNTS):
        if count >= least:
            place = _place(np.maximum(tail, _SMALLEST_TAIL))
            passes = open_ & (place >= 0) & (prices[rows, place] <= budget)
            bound[passes] = count - 1
            open_ &= ~passes
            if not open_.any():
                break
        tail = tail - chance
        chance = chance * ((count + size) / (count + 1) * (1 - success))
    return bound
