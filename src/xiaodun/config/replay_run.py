"""Lets a replay run: checks as the teachers would send them, the clock from day to day, what came of it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from xiaodun.config.replay_files import ClassKey, Member
from xiaodun.config.replay_plan import Entry, Plan, ReplayCalendar, plan_entries, years_of
from xiaodun.config.replay_world import World, build_world
from xiaodun.duties.services import chase_due
from xiaodun.engine.calendar import state_holidays
from xiaodun.kit import outbox
from xiaodun.kit.clock import SHANGHAI, local_day, local_moment
from xiaodun.ladders import selectors as ladders
from xiaodun.ladders.services import climb_due
from xiaodun.organisations.models import Unit
from xiaodun.screening.choices import CheckKind
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.services import submit_check
from xiaodun.surveillance.models import Signal

_DAY = timedelta(days=1)
# Every class is checked before the first lesson and before the playbook's reminder.
CHECKED_AT = time(7, 40)
# When ladders and reminders are looked after. What fell due meanwhile is recorded with the moment at which it
# was due, so that the steps need not be as fine as the minutes of a ladder.
TICKS = (time(9, 0), time(18, 0))
# Days on which the clock runs on after the last check, so that the last signals climb to the top.
DAYS_AFTER = 3
# One check announces a handful; a drain ends when nothing is left.
_MORE_THAN_ANNOUNCED = 1_000_000

Progress = Callable[[int, int], None]


class ReplayFailedError(Exception):
    """An announcement could not be delivered: the result would be wrong, so there is none."""


def replay(
    *,
    members: Sequence[Member],
    sizes: Mapping[ClassKey, int],
    named_days: Mapping[date, bool],
    rules: str,
    ill_days: int,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Run the line list through the services of the (empty) database at hand; the result as plain data.

    Equal arguments give equal results: no clock is read and no key of the database appears.

    Args:
        progress: called with the days done and the days in all.

    Raises:
        NoCheckDayError: if the calendar leaves no day to enter the last cases.
        ReplayFailedError: if a service failed behind the outbox.
    """
    years = [state_holidays(year) for year in years_of(members)]
    plan = plan_entries(members, ReplayCalendar.of(years, named_days), ill_days=ill_days)
    assumed = [year.year for year in years if not year.confirmed and year.year <= plan.last_day.year]
    world = build_world(
        members=members,
        sizes=sizes,
        rules=rules,
        first_day=plan.first_day,
        last_day=plan.last_day,
        named_days=_days_to_name(plan),
        seed=seed,
        at=local_moment(plan.first_day, time.min),
    )
    _deliver(local_moment(plan.first_day, time.min))
    checks = _run_days(plan, world, progress)
    keys, person_ids = world.keys, world.person_ids
    signals = [
        _as_data(signal, keys[signal.unit_id], person_ids=person_ids, names=world.names)
        for signal in _alive()
    ]
    signals.sort(key=_order)
    return {
        "signals": signals,
        "summary": _summary(members, plan, world, signals, checks=checks)
        | {"rules": rules, "ill_days": ill_days, "seed": seed, "assumed_years": assumed},
    }


def _days_to_name(plan: Plan) -> dict[date, bool]:
    """Every day of the replay: so told, the database need not know the State's calendar of old years."""
    length = (plan.last_day - plan.first_day).days + 1
    days = [plan.first_day + timedelta(days=step) for step in range(length)]
    school_days = set(plan.school_days)
    return {day: day in school_days for day in days}


def _run_days(plan: Plan, world: World, progress: Progress) -> int:
    """Let every day pass; returns the number of checks."""
    school_days = set(plan.school_days)
    total = (plan.last_day - plan.first_day).days + 1 + DAYS_AFTER
    checks = 0
    for step in range(total):
        day = plan.first_day + timedelta(days=step)
        if day in school_days:
            for key, unit in world.classes.items():
                _check(world, key, unit, day, plan.entries.get((day, key), ()))
                checks += 1
            _deliver(local_moment(day, CHECKED_AT))
        for of_day in TICKS:
            _tick(local_moment(day, of_day))
        _refuse_undelivered(local_moment(day, TICKS[-1]))
        progress(step + 1, total)
    return checks


