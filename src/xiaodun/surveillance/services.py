"""Rules applied to onsets, and the life of a signal from raised to decided or withdrawn."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, PositiveInt

from xiaodun.absence.models import Episode
from xiaodun.absence.selectors import cases_with_onset, onsets_of
from xiaodun.accounts.models import User
from xiaodun.engine.detection.thresholds import UNKNOWN, Cluster, CountRule, Onset, find_clusters
from xiaodun.kit import audit, clock, yamldata
from xiaodun.kit.errors import Refusal
from xiaodun.ladders import services as ladders
from xiaodun.ladders.selectors import in_force
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import institution_of
from xiaodun.people.models import Enrolment
from xiaodun.surveillance.choices import Level, SymptomGroup
from xiaodun.surveillance.models import Rule, Signal, SignalCase, SignalEvent

ALIVE = [state for state in Signal.State if state is not Signal.State.WITHDRAWN]


def follow_episodes(payload: dict[str, Any], *, at: datetime) -> None:
    """Judge the rules where files changed (subscriber of ``absence.episodes_changed``)."""
    days = [date.fromisoformat(day) for day in payload["days"]]
    groups = Enrolment.objects.filter(person_id__in=payload["persons"])
    evaluate(units=_units(groups.values_list("group_id", flat=True)), days=days, at=at)


def follow_enrolment(payload: dict[str, Any], *, at: datetime) -> None:
    """Judge the rules again where a transfer moves past onsets (hears ``people.enrolment_changed``)."""
    follow_enrolments({"persons": [payload["person"]], **payload}, at=at)


def follow_enrolments(payload: dict[str, Any], *, at: datetime) -> None:
    """As ``follow_enrolment`` for a batch (hears ``people.enrolments_loaded``)."""
    if days := onsets_of(payload["persons"], since=date.fromisoformat(payload["since"])):
        evaluate(units=_units(payload["groups"]), days=days, at=at)


def _units(group_ids: Iterable[int]) -> list[Unit]:
    return list(Unit.objects.filter(pk__in=set(group_ids)).order_by("pk"))


def evaluate(*, units: Sequence[Unit], days: Iterable[date], at: datetime) -> None:
    """Judge every rule in force for these units on every window that one of these onset days touches.

    Past windows are judged as well as today's: a case entered on Monday with an onset on Saturday raises the
    signal that its window deserves. The outcome depends on the cases, not on the order of their entry.
    """
    days = sorted(set(days))
    if not days or not units:
        return
    rules = [
        rule
        for rule in Rule.objects.filter(is_active=True).order_by("code", "version")
        if rule.valid_from <= days[-1] + timedelta(days=rule.window_days - 1)
        and (rule.valid_to is None or rule.valid_to >= days[0])
    ]
    with transaction.atomic():
        # One evaluation of a unit at a time: two submits of a class and its dormitory must not both raise.
        locked = list(
            Unit.objects.select_for_update(no_key=True)
            .filter(pk__in=[unit.pk for unit in units])
            .order_by("pk")
        )
        for rule in rules:
            concerned = [unit for unit in locked if unit.group_kind in rule.group_kinds]
            if concerned:
                _judge(rule, concerned, days, at=at)


def evaluate_all(*, at: datetime) -> None:
    """Judge every rule over everything on record; changes nothing where every write was judged rightly."""
    onsets = Episode.objects.exclude(state=Episode.State.VOID)
    days = list(onsets.values_list("onset", flat=True).distinct())
    groups = Enrolment.objects.filter(person__episodes__in=onsets).values_list("group_id", flat=True)
    evaluate(units=_units(groups), days=days, at=at)


def _judge(rule: Rule, units: list[Unit], days: list[date], *, at: datetime) -> None:
    """Bring the signals of one rule in these units into line with the cases around ``days``."""
    margin = timedelta(days=rule.window_days)
    signals: dict[int, list[Signal]] = defaultdict(list)
    stored = Signal.objects.filter(rule=rule, unit__in=units, state__in=ALIVE).order_by("raised_at", "pk")
    # Bounded by the touched days, then widened until no signal reaches over the edge, so that what is read
    # neither cuts a signal in two nor grows with history.
    start, end = days[0] - margin, days[-1] + margin
    while True:
        found = list(stored.filter(last_end__gte=start - margin, first_start__lte=end + margin))
        wider_start = min([start, *(signal.first_start - margin for signal in found)])
        wider_end = max([end, *(signal.last_end + margin for signal in found)])
        if (wider_start, wider_end) == (start, end):
            break
        start, end = wider_start, wider_end
    for signal in found:
        signals[signal.unit_id].append(signal)
    onsets: dict[int, list[Onset[int]]] = defaultdict(list)
    unit_ids = [unit.pk for unit in units]
    for group_id, person_id, onset, symptoms in cases_with_onset(group_ids=unit_ids, start=start, end=end):
        groups = frozenset(group for code in symptoms for group in rule.similarity.get(code, []))
        onsets[group_id].append(Onset(person=person_id, on=onset, symptom_groups=groups))
    counted = CountRule(rule.min_cases, rule.window_days, rule.valid_from, rule.valid_to)
    for unit in units:
        clusters = find_clusters(onsets[unit.pk], counted)
        _reconcile(rule, unit, clusters, signals[unit.pk], onsets[unit.pk], at=at)


def _reconcile(
    rule: Rule,
    unit: Unit,
    clusters: Sequence[Cluster[int]],
    signals: list[Signal],
    onsets: list[Onset[int]],
    *,
    at: datetime,
) -> None:
    free = list(signals)
    matches: list[tuple[Cluster[int], Signal | None]] = []
    for cluster in clusters:
        same = [s for s in free if s.symptom_group == cluster.symptom_group and _touches(s, cluster)]
        for signal in same:
            free.remove(signal)
        matches.append((cluster, same[0] if same else None))
        for signal in same[1:]:
            assert same[0] is not signal
            _end(signal, SignalEvent.Kind.MERGED, at=at, note=f"#{same[0].pk}")
    for cluster, match in matches:
        if match is None:
            # Symptoms that became known turn an "unknown" signal into one of their group, clock and all.
            match = next(
                (
                    s
                    for s in free
                    if UNKNOWN in {s.symptom_group, cluster.symptom_group} and _touches(s, cluster)
                ),
                None,
            )
            if match is not None:
                free.remove(match)
        if match is None:
            _raise(rule, unit, cluster, onsets, at=at)
        else:
            _update(match, cluster, onsets, at=at)
    for signal in free:
        _end(signal, SignalEvent.Kind.WITHDRAWN, at=at, note="")


def _touches(signal: Signal, cluster: Cluster[int]) -> bool:
    day = timedelta(days=1)
    return signal.first_start <= cluster.end + day and cluster.start <= signal.last_end + day


def _as_values(cluster: Cluster[int]) -> dict[str, Any]:
    return {
        "symptom_group": cluster.symptom_group,
        "windows": [
            {"start": w.start.isoformat(), "end": w.end.isoformat(), "count": w.count, "unknown": w.unknown}
            for w in cluster.windows
        ],
        "first_start": cluster.start,
        "last_end": cluster.end,
        "peak_count": cluster.peak,
    }


def _facts(signal: Signal, unit: Unit) -> dict[str, Any]:
    """What a message may say: the unit with its institution, the rule and the count; no child and no name."""
    institution = institution_of(unit)
    units = [unit] if institution is None else [institution, unit]
    return {
        "unit": " ".join(each.name for each in units),
        "unit_en": " ".join(each.name_en or each.name for each in units),
        "rule": signal.rule.name,
        "rule_en": signal.rule.name_en,
        "count": signal.peak_count,
        "symptom_group": signal.symptom_group,
    }


def _raise(
    rule: Rule, unit: Unit, cluster: Cluster[int], onsets: list[Onset[int]], *, at: datetime
) -> Signal:
    signal = Signal.objects.create(
        unit=unit,
        rule=rule,
        raised_at=at,
        deadline_at=at + timedelta(minutes=rule.report_within_minutes),
        **_as_values(cluster),
    )
    _set_cases(signal, cluster, onsets)
    _log(signal, SignalEvent.Kind.RAISED, at=at)
    audit.record(
        by=None, action="surveillance.signal.raised", obj=signal, at=at, unit=unit, facts=_facts(signal, unit)
    )
    ladders.start(
        code=rule.ladder,
        subject=signal.subject,
        unit=unit,
        message_kind="signal",
        facts=_facts(signal, unit),
        url=f"/signals/{signal.pk}/",
        at=at,
    )
    return signal


def _update(signal: Signal, cluster: Cluster[int], onsets: list[Onset[int]], *, at: datetime) -> None:
    values = _as_values(cluster)
    cases = _case_rows(signal, cluster, onsets)
    stored = set(signal.cases.values_list("person_id", "onset", "is_unknown"))
    wanted = {(case.person_id, case.onset, case.is_unknown) for case in cases}
    unchanged = all(getattr(signal, name) == value for name, value in values.items())
    if unchanged and stored == wanted:
        return
    grew = {case[:2] for case in stored} <= {case[:2] for case in wanted} and (
        cluster.peak > signal.peak_count or len(wanted) > len(stored)
    )
    for name, value in values.items():
        setattr(signal, name, value)
    signal.save(update_fields=list(values))
    _set_cases(signal, cluster, onsets)
    _log(signal, SignalEvent.Kind.GREW if grew else SignalEvent.Kind.CHANGED, at=at)
    audit.record(
        by=None,
        action="surveillance.signal.changed",
        obj=signal,
        at=at,
        unit=signal.unit,
        facts=_facts(signal, signal.unit),
    )
    if signal.acknowledged_count is not None and signal.peak_count > signal.acknowledged_count:
        _realarm(signal, at=at)


def _realarm(signal: Signal, *, at: datetime) -> None:
    """More cases than somebody has seen: the signal waits again and its ladder starts anew.

    An earlier decision stays in the history; about the new cases nobody has decided yet.
    """
    if signal.state == Signal.State.RULED_OUT:
        # Ruling out closed the first clock; the new cases start their own.
        signal.deadline_at = at + timedelta(minutes=signal.rule.report_within_minutes)
    signal.state = Signal.State.OPEN
    signal.acknowledged_count = None
    signal.acknowledged_at = signal.decided_at = None
    signal.acknowledged_by = signal.decided_by = None
    signal.decision_reason = ""
    signal.save()
    _log(signal, SignalEvent.Kind.REALARMED, at=at)
    ladders.restart(subject=signal.subject, facts=_facts(signal, signal.unit), at=at)


def _end(signal: Signal, kind: SignalEvent.Kind, *, at: datetime, note: str) -> None:
    """Withdraw a signal that no window supports any more, or that has joined another; its history stays."""
    signal.state = Signal.State.WITHDRAWN
    signal.save(update_fields=["state"])
    _log(signal, kind, at=at, note=note)
    ladders.stop(subject=signal.subject, at=at)
    audit.record(
        by=None,
        action=f"surveillance.signal.{kind.value}",
        obj=signal,
        at=at,
        unit=signal.unit,
        facts={"note": note},
    )


def _case_rows(signal: Signal, cluster: Cluster[int], onsets: list[Onset[int]]) -> list[SignalCase]:
    persons = set(cluster.persons)
    rows: dict[tuple[int, date], SignalCase] = {}
    for onset in onsets:
        inside = any(window.start <= onset.on <= window.end for window in cluster.windows)
        similar = not onset.symptom_groups or cluster.symptom_group in onset.symptom_groups
        if onset.person in persons and inside and similar:
            rows[onset.person, onset.on] = SignalCase(
                signal=signal, person_id=onset.person, onset=onset.on, is_unknown=not onset.symptom_groups
            )
    return list(rows.values())


def _set_cases(signal: Signal, cluster: Cluster[int], onsets: list[Onset[int]]) -> None:
    signal.cases.all().delete()
    SignalCase.objects.bulk_create(_case_rows(signal, cluster, onsets))


def _log(
    signal: Signal, kind: SignalEvent.Kind, *, at: datetime, by: User | None = None, note: str = ""
) -> None:
    SignalEvent.objects.create(signal=signal, kind=kind, at=at, count=signal.peak_count, by=by, note=note)


def acknowledge(*, by: User, signal: Signal, seen: int, at: datetime) -> Signal:
    """Somebody has seen the signal: the ladder stops, the clock of the report goes on.

    Args:
        seen: the count that the reader was shown.

    Raises:
        Refusal: ``signal-not-open`` when it is acknowledged, decided or withdrawn already, ``signal-grew``
            when more cases came in than the reader was shown.
    """
    with transaction.atomic():
        signal = _locked(signal)
        if signal.state != Signal.State.OPEN:
            raise _not_open(signal)
        _refuse_unseen(signal, seen)
        signal.state = Signal.State.ACKNOWLEDGED
        _mark_seen(signal, by=by, at=at)
        signal.save(update_fields=["state", "acknowledged_at", "acknowledged_by", "acknowledged_count"])
        _log(signal, SignalEvent.Kind.ACKNOWLEDGED, at=at, by=by)
        ladders.acknowledge(subject=signal.subject, by=by, at=at)
        audit.record(
            by=by,
            action="surveillance.signal.acknowledged",
            obj=signal,
            at=at,
            unit=signal.unit,
            facts={"count": signal.peak_count},
        )
    return signal


def _locked(signal: Signal) -> Signal:
    return (
        Signal.objects.select_for_update(of=("self",), no_key=True)
        .select_related("unit", "rule", "acknowledged_by", "decided_by")
        .get(pk=signal.pk)
    )


def _refuse_unseen(signal: Signal, seen: int) -> None:
    """Nobody decides on cases that the page did not show."""
    if signal.peak_count > seen:
        raise Refusal(
            "signal-grew",
            _("More cases came in while you were reading."),
            facts={"shown": seen, "count": signal.peak_count},
            labels={"shown": _("Cases you were shown"), "count": _("Cases now")},
            rule=f"{signal.rule.code} v{signal.rule.version}",
            lifts=_("Open the signal again, look at the new cases and decide then."),
        )


def decide(
    *, by: User, signal: Signal, outcome: Signal.State, reason: str, seen: int, at: datetime
) -> Signal:
    """Confirm a signal or rule it out; ruling out needs a reason. Deciding acknowledges as well.

    Args:
        seen: the count that the reader was shown.

    Raises:
        Refusal: ``signal-not-open`` when it is decided or withdrawn already (the first decision stands),
            ``signal-grew`` when more cases came in than were shown, ``reason-missing`` (422).
        ValueError: for an outcome other than confirmed or ruled out.
    """
    if outcome not in {Signal.State.CONFIRMED, Signal.State.RULED_OUT}:
        raise ValueError(f"{outcome} is not a decision")
    if outcome == Signal.State.RULED_OUT and not reason.strip():
        raise Refusal(
            "reason-missing",
            _("Ruling out a signal needs a reason."),
            status=422,
            lifts=_("Write in a sentence why these cases do not belong together."),
        )
    with transaction.atomic():
        signal = _locked(signal)
        if signal.state not in {Signal.State.OPEN, Signal.State.ACKNOWLEDGED}:
            raise _not_open(signal)
        _refuse_unseen(signal, seen)
        signal.state = outcome
        signal.decided_at = at
        signal.decided_by = by
        signal.decision_reason = reason.strip()
        _mark_seen(signal, by=by, at=at)
        signal.save()
        kind = SignalEvent.Kind.CONFIRMED if outcome == Signal.State.CONFIRMED else SignalEvent.Kind.RULED_OUT
        _log(signal, kind, at=at, by=by, note=signal.decision_reason)
        ladders.acknowledge(subject=signal.subject, by=by, at=at)
        audit.record(
            by=by,
            action=f"surveillance.signal.{kind.value}",
            obj=signal,
            at=at,
            unit=signal.unit,
            facts={"count": signal.peak_count, "reason": signal.decision_reason},
        )
    return signal


def _mark_seen(signal: Signal, *, by: User, at: datetime) -> None:
    signal.acknowledged_at = at
    signal.acknowledged_by = by
    signal.acknowledged_count = signal.peak_count


def _not_open(signal: Signal) -> Refusal:
    seen_by = signal.decided_by or signal.acknowledged_by
    return Refusal(
        "signal-not-open",
        _("This signal does not wait for that any more."),
        facts={
            "state": str(signal.state),
            "stands": str(Signal.State(signal.state).label),
            "by": seen_by.name if seen_by else "",
        },
        labels={"stands": _("How it stands"), "by": _("Last seen to by")},
        rule=f"{signal.rule.code} v{signal.rule.version}",
        lifts=_("Reload the page; what was done stands in its history."),
    )


def activate_rule(*, by: User, rule: Rule, reason: str, at: datetime) -> Rule:
    """Put a rule in force. A row whose source is only remembered (mark M or M?) needs a written reason.

    Raises:
        Refusal: ``rule-source-unsure`` (422) when such a row comes without a reason.
    """
    if rule.source_mark in {"M", "M?"} and not reason.strip():
        raise Refusal(
            "rule-source-unsure",
            _("The source of this rule has not been read; activating it needs your reason."),
            status=422,
            facts={"source_mark": rule.source_mark, "source": rule.source},
            rule=f"{rule.code} v{rule.version}",
            lifts=_("Write why the rule is to hold, or have the source checked first."),
        )
    with transaction.atomic():
        rule = Rule.objects.select_for_update(no_key=True).get(pk=rule.pk)
        _refuse_missing_ladder(rule, at=at)
        rule.is_active = True
        rule.approved_by = by.name
        rule.save(update_fields=["is_active", "approved_by"])
        audit.record(
            by=by,
            action="surveillance.rule.activated",
            obj=rule,
            at=at,
            facts={"code": rule.code, "version": rule.version, "reason": reason.strip()},
        )
    return rule


def _refuse_missing_ladder(rule: Rule, *, at: datetime) -> None:
    """A rule whose ladder is not in force could tell nobody, and would hold up the others of its class."""
    if not in_force(rule.ladder, clock.local_day(at)):
        raise Refusal(
            "ladder-not-in-force",
            _("The ladder of this rule is not in force."),
            status=422,
            facts={"ladder": rule.ladder},
            rule=f"{rule.code} v{rule.version}",
            lifts=_("Add the ladder, or name one that is in force."),
        )


class _RuleEntry(BaseModel):
    """One rule of a rule file. Numbers are the authority's; source and mark say where they were read."""

    model_config = ConfigDict(extra="forbid")

    code: str
    version: PositiveInt
    name: str
    name_en: str
    group_kinds: list[Literal["class", "dormitory"]]
    min_cases: PositiveInt
    window_days: PositiveInt
    level: Level
    report_within_minutes: PositiveInt
    ladder: str
    source: str
    source_mark: Literal["V", "V2", "M", "M?", "P"]
    valid_from: date
    valid_to: date | None
    approved_by: str
    is_active: bool


