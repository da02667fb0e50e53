"""How one disease passes from person to person: at home, in class, year, school, room and lesson.

A stochastic model in days. A susceptible person is infected on a day with chance 1 - exp(-hazard); the hazard
is the sum over settings of what infectious people there give off. Each person's number for each day has its
place in the stream of the institution, so a school meets the same luck whatever is simulated with it. The
same number, conditional on the infection, then says from whom it came.
"""

from __future__ import annotations

from datetime import date
from math import cos, log, pi, sqrt

import numpy as np
import numpy.typing as npt

from xiaodun.engine.simulation.cases import CASE, TELLING_DRAWS, Setting, telling
from xiaodun.engine.simulation.parameters import Disease, background
from xiaodun.engine.simulation.streams import Subject, bit_stream, draw_index, gamma, stream
from xiaodun.engine.simulation.world import KINDS, Ints, World

__all__ = ["spread"]

Rows = npt.NDArray[np.void]
Floats = npt.NDArray[np.float64]


_COURSE_DRAWS = 5
_DAYS_OF_WEEK = 7
_CLASS, _GRADE, _SCHOOL, _NEAR, _COMMUNITY, _SOURCE = range(6)
_PER_PERSONS = 100_000


def spread(world: World, disease: Disease, *, seed: int, severity: float = 1.0) -> Rows:
    """All infections with ``disease`` in the order of day and person, as rows of :data:`CASE`.

    ``infector`` and ``outbreak`` are rows of the result: an outbreak is all that came from one introduction,
    and is called by the row of its first case. ``reported`` is -1 until checks are made.

    Args:
        severity: factor on infection from the community; the district's own draw comes on top.
    """
    return _Spread(world, disease, seed, severity).run()


