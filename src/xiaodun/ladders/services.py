"""Climbing ladders: a matter is told from step to step until somebody acknowledges it or it is settled.

What is recorded are the moments at which steps fell due, whenever the clock came round: a step due at 08:30
and taken by a tick at 08:31 stands in notices and messages as of 08:30, so that a replay gives the same rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    field_validator,
    model_validator,
)

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import User
from xiaodun.accounts.selectors import Holders, holders_of_each
from xiaodun.kit import audit, clock, yamldata
from xiaodun.kit.errors import Refusal
from xiaodun.ladders.models import Ladder, LadderNotice, LadderRun, LadderStep
from xiaodun.messages import services as messages
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import valid_on

LADDERS = files("xiaodun.ladders") / "data" / "ladders.yaml"

# Runs climbed in one transaction; their ids are parameters of one statement.
_RUNS_A_BATCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What climbs. ``facts`` fill the message's words and name no child; ``started_at`` counts all waits."""

    subject: str
    unit: Unit
    facts: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""
    started_at: datetime


def start(
    *,
    code: str,
    subject: str,
    unit: Unit,
    message_kind: str,
    facts: Mapping[str, Any],
    url: str,
    at: datetime,
) -> LadderRun:
    """Start to climb; the steps without a wait are told at once. A matter already climbing goes on as it is.

    Raises:
        Refusal: ``ladder-not-in-force`` when no version of the ladder holds on that day.
    """
    matter = Matter(subject=subject, unit=unit, facts=facts, url=url, started_at=at)
    try:
        started = start_each(code=code, message_kind=message_kind, matters=[matter], at=at)
    except IntegrityError:
        # Somebody else started it in the same moment; theirs climbs.
        started = []
    return started[0] if started else _running([subject]).get(ladder__code=code)


def start_each(*, code: str, message_kind: str, matters: Sequence[Matter], at: datetime) -> list[LadderRun]:
    """Start many matters at once, each as of its ``started_at``; those already climbing are left out.

    The number of statements does not depend on the number of matters. Later steps that are overdue at ``at``
    are left to :func:`climb_due`. Raises as :func:`start`, and ``IntegrityError`` if somebody starts one of
    the matters at the same time.
    """
    with transaction.atomic():
        climbing = set(
            _running([matter.subject for matter in matters])
            .filter(ladder__code=code)
            .values_list("subject", flat=True)
        )
        by_day: dict[date, list[Matter]] = defaultdict(list)
        for matter in matters:
            if matter.subject not in climbing:
                by_day[clock.local_day(matter.started_at)].append(matter)
        ladders = {day: _in_force(code, day) for day in by_day}
        return _begin(
            [(ladders[day], matter) for day, group in by_day.items() for matter in group], message_kind
        )


def restart(*, subject: str, facts: Mapping[str, Any], at: datetime) -> LadderRun:
    """Alarm again: the last run of the matter ends and one with the same steps begins from the first.

    Raises:
        LookupError: for a matter that never climbed.
    """
    with transaction.atomic():
        last = (
            LadderRun.objects.select_related("ladder", "unit").filter(subject=subject).order_by("pk").last()
        )
        if last is None:
            raise LookupError(f"{subject!r} has never climbed a ladder; start it.")
        stop(subject=subject, at=at)
        matter = Matter(subject=subject, unit=last.unit, facts=facts, url=last.url, started_at=at)
        return _begin([(last.ladder, matter)], last.message_kind)[0]


def acknowledge(*, subject: str, by: User, at: datetime) -> int:
    """Somebody has it in hand: nobody further is told, what was sent stays. Returns how many runs ended.

    A step that fell due and was not taken yet is not taken any more. Whoever acts has read what told them.
    """
    with transaction.atomic():
        runs = list(_running([subject]).select_for_update(of=("self",), no_key=True).select_related("unit"))
        LadderRun.objects.filter(pk__in=[run.pk for run in runs]).update(
            acknowledged_at=at, acknowledged_by=by, next_at=None
        )
        messages.mark_read_about(by=by, subject=subject, at=at)
        for run in runs:
            audit.record(
                by=by, action="ladders.acknowledge", obj=run, unit=run.unit, at=at, facts={"subject": subject}
            )
    return len(runs)


def stop(*, subject: str, at: datetime) -> int:
    """The matter is settled: nobody further is told, unread messages about it stay visible as withdrawn.

    Returns how many runs ended.
    """
    return stop_each(subjects=[subject], at=at)


def stop_each(*, subjects: Iterable[str], at: datetime) -> int:
    """As :func:`stop` for many matters with two statements."""
    asked = list(subjects)
    with transaction.atomic():
        ended = _running(asked).update(stopped_at=at, next_at=None)
        messages.withdraw_each(subjects=asked, at=at)
    return ended


