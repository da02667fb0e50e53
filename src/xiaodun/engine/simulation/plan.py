"""What a district is built from: its institutions with their classes, as the bulletin counts them.

The bulletin (《上街信息》第94期, 2020-12-30) gives 14 schools, 36 kindergartens, 33 training bodies and 5
colleges, 18 public schools and kindergartens and 44 machines that measure temperature. Everything else here
(how many of the schools are primary, classes, sizes, boarders, staff) is assumed, so that some 65,000 people
result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import count

__all__ = ["InstitutionPlan", "Kind", "bulletin_district", "city", "streets"]


class Kind(IntEnum):
    """Kinds of institution, in the order in which boards list them."""

    PRIMARY = 0
    NINE_YEAR = 1
    JUNIOR = 2
    SENIOR = 3
    KINDERGARTEN = 4
    TRAINING = 5
    COLLEGE = 6

    @property
    def letter(self) -> str:
        """The first letter of the codes of such institutions."""
        return "pnjsktc"[self]


@dataclass(frozen=True, slots=True)
class InstitutionPlan:
    """One institution before its people are drawn.

    ``grades`` are pairs (age in the autumn, classes); a training body has none but ``lessons``.
    ``class_size`` is the smallest and the largest class. ``boarding`` is the share of pupils, from
    ``boards_from_age`` on, who sleep in rooms of ``room_size``. ``pupils_per_staff`` sets the staff, of which
    a fifth is not teaching.
    """

    district: int
    kind: Kind
    number: int
    is_public: bool
    machines: int
    street: int
    grades: tuple[tuple[int, int], ...]
    class_size: tuple[int, int]
    lessons: int = 0
    boarding: float = 0.0
    boards_from_age: int = 0
    room_size: int = 8
    pupils_per_staff: float = 14.0

    @property
    def code(self) -> str:
        """Unique in its district: ``p03`` is the third primary school."""
        return f"{self.kind.letter}{self.number:02d}"

    @property
    def expected_pupils(self) -> float:
        """Pupils at classes of middle size."""
        return sum(classes for _, classes in self.grades) * sum(self.class_size) / 2

    @property
    def staff(self) -> int:
        """Everybody employed; the smallest body has a principal, a doctor and two teachers."""
        owed = self.expected_pupils / self.pupils_per_staff
        return max(4, round(owed), self.lessons)


_STREETS = 6


def streets() -> int:
    """Number of streets and townships of a district; families live in one."""
    return _STREETS


def _years(first_age: int, classes: Sequence[int]) -> tuple[tuple[int, int], ...]:
    return tuple((first_age + year, each) for year, each in enumerate(classes))


def bulletin_district(district: int = 0) -> tuple[InstitutionPlan, ...]:
    """The 88 institutions of the bulletin as district number ``district``; all districts are alike in plan.

    Raises ``ValueError`` for a negative number.
    """
    if district < 0:
        raise ValueError(f"districts are numbered from 0, not {district}")
    plans = [*_schools(), *_kindergartens(), *_training_bodies(), *_colleges()]
    return tuple(replace(plan, district=district) for plan in plans)


def _schools() -> Iterator[InstitutionPlan]:
    for number, classes in enumerate((7, 6, 6, 5, 5, 4, 4), start=1):
        yield InstitutionPlan(
            0, Kind.PRIMARY, number, number < 7, 3 * (number < 7), number % _STREETS,
            _years(6, [classes] * 6), (38, 49), pupils_per_staff=17,
        )  # fmt: skip
    for number, (lower, upper) in enumerate(((4, 5), (3, 4)), start=1):
        yield InstitutionPlan(
            0, Kind.NINE_YEAR, number, True, 3, (number + 2) % _STREETS, _years(6, [lower] * 6 + [upper] * 3),
            (38, 49), boarding=0.25, boards_from_age=12, pupils_per_staff=15,
        )  # fmt: skip
    for number, classes in enumerate((12, 10, 8), start=1):
        yield InstitutionPlan(
            0, Kind.JUNIOR, number, number < 3, 3 * (number < 3), number % _STREETS,
            _years(12, [classes] * 3), (42, 52), boarding=0.15, boards_from_age=12, pupils_per_staff=13,
        )  # fmt: skip
    for number, classes in enumerate((16, 12), start=1):
        yield InstitutionPlan(
            0, Kind.SENIOR, number, True, 3, (number + 3) % _STREETS, _years(15, [classes] * 3),
            (46, 56), boarding=0.6, boards_from_age=15, pupils_per_staff=12,
        )  # fmt: skip


def _kindergartens() -> Iterator[InstitutionPlan]:
    for number in range(1, 37):
        classes = 2 + number % 3
        yield InstitutionPlan(
            0, Kind.KINDERGARTEN, number, number <= 6, (number <= 6) + (number <= 2), number % _STREETS,
            _years(3, [classes] * 3), (23, 33), pupils_per_staff=8,
        )  # fmt: skip


def _training_bodies() -> Iterator[InstitutionPlan]:
    for number in range(1, 34):
        yield InstitutionPlan(
            0, Kind.TRAINING, number, False, 0, number % _STREETS, (), (0, 0), lessons=6 + number % 5
        )  # fmt: skip


def _colleges() -> Iterator[InstitutionPlan]:
    for number, classes in enumerate((60, 52, 46, 42, 36), start=1):
        yield InstitutionPlan(
            0, Kind.COLLEGE, number, number < 4, 0, number % _STREETS, _years(18, [classes] * 3),
            (38, 48), boarding=0.96, boards_from_age=18, room_size=6, pupils_per_staff=18,
        )  # fmt: skip


def city(persons: int) -> tuple[InstitutionPlan, ...]:
    """As many districts as make ``persons`` people, the last one with as many institutions as are needed.

    A small number gives the first institutions of the first district, never fewer than one.

    Raises ``ValueError`` for less than one person.
    """
    if persons < 1:
        raise ValueError(f"a city has at least one person, not {persons}")
    plans: list[InstitutionPlan] = []
    people = 0.0
    for district in count():
        for plan in bulletin_district(district):
            if people >= persons:
                return tuple(plans)
            plans.append(plan)
            people += plan.expected_pupils + plan.staff
    raise AssertionError("districts do not end")
