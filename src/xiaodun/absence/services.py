"""Writes of illness files: they follow the checks by themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from xiaodun.absence.models import Episode, EpisodeDay
from xiaodun.absence.policies import DayRecord, DayState, DerivedEpisode, derive_episodes
from xiaodun.kit import audit, outbox
from xiaodun.people.models import Person
from xiaodun.screening.choices import FindingStatus
from xiaodun.screening.models import CheckSession, Finding
from xiaodun.screening.policies import happened_at

EPISODES_CHANGED = "absence.episodes_changed"

_STATE_OF_STATUS = {
    FindingStatus.ABSENT_ILL: DayState.ABSENT_ILL,
    FindingStatus.SYMPTOMS: DayState.SYMPTOMS,
    FindingStatus.RECOVERED: DayState.RECOVERED,
    FindingStatus.ABSENT_OTHER: DayState.AWAY,
    FindingStatus.LATE: DayState.WELL,
}

# What tells the moment of a finding's check, in the order of ``happened_at``.
_CLOCKS = ("session__tapped_at", "session__received_at", "session__clock_offset_ms")


def follow_check(payload: dict[str, Any], *, at: datetime) -> None:
    """Bring the files of everybody whom a check concerns into line with it (hears ``check_recorded``).

    Reads the session as it stands now: repeating it, or running it after a later correction, changes nothing.
    """
    session = CheckSession.objects.get(pk=payload["session"])
    concerned = set(session.findings.values_list("person_id", flat=True))
    concerned |= set(
        Episode.objects.filter(
            Q(person__enrolments__valid_to__isnull=True) | Q(person__enrolments__valid_to__gte=session.day),
            person__enrolments__group_id=session.group_id,
            person__enrolments__valid_from__lte=session.day,
            first_day__lte=session.day,
        )
        .exclude(state=Episode.State.VOID)
        .filter(Q(back_on__isnull=True) | Q(back_on__gte=session.day))
        .values_list("person_id", flat=True)
    )
    if concerned:
        derive_files(person_ids=concerned, around=session.day, at=at)


def follow_enrolment(payload: dict[str, Any], *, at: datetime) -> None:
    """Bring a person's files into line with the groups they now belong to (hears ``enrolment_changed``).

    A move dated back changes which checks found the person well, from that day on.
    """
    follow_enrolments({"persons": [payload["person"]], **payload}, at=at)


def follow_enrolments(payload: dict[str, Any], *, at: datetime) -> None:
    """As ``follow_enrolment`` for a batch (hears ``enrolments_loaded``); nobody with findings: no work."""
    since = date.fromisoformat(payload["since"])
    ill = Finding.objects.filter(person_id__in=payload["persons"], replaced_in__isnull=True)
    if persons := set(ill.values_list("person_id", flat=True)):
        derive_files(person_ids=persons, around=since, at=at, onward=True)


@dataclass(slots=True)
class _Change:
    """What the derivation did to one person's files, for the audit and for those who count onsets."""

    days: set[date]
    old: list[dict[str, Any]]
    new: list[dict[str, Any]]


def derive_files(*, person_ids: Iterable[int], around: date, at: datetime, onward: bool = False) -> None:
    """Re-derive the files of these persons that a check on the day ``around`` can touch.

    That is the file running on that day and the next one after it: no earlier or later file depends on it.
    ``onward`` takes in all later ones, for what changes every day from ``around`` on. Files that no finding
    supports any longer are withdrawn, visibly, never deleted.
    """
    with transaction.atomic():
        persons = {
            person.pk: person
            for person in Person.objects.select_for_update(no_key=True)
            .filter(pk__in=set(person_ids))
            .order_by("pk")
        }
        touched = {
            person_id: _touched(episodes, around, onward=onward)
            for person_id, episodes in _episodes_of(persons).items()
        }
        records = _records({person_id: each.span for person_id, each in touched.items()})
        onsets: set[date] = set()
        changed_persons: list[int] = []
        subjects: dict[Person, dict[str, Any]] = {}
        for person_id, person in persons.items():
            change = _reconcile(
                person, derive_episodes(records[person_id]), touched[person_id].episodes, at=at
            )
            if change.days or change.old != change.new:
                subjects[person] = {"old": change.old, "new": change.new}
            if change.days:
                onsets |= change.days
                changed_persons.append(person_id)
        if subjects:
            audit.record(
                by=None,
                action="absence.files.derived",
                obj=next(iter(subjects)),
                at=at,
                facts={"persons": sorted(person.pk for person in subjects), "around": around.isoformat()},
                subjects=subjects,
            )
        if changed_persons:
            outbox.announce(
                EPISODES_CHANGED,
                {"persons": changed_persons, "days": sorted(day.isoformat() for day in onsets)},
                at=at,
            )


@dataclass(frozen=True, slots=True)
class _Touched:
    """One person's files that must be derived together, and the days that they and the check cover."""

    episodes: list[Episode]
    span: tuple[date, date]


def _episodes_of(person_ids: Iterable[int]) -> dict[int, list[Episode]]:
    """All files of these persons, withdrawn ones left out, oldest first (two queries)."""
    found: dict[int, list[Episode]] = {person_id: [] for person_id in person_ids}
    episodes = Episode.objects.filter(person_id__in=list(found)).exclude(state=Episode.State.VOID)
    for episode in episodes.prefetch_related("days").order_by("first_day", "pk"):
        found[episode.person_id].append(episode)
    return found