class _Spread:
    def __init__(self, world: World, disease: Disease, seed: int, severity: float) -> None:
        self.world, self.disease, self.seed = world, disease, seed
        census = world.census
        self.persons = census.persons
        self.group = census.persons["group"].astype(np.int64)
        self.institution = census.persons["institution"].astype(np.int64)
        self.institution_of_group = census.groups["institution"].astype(np.int64)
        grade = world.grade_of_group
        self.group_size = np.maximum(census.groups["size"], 1)
        self.grade_size = np.maximum(
            np.bincount(grade[grade >= 0], census.groups["size"][grade >= 0], len(census.grades)), 1
        )
        self.institution_size = np.maximum(census.institutions["persons"], 1)
        number = len(self.persons)
        self.luck: dict[int, tuple[np.random.PCG64, int]] = {}
        self.today = np.zeros(number)
        self.open = np.zeros(number, dtype=bool)
        # What would become of each person; the row of a case is copied from it.
        self.course = np.zeros(number, dtype=CASE)
        self.course["person"] = np.arange(number)
        self.course["disease"], self.course["reported"] = disease.number, -1
        self.of_class = self._of_class()
        self.community = self._community(severity)
        self.introductions = self._introductions()
        self.sources = self._sources()
        self.made: list[Rows] = []
        self.number_made = 0
        self.live = np.zeros(0, dtype=CASE)
        self.live_row = np.zeros(0, dtype=np.int64)

    # --- what is drawn beforehand -----------------------------------------------------------------------

    def _place(self, institution: int) -> tuple[int, int, int, int]:
        row = self.world.census.institutions[institution]
        return self.disease.number, int(row["district"]), int(row["kind"]), int(row["number"])

    def _of_class(self) -> Floats:
        """A factor of each group on what it meets at school and from outside: classes are not alike."""
        factor = np.ones(len(self.group_size))
        if self.disease.class_shape:
            for institution, row in enumerate(self.world.census.institutions):
                draws = stream(self.seed, Subject.FRAILTY, *self._place(institution))
                own = slice(int(row["first_group"]), int(row["first_group"] + row["groups"]))
                factor[own] = gamma(draws, self.disease.class_shape, (int(row["groups"]),))
        return factor

    def _community(self, severity: float) -> dict[int, Floats]:
        """Hazard of each day from outside by district; a season has its own height and its own peak."""
        season = self.disease.community
        if season is None:
            return {}
        found = {}
        year = self.world.census.school_year
        month, day_of_month = season.peak
        middle = date(year if month >= 9 else year + 1, month, day_of_month)
        for district in np.unique(self.world.census.institutions["district"]):
            u = stream(self.seed, Subject.SEASON, self.disease.number, int(district)).random(4)
            normal = sqrt(-2 * log(1 - u[0])) * cos(2 * pi * u[1])
            other = sqrt(-2 * log(1 - u[2])) * cos(2 * pi * u[3])
            peak = (middle - self.world.days[0]).days + season.peak_spread_days * other
            height = severity * season.severity_dispersion**normal
            days = np.arange(self.world.n_days)
            curve = np.exp(-0.5 * ((days - peak) / season.width_days) ** 2)
            found[int(district)] = curve * height * season.share / (season.width_days * sqrt(2 * pi))
        return found

    def _introductions(self) -> dict[int, list[tuple[int, float]]]:
        """By day: institution and the number that picks the person."""
        found: dict[int, list[tuple[int, float]]] = {}
        if not self.disease.introductions:
            return found
        for institution, row in enumerate(self.world.census.institutions):
            if KINDS[row["kind"]] not in self.disease.introduction_kinds:
                continue
            chance = self.disease.introductions * float(row["persons"]) / _PER_PERSONS / _DAYS_OF_WEEK
            u = stream(self.seed, Subject.INTRODUCTION, *self._place(institution)).random(
                (2, self.world.n_days)
            )
            for day in np.flatnonzero(u[0] < chance):
                found.setdefault(int(day), []).append((institution, float(u[1, day])))
        return found

    def _sources(self) -> dict[int, list[tuple[int, int]]]:
        """By day: institution and the grade that ate (-1 all) of what made people ill."""
        found: dict[int, list[tuple[int, int]]] = {}
        source = self.disease.common_source
        if source is None:
            return found
        for institution in range(len(self.world.census.institutions)):
            grades = np.flatnonzero(self.world.census.grades["institution"] == institution)
            if not len(grades):
                continue
            draws = stream(self.seed, Subject.INTRODUCTION, *self._place(institution), 1)
            u = draws.random((3, self.world.n_days))
            chance = source.rate / 5  # five school days a week
            for day in np.flatnonzero((u[0] < chance) & self.world.is_school_day):
                one = u[1, day] < source.one_grade
                grade = int(grades[int(u[2, day] * len(grades))]) if one else -1
                found.setdefault(int(day), []).append((institution, grade))
        return found

    def _enter(self, institutions: npt.ArrayLike) -> None:
        """Draw the luck and the course of everybody in institutions that the disease has not reached yet."""
        for institution in np.unique(np.asarray(institutions, dtype=np.int64)):
            if int(institution) in self.luck:
                continue
            row = self.world.census.institutions[institution]
            members = slice(int(row["first_person"]), int(row["first_person"] + row["persons"]))
            place = self._place(int(institution))
            self.luck[int(institution)] = bit_stream(self.seed, Subject.INFECTION, *place), 0
            draws = stream(self.seed, Subject.COURSE, *place)
            u = draws.random((_COURSE_DRAWS + 1, int(row["persons"])))
            course, disease = self.course[members], self.disease
            shares = np.array([float(disease.susceptible[kind]) for kind in KINDS])
            self.open[members] = u[0] < shares[self.world.kind_of[members]]
            course["onset"] = draw_index(
                u[1], disease.incubation
            )  # counted from the infection until it happens
            course["ill_until"] = draw_index(u[2], disease.illness)
            course["symptomatic"] = u[3] < disease.symptomatic
            course["stays_home"] = (u[4] < disease.stays_home) & course["symptomatic"]
            course["picture"] = draw_index(u[5], [picture.weight for picture in disease.pictures])
            telling(course, draws.random((TELLING_DRAWS, int(row["persons"]))), background().reporting)

    # --- day by day -------------------------------------------------------------------------------------

    def run(self) -> Rows:
        if self.community:
            self._enter(np.arange(len(self.world.census.institutions)))
        for day in range(self.world.n_days):
            self._introduce(day)
            self._pass_on(day)
            is_over = day - self.live["onset"] - self.disease.first_infectious_day >= len(
                self.disease.infectious
            )
            self.live, self.live_row = self.live[~is_over], self.live_row[~is_over]
        return np.concatenate(self.made) if self.made else np.zeros(0, dtype=CASE)

    def _introduce(self, day: int) -> None:
        for institution, u in self.introductions.get(day, ()):
            self._enter([institution])
            row = self.world.census.institutions[institution]
            first = int(row["first_person"])
            able = first + np.flatnonzero(self.open[first : first + int(row["persons"])])
            if len(able):
                person = able[[int(u * len(able))]]
                self._infect(day, person, np.array([-1]), np.array([Setting.COMMUNITY]), np.array([-1]))

    def _pass_on(self, day: int) -> None:
        live, disease, world = self.live, self.disease, self.world
        age = day - live["onset"].astype(np.int64) - disease.first_infectious_day
        gives = (age >= 0) & (live["infected"] < day)
        weight = np.where(gives, disease.infectious[np.clip(age, 0, len(disease.infectious) - 1)], 0.0)
        weight *= np.where(live["symptomatic"], 1.0, disease.infectiousness_without_symptoms)
        is_away = live["stays_home"] & (live["missed_from"] <= day) & (day <= live["ill_until"])
        outdoors = np.where(is_away, 0.0, weight)
        at_school = outdoors * world.is_school_day[day]
        person = live["person"].astype(np.int64)
        pairs = self._pairs(day, person, weight, outdoors)
        sources = self.sources.get(day, ())
        if not (at_school.any() or len(pairs.exposed) or self.community or sources):
            return
        of_group, parts = self._forces(person, at_school)
        outside = np.zeros(len(world.census.institutions))
        for district, curve in self.community.items():
            outside[world.census.institutions["district"] == district] = curve[day]
        near = np.bincount(pairs.exposed, pairs.hazard, len(self.persons))
        eaten = np.zeros(len(self.persons))
        for institution, grade in sources:
            eaten[self._eaters(institution, grade)] = -log(1 - disease.common_source.attack)  # type: ignore[union-attr]
        reached = np.bincount(self.institution_of_group, of_group, len(outside)) + outside
        reached[self.institution[pairs.exposed]] = 1
        reached[[institution for institution, _ in sources]] = 1
        rows = self._draw(day, np.flatnonzero(reached))

        factor = self.of_class[self.group[rows]]
        hazard = factor * (of_group[self.group[rows]] + outside[self.institution[rows]])
        hazard += near[rows] + eaten[rows]
        chance = -np.expm1(-hazard)
        hits = np.flatnonzero((self.today[rows] < chance) & self.open[rows])
        if not len(hits):
            return
        hit = rows[hits]
        group = self.group[hit]
        shares = np.zeros((6, len(hit)))
        shares[_CLASS : _SCHOOL + 1] = self.of_class[group] * parts[:, group]
        shares[_NEAR] = near[hit]
        shares[_COMMUNITY] = self.of_class[group] * outside[self.institution[hit]]
        shares[_SOURCE] = eaten[hit]
        infector, setting = self._attribute(
            self.today[hit] / chance[hits], shares, hit, person, at_school, pairs
        )
        self._infect(day, hit, infector, setting, self.institution[hit])

    def _draw(self, day: int, institutions: Ints) -> Ints:
        """Fill in today's number of everybody in ``institutions``; their persons.

        A day has its own place in the stream, so that days without danger need not be drawn.
        """
        self._enter(institutions)
        members = []
        for institution in institutions.tolist():
            row = self.world.census.institutions[institution]
            first, number = int(row["first_person"]), int(row["persons"])
            bits, next_day = self.luck[institution]
            bits.advance((day - next_day) * number)
            np.random.Generator(bits).random(out=self.today[first : first + number])
            self.luck[institution] = bits, day + 1
            members.append(np.arange(first, first + number))
        return np.concatenate(members) if members else np.zeros(0, dtype=np.int64)

    def _forces(self, person: Ints, at_school: Floats) -> tuple[Floats, Floats]:
        """Hazard at school by group, and its parts from class, grade and school."""
        contacts = self.disease.contacts
        grade_of_group = self.world.grade_of_group
        group, grade = self.group[person], grade_of_group[self.group[person]]
        in_group = np.bincount(group, at_school, len(self.group_size))
        has_grade = grade >= 0
        in_grade = np.bincount(grade[has_grade], at_school[has_grade], len(self.grade_size)) / self.grade_size
        in_school = np.bincount(self.institution[person], at_school, len(self.institution_size))
        parts = np.zeros((3, len(self.group_size)))
        parts[0] = contacts["class"] * in_group / self.group_size
        parts[1] = contacts["grade"] * np.where(
            grade_of_group >= 0, in_grade[grade_of_group] if len(in_grade) else 0, 0
        )
        parts[2] = contacts["school"] * (in_school / self.institution_size)[self.institution_of_group]
        return parts.sum(axis=0), parts

    def _pairs(self, day: int, person: Ints, weight: Floats, outdoors: Floats) -> _Pairs:
        """Who is exposed to whom at home, in the room and in the lesson."""
        world, contacts = self.world, self.disease.contacts
        lesson = self.persons["lesson"][person]
        has_lesson = world.lessons_meet[day] & (world.census.groups["weekday"][lesson] == world.weekday[day])
        settings = (
            (Setting.HOUSEHOLD, world.homes, weight, False),
            (Setting.ROOM, world.rooms, outdoors * world.is_school_day[day], True),
            (Setting.LESSON, world.lessons, outdoors * has_lesson, True),
        )
        exposed, case, hazard, setting = [], [], [], []
        for name, lists, given, is_shared in settings:
            gives = np.flatnonzero(given > 0)
            who, other, size = lists.mates(person[gives])
            exposed.append(other)
            case.append(gives[who])
            hazard.append(contacts[name.name.lower()] * given[gives[who]] / (size if is_shared else 1))
            setting.append(np.full(len(other), name, dtype=np.int64))
        return _Pairs(*(np.concatenate(each) for each in (exposed, case, hazard, setting)))

    def _eaters(self, institution: int, grade: int) -> Ints:
        row = self.world.census.institutions[institution]
        members = np.arange(row["first_person"], row["first_person"] + row["persons"])
        grades = self.world.grade_of_group[self.group[members]]
        return members[grades >= 0] if grade < 0 else members[grades == grade]

    def _attribute(
        self, u: Floats, shares: Floats, hit: Ints, person: Ints, at_school: Floats, pairs: _Pairs
    ) -> tuple[Ints, Ints]:
        """Setting and infecting case (row, -1 for none) of each infection, each as likely as its hazard."""
        upper = np.cumsum(shares, axis=0)
        x = u * upper[-1]
        part = np.minimum((x >= upper).sum(axis=0), len(shares) - 1)
        own = shares[part, np.arange(len(hit))]
        inside = np.clip((x - (upper[part, np.arange(len(hit))] - own)) / np.where(own > 0, own, 1), 0, 1)
        infector = np.full(len(hit), -1, dtype=np.int64)
        setting = np.full(len(hit), Setting.COMMUNITY, dtype=np.int64)
        setting[part == _SOURCE] = Setting.SOURCE
        group = self.group[person]
        keys = {
            _CLASS: (group, self.group[hit], Setting.CLASS),
            _GRADE: (
                self.world.grade_of_group[group],
                self.world.grade_of_group[self.group[hit]],
                Setting.GRADE,
            ),
            _SCHOOL: (self.institution[person], self.institution[hit], Setting.SCHOOL),
        }
        for code, (of_case, of_hit, name) in keys.items():
            here = part == code
            if here.any():
                infector[here] = self.live_row[_pick(of_case, at_school, of_hit[here], inside[here])]
                setting[here] = name
        here = part == _NEAR
        if here.any():
            chosen = _pick(pairs.exposed, pairs.hazard, hit[here], inside[here])
            infector[here] = self.live_row[pairs.case[chosen]]
            setting[here] = pairs.setting[chosen]
        return infector, setting

    def _infect(self, day: int, person: Ints, infector: Ints, setting: Ints, source: Ints) -> None:
        rows = self.course[person]
        rows["infected"] = day
        rows["onset"] += day
        rows["missed_from"] += rows["onset"]
        rows["ill_until"] = np.maximum(
            rows["onset"] + np.maximum(rows["ill_until"], 1) - 1, rows["missed_from"]
        )
        rows["infector"], rows["setting"] = infector, setting
        number = self.number_made + np.arange(len(person))
        rows["outbreak"] = number
        has = infector >= 0
        rows["outbreak"][has] = self.live["outbreak"][np.searchsorted(self.live_row, infector[has])]
        for institution in np.unique(source[setting == Setting.SOURCE]):
            together = (setting == Setting.SOURCE) & (source == institution)
            rows["outbreak"][together] = number[together][0]
        self.made.append(rows)
        self.number_made += len(rows)
        self.live = np.concatenate([self.live, rows])
        self.live_row = np.concatenate([self.live_row, number])
        self.open[person] = False


class _Pairs:
    """Exposed persons with the case (position among the live) they are exposed to."""

    __slots__ = ("case", "exposed", "hazard", "setting")

    def __init__(self, exposed: Ints, case: Ints, hazard: Floats, setting: Ints) -> None:
        self.exposed, self.case, self.hazard, self.setting = exposed, case, hazard, setting


def _pick(keys: Ints, weights: Floats, wanted: Ints, u: Floats) -> Ints:
    """For each wanted key a position among ``keys``, in proportion to the weights of that key."""
    gives = np.flatnonzero(weights > 0)
    order = gives[np.argsort(keys[gives], kind="stable")]
    ordered = keys[order]
    total = np.concatenate([[0.0], np.cumsum(weights[order])])
    first = np.searchsorted(ordered, wanted, side="left")
    last = np.searchsorted(ordered, wanted, side="right")
    x = total[first] + u * (total[last] - total[first])
    found = np.searchsorted(total, x, side="right") - 1
    return np.asarray(order[np.clip(found, first, last - 1)])
