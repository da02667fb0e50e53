"""Seeded choices that stay the same between versions of NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

__all__ = ["Dice"]

T = TypeVar("T")


class Dice:
    """Draws from PCG64. Each stream of a seed is independent, so that one part may change without the others.

    Only uniform doubles are taken from NumPy: their bits are the generator's own, while the algorithms of
    ``choice`` and ``shuffle`` may change between versions.
    """

    def __init__(self, seed: int, stream: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream])))

    def uniform(self) -> float:
        """A number in [0, 1)."""
        return float(self._generator.random())

    def happens(self, probability: float) -> bool:
        """True with the given probability."""
        return self.uniform() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, all equally likely."""
        return items[self.between(0, len(items) - 1)]

    def pick_weighted(self, items: Sequence[tuple[T, float]]) -> T:
        """One of the (item, weight) pairs' items."""
        left = self.uniform() * sum(weight for _, weight in items)
        for item, weight in items:
            left -= weight
            if left < 0:
                return item
        return items[-1][0]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """``count`` different items in random order (the beginning of a Fisher–Yates shuffle)."""
        pool = list(items)
        for index in range(count):
            other = self.between(index, len(pool) - 1)
            pool[index], pool[other] = pool[other], pool[index]
        return pool[:count]
