"""The playbook, the evidence, the chase after what is missing, and what a unit or officer may change."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import User
from xiaodun.accounts.selectors import holders_of_each
from xiaodun.duties import pages
from xiaodun.duties.models import Chase, Duty, Evidence, Excuse, Tightening
from xiaodun.duties.policies import subject_of
from xiaodun.duties.selectors import Obligation, all_obligations, first_reminder
from xiaodun.engine.compliance import Value
from xiaodun.kit import audit, clock, outbox, yamldata
from xiaodun.kit.errors import Refusal
from xiaodun.ladders import services as ladders
from xiaodun.ladders.selectors import in_force
from xiaodun.messages import services as messages
from xiaodun.organisations.choices import GroupKind, InstitutionKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import institution_of, paths_upwards, valid_on, within

PLAYBOOK = files("xiaodun.duties") / "data" / "playbook.yaml"
EVIDENCE_RECORDED = "duties.evidence_recorded"

_DAY = timedelta(days=1)
# Not yet proved: what may be chased.
_OPEN = frozenset({Value.DUE, Value.MISSING})


# --- evidence ---


def record_evidence(
    *,
    duty_code: str,
    unit: Unit,
    day: date,
    tapped_at: datetime,
    received_at: datetime,
    clock_offset_ms: int | None,
    source: str,
) -> None:
    """The proof that a unit did what it owes, called by the domain's own write inside its transaction.

    One INSERT of the evidence and one of its announcement; no query. Evidence that is there already stays.
    """
    with transaction.atomic(savepoint=False):
        Evidence.objects.bulk_create(
            [
                Evidence(
                    duty_code=duty_code,
                    unit=unit,
                    day=day,
                    tapped_at=tapped_at,
                    received_at=received_at,
                    clock_offset_ms=clock_offset_ms,
                    source=source,
                )
            ],
            ignore_conflicts=True,
        )
        outbox.announce(
            EVIDENCE_RECORDED,
            {"duty": duty_code, "unit": unit.pk, "day": day.isoformat()},
            at=received_at,
        )


def follow_evidence(payload: dict[str, Any], *, at: datetime) -> None:
    """Evidence came in: nobody is asked for it any more (subscriber of ``duties.evidence_recorded``)."""
    _settle(
        Chase.objects.filter(
            duty_code=payload["duty"],
            unit=payload["unit"],
            day=date.fromisoformat(payload["day"]),
            closed_at__isnull=True,
        ),
        at=at,
    )


def _settle(chases: Iterable[Chase], *, at: datetime) -> None:
    """Close chases: their ladders stop and their unread messages are shown as withdrawn."""
    found = list(chases)
    if not found:
        return
    Chase.objects.filter(pk__in=[chase.pk for chase in found]).update(closed_at=at)
    ladders.stop_each(
        subjects={subject_of(chase.duty_code, chase.unit_id, chase.day) for chase in found}, at=at
    )


# --- chasing ---


def chase_due(*, at: datetime) -> int:
    """Remind before the deadline, start the ladder from it on, stop both where they are not needed any more.

    Each is done once for each group and duty of the day, dated when it fell due. Returns how many reminders
    and ladders there were. The number of statements does not depend on the number of groups. Safe to run
    twice and concurrently. A reminder that was not sent before the deadline (the server was down) is left
    out: the first step of the ladder tells the same person.

    Raises:
        ExceptionGroup: the ladders that could not be started, after all others were; each is tried again at
            the next call.
    """
    day = clock.local_day(at)
    first = first_reminder(day)
    if first is None or at < first:
        return 0
    # Read outside of the transaction: on SQLite a transaction keeps every teacher's submit waiting.
    reminders, escalations, settled = [], [], []
    for each in all_obligations(day, at):
        steps = {chase.step for chase in each.chased}
        if each.value == Value.MISSING and Chase.Step.ESCALATION not in steps:
            escalations.append(each)
        elif each.value == Value.DUE and each.remind_at <= at and Chase.Step.REMINDER not in steps:
            reminders.append(each)
        elif each.value not in _OPEN:
            # Also repairs the rare race: evidence that arrived while the tick before was starting the ladder.
            settled += [chase for chase in each.chased if chase.closed_at is None]
    if not (reminders or escalations or settled):
        return 0
    with transaction.atomic():
        reminders, escalations = _still_to_ask(reminders, escalations, day)
        _settle(settled, at=at)
        _remind(reminders, at=at)
        failures = _escalate(escalations, at=at)
    if failures:
        raise ExceptionGroup(f"{len(failures)} ladders of duties could not be started", failures)
    return len(reminders) + len(escalations)


def _still_to_ask(
    reminders: Sequence[Obligation], escalations: Sequence[Obligation], day: date
) -> tuple[list[Obligation], list[Obligation]]:
    """Leave out what another tick has done meanwhile, or a teacher; until the commit no other tick chases."""
    duties = {each.duty.pk for each in [*reminders, *escalations]}
    list(Duty.objects.select_for_update(no_key=True).filter(pk__in=duties).order_by("pk"))
    asked = set(Chase.objects.filter(day=day).values_list("duty_code", "unit_id", "step"))
    proved = set(Evidence.objects.filter(day=day).values_list("duty_code", "unit_id"))

    def open_for(step: str, found: Sequence[Obligation]) -> list[Obligation]:
        return [
            each
            for each in found
            if (each.duty.code, each.unit.pk) not in proved
            and (each.duty.code, each.unit.pk, step) not in asked
        ]

    return open_for(Chase.Step.REMINDER, reminders), open_for(Chase.Step.ESCALATION, escalations)


def _remind(found: Sequence[Obligation], *, at: datetime) -> None:
    by_day: dict[date, list[Obligation]] = defaultdict(list)
    for each in found:
        by_day[each.day].append(each)
    for day, group in by_day.items():
        holders = holders_of_each([(each.duty.role, each.unit) for each in group], day)
        Chase.objects.bulk_create(
            Chase(
                duty_code=each.duty.code,
                unit=each.unit,
                day=day,
                step=Chase.Step.REMINDER,
                at=each.remind_at,
                reached=len(holders[each.duty.role, each.unit.pk].users),
            )
            for each in group
        )
        messages.send_each(
            drafts=[
                messages.Draft(
                    to=tuple(holders[each.duty.role, each.unit.pk].users),
                    kind="duty-reminder",
                    unit=each.unit,
                    facts=_facts(each),
                    url=_page(each),
                    subject=subject_of(each.duty.code, each.unit.pk, day),
                    sent_at=each.remind_at,
                )
                for each in group
            ],
            at=at,
        )


def _escalate(found: Sequence[Obligation], *, at: datetime) -> list[Exception]:
    """Start the ladders; returns why those that could not be started could not. They keep no chase."""
    by_ladder: dict[str, list[Obligation]] = defaultdict(list)
    for each in found:
        by_ladder[each.duty.ladder].append(each)
    failures: list[Exception] = []
    for code, group in by_ladder.items():
        try:
            with transaction.atomic():
                _start(code, group, at=at)
        except Exception as error:
            error.add_note(f"ladder {code}, duties {sorted({each.duty.rule for each in group})}")
            failures.append(error)
    return failures


def _start(code: str, group: Sequence[Obligation], *, at: datetime) -> None:
    Chase.objects.bulk_create(
        Chase(
            duty_code=each.duty.code,
            unit=each.unit,
            day=each.day,
            step=Chase.Step.ESCALATION,
            at=each.deadline,
        )
        for each in group
    )
    ladders.start_each(
        code=code,
        message_kind="duty-missed",
        matters=[
            ladders.Matter(
                subject=subject_of(each.duty.code, each.unit.pk, each.day),
                unit=each.unit,
                facts=_facts(each),
                url=_page(each),
                started_at=each.deadline,
            )
            for each in group
        ],
        at=at,
    )


def _facts(each: Obligation) -> dict[str, str]:
    """What a message may say; a class is named with its school, since officers read it too."""
    group, institution = each.unit, each.institution
    return {
        "unit": f"{institution.name} {group.name}",
        "unit_en": f"{group.name_en or group.name}, {institution.name_en or institution.name}",
        "duty": each.duty.name,
        "duty_en": each.duty.name_en,
        "deadline": each.deadline.astimezone(clock.SHANGHAI).strftime("%H:%M"),
    }


def _page(each: Obligation) -> str:
    return pages.address_of(evidence=each.duty.evidence, unit=each.unit, day=each.day)


# --- what a unit or officer may change ---


def tighten(
    *, by: User, unit: Unit, duty_code: str, deadline: time, valid_from: date, at: datetime
) -> Tightening:
    """From ``valid_from`` on the unit and those below it owe the duty by an earlier ``deadline``.

    It replaces the unit's own earlier tightening from that day on; the playbook's deadline itself may be
    given to return to it.

    Raises:
        Refusal: ``duty-unknown`` (404), ``deadline-later`` when it lies after the playbook's or that of a
            unit above, ``tightening-in-the-past`` when it would judge moments that are over.
    """
    deadline = deadline.replace(second=0, microsecond=0)
    with transaction.atomic():
        # Two tightenings of one unit must not both end the row before.
        unit = Unit.objects.select_for_update(no_key=True).get(pk=unit.pk)
        limit, rule = _latest_allowed(unit, duty_code, valid_from)
        if deadline > limit:
            raise Refusal(
                "deadline-later",
                _("A unit may owe a duty earlier than the playbook says, not later."),
                facts={"deadline": f"{deadline:%H:%M}", "latest": f"{limit:%H:%M}"},
                rule=rule,
                lifts=_(
                    "Choose this time or an earlier one, or ask the education bureau to change the playbook."
                ),
            )
        if clock.local_moment(valid_from, deadline) <= at:
            raise Refusal(
                "tightening-in-the-past",
                _("A deadline that is over cannot be made earlier: who was in time would become late."),
                status=422,
                facts={"valid_from": valid_from.isoformat(), "deadline": f"{deadline:%H:%M}"},
                lifts=_("Let it hold from a later day."),
            )
        own = Tightening.objects.filter(unit=unit, duty_code=duty_code)
        following = own.filter(valid_from__gt=valid_from).order_by("valid_from").first()
        own.filter(valid_on(valid_from), valid_from__lt=valid_from).update(valid_to=valid_from - _DAY)
        made, _created = Tightening.objects.update_or_create(
            unit=unit,
            duty_code=duty_code,
            valid_from=valid_from,
            defaults={
                "deadline": deadline,
                "valid_to": following.valid_from - _DAY if following else None,
            },
        )
        audit.record(
            by=by,
            action="duties.tighten",
            obj=made,
            unit=unit,
            at=at,
            facts={"duty": duty_code, "deadline": deadline, "valid_from": valid_from, "playbook": limit},
        )
    return made


def _latest_allowed(unit: Unit, duty_code: str, day: date) -> tuple[time, str]:
    """The latest deadline that playbook and units above leave to ``unit``, and the playbook's row."""
    institution = institution_of(unit)
    duties = [
        duty
        for duty in Duty.objects.filter(valid_on(day), code=duty_code).order_by("-deadline", "pk")
        if institution is None or institution.institution_kind in duty.institution_kinds
    ]
    if not duties:
        raise _unknown_duty(duty_code, day)
    above = Tightening.objects.filter(
        valid_on(day), duty_code=duty_code, unit__path__in=list(paths_upwards(unit.path))[1:]
    )
    return min([duties[0].deadline, *above.values_list("deadline", flat=True)]), duties[0].rule


