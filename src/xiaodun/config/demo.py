"""The demonstration: an invented district that has lived twenty school days, made by the real services.

The simulated district is entered as its people would have entered it: every check at its own moment, the
clock running in between, the school doctors answering their signals. On top of it a small scene is set in two
classes of the primary school, so that on the demo day, at 10:20, the first page of each role shows something
overdue, something to decide within two hours, and something closed today.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from uuid import NAMESPACE_OID, uuid5

from django.db import transaction
from huey.contrib.djhuey import HUEY

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import User
from xiaodun.accounts.services import assign_role, create_user
from xiaodun.config import prepare
from xiaodun.duties.services import chase_due
from xiaodun.engine.simulation import Check, District, Finding, small_district
from xiaodun.engine.simulation.dice import Dice
from xiaodun.engine.simulation.names import draw_name
from xiaodun.kit import audit, outbox
from xiaodun.kit.clock import local_moment
from xiaodun.kit.models import Installation
from xiaodun.ladders.services import climb_due
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import school_calendar
from xiaodun.organisations.services import create_district, create_unit, open_term
from xiaodun.people.models import Person
from xiaodun.people.services import EnrolmentRow, PersonRow, enrol_many, register_persons
from xiaodun.screening.choices import CheckKind
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.selectors import session_of
from xiaodun.screening.services import correct_check, submit_check
from xiaodun.surveillance.choices import Channel, Recipient
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import newest_event
from xiaodun.surveillance.services import acknowledge, decide, record_report

DISTRICT_CODE = "demo"
DISTRICT_NAME, DISTRICT_NAME_EN = "上街示范区", "Shangjie Model District"
TERM = (date(2020, 9, 1), date(2021, 1, 29))
DEMO_DAY = date(2020, 12, 16)
OPENS_AT = time(10, 20)
SCHOOL_DAYS = 20

# The order in which boards list the institutions; the sign-in page offers the first holder of each role.
_INSTITUTIONS = ("primary", "junior", "senior", "kindergarten", "training", "college")
# 一(1)班 and 一(2)班: one teacher has both while her colleague is away.
_OWN_CLASS, _SUBSTITUTED = "p01-1-1", "p01-1-2"
_SCHOOL = "p01"
# The stream of the seed for the names of those who hold an office.
_OFFICES = 90
# Lessons are checked before they begin in the evening.
_EVENING = timedelta(hours=10)

# What fell due in between is recorded as of when it was due. The ticks of the demo day are finer, so that a
# late check meets the reminder that was sent before it.
_TICKS = (time(8, 0), time(8, 30), time(18, 40))
_TICKS_OF_DEMO_DAY = (time(8, 0), time(8, 22), time(8, 30), time(8, 40), time(9, 0), OPENS_AT)
# When a doctor looks at new signals, and when those of the day are decided.
_SEEN_AT, _DECIDED_AT = time(8, 45), time(16, 30)
_SEEN_ON_DEMO_DAY_AT = time(8, 15)
# In the own class two more children are sent home in the morning: from the third case the 24 hours run.
_SENT_HOME_AT = time(11, 30)
_RULED_OUT_AT = time(7, 32)

Step = Callable[[], object]


def build(*, progress: Callable[[float], object], seed: int = 1) -> None:
    """Make the demonstration in the empty database at hand, tables made.

    The same seed makes the same district but for random keys. The ``Installation`` row is written last: a
    database without it is the rest of a build that broke off.

    Args:
        progress: called with the part done, 0 to 1.
    """
    opens = local_moment(DEMO_DAY, OPENS_AT)
    made_at = local_moment(TERM[0], time.min)
    with transaction.atomic():
        prepare.load_reference(at=opens)
        root = create_district(
            by=None, code=DISTRICT_CODE, name=DISTRICT_NAME, name_en=DISTRICT_NAME_EN, at=made_at
        )
        days = _school_days(root)
        district = small_district(seed=seed, last_day=DEMO_DAY, school_days=days)
        checks, scene = _set_scene(district)
        demo = _populate(district, root, seed=seed, at=made_at)
    progress(0.1)
    for count, day in enumerate(days, start=1):
        # A transaction a day: eight hundred of their own would wait for the disk as often.
        with transaction.atomic():
            _live(demo, day, checks=[check for check in checks if check.day == day], scene=scene)
        progress(0.1 + 0.9 * count / len(days))
    with transaction.atomic():
        # Everything is delivered: the wake-ups of the past days have nothing left to do.
        HUEY.flush()
        audit.seal(at=opens)
        prepare.mark(Installation.Kind.DEMO, at=opens, clock_start=opens)


def _school_days(district: Unit) -> list[date]:
    """The last school days up to the demo day. No term is open yet, so every day is in term."""
    calendar = school_calendar(district)
    days = [DEMO_DAY]
    while len(days) < SCHOOL_DAYS:
        days.insert(0, calendar.previous_school_day(days[0]))
    return days


# --- the scene --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scene:
    """On the day before, three fall ill in each of the two classes; in the own class two of them at 11:30."""

    eve: date
    sent_home: tuple[Finding, ...]


def _set_scene(district: District) -> tuple[list[Check], _Scene]:
    """The checks of the district with the scene written into them, those after the opening left out."""
    eve = district.school_days[-2]
    fever = _bystanders(district, _OWN_CLASS)
    stomach = _bystanders(district, _SUBSTITUTED)
    pictures = (("fever", "cough"), ("fever", "cough"), ("fever", "sore_throat"))
    ill = [
        Finding(person, "absent_ill", symptoms, eve) for person, symptoms in zip(fever, pictures, strict=True)
    ]
    added: dict[tuple[str, date], list[Finding]] = {
        (_OWN_CLASS, eve): ill[:1],
        (_OWN_CLASS, DEMO_DAY): ill,
        (_SUBSTITUTED, eve): [Finding(person, "absent_ill", ("vomiting",), eve) for person in stomach],
    }
    lessons = {group.code for group in district.groups if group.kind == "lesson"}
    opens = local_moment(DEMO_DAY, OPENS_AT)
    checks = []
    for check in _with_every_check_of_the_stage(district, eve):
        if check.group in lessons:
            check = replace(
                check, tapped_at=check.tapped_at + _EVENING, received_at=check.received_at + _EVENING
            )
        is_owed_still = (check.group, check.day) == (_SUBSTITUTED, DEMO_DAY)
        if check.received_at <= opens and not is_owed_still:
            more = added.get((check.group, check.day), [])
            checks.append(replace(check, findings=(*check.findings, *more)))
    sent_home = tuple(replace(finding, status="symptoms") for finding in ill[1:])
    return checks, _Scene(eve, sent_home)


def _with_every_check_of_the_stage(district: District, eve: date) -> Iterator[Check]:
    """All checks; the two classes' of the last two days also where the simulation forgot them."""
    yield from district.checks
    made = {(check.group, check.day) for check in district.checks}
    for group in (_OWN_CLASS, _SUBSTITUTED):
        for day in (eve, DEMO_DAY):
            if (group, day) not in made:
                at = local_moment(day, time(7, 41))
                yield Check(group, day, at, at, ())


