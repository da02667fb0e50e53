"""What a list would change, decided before anything is written: new, moved, changed, unchanged, missing.

A plan is made twice, for the preview and again inside the transaction that applies it; the two must agree.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from django.db.models import Q

from xiaodun.organisations.choices import GroupKind, InstitutionKind, UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import paths_upwards, within
from xiaodun.people import numbers
from xiaodun.people.faults import parts
from xiaodun.people.imports.classes import UnitIndex, institutions_by_word, word_of
from xiaodun.people.imports.problems import Problem
from xiaodun.people.imports.pupils import PupilRow, nameless
from xiaodun.people.models import Enrolment, Guardian, Identity, Person
from xiaodun.people.selectors import guardians_of, identities_of
from xiaodun.people.services.guardians import GuardianValues
from xiaodun.people.services.identities import IdentityValues
from xiaodun.people.services.persons import PersonChange


class Outcome(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    MOVED = "moved"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


# An answer to "the same pupil, or a namesake?"
NAMESAKE = "new"


@dataclass(frozen=True, slots=True)
class Question:
    """A row that may mean a pupil on record: the clerk says whether it does."""

    key: str
    name: str
    group: str
    person: int
    person_group: str


@dataclass(slots=True)
class PlannedPupil:
    """One row with whom and what it means."""

    row: PupilRow
    outcome: Outcome
    group: Unit
    institution: Unit
    person: Person | None = None
    from_group: Unit | None = None
    from_other_school: bool = False
    enrols: bool = False
    renumbers: Enrolment | None = None
    change: PersonChange | None = None
    identity: IdentityValues | None = None
    guardians: list[GuardianValues] | None = None


@dataclass(slots=True)
class Plan:
    """All rows of a list; with ``problems`` or unanswered ``questions`` it cannot be applied."""

    planned: list[PlannedPupil] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    missing: list[tuple[int, int]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(each.outcome.value for each in self.planned)
        return {outcome.value: found[outcome.value] for outcome in Outcome} | {"missing": len(self.missing)}

    @property
    def digest(self) -> str:
        """Two plans with the same digest do the same to the same persons."""
        content = "\n".join(
            f"{each.row.key}:{each.outcome}:{each.group.pk}:{each.person.pk if each.person else ''}"
            for each in self.planned
        )
        return hashlib.sha256(content.encode()).hexdigest()


class _Known:
    """Everything on record that the rows may mean, read in a handful of queries."""

    def __init__(self, unit: Unit, rows: Sequence[PupilRow], on: date) -> None:
        units = list(Unit.objects.filter(within("path", unit.path)))
        institutions = [each for each in units if each.kind == UnitKind.INSTITUTION]
        self.unit = unit
        self.index = UnitIndex(
            each
            for each in units
            if each.group_kind not in {GroupKind.DORMITORY, GroupKind.DEPARTMENT}
            and (each.last_day is None or each.last_day >= on)
        )
        self.institutions = institutions_by_word(institutions)
        self.only = institutions[0] if len(institutions) == 1 else None
        self.by_student: dict[str, int] = {}
        self.by_document: dict[str, int] = {}
        for each in parts([numbers.student_index(row.student_number) for row in rows if row.student_number]):
            found = Identity.objects.filter(student_index__in=each).values_list("student_index", "person_id")
            self.by_student.update((index, pk) for index, pk in found if index)
        documents = [
            numbers.document_index(row.document_kind, row.document_number)
            for row in rows
            if row.document_number
        ]
        for each in parts(documents):
            found = Identity.objects.filter(document_index__in=each).values_list(
                "document_index", "person_id"
            )
            self.by_document.update((index, pk) for index, pk in found if index)
        current = Enrolment.objects.filter(
            _from(on), within("group__path", unit.path), group__group_kind__in=_CLASSES
        ).select_related("person", "group")
        self.persons: dict[int, Person] = {}
        self.current: dict[int, list[Enrolment]] = {}
        for row in current:
            if row.person.kind == Person.Kind.PUPIL:
                self._take(row)
        self.own = frozenset(self.persons)
        self._others(on)
        self.by_number = {person.number: pk for pk, person in self.persons.items()}
        self.identities = identities_of(self.persons)
        self.guardians = guardians_of(self.persons)
        paths = {each.path for each in institutions}
        self.by_name: dict[tuple[str, str], list[int]] = {}
        for pk in self.own:
            for enrolment in self.current[pk]:
                path = next(each for each in paths_upwards(enrolment.group.path) if each in paths)
                names = self.by_name.setdefault((path, self.persons[pk].name), [])
                if pk not in names:
                    names.append(pk)

    def _take(self, enrolment: Enrolment) -> None:
        self.persons[enrolment.person_id] = enrolment.person
        self.current.setdefault(enrolment.person_id, []).append(enrolment)

    def _others(self, on: date) -> None:
        """Persons whom a number names and who are in no class of this unit today."""
        wanted = {*self.by_student.values(), *self.by_document.values()} - set(self.persons)
        for part in parts(sorted(wanted)):
            self.persons.update((each.pk, each) for each in Person.objects.filter(pk__in=part))
            rows = Enrolment.objects.filter(
                _from(on), person__in=part, group__group_kind__in=_CLASSES
            ).select_related("person", "group")
            for row in rows:
                self.current.setdefault(row.person_id, []).append(row)


_CLASSES = (GroupKind.CLASS, GroupKind.LESSON)


def _from(day: date) -> Q:
    """Enrolments that hold on the day or begin later."""
    return Q(valid_to__isnull=True) | Q(valid_to__gte=day)


def plan_pupils(
    rows: Sequence[PupilRow],
    problems: Sequence[Problem],
    *,
    unit: Unit,
    may_see_all: bool,
    answers: Mapping[str, str],
    on: date,
) -> Plan:
    """What the rows would change below ``unit`` from the day ``on``.

    may_see_all: whoever hands the list in answers for the whole district; else nothing is said about other
    schools but that a pupil with a given national student number comes from one of them.
    """
    plan = Plan(problems=list(problems))
    known = _Known(unit, rows, on)
    faulty = {(problem.sheet, problem.row) for problem in problems}
    seen: dict[object, PupilRow] = {}
    groups: dict[tuple[str, str, str], tuple[Unit, Unit] | Problem] = {}
    claimed: set[int] = set()
    placed: list[tuple[PupilRow, Unit, Unit]] = []
    for row in rows:
        place = _place(row, known, groups)
        twice = _twice(row, seen)
        if twice is not None:
            plan.problems.append(twice)
        if isinstance(place, Problem):
            plan.problems.append(place)
        elif twice is None and (row.sheet, row.row) not in faulty:
            placed.append((row, *place))
    by_number: list[int | None] = []
    for row, institution, _group in placed:
        person = _by_numbers(row, institution, known, plan, may_see_all=may_see_all)
        if person in claimed:
            plan.problems.append(Problem("two-rows", row.sheet, row.row, row.columns.get("name")))
            person = _REFUSED
        elif person is not None and person != _REFUSED:
            claimed.add(person)
        by_number.append(person)
    for (row, institution, group), person in zip(placed, by_number, strict=True):
        if person == _REFUSED:
            continue
        if person is None:
            person = _by_name(row, institution, group, known, claimed, answers, plan)
            if person == _REFUSED:
                continue
            if person is not None:
                claimed.add(person)
        plan.planned.append(_planned(row, institution, group, person, known))
    named = {each.group.pk for each in plan.planned}
    plan.missing = sorted(
        (enrolment.group_id, pk)
        for pk in known.own - claimed
        for enrolment in known.current[pk]
        if enrolment.group_id in named
    )
    plan.problems.sort(key=lambda each: (each.sheet, each.row, each.column or 0))
    return plan


# No person has this number: a row with a problem of its own.
_REFUSED = -1


def _place(
    row: PupilRow, known: _Known, groups: dict[tuple[str, str, str], tuple[Unit, Unit] | Problem]
) -> tuple[Unit, Unit] | Problem:
    """The institution and the class of the row."""
    words = (row.institution, row.grade, row.group)
    found = groups.get(words)
    if found is None:
        found = groups[words] = _find_place(row, known)
    if isinstance(found, Problem):
        # The same words in another row: its own place.
        return Problem(found.code, row.sheet, row.row, found.column, found.facts)
    return found


def _find_place(row: PupilRow, known: _Known) -> tuple[Unit, Unit] | Problem:
    def problem(code: str, name: str, **facts: object) -> Problem:
        return Problem(code, row.sheet, row.row, row.columns.get(name), facts)

    column = "institution_code" if "institution_code" in row.columns else "institution"
    institution = known.only
    if row.institution:
        institution = known.institutions.get(word_of(row.institution))
        if institution is None:
            return problem("institution-unknown", column, value=row.institution[:40])
    if institution is None:
        return problem("institution-missing", column)
    if not row.group:
        return problem("class-missing", "class")
    groups = known.index.find(institution, row.group, grade=row.grade)
    if len(groups) > 1:
        return problem("class-ambiguous", "class", value=f"{row.grade}{row.group}"[:40])
    if not groups:
        value = f"{row.grade}{row.group}"[:40]
        return problem("class-unknown", "class", value=value, known=known.index.some_names(institution))
    return institution, groups[0]


def _twice(row: PupilRow, seen: dict[object, PupilRow]) -> Problem | None:
    keys: list[tuple[str, object]] = [
        ("student_number", row.student_number),
        ("document_number", (row.document_kind, row.document_number) if row.document_number else ""),
        ("school_number", (row.institution, row.school_number) if row.school_number else ""),
    ]
    for name, key in keys:
        if not key:
            continue
        first = seen.setdefault((name, key), row)
        if first is not row:
            other = f"{first.sheet}!{first.row}" if first.sheet and first.sheet != row.sheet else first.row
            return Problem("same-person-twice", row.sheet, row.row, row.columns.get(name), {"other": other})
    return None


def _by_numbers(
    row: PupilRow, institution: Unit, known: _Known, plan: Plan, *, may_see_all: bool
) -> int | None:
    def refuse(code: str, name: str) -> int:
        plan.problems.append(Problem(code, row.sheet, row.row, row.columns.get(name)))
        return _REFUSED

    student = document = number = None
    if row.student_number:
        student = known.by_student.get(numbers.student_index(row.student_number))
    if row.document_number:
        document = known.by_document.get(numbers.document_index(row.document_kind, row.document_number))
    if row.school_number:
        number = known.by_number.get(number_of(institution, row.school_number))
    person = student if student is not None else document
    if student is not None and document not in {None, student}:
        return refuse("two-persons", "document_number")
    if person is None:
        return number
    if number not in {None, person}:
        return refuse("two-persons", "school_number")
    if known.persons[person].kind != Person.Kind.PUPIL:
        return refuse("not-a-pupil", "document_number")
    if student is None and not may_see_all and person not in known.own and known.current.get(person):
        return refuse("known-elsewhere", "document_number")
    return person


def _by_name(
    row: PupilRow,
    institution: Unit,
    group: Unit,
    known: _Known,
    claimed: set[int],
    answers: Mapping[str, str],
    plan: Plan,
) -> int | None:
    """Whom the row means when no number says it: name, birth and class, or the clerk's answer."""
    here: list[int] = []
    elsewhere: list[tuple[int, Enrolment]] = []
    for pk in known.by_name.get((institution.path, row.name), []):
        if pk in claimed or not _may_be(row, known.persons[pk], known.identities.get(pk)):
            continue
        enrolments = known.current[pk]
        if any(enrolment.group_id == group.pk for enrolment in enrolments):
            here.append(pk)
        else:
            elsewhere.append((pk, enrolments[0]))
    if len(here) > 1 and row.seat is not None:
        seated = [
            pk
            for pk in here
            if any(each.group_id == group.pk and each.number == row.seat for each in known.current[pk])
        ]
        here = seated if len(seated) == 1 else here
    if len(here) == 1:
        return here[0]
    if len(here) > 1:
        plan.problems.append(Problem("namesakes", row.sheet, row.row, row.columns.get("name")))
        return _REFUSED
    if not elsewhere:
        return None
    answer = answers.get(row.key)
    if answer == NAMESAKE:
        return None
    chosen = next((pk for pk, _enrolment in elsewhere if str(pk) == answer), None)
    if chosen is None:
        pk, enrolment = elsewhere[0]
        plan.questions.append(Question(row.key, row.name, group.name, pk, enrolment.group.name))
        return _REFUSED
    return chosen


