"""A school with classes of pupils and somebody in every role; the taps of a morning, through the services."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from xiaodun.accounts import services as accounts
from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import User
from xiaodun.duties import services as duties
from xiaodun.kit import clock, outbox
from xiaodun.ladders import services as ladders
from xiaodun.organisations import services as organisations
from xiaodun.organisations.models import Unit
from xiaodun.people import services as people
from xiaodun.people.models import Person
from xiaodun.screening import services
from xiaodun.screening.choices import CheckKind, FindingStatus
from xiaodun.screening.models import CheckSession
from xiaodun.screening.policies import FindingInput

MADE_AT = datetime(2020, 9, 1, 0, 0, tzinfo=UTC)
MONDAY = date(2020, 12, 14)
NAMESPACE = UUID("6f0f4f9e-5f0e-4c39-9c0e-2f8f6f0b1a11")


def day(offset: int) -> date:
    """A day counted from Monday 14 December 2020: 0 is that Monday, -1 the Sunday before."""
    return MONDAY + timedelta(days=offset)


def moment(offset: int, hour: int = 7, minute: int = 42) -> datetime:
    """The moment at which clocks in China show that hour on that day."""
    return clock.local_moment(day(offset), time(hour, minute))


@dataclass
class School:
    """One school of a district: classes by name, a dormitory room, pupils by class, users by role."""

    district: Unit
    institution: Unit
    grade: Unit
    classes: list[Unit]
    dormitory: Unit
    pupils: dict[int, list[Person]]
    users: dict[Role, User]
    taps: int = field(default=0)

    def submit(
        self,
        group: Unit,
        offset: int,
        findings: dict[Person, Any] | None = None,
        *,
        by: User | None = None,
        at: datetime | None = None,
        drain: bool = True,
    ) -> dict[str, Any]:
        """Submit a morning check. ``findings``: person -> symptoms (absent ill), or a FindingInput."""
        self.taps += 1
        at = at or moment(offset)
        answer = services.submit_check(
            by=by or self.users[Role.CLASS_TEACHER],
            group=group,
            kind=CheckKind.MORNING,
            day=day(offset),
            findings=[as_input(person, said) for person, said in (findings or {}).items()],
            tapped_at=at,
            received_at=at,
            clock_offset_ms=0,
            client_id=uuid5(NAMESPACE, str(self.taps)),
            source="test",
        )
        if drain:
            outbox.drain(now=at)
        return answer

    def correct(
        self, session_id: int, findings: dict[Person, Any], *, at: datetime, base_version: int | None = None
    ) -> dict[str, Any]:
        """Correct a session so that exactly these findings stand."""
        self.taps += 1
        session = CheckSession.objects.get(pk=session_id)
        answer = services.correct_check(
            by=self.users[Role.CLASS_TEACHER],
            session=session,
            base_version=base_version or session.version,
            findings=[as_input(person, said) for person, said in findings.items()],
            reason="",
            at=at,
            client_id=uuid5(NAMESPACE, str(self.taps)),
            source="test",
        )
        outbox.drain(now=at)
        return answer


def as_input(person: Person, said: Any) -> FindingInput:
    """``["vomiting"]`` means absent, ill with these symptoms; a FindingInput speaks for itself."""
    if isinstance(said, FindingInput):
        return FindingInput(person.pk, said.status, said.symptoms, said.onset)
    return FindingInput(person.pk, FindingStatus.ABSENT_ILL, tuple(said))


def make_school(*, classes: int = 2, size: int = 10) -> School:
    """A primary school with ``size`` pupils a class; the last three of class 1 share a dormitory room."""
    from xiaodun.surveillance import services as surveillance

    organisations.load_state_calendar(by=None, years=[2020, 2021], at=MADE_AT)
    district = organisations.create_district(
        by=None, code="D", name="示范区", name_en="Demo District", at=MADE_AT
    )
    organisations.open_term(
        by=None,
        unit=district,
        name="第一学期",
        name_en="First term",
        start=date(2020, 9, 1),
        end=date(2021, 1, 29),
        at=MADE_AT,
    )
    institution = organisations.create_unit(
        by=None,
        parent=district,
        kind="institution",
        institution_kind="primary",
        code="P",
        name="银杏小学",
        name_en="Ginkgo Primary School",
        first_day=date(2020, 9, 1),
        at=MADE_AT,
    )
    grade = organisations.create_unit(
        by=None, parent=institution, kind="grade", code="P-3", name="三年级", at=MADE_AT
    )
    rooms = [
        organisations.create_unit(
            by=None,
            parent=grade,
            kind="group",
            group_kind="class",
            code=f"P-3-{number}",
            name=f"三({number})班",
            name_en=f"Class 3({number})",
            first_day=date(2020, 9, 1),
            at=MADE_AT,
        )
        for number in range(1, classes + 1)
    ]
    dormitory = organisations.create_unit(
        by=None,
        parent=institution,
        kind="group",
        group_kind="dormitory",
        code="P-D1",
        name="101室",
        first_day=date(2020, 9, 1),
        at=MADE_AT,
    )
    users = {
        role: accounts.create_user(by=None, username=f"T-{role}", name=name, at=MADE_AT)
        for role, name in {
            Role.CLASS_TEACHER: "杜若",
            Role.DORMITORY_SUPERVISOR: "何暖",
            Role.GRADE_LEAD: "樊清",
            Role.SCHOOL_DOCTOR: "林静",
            Role.SCHOOL_REPORTER: "江岚",
            Role.SCHOOL_CLERK: "宋知",
            Role.GUARD: "石坚",
            Role.PRINCIPAL: "孟昭",
            Role.DISTRICT_OFFICER: "周航",
            Role.SYSTEM_ADMINISTRATOR: "许维",
            Role.AUDITOR: "严明",
        }.items()
    }
    seats = {
        Role.CLASS_TEACHER: rooms[0],
        Role.DORMITORY_SUPERVISOR: dormitory,
        Role.GRADE_LEAD: grade,
        Role.SCHOOL_DOCTOR: institution,
        Role.SCHOOL_REPORTER: institution,
        Role.SCHOOL_CLERK: institution,
        Role.GUARD: institution,
        Role.PRINCIPAL: institution,
        Role.DISTRICT_OFFICER: district,
        Role.SYSTEM_ADMINISTRATOR: district,
        Role.AUDITOR: district,
    }
    for role, unit in seats.items():
        accounts.assign_role(
            by=None, user=users[role], role=role, unit=unit, valid_from=date(2020, 9, 1), at=MADE_AT
        )
    pupils: dict[int, list[Person]] = {}
    for room, unit in enumerate(rooms, start=1):
        pupils[unit.pk] = []
        for seat in range(1, size + 1):
            person = people.register_person(
                by=None,
                kind=Person.Kind.PUPIL,
                number=f"P{room:02d}{seat:03d}",
                name=f"测试{room}{seat}",
                at=MADE_AT,
            )
            people.enrol(
                by=None, person=person, group=unit, number=seat, valid_from=date(2020, 9, 1), at=MADE_AT
            )
            pupils[unit.pk].append(person)
    for person in pupils[rooms[0].pk][-3:]:
        people.enrol(by=None, person=person, group=dormitory, valid_from=date(2020, 9, 1), at=MADE_AT)
    ladders.load_ladders(ladders.LADDERS, at=MADE_AT)
    duties.load_playbook(duties.PLAYBOOK, at=MADE_AT)
    surveillance.load_rules(surveillance.NORM_2006, at=MADE_AT)
    outbox.drain(now=MADE_AT)
    return School(district, institution, grade, rooms, dormitory, pupils, users)
