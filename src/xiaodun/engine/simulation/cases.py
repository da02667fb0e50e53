"""The row of an illness, from an outbreak or the background, and how a school comes to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CASE", "TELLING_DRAWS", "Setting", "telling"]


class Setting(IntEnum):
    """Where an infection came from; community and source have no infector."""

    COMMUNITY = 0
    CLASS = 1
    GRADE = 2
    SCHOOL = 3
    ROOM = 4
    LESSON = 5
    HOUSEHOLD = 6
    SOURCE = 7


CASE = np.dtype(
    [
        ("person", "i4"), ("disease", "u1"), ("infected", "i2"), ("onset", "i2"), ("symptomatic", "?"),
        ("ill_until", "i2"), ("missed_from", "i2"), ("stays_home", "?"), ("picture", "i2"),
        ("infector", "i4"), ("setting", "u1"), ("outbreak", "i4"),
        ("told_after", "i1"), ("noticed", "?"), ("tells_on_return", "?"), ("reported", "i2"),
    ]
)  # fmt: skip
"""One infection or illness. Days count from the first day of the term.

person: row of the census. disease: its number in the parameters, 0 for the background. infected, onset: the
day, ``onset`` being the day on which it would have shown where ``symptomatic`` is false. ill_until: last day
of illness. missed_from: the first day whose check could see it. stays_home: absent, not ill at school.
picture: which symptoms, a row of the disease's pictures. infector, outbreak: rows of the term's ``cases``, -1
for none. setting: see :class:`Setting`. told_after: days until the school hears that the absence is an
illness, -1 never. noticed: seen when ill at school. tells_on_return: told afterwards if nobody asked before.
reported: day of the first check that holds it, -1 if none does.
"""

TELLING_DRAWS = 4


def telling(rows: npt.NDArray[np.void], u: npt.NDArray[np.float64], reporting: Mapping[str, Any]) -> None:
    """Fill in how and when the school hears of ``rows``; ``missed_from`` is counted from the onset."""
    rows["missed_from"] = u[0] >= reporting["ill_before_the_check"]
    late, never = reporting["told_late"], reporting["never_told"]
    days = 1 + (u[1] / late * reporting["told_late_days"]).astype(np.int64)
    rows["told_after"] = np.where(u[1] < late, days, np.where(u[1] >= 1 - never, -1, 0))
    rows["noticed"] = u[2] < reporting["noticed_at_school"]
    rows["tells_on_return"] = u[3] < reporting["told_on_return"]
