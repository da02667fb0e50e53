"""Streams of random numbers, one for each subject and place, that no other stream can shift."""

from __future__ import annotations

from enum import IntEnum
from math import erf, log, sqrt

import numpy as np
import numpy.typing as npt

__all__ = ["Subject", "bit_stream", "draw_index", "gamma", "lognormal_days", "stream"]


class Subject(IntEnum):
    """What a stream is drawn for. The numbers are part of every seed's result: they are only added to."""

    PEOPLE = 1
    FRAILTY = 2
    BACKGROUND = 3
    BACKGROUND_COURSE = 4
    LEAVE = 5
    SUBMISSION = 6
    INFECTION = 7
    COURSE = 8
    INTRODUCTION = 9
    SEASON = 10


def stream(seed: int, subject: Subject, *place: int) -> np.random.Generator:
    """The generator of one subject at one place (numbers of district, institution, disease ...).

    Streams of different keys are independent, so a school draws the same numbers alone, in its district, or
    in a city, whatever is drawn before it. Callers take nothing but uniform doubles (``random``): their bits
    are PCG64's own, while NumPy's algorithms for other distributions may change between versions.
    """
    return np.random.Generator(bit_stream(seed, subject, *place))


def bit_stream(seed: int, subject: Subject, *place: int) -> np.random.PCG64:
    """The bits below a :func:`stream`; a uniform double takes one step of them (``advance``)."""
    return np.random.PCG64(np.random.SeedSequence([seed, int(subject), *place]))


def draw_index(u: npt.NDArray[np.float64], weights: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The index that each uniform number picks, in proportion to ``weights``."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    found = np.searchsorted(cumulative / cumulative[-1], u, side="right")
    return np.minimum(found, len(cumulative) - 1)


def lognormal_days(median: float, dispersion: float, longest: int) -> npt.NDArray[np.float64]:
    """Probabilities of 0, 1, ... ``longest`` whole days, rounded, of a log-normal of this median.

    ``dispersion`` is exp(sigma), as the literature on incubation periods states it.
    """
    sigma = log(dispersion)
    edges = [0.5 + day for day in range(longest + 1)]
    below = [0.5 * (1 + erf(log(edge / median) / (sigma * sqrt(2)))) for edge in edges]
    chances = np.diff(np.array([0.0, *below]))
    return np.asarray(chances / chances.sum(), dtype=np.float64)


def gamma(draws: np.random.Generator, shape: int, size: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Gamma of mean 1 and a whole shape, as a sum of exponentials."""
    return np.asarray(-np.log1p(-draws.random((shape, *size))).mean(axis=0))