def excuse(*, by: User, unit: Unit, duty_code: str, day: date, reason: str, at: datetime) -> Excuse:
    """Decide that the unit and those below it shall not be held to the duty on ``day``; chasing them ends.

    Raises:
        Refusal: ``reason-missing`` (422), ``duty-unknown`` (404), ``already-excused``.
    """
    reason = reason.strip()
    if not reason:
        raise Refusal(
            "reason-missing",
            _("An excuse needs a reason."),
            status=422,
            lifts=_("Write in a sentence why the unit could not do it."),
        )
    with transaction.atomic():
        if not Duty.objects.filter(valid_on(day), code=duty_code).exists():
            raise _unknown_duty(duty_code, day)
        made, created = Excuse.objects.select_related("decided_by").get_or_create(
            duty_code=duty_code,
            unit=unit,
            day=day,
            defaults={"reason": reason, "decided_by": by, "decided_at": at},
        )
        if not created:
            raise Refusal(
                "already-excused",
                _("Somebody has excused this unit for this day already."),
                facts={"by": made.decided_by.name, "at": made.decided_at.isoformat(), "reason": made.reason},
                lifts=_("Nothing is left to do; the first decision stands."),
            )
        _settle(
            Chase.objects.filter(
                within("unit__path", unit.path), duty_code=duty_code, day=day, closed_at__isnull=True
            ),
            at=at,
        )
        audit.record(
            by=by,
            action="duties.excuse",
            obj=made,
            unit=unit,
            at=at,
            facts={"duty": duty_code, "day": day, "reason": reason},
        )
    return made


