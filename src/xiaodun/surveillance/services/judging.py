"""Rules applied to onsets: a signal is raised, grows, alarms again, is withdrawn."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from xiaodun.absence.models import Episode
from xiaodun.absence.selectors import cases_with_onset, onsets_of
from xiaodun.engine.detection.thresholds import UNKNOWN, Cluster, CountRule, Onset, find_clusters
from xiaodun.kit import audit
from xiaodun.ladders import services as ladders
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Enrolment
from xiaodun.surveillance.models import Rule, RuledOutPerson, Signal, SignalCase, SignalEvent
from xiaodun.surveillance.selectors import message_facts
from xiaodun.surveillance.services.history import log_event

ALIVE = [state for state in Signal.State if state is not Signal.State.WITHDRAWN]
# What people did with a signal, and the clock that it runs on.
_REVIEW = [
    "state",
    "clock_from",
    "deadline_at",
    "reported_at",
    "acknowledged_count",
    "acknowledged_at",
    "acknowledged_by",
    "decided_at",
    "decided_by",
    "decision_reason",
]


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
    for signal in _locked(found):
        signals[signal.unit_id].append(signal)
    onsets: dict[int, list[Onset[int]]] = defaultdict(list)
    unit_ids = [unit.pk for unit in units]
    for group_id, person_id, onset, symptoms in cases_with_onset(group_ids=unit_ids, start=start, end=end):
        groups = frozenset(group for code in symptoms for group in rule.similarity.get(code, []))
        onsets[group_id].append(Onset(person=person_id, on=onset, symptom_groups=groups))
    for unit in units:
        clusters = find_clusters(onsets[unit.pk], _as_rule(rule))
        _reconcile(rule, unit, clusters, signals[unit.pk], onsets[unit.pk], at=at)


def _locked(signals: list[Signal]) -> list[Signal]:
    """The signals as they stand now, until the end of the transaction: who decides one meanwhile waits."""
    locked = (
        Signal.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=[signal.pk for signal in signals])
        .order_by("pk")
    )
    return sorted(locked, key=lambda signal: (signal.raised_at, signal.pk))


def _as_rule(rule: Rule) -> CountRule:
    return CountRule(rule.min_cases, rule.window_days, rule.valid_from, rule.valid_to)


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
    joined_unseen: set[int] = set()
    for cluster in clusters:
        same = [s for s in free if s.symptom_group == cluster.symptom_group and _touches(s, cluster)]
        for signal in same:
            free.remove(signal)
        matches.append((cluster, same[0] if same else None))
        for signal in same[1:]:
            assert same[0] is not signal
            if signal.state == Signal.State.OPEN:
                joined_unseen.add(same[0].pk)
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
            if match.pk in joined_unseen and match.state != Signal.State.OPEN:
                _realarm(match, SignalEvent.Kind.JOINED, at=at)
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


def _raise(
    rule: Rule, unit: Unit, cluster: Cluster[int], onsets: list[Onset[int]], *, at: datetime
) -> Signal:
    signal = Signal.objects.create(
        unit=unit,
        rule=rule,
        raised_at=at,
        clock_from=at,
        deadline_at=at + timedelta(minutes=rule.report_within_minutes),
        **_as_values(cluster),
    )
    _set_cases(signal, cluster, onsets)
    log_event(signal=signal, kind=SignalEvent.Kind.RAISED, at=at)
    audit.record(
        by=None,
        action="surveillance.signal.raised",
        obj=signal,
        at=at,
        unit=unit,
        facts=message_facts(signal),
    )
    ladders.start(
        code=rule.ladder,
        subject=signal.subject,
        unit=unit,
        message_kind="signal",
        facts=message_facts(signal),
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
    log_event(signal=signal, kind=SignalEvent.Kind.GREW if grew else SignalEvent.Kind.CHANGED, at=at)
    audit.record(
        by=None,
        action="surveillance.signal.changed",
        obj=signal,
        at=at,
        unit=signal.unit,
        facts=message_facts(signal),
    )
    if signal.acknowledged_count is not None and signal.peak_count > signal.acknowledged_count:
        _realarm(signal, SignalEvent.Kind.REALARMED, at=at)
    elif signal.state == Signal.State.RULED_OUT and _others_suffice(signal, cluster, onsets):
        _realarm(signal, SignalEvent.Kind.OTHERS, at=at)


def _others_suffice(signal: Signal, cluster: Cluster[int], onsets: list[Onset[int]]) -> bool:
    """Whether persons whom nobody had before them when the signal was ruled out hold a window by themselves.

    Ruling out says that *these* persons do not belong together; it says nothing of others.
    """
    known = set(RuledOutPerson.objects.filter(signal=signal).values_list("person_id", flat=True))
    counted = {(case.person_id, case.onset) for case in _case_rows(signal, cluster, onsets)}
    others = [onset for onset in onsets if (onset.person, onset.on) in counted and onset.person not in known]
    return bool(find_clusters(others, _as_rule(signal.rule)))


def _realarm(signal: Signal, kind: SignalEvent.Kind, *, at: datetime) -> None:
    """Cases that nobody has seen: the signal waits again and its ladder starts anew.

    An earlier decision stays in the history; about the new cases nobody has decided yet.
    """
    if signal.state == Signal.State.RULED_OUT:
        # Ruling out closed the first clock; the new cases start their own, and a report made before does
        # not answer it.
        # Nor does it start before the decision that closed the first, however long the outbox took.
        signal.clock_from = at if signal.decided_at is None else max(at, signal.decided_at)
        signal.deadline_at = signal.clock_from + timedelta(minutes=signal.rule.report_within_minutes)
        signal.reported_at = None
    signal.state = Signal.State.OPEN
    signal.acknowledged_count = None
    signal.acknowledged_at = signal.decided_at = None
    signal.acknowledged_by = signal.decided_by = None
    signal.decision_reason = ""
    signal.save(update_fields=_REVIEW)
    log_event(signal=signal, kind=kind, at=at)
    ladders.restart(subject=signal.subject, facts=message_facts(signal), at=at)
    ladders.stop(subject=signal.report_subject, at=at)


def _end(signal: Signal, kind: SignalEvent.Kind, *, at: datetime, note: str) -> None:
    """Withdraw a signal that no window supports any more, or that has joined another; its history stays."""
    signal.state = Signal.State.WITHDRAWN
    signal.save(update_fields=["state"])
    log_event(signal=signal, kind=kind, at=at, note=note)
    ladders.stop_each(subjects=[signal.subject, signal.report_subject], at=at)
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
