"""The value of one obligation: done, late, missing, not applicable or excused (or not yet due)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum

__all__ = ["Judgement", "NotOwed", "Value", "judge"]


class Value(StrEnum):
    """The five values of compliance, and ``DUE``, which is none of them yet."""

    DONE = "done"  # proved before the deadline
    LATE = "late"  # proved, not before the deadline
    MISSING = "missing"  # not proved and the deadline has passed
    NOT_APPLICABLE = "not_applicable"  # nothing was owed: see NotOwed
    EXCUSED = "excused"  # owed, and a named person decided with a reason that it shall not count
    DUE = "due"  # not proved and the deadline lies ahead: never scored


class NotOwed(Enum):
    """Why nothing is owed on a day."""

    HOLIDAY = "holiday"  # no school day in the unit's calendar
    CLOSED = "closed"  # the unit or group is closed by decision
    NO_PUPILS = "no_pupils"
    BEFORE_FIRST_DAY = "before_first_day"  # the unit has not joined yet: grey, not red


@dataclass(frozen=True, slots=True)
class Judgement:
    """A value, and whether a proof in time arrived only after the deadline (a phone without network)."""

    value: Value
    sent_late: bool = False


def judge(
    *,
    not_owed: NotOwed | None,
    excused: bool,
    deadline: datetime,
    proved_at: datetime | None,
    received_at: datetime | None,
    clock_offset: timedelta | None,
    offset_limit: timedelta,
    now: datetime,
) -> Judgement:
    """The value of one obligation as known at ``now``.

    ``proved_at`` is the moment of the tap by the clock of the device, ``received_at`` the server's moment of
    arrival, ``clock_offset`` the measured difference of the two clocks (either sign; ``None`` if it was not
    measured). The device's clock is trusted when the offset is known and smaller than ``offset_limit``;
    otherwise the proof counts from its arrival. A proof recorded by the server itself has both moments equal
    and an offset of zero.

    In time means *before* the deadline: at the deadline itself the obligation is late. What is not owed is
    not applicable even if somebody did it, and a decision to excuse stands whatever was proved. A proof that
    arrives after ``now`` is not known yet.

    All moments are aware. Raises ``ValueError`` for a naive moment, for a proof with only one of its two
    moments, and for a limit that is not positive.
    """
    if (proved_at is None) != (received_at is None):
        raise ValueError("a proof has a moment of the tap and a moment of arrival, or neither")
    for moment in (deadline, proved_at, received_at, now):
        if moment is not None and moment.utcoffset() is None:
            raise ValueError(f"{moment!r} has no time zone")
    if offset_limit <= timedelta(0):
        raise ValueError(f"the limit of the clock offset must be positive, not {offset_limit}")

    if not_owed is not None:
        return Judgement(Value.NOT_APPLICABLE)
    if excused:
        return Judgement(Value.EXCUSED)
    if proved_at is None or received_at is None or received_at > now:
        return Judgement(Value.DUE if now < deadline else Value.MISSING)
    clock_is_trusted = clock_offset is not None and abs(clock_offset) < offset_limit
    done_at = proved_at if clock_is_trusted else received_at
    if done_at < deadline:
        return Judgement(Value.DONE, sent_late=received_at >= deadline)
    return Judgement(Value.LATE)
