"""However checks, corrections and transfers arrive, the signals are those of the cases on record."""

import random
from datetime import timedelta
from typing import Any

import pytest

from xiaodun.absence.models import Episode
from xiaodun.absence.policies import DayRecord, DayState, derive_episodes
from xiaodun.engine.detection.thresholds import CountRule, Onset, find_clusters
from xiaodun.kit import clock, outbox
from xiaodun.organisations.models import Unit
from xiaodun.people import services as people
from xiaodun.people.models import Enrolment, Person
from xiaodun.screening.choices import FindingStatus
from xiaodun.screening.models import CheckSession, Finding
from xiaodun.screening.policies import FindingInput, happened_at
from xiaodun.screening.tests.cast import School, day, make_school, moment
from xiaodun.surveillance import services
from xiaodun.surveillance.models import Rule, Signal

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

SYMPTOMS = [(), ("vomiting",), ("diarrhoea", "fever"), ("cough",), ("rash",), ("fatigue",)]
STATUSES = [FindingStatus.ABSENT_ILL] * 5 + [
    FindingStatus.SYMPTOMS,
    FindingStatus.RECOVERED,
    FindingStatus.ABSENT_OTHER,
    FindingStatus.LATE,
]

Canonical = set[tuple[Any, ...]]


def random_findings(rng: random.Random, pupils: list[Person], offset: int) -> dict[Person, FindingInput]:
    found = {}
    for person in rng.sample(pupils, k=min(len(pupils), rng.choice([0, 1, 2, 3, 4, 6]))):
        status = rng.choice(STATUSES)
        symptoms: tuple[str, ...] = ()
        onset = None
        if status in {FindingStatus.ABSENT_ILL, FindingStatus.SYMPTOMS, FindingStatus.RECOVERED}:
            symptoms = rng.choice(SYMPTOMS[1:] if status == FindingStatus.SYMPTOMS else SYMPTOMS)
            onset = rng.choice([None, day(offset), day(offset - 1), day(offset - 2)])
        if status == FindingStatus.RECOVERED:
            onset = day(offset - rng.choice([1, 2, 3]))
        found[person] = FindingInput(person.pk, status, symptoms, onset)
    return found


def members(room: Unit, offset: int) -> list[Person]:
    enrolments = Enrolment.objects.filter(group=room, valid_from__lte=day(offset)).select_related("person")
    return [e.person for e in enrolments if e.valid_to is None or e.valid_to >= day(offset)]


def stored_signals() -> Canonical:
    return {
        (
            signal.unit_id,
            signal.rule.code,
            signal.symptom_group,
            tuple((w["start"], w["end"], w["count"], w["unknown"]) for w in signal.windows),
            signal.peak_count,
            tuple(sorted({case.person_id for case in signal.cases.all()})),
        )
        for signal in Signal.objects.exclude(state=Signal.State.WITHDRAWN).select_related("rule")
    }


def brute_force_episodes() -> dict[int, list[tuple[Any, ...]]]:
    """Every person's files from all that the sessions say, without looking at stored files."""
    states = {
        FindingStatus.ABSENT_ILL: DayState.ABSENT_ILL,
        FindingStatus.SYMPTOMS: DayState.SYMPTOMS,
        FindingStatus.RECOVERED: DayState.RECOVERED,
        FindingStatus.ABSENT_OTHER: DayState.AWAY,
        FindingStatus.LATE: DayState.WELL,
    }
    files = {}
    sessions = list(CheckSession.objects.all())
    findings = {(f.session_id, f.person_id): f for f in Finding.objects.filter(replaced_in__isnull=True)}
    for person in Person.objects.prefetch_related("enrolments"):
        records = []
        for session in sessions:
            finding = findings.get((session.pk, person.pk))
            enrolled = any(
                e.valid_from <= session.day and (e.valid_to is None or session.day <= e.valid_to)
                for e in person.enrolments.all()
                if e.group_id == session.group_id
            )
            order = happened_at(session.tapped_at, session.received_at, session.clock_offset_ms).timestamp()
            if finding is not None:
                records.append(
                    DayRecord(
                        session.day,
                        order,
                        states[FindingStatus(finding.status)],
                        finding.onset,
                        tuple(finding.symptoms),
                        finding.pk,
                    )
                )
            elif enrolled:
                records.append(DayRecord(session.day, order, DayState.WELL))
        files[person.pk] = [
            (e.onset, e.first_day, e.last_day, e.back_on, e.symptoms) for e in derive_episodes(records)
        ]
    return files