def climb_due(*, at: datetime) -> int:
    """Take every step that has fallen due by ``at``; returns how many. Safe to run twice and concurrently.

    Statements do not depend on the number of runs (up to the size of a batch). Runs that somebody else is
    climbing or acknowledging are left to the next round.
    """
    taken = 0
    while True:
        with transaction.atomic():
            runs = list(
                LadderRun.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
                .filter(next_at__lte=at)
                .select_related("unit")
                .order_by("next_at", "pk")[:_RUNS_A_BATCH]
            )
            if not runs:
                return taken
            taken += _climb(runs, _steps_of(run.ladder_id for run in runs), until=at)


def _running(subjects: Iterable[str]) -> QuerySet[LadderRun]:
    return LadderRun.objects.filter(
        subject__in=list(subjects), acknowledged_at__isnull=True, stopped_at__isnull=True
    )


def _in_force(code: str, day: date) -> Ladder:
    ladder = Ladder.objects.filter(valid_on(day), code=code).order_by("version").last()
    if ladder is None:
        raise Refusal(
            "ladder-not-in-force",
            _("No version of this ladder is in force on this day."),
            facts={"ladder": code, "day": day.isoformat()},
            lifts=_("Load a version of the ladder that is valid on this day."),
        )
    return ladder


def _begin(matters: Sequence[tuple[Ladder, Matter]], message_kind: str) -> list[LadderRun]:
    if not matters:
        return []
    steps = _steps_of(ladder.pk for ladder, _matter in matters)
    runs = LadderRun.objects.bulk_create(
        LadderRun(
            ladder=ladder,
            subject=matter.subject,
            unit=matter.unit,
            message_kind=message_kind,
            facts=dict(matter.facts),
            url=matter.url,
            started_at=matter.started_at,
            next_at=matter.started_at + timedelta(minutes=steps[ladder.pk][0].wait_minutes),
        )
        for ladder, matter in matters
    )
    _climb(runs, steps, until=None)
    return runs


def _steps_of(ladders: Iterable[int]) -> Mapping[int, list[LadderStep]]:
    """The steps of these ladders in order, by the ladder's id."""
    steps: dict[int, list[LadderStep]] = defaultdict(list)
    for step in LadderStep.objects.filter(ladder__in=set(ladders)):
        steps[step.ladder_id].append(step)
    return steps


def _climb(
    runs: Sequence[LadderRun], steps: Mapping[int, list[LadderStep]], *, until: datetime | None
) -> int:
    """Take the steps of these runs due by ``until`` (None: by the start of each); returns how many."""
    holders: dict[date, dict[tuple[str, int], Holders]] = {}

    def holding(day: date, step: LadderStep, unit: Unit) -> Holders:
        if day not in holders:
            holders[day] = holders_of_each(
                {
                    (each.role, run.unit_id): (each.role, run.unit)
                    for run in runs
                    for each in steps[run.ladder_id][run.next_position :]
                }.values(),
                day,
            )
        return holders[day][step.role, unit.pk]

    notices: list[LadderNotice] = []
    drafts: list[messages.Draft] = []
    advanced: dict[tuple[int, int], list[LadderRun]] = defaultdict(list)
    for run in runs:
        ladder = steps[run.ladder_id]
        position, moment = run.next_position, run.next_at
        told: set[int] = set()
        told_at = None
        while moment is not None and moment <= (until or run.started_at):
            step = ladder[position]
            found = holding(clock.local_day(moment), step, run.unit)
            if moment != told_at:
                told, told_at = set(), moment
            notices.append(
                LadderNotice(
                    run=run,
                    position=position,
                    role=step.role,
                    unit=found.unit,
                    at=moment,
                    reached=len(found.users),
                    told=[user.pk for user in found.users],
                )
            )
            drafts.append(_draft(run, [user for user in found.users if user.pk not in told], moment))
            told |= {user.pk for user in found.users}
            position += 1
            if position == len(ladder):
                moment = None
            elif found.users:
                moment = _due(run, ladder[position])
        run.next_position, run.next_at = position, moment
        advanced[run.ladder_id, position].append(run)
    LadderNotice.objects.bulk_create(notices)
    messages.send_each(drafts=drafts, at=until or max(run.started_at for run in runs))
    for (ladder_id, position), group in advanced.items():
        left = steps[ladder_id][position:]
        LadderRun.objects.filter(pk__in=[run.pk for run in group]).update(
            next_position=position,
            next_at=F("started_at") + timedelta(minutes=left[0].wait_minutes) if left else None,
        )
    return len(notices)


def _due(run: LadderRun, step: LadderStep) -> datetime:
    return run.started_at + timedelta(minutes=step.wait_minutes)