def _may_be(row: PupilRow, person: Person, identity: Identity | None) -> bool:
    """Whether nothing on record speaks against it."""
    if row.birth_date and identity and identity.birth_date and identity.birth_date != row.birth_date:
        return False
    if row.birth_year and person.birth_year and row.birth_year != person.birth_year:
        return False
    if row.sex and person.sex and row.sex != person.sex:
        return False
    if identity is None:
        return True
    # Numbers on record that the row contradicts: another pupil of this name.
    return not (
        (row.student_number and identity.student_number) or (row.document_number and identity.document_number)
    )


def _planned(
    row: PupilRow, institution: Unit, group: Unit, person_id: int | None, known: _Known
) -> PlannedPupil:
    identity_values = IdentityValues(
        document_kind=row.document_kind or None,
        document_number=row.document_number or None,
        student_number=row.student_number or None,
        birth_date=row.birth_date,
        address=row.address or None,
    )
    has_identity = identity_values != IdentityValues()
    if person_id is None:
        return PlannedPupil(
            row,
            Outcome.NEW,
            group,
            institution,
            enrols=True,
            identity=identity_values if has_identity else None,
            guardians=row.guardians or None,
        )
    person = known.persons[person_id]
    planned = PlannedPupil(row, Outcome.UNCHANGED, group, institution, person)
    _plan_place(planned, known)
    change = PersonChange(
        name=row.name if row.name != person.name else None,
        sex=row.sex if row.sex not in {"", person.sex} else None,
        birth_year=row.birth_year if row.birth_year not in {None, person.birth_year} else None,
    )
    if change != PersonChange():
        planned.change = change
    if has_identity and _differs(identity_values, known.identities.get(person_id)):
        planned.identity = identity_values
    planned.guardians = _merged(row.guardians, known.guardians.get(person_id, []), row.name)
    if planned.outcome is Outcome.UNCHANGED and (
        planned.change or planned.identity or planned.guardians or planned.renumbers
    ):
        planned.outcome = Outcome.CHANGED
    return planned


