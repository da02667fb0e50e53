"""What every detector shares: the interface, the result, and the checks of the input.

A detector is an immutable object made of its parameters. ``detect`` takes counts of shape (n_series,
n_times), or (n_times,) for one series, and gives a :class:`Detection` whose arrays have the shape of the
input. A cell that the method cannot judge is NaN, and masked in ``alarm``; it is never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "AlarmArray",
    "Detection",
    "Detector",
    "FloatArray",
    "as_counts",
    "as_dates",
    "as_population",
    "masked_alarm",
    "refuse_population",
    "require",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]
AlarmArray: TypeAlias = "np.ma.MaskedArray[tuple[int, ...], np.dtype[np.bool_]]"


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What a detector found; every array has the shape of the counts it was given.

    expected: count expected without an outbreak, in cases; NaN where undefined.
    upperbound: largest count still held to be usual, in cases; NaN where undefined. Each method's docstring
        says when a count on the bound itself alarms (CUSUM) or does not (all others).
    score: how unusual the count is, in the method's own unit (see its docstring); NaN where undefined.
    alarm: masked boolean array; masked where the method cannot judge.
    diagnostics: further arrays of the same shape by name (dispersion, slope, ...), as the method documents.
    """

    expected: FloatArray
    upperbound: FloatArray
    score: FloatArray
    alarm: AlarmArray
    diagnostics: Mapping[str, FloatArray] = field(default_factory=lambda: MappingProxyType({}))


class Detector(Protocol):
    """One method with its parameters."""

    method: ClassVar[str]
    """Name on the command line and in :data:`xiaodun.engine.detection.METHODS`."""

    def detect(
        self,
        counts: npt.ArrayLike,
        *,
        dates: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
    ) -> Detection:
        """Judge every cell of ``counts`` by the cells before it.

        counts: shape (n_series, n_times) or (n_times,); numbers of cases >= 0, NaN where nothing is known.
        dates: shape (n_times,), the first day of each time; only methods that place windows by date use it.
        population: children at risk, broadcastable to the counts, > 0; a method without such a term refuses
            it.

        Raises ``ValueError`` for a wrong shape, a negative or infinite count.
        """
        ...


def require(condition: bool, message: str) -> None:
    """Raise ``ValueError(message)`` unless ``condition``."""
    if not condition:
        raise ValueError(message)


def as_counts(counts: npt.ArrayLike) -> tuple[FloatArray, tuple[int, ...]]:
    """Counts as a float array of shape (n_series, n_times), and the shape the caller used."""
    try:
        array = np.asarray(counts, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"counts must be numbers in a regular array: {error}") from error
    require(array.ndim in (1, 2), f"counts must have 1 or 2 dimensions, not {array.ndim}")
    require(not bool(np.isinf(array).any()), "counts must be finite; use NaN for an unknown count")
    with np.errstate(invalid="ignore"):
        require(not bool((array < 0).any()), "counts must not be negative")
    return np.ascontiguousarray(np.atleast_2d(array)), array.shape


def as_population(population: npt.ArrayLike, shape: tuple[int, int]) -> FloatArray:
    """Population as an array of the counts' two-dimensional shape; one number a series (n_series,) is
    accepted.
    """
    array = np.asarray(population, dtype=np.float64)
    if array.ndim == 1 and array.shape == (shape[0],) and shape[0] != shape[1]:
        array = array[:, None]
    try:
        array = np.broadcast_to(array, shape)
    except ValueError as error:
        raise ValueError(f"population of shape {array.shape} does not fit counts of shape {shape}") from error
    require(bool(np.isfinite(array).all() and (array > 0).all()), "population must be finite and above 0")
    return np.ascontiguousarray(array)


def as_dates(dates: npt.ArrayLike, n_times: int) -> npt.NDArray[np.datetime64]:
    """Dates as days, strictly increasing, one a time."""
    array = np.asarray(dates, dtype="datetime64[D]")
    require(array.shape == (n_times,), f"dates must have shape ({n_times},), not {array.shape}")
    require(not bool(np.isnat(array).any()), "dates must not be missing")
    require(bool((np.diff(array) > np.timedelta64(0, "D")).all()), "dates must increase")
    return array


def refuse_population(population: object, method: str) -> None:
    """Raise ``ValueError`` when a population is given to a method that has no term for it."""
    require(
        population is None,
        f"{method} has no term for the population: give it counts, or rates scaled to cases",
    )


def masked_alarm(alarm: npt.NDArray[np.bool_], undefined: npt.NDArray[np.bool_]) -> AlarmArray:
    """Alarms masked where they are undefined; the data beneath the mask is False."""
    return np.ma.MaskedArray(alarm & ~undefined, mask=undefined)