def _draft(run: LadderRun, to: Sequence[User], moment: datetime) -> messages.Draft:
    return messages.Draft(
        to=tuple(to),
        kind=run.message_kind,
        unit=run.unit,
        facts=run.facts,
        url=run.url,
        subject=run.subject,
        is_urgent=True,
        sent_at=moment,
    )


class _StepEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Role
    wait_minutes: NonNegativeInt


class _LadderEntry(BaseModel):
    """One version of a ladder; waits are minutes after the start and never fall from step to step."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=48)
    version: PositiveInt
    source: str = Field(min_length=1, max_length=300)
    source_en: str = Field(min_length=1, max_length=300)
    source_mark: Literal["V", "V2", "M", "M?", "P"]
    valid_from: date
    valid_to: date | None
    steps: list[_StepEntry] = Field(min_length=1)

    @field_validator("steps")
    @classmethod
    def _rising(cls, steps: list[_StepEntry]) -> list[_StepEntry]:
        for earlier, later in pairwise(steps):
            if later.wait_minutes < earlier.wait_minutes:
                raise ValueError(
                    f"the step {later.role.value} waits {later.wait_minutes} minutes, less than the one "
                    "before; order the steps by wait_minutes"
                )
        return steps


class _LadderFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ladders: list[_LadderEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> "_LadderFile":
        seen = [(entry.code, entry.version) for entry in self.ladders]
        if twice := next((key for key in seen if seen.count(key) > 1), None):
            raise ValueError(f"{twice[0]} version {twice[1]} stands twice; give one of them another version")
        return self


def load_ladders(file: Path | Traversable, *, at: datetime) -> int:
    """Load a file of ladders; returns how many versions were new. Loading it again changes nothing.

    A version once loaded is never altered, only ended (``valid_to``): what a past day was climbed by must
    stay readable.

    Raises:
        DataFileError: with file, entry and remedy for every fault, for a changed version and for two versions
            that hold on one day.
    """
    content = yamldata.load(file, _LadderFile)
    with transaction.atomic():
        known = {
            (ladder.code, ladder.version): ladder
            for ladder in Ladder.objects.select_for_update(no_key=True).prefetch_related("steps")
        }
        faults: list[str] = []
        made = 0
        for entry in content.ladders:
            ladder = known.get((entry.code, entry.version))
            if ladder is None:
                known[entry.code, entry.version] = _create_ladder(entry, at=at)
                made += 1
            elif _as_entry(ladder) != entry.model_copy(update={"valid_to": ladder.valid_to}):
                faults.append(
                    f"{file.name}, {entry.code} version {entry.version}: differs from the version in force. "
                    "Restore it and write the change as a new version."
                )
            elif ladder.valid_to != entry.valid_to:
                _end_ladder(ladder, entry.valid_to, at=at)
        faults += [f"{file.name}, {fault}" for fault in _overlaps(known.values())]
        if faults:
            raise yamldata.DataFileError("\n".join(faults))
    return made


def _create_ladder(entry: _LadderEntry, *, at: datetime) -> Ladder:
    ladder = Ladder.objects.create(**entry.model_dump(exclude={"steps"}), recorded_at=at)
    LadderStep.objects.bulk_create(
        LadderStep(ladder=ladder, position=position, role=step.role, wait_minutes=step.wait_minutes)
        for position, step in enumerate(entry.steps)
    )
    audit.record(
        by=None,
        action="ladders.load_ladders",
        obj=ladder,
        at=at,
        facts={"code": ladder.code, "version": ladder.version},
    )
    return ladder


def _end_ladder(ladder: Ladder, valid_to: date | None, *, at: datetime) -> None:
    audit.record(
        by=None,
        action="ladders.end_ladder",
        obj=ladder,
        at=at,
        facts={"code": ladder.code, "version": ladder.version, "old": ladder.valid_to, "new": valid_to},
    )
    ladder.valid_to = valid_to
    ladder.save(update_fields=["valid_to"])


def _as_entry(ladder: Ladder) -> _LadderEntry:
    return _LadderEntry.model_validate(
        {
            "code": ladder.code,
            "version": ladder.version,
            "source": ladder.source,
            "source_en": ladder.source_en,
            "source_mark": ladder.source_mark,
            "valid_from": ladder.valid_from,
            "valid_to": ladder.valid_to,
            "steps": [{"role": step.role, "wait_minutes": step.wait_minutes} for step in ladder.steps.all()],
        }
    )


def _overlaps(ladders: Iterable[Ladder]) -> list[str]:
    ordered = sorted(ladders, key=lambda ladder: (ladder.code, ladder.valid_from))
    return [
        f"{later.code} version {later.version}: begins on {later.valid_from} while version {earlier.version} "
        "still holds. Give that one a valid_to before this day."
        for earlier, later in pairwise(ordered)
        if earlier.code == later.code and (earlier.valid_to is None or earlier.valid_to >= later.valid_from)
    ]