def stored_episodes() -> dict[int, list[tuple[Any, ...]]]:
    files: dict[int, list[tuple[Any, ...]]] = {person.pk: [] for person in Person.objects.all()}
    for e in Episode.objects.exclude(state=Episode.State.VOID).order_by("first_day"):
        files[e.person_id].append((e.onset, e.first_day, e.last_day, e.back_on, tuple(e.symptoms)))
    return files


def brute_force_signals() -> Canonical:
    """The rules over all files and enrolments at once, without looking at stored signals."""
    expected: Canonical = set()
    files = list(Episode.objects.exclude(state=Episode.State.VOID))
    enrolments = list(Enrolment.objects.all())
    for rule in Rule.objects.filter(is_active=True):
        for unit in Unit.objects.filter(group_kind__in=rule.group_kinds):
            onsets = []
            for file in files:
                if any(
                    e.valid_from <= file.onset and (e.valid_to is None or file.onset <= e.valid_to)
                    for e in enrolments
                    if e.person_id == file.person_id and e.group_id == unit.pk
                ):
                    groups = frozenset(g for code in file.symptoms for g in rule.similarity[code])
                    onsets.append(Onset(file.person_id, file.onset, groups))
            for cluster in find_clusters(onsets, CountRule(rule.min_cases, rule.window_days)):
                expected.add(
                    (
                        unit.pk,
                        rule.code,
                        cluster.symptom_group,
                        tuple(
                            (w.start.isoformat(), w.end.isoformat(), w.count, w.unknown)
                            for w in cluster.windows
                        ),
                        cluster.peak,
                        tuple(sorted(cluster.persons)),
                    )
                )
    return expected


def storm(school: School, rng: random.Random, *, days: int) -> None:
    """Checks in random order of arrival, some corrected; pupils move between classes, some as of days ago."""
    rooms = [*school.classes, school.dormitory]
    plans = [(offset, room) for offset in range(days) for room in rooms if day(offset).isoweekday() < 6]
    # Some phones had no network: their checks come days later.
    plans.sort(key=lambda plan: (plan[0] + rng.choice([0, 0, 0, 2, 4]), rng.random()))
    sessions: list[tuple[int, int, Unit]] = []
    now = moment(days + 10)
    for offset, room in plans:
        pupils = members(room, offset)
        if pupils:
            now += timedelta(minutes=1)
            answer = school.submit(
                room, offset, random_findings(rng, pupils, offset), at=now, drain=rng.random() < 0.7
            )
            sessions.append((answer["session"], offset, room))
        if sessions and rng.random() < 0.35:
            session_id, corrected, where = rng.choice(sessions)
            now += timedelta(minutes=1)
            school.correct(session_id, random_findings(rng, members(where, corrected), corrected), at=now)
        if rng.random() < 0.2:
            old, new = rng.sample(school.classes, k=2)
            on = rng.randrange(1, days)
            staying = [
                p
                for p in members(old, on)
                if Enrolment.objects.filter(person=p, group__in=rooms[:-1]).count() == 1
            ]
            if len(staying) > 3:
                now += timedelta(minutes=1)
                people.transfer(
                    by=None, person=rng.choice(staying), from_group=old, to_group=new, on=day(on), at=now
                )
                outbox.drain(now=now)
    outbox.drain(now=now)


@pytest.mark.parametrize("seed", range(2))
def test_after_a_storm_of_late_checks_corrections_and_transfers_the_signals_equal_brute_force(seed):
    rng = random.Random(seed)
    school = make_school(classes=2, size=9)
    storm(school, rng, days=20)
    assert stored_episodes() == brute_force_episodes()
    assert stored_signals() == brute_force_signals()
    assert stored_signals(), "a storm without any signal proves nothing"

    before = list(Signal.objects.order_by("pk").values_list("pk", "state", "peak_count", "symptom_group"))
    services.evaluate_all(at=clock.local_moment(day(60), moment(0).astimezone(clock.SHANGHAI).time()))
    assert (
        list(Signal.objects.order_by("pk").values_list("pk", "state", "peak_count", "symptom_group"))
        == before
    )