def _bystanders(district: District, group: str) -> list[str]:
    """The first three members of a class who belong to it alone and have been well all the time."""
    groups = Counter(enrolment.person for enrolment in district.enrolments)
    noted = {finding.person for check in district.checks for finding in check.findings}
    members = (enrolment.person for enrolment in district.enrolments if enrolment.group == group)
    return [person for person in members if groups[person] == 1 and person not in noted][:3]


# --- units and people -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Demo:
    """The rows of the database by the keys of the simulation."""

    units: dict[str, Unit] = field(default_factory=dict)
    persons: dict[str, Person] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    teachers: dict[str, User] = field(default_factory=dict)
    doctors: dict[str, User] = field(default_factory=dict)


def _populate(district: District, root: Unit, *, seed: int, at: datetime) -> _Demo:
    since = min(enrolment.since for enrolment in district.enrolments)
    demo = _Demo(units={district.code: root})
    open_term(
        by=None,
        unit=root,
        name="2020—2021学年第一学期",
        name_en="Autumn term 2020",
        start=TERM[0],
        end=TERM[1],
        at=at,
    )
    _make_units(demo, district, at=at)
    for post in district.staff:
        if post.person not in demo.users:
            person = next(each for each in district.persons if each.key == post.person)
            demo.users[post.person] = create_user(by=None, username=person.number, name=person.name, at=at)
        user = demo.users[post.person]
        assign_role(by=None, user=user, role=post.role, unit=demo.units[post.unit], valid_from=since, at=at)
        if post.role in {Role.CLASS_TEACHER.value, Role.DORMITORY_SUPERVISOR.value}:
            demo.teachers.setdefault(post.unit, user)
        if post.role == Role.SCHOOL_DOCTOR.value:
            demo.doctors.setdefault(post.unit, user)
    _fill_offices(demo, seed=seed, since=since, at=at)
    _enrol(demo, district, at=at)
    # The colleague of the class next door is away from the day before.
    assign_role(
        by=None,
        user=demo.teachers[_OWN_CLASS],
        role=Role.CLASS_TEACHER,
        unit=demo.units[_SUBSTITUTED],
        valid_from=district.school_days[-2],
        at=at,
    )
    _deliver(at)
    return demo


