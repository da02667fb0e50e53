"""The throw-away district of a replay: units, members and staff, made by the same services as a real one."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

from django.utils import translation

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import User
from xiaodun.accounts.services import assign_role, create_user
from xiaodun.config import replay_rules
from xiaodun.config.replay_files import ClassKey, Member
from xiaodun.duties.services import load_playbook
from xiaodun.engine.simulation.dice import Dice
from xiaodun.engine.simulation.names import draw_name
from xiaodun.ladders.services import load_ladders
from xiaodun.organisations.choices import GroupKind, InstitutionKind, UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.services import (
    create_district,
    create_unit,
    open_term,
    override_day,
)
from xiaodun.people.models import Person
from xiaodun.people.services import EnrolmentRow, PersonRow, enrol_many, register_persons
from xiaodun.screening.choices import Symptom
from xiaodun.surveillance.models import Rule
from xiaodun.surveillance.services import activate_rule, load_rules

# What stands for a level that the file leaves empty; a file that names its schools never meets them.
DISTRICT, SCHOOL, GRADE = "District", "School", "All grades"
# Stream of the invented names: they stand in the throw-away database only.
_NAMES = 1


@dataclass(slots=True)
class World:
    """What a replay runs on. Keys lead from the rows of the database back to the words of the file."""

    officer: User
    classes: dict[ClassKey, Unit] = field(default_factory=dict)
    teachers: dict[ClassKey, User] = field(default_factory=dict)
    persons: dict[str, Person] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    enrolled: int = 0

    @property
    def keys(self) -> dict[int, ClassKey]:
        """The class of each unit id."""
        return {unit.pk: key for key, unit in self.classes.items()}

    @property
    def person_ids(self) -> dict[int, str]:
        """The file's id of each person of the file, by the database's."""
        return {person.pk: person_id for person_id, person in self.persons.items()}


def symptom_vocabulary() -> dict[str, str]:
    """Code and English name of every symptom, each to the code."""
    with translation.override("en"):
        return {word: symptom.value for symptom in Symptom for word in (symptom.value, str(symptom.label))}


def build_world(
    *,
    members: Sequence[Member],
    sizes: Mapping[ClassKey, int],
    rules: str,
    first_day: date,
    last_day: date,
    named_days: Mapping[date, bool],
    seed: int,
    at: datetime,
) -> World:
    """District, schools, classes, staff, members, calendar and rules, as of the moment ``at``.

    Classes come in the order in which the files name them; ``sizes`` fills each up with healthy members and
    may name further classes.
    """
    dice = Dice(seed, _NAMES)
    district = create_district(by=None, code="replay", name=DISTRICT, at=at)
    officer = _staff(dice, "officer", Role.DISTRICT_OFFICER, district, first_day, at)
    world = World(officer, names={district.pk: DISTRICT})
    keys = list(dict.fromkeys([*(member.place for member in members), *sizes]))
    _make_units(world, keys, district=district, dice=dice, first_day=first_day, at=at)
    _enrol_members(world, members, sizes, district=district, dice=dice, first_day=first_day, at=at)
    open_term(by=None, unit=district, name="Replay", start=first_day, end=last_day, at=at)
    for day, is_open in named_days.items():
        override_day(by=officer, unit=district, day=day, is_open=is_open, reason="Replay", at=at)
    _load_rules(rules, officer=officer, first_day=first_day, last_day=last_day, at=at)
    return world


def _staff(dice: Dice, username: str, role: Role, unit: Unit, since: date, at: datetime) -> User:
    user = create_user(by=None, username=username, name=draw_name(dice, _sex(dice)), at=at)
    assign_role(by=None, user=user, role=role, unit=unit, valid_from=since, at=at)
    return user


def _sex(dice: Dice) -> Literal["M", "F"]:
    return "M" if dice.happens(0.5) else "F"


def _make_units(
    world: World, keys: Sequence[ClassKey], *, district: Unit, dice: Dice, first_day: date, at: datetime
) -> None:
    schools: dict[str, Unit] = {}
    grades: dict[tuple[str, str], Unit] = {}
    for number, key in enumerate(keys, start=1):
        if key.school not in schools:
            code = f"s{len(schools) + 1}"
            school = create_unit(
                by=None,
                parent=district,
                kind=UnitKind.INSTITUTION,
                institution_kind=InstitutionKind.PRIMARY,
                code=code,
                name=key.school or SCHOOL,
                first_day=first_day,
                at=at,
            )
            for role in (Role.SCHOOL_DOCTOR, Role.PRINCIPAL):
                _staff(dice, f"{code}-{role}", role, school, first_day, at)
            schools[key.school] = school
            world.names[school.pk] = school.name
        school = schools[key.school]
        if (key.school, key.grade) not in grades:
            code = f"{school.code}-g{len(grades) + 1}"
            grade = create_unit(
                by=None, parent=school, kind=UnitKind.GRADE, code=code, name=key.grade or GRADE, at=at
            )
            _staff(dice, code, Role.GRADE_LEAD, grade, first_day, at)
            grades[key.school, key.grade] = grade
            world.names[grade.pk] = grade.name
        unit = create_unit(
            by=None,
            parent=grades[key.school, key.grade],
            kind=UnitKind.GROUP,
            group_kind=GroupKind.CLASS,
            code=f"{school.code}-c{number}",
            name=key.name,
            at=at,
        )
        world.classes[key] = unit
        world.names[unit.pk] = key.name
        world.teachers[key] = _staff(dice, unit.code, Role.CLASS_TEACHER, unit, first_day, at)


def _enrol_members(
    world: World,
    members: Sequence[Member],
    sizes: Mapping[ClassKey, int],
    *,
    district: Unit,
    dice: Dice,
    first_day: date,
    at: datetime,
) -> None:
    by_class: dict[ClassKey, list[str | None]] = {key: [] for key in world.classes}
    for member in members:
        by_class[member.place].append(member.person_id)
    for key, size in sizes.items():
        by_class[key] += [None] * (size - len(by_class[key]))
    places = [
        (key, number, person_id)
        for key, person_ids in by_class.items()
        for number, person_id in enumerate(person_ids, start=1)
    ]
    rows = []
    for count in range(1, len(places) + 1):
        sex = _sex(dice)
        rows.append(PersonRow(Person.Kind.PUPIL, f"R{count:07d}", draw_name(dice, sex), sex))
    persons = register_persons(by=None, unit=district, rows=rows, at=at)
    enrol_many(
        by=None,
        unit=district,
        rows=[
            EnrolmentRow(person, world.classes[key], first_day, number)
            for person, (key, number, _person_id) in zip(persons, places, strict=True)
        ],
        at=at,
    )
    world.enrolled = len(persons)
    for person, (_key, _number, person_id) in zip(persons, places, strict=True):
        if person_id is not None:
            world.persons[person_id] = person


def _load_rules(name: str, *, officer: User, first_day: date, last_day: date, at: datetime) -> None:
    """Ladders, playbook and the one rule set, every rule of it active."""
    # Climbs go on after the last school day.
    end = last_day + timedelta(days=31)
    with tempfile.TemporaryDirectory(prefix="xiaodun-replay-") as folder:
        ladders, playbook, rule_set = (
            replay_rules.stretched(file, first=first_day, last=end, folder=Path(folder))
            for file in (replay_rules.LADDERS, replay_rules.PLAYBOOK, replay_rules.rule_set(name))
        )
        load_ladders(ladders, at=at)
        load_playbook(playbook, at=at)
        load_rules(rule_set, at=at)
    for rule in Rule.objects.filter(is_active=False):
        activate_rule(by=officer, rule=rule, reason="Replay", at=at)