def _unknown_duty(duty_code: str, day: date) -> Refusal:
    return Refusal(
        "duty-unknown",
        _("The playbook of that day has no such duty for this unit."),
        status=404,
        facts={"duty": duty_code, "day": day.isoformat()},
        lifts=_("Choose a duty from the playbook of that day."),
    )


# --- the playbook ---


class _DutyEntry(BaseModel):
    """One version of a duty for some kinds of institution. Times are China's."""

    model_config = ConfigDict(extra="forbid")

    # Short enough for the subject of a message: with unit and day it names one obligation.
    code: str = Field(min_length=1, max_length=48)
    variant: str = Field(min_length=1, max_length=24)
    version: PositiveInt
    name: str = Field(min_length=1, max_length=80)
    name_en: str = Field(min_length=1, max_length=80)
    role: Role
    institution_kinds: list[InstitutionKind] = Field(min_length=1)
    group_kinds: list[GroupKind] = Field(min_length=1)
    cadence: Duty.Cadence
    remind_at: time
    deadline: time
    evidence: str = Field(min_length=1, max_length=48)
    ladder: str = Field(min_length=1, max_length=48)
    late_weight: Decimal = Field(ge=0, le=1, max_digits=3, decimal_places=2)
    clock_tolerance_minutes: PositiveInt
    source: str = Field(min_length=1, max_length=300)
    source_en: str = Field(min_length=1, max_length=300)
    source_mark: Literal["V", "V2", "M", "M?", "P"]
    times_source: str = Field(min_length=1, max_length=300)
    times_source_en: str = Field(min_length=1, max_length=300)
    times_mark: Literal["V", "V2", "M", "M?", "P"]
    valid_from: date
    valid_to: date | None

    @model_validator(mode="after")
    def _in_order(self) -> "_DutyEntry":
        if self.remind_at >= self.deadline:
            raise ValueError(
                f"reminds at {self.remind_at:%H:%M}, not before the deadline {self.deadline:%H:%M}; "
                "remind earlier"
            )
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("ends before it begins; give a valid_to on or after valid_from")
        return self

    @property
    def key(self) -> tuple[str, str, int]:
        return self.code, self.variant, self.version