def _fill_offices(demo: _Demo, *, seed: int, since: date, at: datetime) -> None:
    """Whoever keeps the lists, the machines and the log: the simulation of illness needs none of them."""
    dice = Dice(seed, _OFFICES)
    for number, (role, code) in enumerate(
        (
            (Role.SCHOOL_REPORTER, _SCHOOL),
            (Role.SCHOOL_CLERK, _SCHOOL),
            (Role.GUARD, _SCHOOL),
            (Role.SYSTEM_ADMINISTRATOR, DISTRICT_CODE),
            (Role.AUDITOR, DISTRICT_CODE),
        ),
        start=1,
    ):
        name = draw_name(dice, "F" if dice.happens(0.5) else "M")
        user = create_user(by=None, username=f"9{number:04d}", name=name, at=at)
        assign_role(by=None, user=user, role=role, unit=demo.units[code], valid_from=since, at=at)


def _make_units(demo: _Demo, district: District, *, at: datetime) -> None:
    first_day = district.school_days[0]
    root = demo.units[district.code]
    for institution in sorted(district.institutions, key=lambda each: _INSTITUTIONS.index(each.kind)):
        demo.units[institution.code] = create_unit(
            by=None,
            parent=root,
            kind=UnitKind.INSTITUTION,
            institution_kind=institution.kind,
            code=institution.code,
            name=institution.name_zh,
            name_en=institution.name_en,
            is_public=institution.ownership == "public",
            first_day=first_day,
            at=at,
        )
    for grade in district.grades:
        demo.units[grade.code] = create_unit(
            by=None,
            parent=demo.units[grade.institution],
            kind=UnitKind.GRADE,
            code=grade.code,
            name=grade.name_zh,
            name_en=grade.name_en,
            at=at,
        )
    for group in district.groups:
        demo.units[group.code] = create_unit(
            by=None,
            parent=demo.units[group.grade or group.institution],
            kind=UnitKind.GROUP,
            group_kind=group.kind,
            code=group.code,
            name=group.name_zh,
            name_en=group.name_en,
            at=at,
        )


def _enrol(demo: _Demo, district: District, *, at: datetime) -> None:
    root = demo.units[district.code]
    rows = [
        PersonRow(
            person.kind, person.number, person.name, person.sex, person.birth_year, demo.users.get(person.key)
        )
        for person in district.persons
    ]
    for simulated, person in zip(
        district.persons, register_persons(by=None, unit=root, rows=rows, at=at), strict=True
    ):
        demo.persons[simulated.key] = person
    enrolments = [
        EnrolmentRow(
            demo.persons[enrolment.person], demo.units[enrolment.group], enrolment.since, enrolment.number
        )
        for enrolment in district.enrolments
    ]
    enrol_many(by=None, unit=root, rows=enrolments, at=at)


# --- the days ---------------------------------------------------------------------------------------------


def _live(demo: _Demo, day: date, *, checks: Sequence[Check], scene: _Scene) -> None:
    """Let one day pass: everything at its own moment, and what it announces delivered at once."""
    steps: list[tuple[datetime, Step]] = [
        (check.received_at, partial(_submit, demo, check)) for check in checks
    ]
    submissions = {step for _at, step in steps}
    for of_day in _TICKS_OF_DEMO_DAY if day == DEMO_DAY else _TICKS:
        at = local_moment(day, of_day)
        steps.append((at, partial(_tick, at)))
    steps += _answers(demo, day, scene)
    if day == scene.eve:
        at = local_moment(day, _SENT_HOME_AT)
        steps.append((at, lambda: _send_home(demo, scene, at=at)))
    for at, step in sorted(steps, key=lambda step: step[0]):
        # What was announced is delivered as of then, so it can wait for the next step that looks at it.
        if step not in submissions:
            _deliver(at)
        step()
    end = local_moment(day, OPENS_AT if day == DEMO_DAY else time.max)
    _deliver(end)
    _refuse_undelivered(end)


def _submit(demo: _Demo, check: Check) -> None:
    submit_check(
        by=demo.teachers[check.group],
        group=demo.units[check.group],
        kind=CheckKind.MORNING,
        day=check.day,
        findings=_inputs(demo, check.findings),
        tapped_at=check.tapped_at,
        received_at=check.received_at,
        clock_offset_ms=0,
        client_id=uuid5(NAMESPACE_OID, f"{check.group}/{check.day}"),
        source="demo",
    )