def _plan_place(planned: PlannedPupil, known: _Known) -> None:
    assert planned.person is not None
    current = known.current.get(planned.person.pk, [])
    own = next((each for each in current if each.group_id == planned.group.pk), None)
    if own is not None:
        if planned.row.seat not in {None, own.number}:
            planned.renumbers = own
        return
    # A training body is visited beside the school, a new school instead of the old one.
    left = [each for each in current if each.group.group_kind == GroupKind.CLASS]
    if planned.institution.institution_kind == InstitutionKind.TRAINING or not left:
        planned.outcome, planned.enrols = Outcome.NEW if not current else Outcome.CHANGED, True
        return
    planned.outcome, planned.from_group = Outcome.MOVED, left[0].group
    planned.from_other_school = not left[0].group.path.startswith(planned.institution.path)


def _differs(values: IdentityValues, identity: Identity | None) -> bool:
    if identity is None:
        return True
    return any(
        wanted is not None and wanted != stored
        for wanted, stored in (
            (values.document_kind, identity.document_kind),
            (values.document_number, identity.document_number),
            (values.student_number, identity.student_number),
            (values.birth_date, identity.birth_date),
            (values.address, identity.address),
        )
    )


def _merged(
    listed: Sequence[GuardianValues], stored: Sequence[Guardian], pupil: str
) -> list[GuardianValues] | None:
    """The guardians to keep, or none if nothing changes; those on record beyond the listed ones stay."""
    kept = [GuardianValues(each.name, each.relation, each.phone or "") for each in stored]
    wanted = []
    for position, given in enumerate(listed):
        old = kept[position] if position < len(kept) else None
        name = given.name if old is None or given.name != nameless(pupil) else old.name
        relation = given.relation or (old.relation if old else "")
        phone = given.phone or (old.phone if old and old.name == name else "")
        wanted.append(GuardianValues(name, relation, phone))
    wanted += kept[len(wanted) :]
    return wanted if wanted != kept else None


def number_of(institution: Unit, school_number: str) -> str:
    """The number of a person in the system: two schools may count alike."""
    return f"{institution.code}-{school_number}"