class _RuleFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    set: str
    similarity: dict[str, list[SymptomGroup]]
    rules: list[_RuleEntry]


NORM_2006 = files("xiaodun.surveillance") / "data" / "norm-2006.yaml"


def load_rules(file: Path | Traversable, *, at: datetime) -> int:
    """Load a rule file; rows already known by code and version stay as they are. Returns how many were new.

    A changed number needs a new version: what a past day was judged by must stay readable.

    Raises:
        DataFileError: with file and line of every fault.
        Refusal: ``ladder-not-in-force`` when a rule names a ladder that is not in force.
    """
    content = yamldata.load(file, _RuleFile)
    with transaction.atomic():
        known = set(Rule.objects.filter(set_code=content.set).values_list("code", "version"))
        new = [
            Rule(
                set_code=content.set,
                similarity={code: list(groups) for code, groups in content.similarity.items()},
                recorded_at=at,
                **entry.model_dump(),
            )
            for entry in content.rules
            if (entry.code, entry.version) not in known
        ]
        for rule in new:
            _refuse_missing_ladder(rule, at=at)
            rule.save()
            audit.record(
                by=None,
                action="surveillance.rule.loaded",
                obj=rule,
                at=at,
                facts={"code": rule.code, "version": rule.version, "active": rule.is_active},
            )
    return len(new)
