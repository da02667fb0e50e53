"""Who falls ill when: rare illness in the background, and three clusters that are known to be there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from xiaodun.engine.simulation.dice import Dice
from xiaodun.engine.simulation.district import InstitutionKind, PlantedCluster
from xiaodun.engine.simulation.roster import Roster

__all__ = ["SYMPTOMS", "Illness", "draw_illnesses", "plant_clusters"]

SYMPTOMS = (
    "fever",
    "cough",
    "headache",
    "sore_throat",
    "parotid_swelling",
    "abdominal_pain",
    "diarrhoea",
    "vomiting",
    "rash",
    "dizziness",
    "fatigue",
    "conjunctival_congestion",
    "jaundice",
    "other",
)
"""Codes of the symptoms of WS/T 772-2020, with jaundice from the registration form in use with it."""

_DAY = timedelta(days=1)

# Chance of falling ill on a day. With these about one pupil in a hundred is ill on a quiet school day.
_HAZARD: dict[InstitutionKind, float] = {
    "kindergarten": 0.010,
    "primary": 0.006,
    "junior": 0.004,
    "senior": 0.003,
    "training": 0.0,  # its pupils fall ill as pupils of their schools
    "college": 0.0025,
}
_BY_WEEKDAY = (1.15, 1.0, 0.95, 0.95, 1.0, 0.9, 0.95)  # Monday first
_DURATIONS = ((1, 0.40), (2, 0.35), (3, 0.25))
_STAYS_HOME = 0.85
_PICTURES: tuple[tuple[tuple[str, ...], float], ...] = (
    (("fever", "cough"), 0.18),
    (("fever", "sore_throat"), 0.12),
    (("fever", "headache"), 0.08),
    (("cough",), 0.12),
    (("cough", "sore_throat"), 0.08),
    (("abdominal_pain",), 0.07),
    (("vomiting",), 0.05),
    (("abdominal_pain", "diarrhoea"), 0.06),
    (("headache", "dizziness"), 0.05),
    (("fatigue",), 0.03),
    (("rash",), 0.02),
    (("conjunctival_congestion",), 0.015),
    (("parotid_swelling",), 0.005),
    (("other",), 0.03),
    ((), 0.09),  # the teacher knows of an illness, not of what kind
)
# The background never comes near a cluster, whatever symptoms a rule takes for similar: otherwise the truth
# would be only a part of the truth.
_MOST_IN_A_DAY = 2
_MOST_IN_THREE_DAYS = 4
_QUIET_AROUND_CLUSTER = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Illness:
    """One illness of one person, from the day of onset to the last day of illness, both included."""

    person: str
    onset: date
    end: date
    symptoms: tuple[str, ...]
    stays_home: bool


def plant_clusters(
    dice: Dice, roster: Roster, school_days: Sequence[date]
) -> tuple[tuple[PlantedCluster, ...], list[Illness]]:
    """Three clusters and the illnesses they consist of.

    - gastroenteritis in 三(2)班 of the primary school: one child the day before the last, three on the last;
    - fever in 中一班 of the kindergarten: five children on three consecutive calendar days, about a week
      before the end, never three on one day;
    - a dormitory room of the senior school: three boarders of three classes on one day, about two weeks
      before the end.
    """
    last = school_days[-1]
    week_ago = school_days[-6]
    fortnight_ago = school_days[-11]

    single = [person for person in roster.members["p01-3-2"] if len(roster.groups_of[person]) == 1]
    gastro = dice.sample(single, 4)
    fever = dice.sample(roster.members["k01-2-1"], 5)
    boarders: list[str] = []
    for person in dice.sample(roster.members["s01-d1305"], len(roster.members["s01-d1305"])):
        own_class = roster.groups_of[person][0]
        if own_class not in {roster.groups_of[other][0] for other in boarders} and len(boarders) < 3:
            boarders.append(person)

    gastro_cluster = [
        Illness(gastro[0], last - _DAY, last + _DAY, ("diarrhoea", "vomiting"), stays_home=True),
        Illness(gastro[1], last, last + _DAY, ("vomiting",), stays_home=True),
        Illness(gastro[2], last, last + 2 * _DAY, ("abdominal_pain", "vomiting"), stays_home=True),
        Illness(gastro[3], last, last + _DAY, ("abdominal_pain", "diarrhoea"), stays_home=False),
    ]
    fever_cluster = []
    for person, days_before in zip(fever, (2, 1, 1, 0, 0), strict=True):
        onset = week_ago - days_before * _DAY
        # Three days each: whoever fell ill on a weekend is still ill when school opens.
        fever_cluster.append(Illness(person, onset, onset + 2 * _DAY, ("fever", "cough"), stays_home=True))
    dormitory_cluster = [
        Illness(person, fortnight_ago, fortnight_ago + _DAY, ("fever", "sore_throat"), stays_home=True)
        for person in boarders
    ]
    clusters = (
        PlantedCluster("gastroenteritis", "p01-3-2", _cases(gastro_cluster)),
        PlantedCluster("fever", "k01-2-1", _cases(fever_cluster)),
        PlantedCluster("dormitory", "s01-d1305", _cases(dormitory_cluster)),
    )
    return clusters, [*gastro_cluster, *fever_cluster, *dormitory_cluster]


def _cases(illnesses: Sequence[Illness]) -> tuple[tuple[str, date], ...]:
    return tuple(sorted(((ill.person, ill.onset) for ill in illnesses), key=lambda case: (case[1], case[0])))


def draw_illnesses(
    dice: Dice,
    roster: Roster,
    school_days: Sequence[date],
    clusters: Sequence[PlantedCluster],
    planted: Sequence[Illness],
) -> list[Illness]:
    """The planted illnesses and a background of single ones, with onset on any day; by onset and person."""
    kind_of = {institution.code: institution.kind for institution in roster.institutions}
    hazard_of = {group.code: _HAZARD[kind_of[group.institution]] for group in roster.groups}
    illnesses = list(planted)
    ill_until: dict[str, date] = {}
    onsets_in: Counter[tuple[str, date]] = Counter()
    for illness in planted:
        for group in roster.groups_of[illness.person]:
            onsets_in[group, illness.onset] += 1
    quiet = {
        cluster.group: (
            cluster.cases[0][1] - _QUIET_AROUND_CLUSTER,
            cluster.cases[-1][1] + _QUIET_AROUND_CLUSTER,
        )
        for cluster in clusters
    }
    planted_persons = {illness.person for illness in planted}
    people = [person.key for person in roster.persons if roster.groups_of[person.key]]

    day = school_days[0] - 2 * _DAY
    while day <= school_days[-1]:
        for person in people:
            falls_ill = dice.happens(hazard_of[roster.groups_of[person][0]] * _BY_WEEKDAY[day.weekday()])
            if not falls_ill or person in planted_persons or ill_until.get(person, day - _DAY) >= day:
                continue
            groups = roster.groups_of[person]
            if any(_is_crowded(onsets_in, group, day) for group in groups):
                continue
            if any(quiet[group][0] <= day <= quiet[group][1] for group in groups if group in quiet):
                continue
            end = day + (dice.pick_weighted(_DURATIONS) - 1) * _DAY
            picture = dice.pick_weighted(_PICTURES)
            illnesses.append(Illness(person, day, end, picture, dice.happens(_STAYS_HOME)))
            ill_until[person] = end + _DAY  # a day of health before the next illness
            for group in groups:
                onsets_in[group, day] += 1
        day += _DAY
    return sorted(illnesses, key=lambda illness: (illness.onset, illness.person))


def _is_crowded(onsets_in: Counter[tuple[str, date]], group: str, day: date) -> bool:
    """Whether one more onset would make the group look like a cluster, looking back and ahead."""
    if onsets_in[group, day] >= _MOST_IN_A_DAY:
        return True
    return any(
        sum(onsets_in[group, day + (first + step) * _DAY] for step in range(3)) >= _MOST_IN_THREE_DAYS
        for first in (-2, -1, 0)
    )