def _touched(episodes: list[Episode], around: date, *, onward: bool) -> _Touched:
    """The files that share a day with the check or with one another, and the first one after it.

    The span ends only where a file has ended and the next begins later: two files may meet on one day (the
    dormitory finds a child recovered, the class finds it ill anew), and that day must not be cut in two.
    """
    following = next((episode for episode in episodes if episode.first_day > around), None)
    first, last = around, date.max if onward or following is None else following.first_day
    while True:
        chosen = [e for e in episodes if e.first_day <= last and (e.back_on is None or first <= e.back_on)]
        span = (
            min([first, *(episode.first_day for episode in chosen)]),
            max([last, *(episode.back_on or date.max for episode in chosen)]),
        )
        if span == (first, last):
            return _Touched(chosen, span)
        first, last = span


def _records(spans: dict[int, tuple[date, date]]) -> dict[int, list[DayRecord]]:
    """What all checks said of these persons within their spans (two queries)."""
    if not spans:
        return {}
    lowest = min(first for first, _last in spans.values())
    highest = max(last for _first, last in spans.values())
    records: dict[int, list[DayRecord]] = {person_id: [] for person_id in spans}
    noted: set[tuple[int, int]] = set()
    findings = Finding.objects.filter(
        person_id__in=list(spans), day__range=(lowest, highest), replaced_in__isnull=True
    ).values("pk", "person_id", "day", "status", "onset", "symptoms", "session_id", *_CLOCKS)
    for row in findings:
        noted.add((row["person_id"], row["session_id"]))
        first, last = spans[row["person_id"]]
        if first <= row["day"] <= last:
            records[row["person_id"]].append(
                DayRecord(
                    day=row["day"],
                    order=happened_at(*(row[name] for name in _CLOCKS)).timestamp(),
                    state=_STATE_OF_STATUS[FindingStatus(row["status"])],
                    onset=row["onset"],
                    symptoms=tuple(row["symptoms"]),
                    finding_id=row["pk"],
                )
            )
    sessions = (
        CheckSession.objects.filter(
            Q(group__enrolments__valid_to__isnull=True) | Q(group__enrolments__valid_to__gte=F("day")),
            day__range=(lowest, highest),
            group__enrolments__person_id__in=list(spans),
            group__enrolments__valid_from__lte=F("day"),
        )
        .values_list(
            "pk", "day", "group__enrolments__person_id", "tapped_at", "received_at", "clock_offset_ms"
        )
        .distinct()
    )
    for session_id, day, person_id, tapped_at, received_at, offset in sessions:
        first, last = spans[person_id]
        if first <= day <= last and (person_id, session_id) not in noted:
            records[person_id].append(
                DayRecord(
                    day=day,
                    order=happened_at(tapped_at, received_at, offset).timestamp(),
                    state=DayState.WELL,
                )
            )
    return records


def _reconcile(
    person: Person, derived: list[DerivedEpisode], existing: list[Episode], *, at: datetime
) -> _Change:
    """Make the stored files equal the derived ones, keeping the identity of a file whose days overlap."""
    free = list(existing)
    pairs: list[tuple[DerivedEpisode, Episode | None]] = []
    for target in derived:
        days = {record.day for record in target.records}
        match = next((episode for episode in free if days & {row.day for row in episode.days.all()}), None)
        if match is not None:
            free.remove(match)
        pairs.append((target, match))
    change = _Change(days=set(), old=[_as_data(episode) for episode in existing], new=[])
    # Withdraw and detach first: one running file a person, one file a finding, are database constraints.
    for episode in free:
        change.days.add(episode.onset)
        episode.days.all().delete()
        Episode.objects.filter(pk=episode.pk).update(state=Episode.State.VOID, changed_at=at)
    # Ended files before the running one, for the same reason.
    for target, match in sorted(pairs, key=lambda pair: pair[0].back_on is None):
        state = Episode.State.RUNNING if target.back_on is None else Episode.State.ENDED
        values: dict[str, Any] = {
            "state": state,
            "onset": target.onset,
            "first_day": target.first_day,
            "last_day": target.last_day,
            "back_on": target.back_on,
            "was_absent": target.was_absent,
            "symptoms": list(target.symptoms),
        }
        if match is None:
            episode = Episode.objects.create(person=person, opened_at=at, changed_at=at, **values)
            change.days.add(target.onset)
        else:
            episode = match
        if any(getattr(episode, name) != value for name, value in values.items()):
            if (episode.onset, episode.symptoms) != (target.onset, values["symptoms"]):
                change.days |= {episode.onset, target.onset}
            for name, value in values.items():
                setattr(episode, name, value)
            episode.changed_at = at
            episode.save(update_fields=[*values, "changed_at"])
        _keep_days(episode, target)
        change.new.append(_as_data(episode))
    return change


def _keep_days(episode: Episode, target: DerivedEpisode) -> None:
    records = {record.finding_id: record for record in target.records if record.finding_id is not None}
    wanted = records.keys()
    stored = {row.finding_id for row in episode.days.all()}
    if stored - wanted:
        episode.days.filter(finding_id__in=stored - wanted).delete()
    EpisodeDay.objects.filter(finding_id__in=wanted - stored).delete()
    EpisodeDay.objects.bulk_create(
        EpisodeDay(
            episode=episode,
            finding_id=finding_id,
            day=record.day,
            status=record.state.value,
            symptoms=list(record.symptoms),
        )
        for finding_id, record in records.items()
        if finding_id not in stored
    )


def _as_data(episode: Episode) -> dict[str, Any]:
    return {
        "file": episode.pk,
        "state": str(episode.state),
        "onset": episode.onset.isoformat(),
        "first_day": episode.first_day.isoformat(),
        "last_day": episode.last_day.isoformat(),
        "back_on": episode.back_on.isoformat() if episode.back_on else None,
        "symptoms": list(episode.symptoms),
    }
