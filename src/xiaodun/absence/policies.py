"""How illness episodes follow from what teachers tap. Pure: records in, episodes out.

One episode runs from the first finding of illness until a check finds the person present without one. A
day without a check, or away for another reason, neither ends nor interrupts it. Because episodes are a
function of the records alone, the order in which checks arrive (a phone without network sends Tuesday's on
Thursday) cannot matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum


class DayState(Enum):
    """What one check says of one person."""

    ABSENT_ILL = "absent_ill"
    SYMPTOMS = "symptoms"
    RECOVERED = "recovered"
    AWAY = "away"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class DayRecord:
    """One check's word on one person. ``order`` sorts the checks of a day: seconds of their moment.

    ``finding_id`` is None when well.
    """

    day: date
    order: float
    state: DayState
    onset: date | None = None
    symptoms: tuple[str, ...] = ()
    finding_id: int | None = None


@dataclass(frozen=True, slots=True)
class DerivedEpisode:
    """One illness of one person: ``onset`` is the earliest first day, ``back_on`` the day found well."""

    onset: date
    records: tuple[DayRecord, ...]
    back_on: date | None

    @property
    def first_day(self) -> date:
        return self.records[0].day

    @property
    def last_day(self) -> date:
        return self.records[-1].day

    @property
    def was_absent(self) -> bool:
        return any(record.state is DayState.ABSENT_ILL for record in self.records)

    @property
    def symptoms(self) -> tuple[str, ...]:
        return tuple(sorted({code for record in self.records for code in record.symptoms}))


def derive_episodes(records: Iterable[DayRecord]) -> list[DerivedEpisode]:
    """The episodes of one person, in order of time, from all that the checks said."""
    episodes: list[DerivedEpisode] = []
    running: list[DayRecord] = []

    def end(back_on: date | None) -> None:
        if running:
            onset = min(record.onset or record.day for record in running)
            episodes.append(DerivedEpisode(onset=onset, records=tuple(running), back_on=back_on))
            running.clear()

    for record in sorted(records, key=lambda record: (record.day, record.order, record.finding_id or 0)):
        if record.state is DayState.AWAY:
            continue
        if record.state is DayState.WELL:
            end(back_on=record.day)
            continue
        running.append(record)
        if record.state is DayState.RECOVERED:
            end(back_on=record.day)
    end(back_on=None)
    return episodes
