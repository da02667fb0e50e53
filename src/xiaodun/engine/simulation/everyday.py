"""Illness that comes and goes without an outbreak, leave for other reasons, and how checks are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import pi

import numpy as np
import numpy.typing as npt

from xiaodun.engine.simulation.cases import CASE, TELLING_DRAWS, Setting, telling
from xiaodun.engine.simulation.parameters import Background, background
from xiaodun.engine.simulation.streams import Subject, draw_index, gamma, stream
from xiaodun.engine.simulation.world import KINDS, Flags, Ints, World

__all__ = ["Everyday", "everyday"]

Rows = npt.NDArray[np.void]
Floats = npt.NDArray[np.float64]

_YEAR = 365.25
_COURSE_DRAWS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Everyday:
    """What happens on every day of a term.

    cases: background illness as rows of :data:`CASE`, by institution, day and person.
    leave, late: persons with their days, as pairs of arrays (person, day).
    submitted, sent_late: of each home group and day, whether its check was made, and made after the deadline.
    """

    cases: Rows
    leave: tuple[Ints, Ints]
    late: tuple[Ints, Ints]
    submitted: Flags
    sent_late: Flags


def everyday(world: World, home_groups: Ints, *, seed: int) -> Everyday:
    """Background illness, leave and checks of the classes and departments ``home_groups``.

    The rates of a class on a day are the product of its kind, weekday, season, and gamma draws of the school,
    the class and the class's week: absence clusters a little even where nothing spreads.
    """
    numbers = background()
    census = world.census
    season = _winter(world, numbers) * numbers.by_weekday[world.weekday]
    leave_by_day = numbers.leave["hazard"] * np.asarray(numbers.leave["by_weekday"])[world.weekday]
    leave_by_day = leave_by_day * np.where(world.is_next_to_holiday, numbers.leave["next_to_holiday"], 1.0)
    elsewhere = leave_by_day + numbers.leave["comes_late"]
    by_kind = np.array([numbers.hazard[kind] for kind in KINDS])
    cases: list[Rows] = []
    leave: list[tuple[Ints, Ints]] = []
    late: list[tuple[Ints, Ints]] = []
    submitted = np.zeros((len(home_groups), world.n_days), dtype=bool)
    sent_late = submitted.copy()
    meets = world.meets(home_groups)
    institution_of = census.groups["institution"][home_groups]
    for institution, row in enumerate(census.institutions):
        place = int(row["district"]), int(row["kind"]), int(row["number"])
        first, number = int(row["first_person"]), int(row["persons"])
        rows = np.flatnonzero(institution_of == institution)
        class_of = np.searchsorted(home_groups, census.persons["group"][first : first + number]) - rows[0]
        spread = _spread(seed, place, len(rows), world.n_days, numbers)
        kinds = world.kind_of[first : first + number]
        ill = (spread * season).T
        u = stream(seed, Subject.BACKGROUND, *place).random((world.n_days, number))
        # Few are ill or away: the exact rate of each is looked up for those who may be.
        day, person = np.nonzero(
            u < ill.max(axis=1, keepdims=True) * by_kind[kinds].max() + elsewhere[:, None]
        )
        u, rate = u[day, person], ill[day, class_of[person]] * by_kind[kinds[person]]
        falls_ill = u < rate
        cases.append(_illnesses(seed, place, first, (day[falls_ill], person[falls_ill]), numbers))
        u -= rate
        for kept, low, high in ((leave, 0, leave_by_day), (late, leave_by_day, elsewhere)):
            is_so = (
                (u >= np.broadcast_to(low, world.n_days)[day]) & (u < high[day]) & world.is_school_day[day]
            )
            kept.append((first + person[is_so], day[is_so]))
        checks = stream(seed, Subject.SUBMISSION, *place)
        forgets = gamma(checks, int(numbers.submission["missing_class_spread"]), (len(rows), 1))
        u = checks.random((2, len(rows), world.n_days))
        submitted[rows] = meets[rows] & (u[0] >= numbers.submission["missing"] * forgets)
        sent_late[rows] = submitted[rows] & (u[1] < numbers.submission["late"] * forgets)
    return Everyday(np.concatenate(cases), _joined(leave), _joined(late), submitted, sent_late)


def _joined(pairs: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    return np.concatenate([person for person, _ in pairs]), np.concatenate([day for _, day in pairs])


def _winter(world: World, numbers: Background) -> Floats:
    year = world.census.school_year
    month, day = numbers.winter_peak
    peak = (date(year + 1, month, day) - world.days[0]).days
    wave = np.cos(2 * pi * (np.arange(world.n_days) - peak) / _YEAR)
    return np.asarray(1 + numbers.winter_amplitude * wave)


def _spread(seed: int, place: tuple[int, ...], classes: int, days: int, numbers: Background) -> Floats:
    draws = stream(seed, Subject.FRAILTY, *place)
    school = gamma(draws, int(numbers.school_shape), (1, 1))
    by_class = gamma(draws, int(numbers.class_shape), (classes, 1))
    by_week = gamma(draws, int(numbers.class_week_shape), (classes, days // 7 + 1))
    return school * by_class * np.repeat(by_week, 7, axis=1)[:, :days]


def _illnesses(
    seed: int, place: tuple[int, ...], first: int, falls_ill: tuple[Ints, Ints], numbers: Background
) -> Rows:
    day, person = falls_ill
    rows = np.zeros(len(day), dtype=CASE)
    draws = stream(seed, Subject.BACKGROUND_COURSE, *place)
    u = draws.random((_COURSE_DRAWS + TELLING_DRAWS, len(day)))
    telling(rows, u[_COURSE_DRAWS:], numbers.reporting)
    rows["person"], rows["infected"], rows["onset"] = first + person, day, day
    rows["symptomatic"] = True
    rows["missed_from"] += rows["onset"]
    rows["ill_until"] = np.maximum(day + draw_index(u[0], numbers.illness_days), rows["missed_from"])
    rows["picture"] = draw_index(u[1], [picture.weight for picture in numbers.pictures])
    # An illness of which no symptom is known is one of a child that is not there.
    unknown = np.array([not picture.symptoms for picture in numbers.pictures])
    rows["stays_home"] = (u[2] < numbers.stays_home) | unknown[rows["picture"]]
    rows["infector"] = rows["outbreak"] = rows["reported"] = -1
    rows["setting"] = Setting.COMMUNITY
    return rows