class _Playbook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    duties: list[_DutyEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> "_Playbook":
        seen = [entry.key for entry in self.duties]
        if twice := next((key for key in seen if seen.count(key) > 1), None):
            raise ValueError(
                f"{twice[0]} ({twice[1]}) version {twice[2]} stands twice; give one of them another version"
            )
        return self


def load_playbook(file: Path | Traversable, *, at: datetime) -> int:
    """Load a playbook; returns how many versions were new. Loading the same file again changes nothing.

    A version once loaded is never altered, only ended (``valid_to``): what a past day was judged by must stay
    readable.

    Raises:
        DataFileError: with file, entry and remedy for every fault, for a changed version, for a ladder that
            is not in force on the duty's first day, and for two rows that ask the same duty of the same kind
            of group on one day.
    """
    content = yamldata.load(file, _Playbook)
    with transaction.atomic():
        known = {_as_entry(duty).key: duty for duty in Duty.objects.select_for_update(no_key=True)}
        faults: list[str] = []
        made = 0
        for entry in content.duties:
            duty = known.get(entry.key)
            if duty is None:
                known[entry.key] = _create_duty(entry, at=at)
                made += 1
            elif _as_entry(duty) != entry.model_copy(update={"valid_to": duty.valid_to}):
                faults.append(
                    f"{file.name}, {duty}: differs from the version in force. "
                    "Restore it and write the change as a new version."
                )
            elif duty.valid_to != entry.valid_to:
                _end_duty(duty, entry.valid_to, at=at)
        faults += [f"{file.name}, {fault}" for fault in _without_ladder(content.duties)]
        faults += [f"{file.name}, {fault}" for fault in _clashes(known.values())]
        if faults:
            raise yamldata.DataFileError("\n".join(faults))
    return made


def _create_duty(entry: _DutyEntry, *, at: datetime) -> Duty:
    duty = Duty.objects.create(**entry.model_dump(mode="python"), recorded_at=at)
    audit.record(
        by=None,
        action="duties.load_playbook",
        obj=duty,
        at=at,
        facts={"code": duty.code, "variant": duty.variant, "version": duty.version},
    )
    return duty


def _end_duty(duty: Duty, valid_to: date | None, *, at: datetime) -> None:
    audit.record(
        by=None,
        action="duties.end_duty",
        obj=duty,
        at=at,
        facts={
            "code": duty.code,
            "variant": duty.variant,
            "version": duty.version,
            "old": duty.valid_to,
            "new": valid_to,
        },
    )
    duty.valid_to = valid_to
    duty.save(update_fields=["valid_to"])


def _as_entry(duty: Duty) -> _DutyEntry:
    return _DutyEntry.model_validate({name: getattr(duty, name) for name in _DutyEntry.model_fields})


def _without_ladder(entries: Sequence[_DutyEntry]) -> list[str]:
    holds = {key: in_force(*key) for key in {(entry.ladder, entry.valid_from) for entry in entries}}
    return [
        f"{entry.code} ({entry.variant}) v{entry.version}: its ladder {entry.ladder} is not in force on "
        f"{entry.valid_from}. Load a version of the ladder that holds on this day first, or correct its name."
        for entry in entries
        if not holds[entry.ladder, entry.valid_from]
    ]


def _clashes(duties: Iterable[Duty]) -> list[str]:
    return [
        f"{later}: asks what {earlier} asks of the same groups until {earlier.valid_to or 'further notice'}. "
        f"Give that one a valid_to before {later.valid_from}, or other kinds of institution or group."
        for earlier, later in combinations(sorted(duties, key=lambda duty: (duty.valid_from, duty.pk)), 2)
        if earlier.code == later.code
        and set(earlier.institution_kinds) & set(later.institution_kinds)
        and set(earlier.group_kinds) & set(later.group_kinds)
        and (earlier.valid_to is None or earlier.valid_to >= later.valid_from)
    ]
