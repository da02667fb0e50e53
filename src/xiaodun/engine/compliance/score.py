"""The share of the obligations owed that was met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from xiaodun.engine.compliance.judgement import Judgement, Value

__all__ = ["Score", "score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts of obligations by value, and the rate they make.

    May be built from counts that a database has summed. ``late_weight`` says how much of a done obligation a
    late one is worth, 0 to 1. ``sent_late`` counts those among the done that arrived after the deadline; it
    changes no rate.

    Raises ``ValueError`` for a negative count, a weight out of 0–1, or more sent late than done.
    """

    done: int
    late: int
    missing: int
    not_applicable: int
    excused: int
    late_weight: Fraction | Decimal | float
    sent_late: int = 0

    def __post_init__(self) -> None:
        counts = (self.done, self.late, self.missing, self.not_applicable, self.excused, self.sent_late)
        if min(counts) < 0:
            raise ValueError(f"a count of obligations cannot be negative: {counts}")
        if self.sent_late > self.done:
            raise ValueError(f"{self.sent_late} sent late, but only {self.done} done")
        if not 0 <= self.late_weight <= 1:
            raise ValueError(f"the weight of a late obligation lies in 0 to 1, not {self.late_weight}")

    @property
    def owed(self) -> int:
        """The denominator: what is not applicable or excused has left it."""
        return self.done + self.late + self.missing

    @property
    def rate(self) -> float | None:
        """(done + late_weight · late) / owed, 0 to 1; ``None`` when nothing was owed, which is not a zero.

        Computed as an exact fraction and rounded once, so that equal shares compare equal in a ranking.
        """
        if not self.owed:
            return None
        return float((self.done + Fraction(self.late_weight) * self.late) / self.owed)


def score(values: Iterable[Judgement | Value], *, late_weight: Fraction | Decimal | float) -> Score:
    """Count the values of obligations. ``DUE`` is left out: what is not yet due says nothing.

    A bare :class:`Value` counts as a judgement that was not sent late.
    """
    judgements = [item if isinstance(item, Judgement) else Judgement(item) for item in values]
    counts = Counter(judgement.value for judgement in judgements)
    return Score(
        done=counts[Value.DONE],
        late=counts[Value.LATE],
        missing=counts[Value.MISSING],
        not_applicable=counts[Value.NOT_APPLICABLE],
        excused=counts[Value.EXCUSED],
        late_weight=late_weight,
        sent_late=sum(judgement.sent_late for judgement in judgements),
    )
