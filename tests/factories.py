"""A small cast for the tests of all apps: one district, two schools, a drill area, and who works there.

    cast = make_cast()                                  # a Wednesday, 07:42, nobody has checked yet
    submit(cast.class_a, ill(cast.pupils[0], "vomiting"), by=cast.teacher, at=cast.at)
    settle(at=cast.at)                                  # deliver what was announced

Everything is made through the services, as a school would. The root `conftest.py` offers it as ``cast``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from uuid import uuid4

from xiaodun.accounts.models import User
from xiaodun.accounts.services import assign_role, create_user
from xiaodun.duties.services import chase_due, load_playbook
from xiaodun.kit import outbox
from xiaodun.kit.clock import local_day, local_moment
from xiaodun.ladders.services import climb_due, load_ladders
from xiaodun.organisations.models import Unit
from xiaodun.organisations.services import (
    create_district,
    create_drill_area,
    create_unit,
    load_state_calendar,
    open_term,
)
from xiaodun.people.models import Person
from xiaodun.people.services import EnrolmentRow, PersonRow, enrol_many, register_persons
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.services import submit_check
from xiaodun.surveillance.services import load_rules

DAY = date(2020, 12, 16)
TERM = (date(2020, 9, 1), date(2021, 1, 22))
# Before the term: people and units are made then, so that the whole term can be played.
BEFORE = local_moment(date(2020, 8, 24), time(9, 0))

_PUPILS = ("王小明", "李晓红", "单志远", "欧阳雨萱", "曾浩", "张欣怡", "刘子涵", "陈启明")


@dataclass(frozen=True, slots=True)
class Cast:
    """Units, staff and pupils by the part that they play. ``at`` is the morning of ``day``.

    ``class_a`` and ``class_b`` are of ``grade``, ``class_c`` and ``class_d`` of the next one of ``school``.
    """

    day: date
    at: datetime
    district: Unit
    school: Unit
    grade: Unit
    class_a: Unit
    class_b: Unit
    class_c: Unit
    class_d: Unit
    room: Unit
    other_school: Unit
    other_class: Unit
    drill: Unit
    drill_class: Unit
    teacher: User
    colleague: User
    grade_lead: User
    doctor: User
    principal: User
    officer: User
    stranger: User
    trainer: User
    supervisor: User
    reporter: User
    clerk: User
    guard: User
    system_administrator: User
    auditor: User
    members: dict[int, list[Person]]

    @property
    def pupils(self) -> list[Person]:
        """The pupils of ``class_a`` in the order of the roster."""
        return self.members[self.class_a.pk]


def make_cast(*, day: date = DAY, of_day: time = time(7, 42), pupils: int = 5) -> Cast:
    """The district with ``pupils`` in each class and, for half of class_a, a bed in the dormitory room."""
    district = create_district(by=None, code="410106", name="示范区", name_en="Model District", at=BEFORE)
    school, grade, class_a = add_school(district, "P1", "育才小学", "Yucai Primary School")
    class_b = add_unit(grade, "group", "P1-3-2", "三(2)班", "Class 3(2)", group_kind="class")
    next_grade = add_unit(school, "grade", "P1-4", "四年级", "Grade 4")
    class_c = add_unit(next_grade, "group", "P1-4-1", "四(1)班", "Class 4(1)", group_kind="class")
    class_d = add_unit(next_grade, "group", "P1-4-2", "四(2)班", "Class 4(2)", group_kind="class")
    room = add_unit(school, "group", "P1-D1", "宿舍101", "Room 101", group_kind="dormitory")
    other_school, _, other_class = add_school(district, "P2", "青禾小学", "Qinghe Primary School")
    drill = create_drill_area(by=None, code="drill", name="演练区", name_en="Drill area", at=BEFORE)
    _, _, drill_class = add_school(drill, "D1", "演练小学", "Drill School")
    for root in (district, drill):
        open_term(
            by=None,
            unit=root,
            name="2020-2021 上学期",
            name_en="Autumn 2020",
            start=TERM[0],
            end=TERM[1],
            at=BEFORE,
        )
    load_state_calendar(by=None, years=(2020, 2021), at=BEFORE)
    load_ladders(files("xiaodun.ladders") / "data" / "ladders.yaml", at=BEFORE)
    load_playbook(files("xiaodun.duties") / "data" / "playbook.yaml", at=BEFORE)
    load_rules(files("xiaodun.surveillance") / "data" / "norm-2006.yaml", at=BEFORE)
    groups = (class_a, class_b, class_c, class_d, other_class, drill_class)
    members = {group.pk: enrol(group, pupils) for group in groups}
    enrol_many(
        by=None,
        unit=school,
        rows=[EnrolmentRow(person, room, TERM[0]) for person in members[class_a.pk][::2]],
        at=BEFORE,
    )
    settle(at=BEFORE)
    return Cast(
        day=day,
        at=local_moment(day, of_day),
        district=district,
        school=school,
        grade=grade,
        class_a=class_a,
        class_b=class_b,
        class_c=class_c,
        class_d=class_d,
        room=room,
        other_school=other_school,
        other_class=other_class,
        drill=drill,
        drill_class=drill_class,
        teacher=staff("teacher", "赵老师", "class_teacher", class_a),
        colleague=staff("colleague", "钱老师", "class_teacher", class_b),
        grade_lead=staff("grade_lead", "孙组长", "grade_lead", grade),
        doctor=staff("doctor", "李校医", "school_doctor", school),
        principal=staff("principal", "周校长", "principal", school),
        officer=staff("officer", "吴科长", "district_officer", district),
        stranger=staff("stranger", "郑老师", "class_teacher", other_class),
        trainer=staff("trainer", "冯老师", "class_teacher", drill_class),
        supervisor=staff("supervisor", "何老师", "dormitory_supervisor", room),
        reporter=staff("reporter", "江老师", "school_reporter", school),
        clerk=staff("clerk", "宋老师", "school_clerk", school),
        guard=staff("guard", "石师傅", "guard", school),
        system_administrator=staff("system_administrator", "许工", "system_administrator", district),
        auditor=staff("auditor", "严审计", "auditor", district),
        members=members,
    )


def add_unit(parent: Unit, kind: str, code: str, name: str, name_en: str, **kinds: str) -> Unit:
    """A unit that has joined with the term."""
    return create_unit(
        by=None,
        parent=parent,
        kind=kind,
        code=code,
        name=name,
        name_en=name_en,
        first_day=TERM[0],
        at=BEFORE,
        **kinds,
    )


def add_school(parent: Unit, code: str, name: str, name_en: str) -> tuple[Unit, Unit, Unit]:
    """A primary school with a third grade of one class: school, grade and class."""
    school = add_unit(parent, "institution", code, name, name_en, institution_kind="primary")
    grade = add_unit(school, "grade", f"{code}-3", "三年级", "Grade 3")
    return school, grade, add_unit(grade, "group", f"{code}-3-1", "三(1)班", "Class 3(1)", group_kind="class")


def staff(username: str, name: str, role: str, unit: Unit, *, until: date | None = None) -> User:
    """A user who holds ``role`` on ``unit`` since the start of the term, without a password."""
    user = create_user(by=None, username=username, name=name, at=BEFORE)
    assign_role(by=None, user=user, role=role, unit=unit, valid_from=TERM[0], valid_to=until, at=BEFORE)
    return user


def enrol(group: Unit, count: int) -> list[Person]:
    """``count`` pupils with numbers from 1 in ``group`` since the start of the term."""
    rows = [
        PersonRow("pupil", f"{group.code}-{number:02d}", _PUPILS[(number - 1) % len(_PUPILS)], "M", 2011)
        for number in range(1, count + 1)
    ]
    persons = register_persons(by=None, unit=group, rows=rows, at=BEFORE)
    enrol_many(
        by=None,
        unit=group,
        rows=[EnrolmentRow(person, group, TERM[0], number) for number, person in enumerate(persons, start=1)],
        at=BEFORE,
    )
    return persons


def ill(person: Person, *symptoms: str, onset: date | None = None) -> FindingInput:
    """Absent, ill, with these symptoms."""
    return FindingInput(person_id=person.pk, status="absent_ill", symptoms=symptoms, onset=onset)


def submit(group: Unit, *findings: FindingInput, by: User, at: datetime) -> dict[str, int]:
    """The morning check of ``group`` on the day of ``at``, tapped and received at that moment."""
    return submit_check(
        by=by,
        group=group,
        kind="morning",
        day=local_day(at),
        findings=findings,
        tapped_at=at,
        received_at=at,
        clock_offset_ms=0,
        client_id=uuid4(),
        source=f"test:{by.pk}",
    )


def settle(*, at: datetime) -> None:
    """Deliver what was announced, as the worker does seconds later; a handler that fails fails the test."""
    outbox.drain(now=at)
    assert not outbox.pending(at).failing, outbox.pending(at).failing


def pass_time(*, until: datetime) -> None:
    """What the minute jobs do: chase what is owed, climb the ladders, deliver what was announced."""
    chase_due(at=until)
    climb_due(at=until)
    settle(at=until)


# How long after the start of the morning every ladder has reached its top.
TOP_OF_LADDERS = timedelta(minutes=125)


def busy_morning(cast: Cast) -> dict[int, int]:
    """Three vomiting pupils in each class but class_d, which nobody has checked; session ids by group.

    At ``cast.at + TOP_OF_LADDERS`` each of these classes has illness files and an open signal that nobody has
    acknowledged, class_d's check is overdue, and everybody has messages.
    """
    sessions = {}
    tappers: Iterable[tuple[Unit, User]] = (
        (cast.class_a, cast.teacher),
        (cast.class_b, cast.colleague),
        (cast.class_c, cast.doctor),
        (cast.other_class, cast.stranger),
        (cast.drill_class, cast.trainer),
    )
    for group, user in tappers:
        findings = [ill(person, "vomiting") for person in cast.members[group.pk][:3]]
        sessions[group.pk] = submit(group, *findings, by=user, at=cast.at)["session"]
    settle(at=cast.at + timedelta(seconds=1))
    for minutes in (40, 80, TOP_OF_LADDERS // timedelta(minutes=1)):
        pass_time(until=cast.at + timedelta(minutes=minutes))
    return sessions
