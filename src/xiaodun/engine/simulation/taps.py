"""What the teachers tap: each group's check of each day, from the illnesses and from ordinary absence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from xiaodun.engine.simulation.dice import Dice
from xiaodun.engine.simulation.district import Check, Finding, Group, Status
from xiaodun.engine.simulation.illness import Illness
from xiaodun.engine.simulation.roster import Roster

__all__ = ["draw_checks"]

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_FIRST_TAP, _LAST_TAP = time(7, 20), time(7, 58)
_FIRST_LATE_TAP, _LAST_LATE_TAP = time(8, 25), time(8, 50)
_FORGETS = 0.012
_IS_LATE = 0.02
_HAS_NO_NETWORK = 0.02
_OFFLINE_MINUTES = (12, 70)

_ABSENT_OTHERWISE = 0.004
_BY_WEEKDAY = (1.2, 1.0, 1.0, 1.0, 1.5, 1.0, 1.0)  # long weekends begin early and end late
_COMES_LATE = 0.003
# A class hears of an illness that came and went over a weekend, not of one in the middle of a long holiday.
_REMEMBERED = timedelta(days=4)


def draw_checks(
    dice: Dice,
    roster: Roster,
    school_days: Sequence[date],
    illnesses: Sequence[Illness],
    *,
    always_checked: Collection[str],
    missing_on_last_day: Collection[str],
    late_on_last_day: Collection[str],
) -> tuple[Check, ...]:
    """The checks by day and group. On the last day only the named groups are missing or late."""
    illnesses_of: dict[str, list[Illness]] = defaultdict(list)
    for illness in illnesses:
        illnesses_of[illness.person].append(illness)
    recorded: set[tuple[str, Illness]] = set()
    checks = []
    for day in school_days:
        is_last = day == school_days[-1]
        for group in roster.groups:
            # Drawn for every group and day, so that a rule about one shifts no numbers of the others.
            forgets, late, offline = (
                dice.happens(_FORGETS),
                dice.happens(_IS_LATE),
                dice.happens(_HAS_NO_NETWORK),
            )
            on_time_tap = _moment(dice, day, _FIRST_TAP, _LAST_TAP)
            late_tap = _moment(dice, day, _FIRST_LATE_TAP, _LAST_LATE_TAP)
            delay = timedelta(minutes=dice.between(*_OFFLINE_MINUTES))
            if is_last:
                forgets, late, offline = (
                    group.code in missing_on_last_day,
                    group.code in late_on_last_day,
                    False,
                )
            elif group.code in always_checked:
                forgets = late = offline = False
            if forgets:
                continue
            tapped_at = late_tap if late else on_time_tap
            received_at = tapped_at + delay if offline else tapped_at
            findings = _draw_findings(dice, roster, group, day, illnesses_of, recorded)
            checks.append(Check(group.code, day, tapped_at, received_at, findings))
    return tuple(checks)


def _moment(dice: Dice, day: date, first: time, last: time) -> datetime:
    """A moment of the day between two local times, to the second."""
    start = datetime.combine(day, first, _SHANGHAI)
    seconds = int((datetime.combine(day, last, _SHANGHAI) - start).total_seconds())
    return (start + timedelta(seconds=dice.between(0, seconds))).astimezone(UTC)


def _draw_findings(
    dice: Dice,
    roster: Roster,
    group: Group,
    day: date,
    illnesses_of: dict[str, list[Illness]],
    recorded: set[tuple[str, Illness]],
) -> tuple[Finding, ...]:
    findings = []
    for person in roster.members[group.code]:
        is_away = dice.happens(_ABSENT_OTHERWISE * _BY_WEEKDAY[day.weekday()])
        comes_late = dice.happens(_COMES_LATE)
        known = [illness for illness in illnesses_of[person] if illness.onset <= day]
        illness = known[-1] if known else None
        if illness is not None and day <= illness.end:
            status = _status_of_the_ill(group, illness, is_first=(group.code, illness) not in recorded)
            recorded.add((group.code, illness))
            findings.append(Finding(person, status, illness.symptoms, illness.onset))
        elif illness is not None and _is_untold(roster, group, day, illness, recorded):
            recorded.add((group.code, illness))
            findings.append(Finding(person, "recovered", illness.symptoms, illness.onset))
        elif is_away:
            findings.append(Finding(person, "absent_other"))
        elif comes_late and group.kind != "dormitory":
            findings.append(Finding(person, "late"))
    return tuple(findings)


def _status_of_the_ill(group: Group, illness: Illness, *, is_first: bool) -> Status:
    """A boarder is seen ill in the room, then goes home; others stay at home or come all the same.

    Whoever is seen at school shows something: an illness without a known symptom is one at home.
    """
    if not illness.symptoms:
        return "absent_ill"
    if group.kind == "dormitory":
        return "symptoms" if is_first else "absent_ill"
    return "absent_ill" if illness.stays_home else "symptoms"


def _is_untold(
    roster: Roster, group: Group, day: date, illness: Illness, recorded: set[tuple[str, Illness]]
) -> bool:
    """Whether the home group hears only now of an illness that came and went without a check in between."""
    is_home = roster.groups_of[illness.person][0] == group.code
    is_recent = day - illness.end <= _REMEMBERED
    return is_home and is_recent and (group.code, illness) not in recorded