def _check(world: World, key: ClassKey, unit: Unit, day: date, entries: Sequence[Entry]) -> None:
    at = local_moment(day, CHECKED_AT)
    submit_check(
        by=world.teachers[key],
        group=unit,
        kind=CheckKind.MORNING,
        day=day,
        findings=[
            FindingInput(world.persons[entry.person_id].pk, entry.status, entry.symptoms, entry.onset)
            for entry in entries
        ],
        tapped_at=at,
        received_at=at,
        clock_offset_ms=0,
        client_id=uuid5(NAMESPACE_OID, f"{unit.code}/{day}"),
        source="replay",
    )


def _tick(at: datetime) -> None:
    climb_due(at=at)
    chase_due(at=at)
    _deliver(at)


def _deliver(at: datetime) -> None:
    outbox.drain(now=at, limit=_MORE_THAN_ANNOUNCED)


def _refuse_undelivered(at: datetime) -> None:
    """A failed delivery ends the replay."""
    pending = outbox.pending(at)
    if pending.failing:
        raise ReplayFailedError(pending.failing[0].last_error)
    if pending.waiting:
        raise ReplayFailedError(f"{pending.waiting} announcements wait")


def _alive() -> list[Signal]:
    return list(
        Signal.objects.exclude(state=Signal.State.WITHDRAWN)
        .select_related("rule", "unit")
        .prefetch_related("cases")
    )


def _order(signal: dict[str, Any]) -> tuple[object, ...]:
    names = ("raised_on", "school", "grade", "unit", "rule", "rule_version", "symptom_group", "window_start")
    return tuple(signal[name] for name in names)


def _local(at: datetime) -> str:
    return at.astimezone(SHANGHAI).isoformat(timespec="minutes")


def _as_data(
    signal: Signal, key: ClassKey, *, person_ids: Mapping[int, str], names: Mapping[int, str]
) -> dict[str, Any]:
    """One signal in the file's words. ``window_start`` and ``window_end`` are those of its first window."""
    first = signal.windows[0]
    notices = [notice for notice in ladders.history(signal.subject) if notice.reached]
    return {
        "raised_on": local_day(signal.raised_at).isoformat(),
        "school": key.school,
        "grade": key.grade,
        "unit": key.name,
        "rule": signal.rule.code,
        "rule_version": signal.rule.version,
        "min_cases": signal.rule.min_cases,
        "window_days": signal.rule.window_days,
        "symptom_group": signal.symptom_group,
        "window_start": first["start"],
        "window_end": first["end"],
        "windows": signal.windows,
        "count": signal.peak_count,
        "level": signal.rule.level,
        "deadline": _local(signal.deadline_at),
        "told": [
            {"role": notice.role.value, "unit": _name_of(notice.unit, names), "at": _local(notice.at)}
            for notice in notices
            if notice.at == signal.raised_at
        ],
        "climbed": [
            {
                "role": notice.role.value,
                "unit": _name_of(notice.unit, names),
                "at": _local(notice.at),
                "step": notice.position,
            }
            for notice in notices
            if notice.at > signal.raised_at
        ],
        "persons": sorted({person_ids[case.person_id] for case in signal.cases.all()}),
    }


def _name_of(unit: Unit | None, names: Mapping[int, str]) -> str:
    return "" if unit is None else names[unit.pk]


def _summary(
    members: Sequence[Member], plan: Plan, world: World, signals: Sequence[dict[str, Any]], *, checks: int
) -> dict[str, Any]:
    onsets = sorted(member.onset for member in members if member.onset is not None)
    diagnoses = Counter(member.diagnosis for member in members if member.onset and member.diagnosis)
    return {
        "schools": len({key.school for key in world.classes}),
        "classes": len(world.classes),
        "persons": len(members),
        "enrolled": world.enrolled,
        "cases": len(onsets),
        "first_onset": onsets[0].isoformat(),
        "last_onset": onsets[-1].isoformat(),
        "first_school_day": plan.school_days[0].isoformat(),
        "last_school_day": plan.last_day.isoformat(),
        "school_days": len(plan.school_days),
        "checks": checks,
        "signals": len(signals),
        "signals_by_rule": dict(sorted(Counter(signal["rule"] for signal in signals).items())),
        "classes_with_signal": len({(s["school"], s["grade"], s["unit"]) for s in signals}),
        "withdrawn": Signal.objects.filter(state=Signal.State.WITHDRAWN).count(),
        "diagnoses": dict(sorted(diagnoses.items())),
    }