def _inputs(demo: _Demo, findings: Iterable[Finding]) -> list[FindingInput]:
    """The findings as typed."""
    return [
        FindingInput(
            demo.persons[finding.person].pk,
            finding.status,
            finding.symptoms,
            finding.onset,
        )
        for finding in findings
    ]


def _send_home(demo: _Demo, scene: _Scene, *, at: datetime) -> None:
    """The teacher corrects the morning's check: two more children have a fever."""
    session = session_of(demo.units[_OWN_CLASS], CheckKind.MORNING, scene.eve)
    assert session is not None
    before = [
        FindingInput(finding.person_id, finding.status, tuple(finding.symptoms), finding.onset)
        for finding in session.findings.filter(replaced_in__isnull=True)
    ]
    correct_check(
        by=demo.teachers[_OWN_CLASS],
        session=session,
        base_version=session.version,
        findings=[*before, *_inputs(demo, scene.sent_home)],
        reason="第二节课后又有两名学生发热",
        at=at,
        client_id=uuid5(NAMESPACE_OID, f"{_OWN_CLASS}/{scene.eve}/2"),
        source="demo",
    )


def _answers(demo: _Demo, day: date, scene: _Scene) -> Iterator[tuple[datetime, Step]]:
    """The school doctors look at their signals in the morning and decide in the afternoon.

    The signal of the own class is raised after the doctor's morning look and waits; that of the class next
    door is ruled out only on the demo day.
    """
    if day == DEMO_DAY:
        ruled_out = local_moment(day, _RULED_OUT_AT)
        yield ruled_out, lambda: _decide(demo, [_SUBSTITUTED], Signal.State.RULED_OUT, at=ruled_out)
    seen = local_moment(day, _SEEN_ON_DEMO_DAY_AT if day == DEMO_DAY else _SEEN_AT)
    yield seen, lambda: _acknowledge(demo, at=seen)
    if day != DEMO_DAY:
        waiting = {_OWN_CLASS, _SUBSTITUTED} if day == scene.eve else set()
        decided = local_moment(day, _DECIDED_AT)
        groups = [code for code in demo.teachers if code not in waiting]
        yield decided, lambda: _decide(demo, groups, Signal.State.CONFIRMED, at=decided)


def _doctor_of(demo: _Demo, signal: Signal) -> User:
    return demo.doctors[signal.unit.code.partition("-")[0]]


def _acknowledge(demo: _Demo, *, at: datetime) -> None:
    signals = Signal.objects.filter(state=Signal.State.OPEN).exclude(unit=demo.units[_OWN_CLASS])
    for signal in signals.select_related("unit").order_by("pk"):
        acknowledge(by=_doctor_of(demo, signal), signal=signal, seen=newest_event(signal), at=at)


def _decide(demo: _Demo, groups: Iterable[str], outcome: Signal.State, *, at: datetime) -> None:
    reasons = {
        Signal.State.CONFIRMED: "症状、发病时间和班级一致",
        Signal.State.RULED_OUT: "三人前晚同在校外就餐，均已好转，与班级无关",
    }
    units = [demo.units[code] for code in groups]
    signals = Signal.objects.filter(unit__in=units, state=Signal.State.ACKNOWLEDGED)
    for signal in signals.select_related("unit").order_by("pk"):
        doctor = _doctor_of(demo, signal)
        decide(
            by=doctor,
            signal=signal,
            outcome=outcome,
            reason=reasons[outcome],
            seen=newest_event(signal),
            at=at,
        )
        if outcome == Signal.State.CONFIRMED:
            _report(signal, by=doctor, at=at)


def _report(signal: Signal, *, by: User, at: datetime) -> None:
    """What the doctor told by telephone in the minutes before."""
    for to_whom, minutes in ((Recipient.CDC, 10), (Recipient.BUREAU, 4)):
        record_report(
            by=by,
            signal=signal,
            seen=newest_event(signal),
            to_whom=to_whom,
            how=Channel.TELEPHONE,
            reference="",
            reported_at=at - timedelta(minutes=minutes),
            at=at,
        )


def _tick(at: datetime) -> None:
    chase_due(at=at)
    climb_due(at=at)


def _deliver(at: datetime) -> None:
    while outbox.drain(now=at):
        pass


def _refuse_undelivered(at: datetime) -> None:
    """A failed delivery ends the build, or the district would contradict itself."""
    failing = outbox.pending(at).failing
    if failing:
        raise RuntimeError(f"{failing[0].topic} could not be delivered: {failing[0].last_error}")
