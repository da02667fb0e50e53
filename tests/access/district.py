"""The district of the access matrix and the smoke tests: who plays which role, which objects there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from django.db.models import Model
from django.urls import reverse

from tests.access.matrix import (
    AUDITOR,
    CLERK,
    DEACTIVATED,
    DOCTOR,
    GROUP_ACTS,
    GUARD,
    LEAD,
    LEAVER,
    OFFICER,
    PERSON_ACTS,
    PRINCIPAL,
    REPORTER,
    REVOKED,
    SCHOOL_ACTS,
    SUPERVISOR,
    SYSTEM,
    TEACHER,
    TOKEN,
    Page,
)
from tests.factories import (
    BEFORE,
    TERM,
    TOP_OF_LADDERS,
    Cast,
    add_school,
    add_unit,
    busy_morning,
    enrol,
    ill,
    make_cast,
    settle,
    staff,
    submit,
)
from xiaodun.absence.models import Episode
from xiaodun.accounts.factors.totp import new_secret
from xiaodun.accounts.models import ApiToken, Factor, User, UserSession
from xiaodun.accounts.services import assign_role, deactivate_user, make_api_token, revoke_api_token
from xiaodun.accounts.services.devices import enrol_device
from xiaodun.accounts.services.gate import announce_tablet
from xiaodun.families.services import issue_links
from xiaodun.kit.clock import local_day
from xiaodun.messages.models import Message
from xiaodun.messages.services import send
from xiaodun.operations.retention.services import ask_for_hold, let_go
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import ancestors_of, institution_of
from xiaodun.organisations.services import close_unit, create_district, open_term
from xiaodun.people.models import Person, RosterImport
from xiaodun.people.selectors import roster
from xiaodun.people.services import EnrolmentRow, PersonRow, enrol_many, register_persons
from xiaodun.people.services.rosters import hand_in_roster
from xiaodun.screening.models import CheckSession
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.selectors import findings_in_force
from xiaodun.screening.services import correct_check
from xiaodun.surveillance.models import Signal

UNKNOWN = 99_999_999
FIGURE = "screening.absent_ill"


@dataclass(frozen=True)
class District:
    """The cast on a busy morning; ``now`` is after it.

    ``objects``: arguments of an address by kind of object and scope, or where they differ scope:actor.
    """

    cast: Cast
    now: datetime
    users: dict[str, User]
    secrets: dict[str, str]
    objects: dict[tuple[str, str], list]

    def url(self, page: Page, actor: str, scope: str) -> str:
        """The address of a page on the object that stands to ``actor`` as ``scope`` says."""
        if not page.about:
            return reverse(page.name) + page.query
        of_actor = self.objects.get((page.about, f"{scope}:{actor}"))
        return reverse(page.name, args=of_actor or self.objects[page.about, scope]) + page.query


def _check_room(cast: Cast, sessions: dict[int, int]) -> None:
    """The supervisor finds the three who sleep in the room ill."""
    at = cast.at + timedelta(minutes=5)
    findings = [ill(person, "vomiting") for person in cast.pupils[::2]]
    sessions[cast.room.pk] = submit(cast.room, *findings, by=cast.supervisor, at=at)["session"]
    settle(at=at)


def _tell_everybody(cast: Cast, users: Iterable[User]) -> None:
    """A message to those whom no ladder tells."""
    for user in users:
        if not Message.objects.filter(recipient=user).exists():
            send(
                to=[user],
                kind="duty-missed",
                unit=cast.class_d,
                facts={
                    "unit": cast.class_d.name,
                    "unit_en": cast.class_d.name_en,
                    "duty": "晨检",
                    "duty_en": "Morning check",
                    "deadline": "08:20",
                },
                url=reverse("desks:today"),
                at=cast.at + TOP_OF_LADDERS,
            )


def _protect(
    cast: Cast, keeper: User, users: Mapping[str, User], objects: dict[tuple[str, str], list]
) -> None:
    """A session and a second factor for each actor and for strangers; one of the staff of each scope."""
    others = {"other_school": cast.stranger, "former": keeper, "drill": cast.trainer}
    own = {f"own:{actor}": user for actor, user in users.items()}
    for scope, user in (own | others | {"own": cast.stranger}).items():
        session, _is_new = UserSession.objects.get_or_create(
            user=user,
            session_key=f"of-{user.pk}",
            defaults={"level": "password", "started_at": cast.at, "seen_at": cast.at},
        )
        factor, _is_new = Factor.objects.get_or_create(
            user=user, kind="totp", defaults={"secret": new_secret(), "made_at": cast.at}
        )
        objects["user_session", scope], objects["factor", scope] = [session.pk], [factor.pk]
    staff_members = {"own": cast.teacher, "same_grade": cast.colleague, "same_school": cast.doctor} | others
    for scope, user in staff_members.items():
        objects["staff_member", scope] = [user.pk]
    objects["provider", "own"], objects["provider", "unknown"] = ["wecom"], ["unknown"]


def _enrol_equipment(cast: Cast, objects: dict[tuple[str, str], list]) -> None:
    """A phone for who checks a group in each place, and a tablet at each school's gate."""
    places = (
        ("own", cast.school, cast.teacher, cast.clerk),
        ("other_school", cast.other_school, cast.stranger, cast.officer),
        ("drill", institution_of(cast.drill_class), cast.trainer, cast.officer),
    )
    for scope, school, owner, clerk in places:
        phone = enrol_device(by=owner, name="P1", pin="738205", at=cast.at).device
        tablet = announce_tablet(by=clerk, unit=school, name="G1", at=cast.at).tablet
        objects["device", scope] = [phone.pk]
        objects["staff_device", scope] = [school.pk, phone.pk]
        objects["tablet", scope] = [school.pk, tablet.pk]
    objects["device", f"own:{TEACHER}"] = objects["device", "own"]
    supervisors = enrol_device(by=cast.supervisor, name="P1", pin="738205", at=cast.at).device
    objects["device", f"own:{SUPERVISOR}"] = [supervisors.pk]
    # What the others ask for as their own is the stranger's.
    objects["device", "own"] = objects["device", "other_school"]
    objects["device", "unknown"] = [UNKNOWN]
    for kind in ("staff_device", "tablet"):
        objects[kind, "unknown"] = [cast.school.pk, UNKNOWN]


def _hand_out_links(cast: Cast, objects: dict[tuple[str, str], list]) -> None:
    """A slip for the family of a child in each place."""
    secret = ""
    for scope, teacher, group in (
        ("own", cast.teacher, cast.class_a),
        ("other_school", cast.stranger, cast.other_class),
        ("drill", cast.trainer, cast.drill_class),
    ):
        child = cast.members[group.pk][0]
        (slip,) = issue_links(by=teacher, group=group, persons=[child], at=cast.at)
        secret = slip.secret
        objects["child", scope] = [secret]
    objects["child", "unknown"] = ["x" * len(secret)]


def make_district() -> District:
    """Build it: every class but class_d has been checked, has a signal, illness files and messages."""
    cast = make_cast()
    eve = cast.day - timedelta(days=1)
    closed = _closed_class(cast, eve)
    former = _former_district(cast)
    moved = _move_a_child(cast, eve)
    sessions = busy_morning(cast)
    sessions[closed.pk] = CheckSession.objects.get(group=closed).pk
    _check_room(cast, sessions)
    sessions[former.group.pk] = _find_three_ill(former.group, former.keeper, cast.at)
    _find_ill(moved, sessions[cast.other_class.pk], cast)
    users = {
        TEACHER: cast.teacher,
        SUPERVISOR: cast.supervisor,
        LEAD: cast.grade_lead,
        DOCTOR: cast.doctor,
        REPORTER: cast.reporter,
        PRINCIPAL: cast.principal,
        OFFICER: cast.officer,
        CLERK: cast.clerk,
        GUARD: cast.guard,
        SYSTEM: cast.system_administrator,
        AUDITOR: cast.auditor,
        LEAVER: staff("leaver", "卫老师", "class_teacher", cast.class_a, until=eve),
        DEACTIVATED: deactivate_user(
            by=cast.officer,
            user=staff("deactivated", "蒋校医", "school_doctor", cast.school),
            at=cast.at,
        ),
    }
    former.employ_until(eve, users)
    _token, secret = _token_of(cast, "school system")
    revoked, revoked_secret = _token_of(cast, "old school system")
    revoke_api_token(by=cast.officer, token=revoked, at=cast.at)
    groups = {
        "own": cast.class_a,
        f"own:{SUPERVISOR}": cast.room,
        "same_grade": cast.class_b,
        "same_school": cast.class_c,
        "closed": closed,
        "other_school": cast.other_class,
        "former": former.group,
        "drill": cast.drill_class,
    }
    objects: dict[tuple[str, str], list] = {}
    for scope, group in groups.items():
        objects["group", scope] = [group.pk]
        objects["group_code", scope] = [group.code]
        objects["session", scope] = [sessions[group.pk]]
        objects["signal", scope] = [Signal.objects.get(unit=group).pk]
        objects["file", scope] = [Episode.objects.filter(days__finding__session__group=group).first().pk]
        objects["figure", scope] = [FIGURE, group.pk]
        objects["institution", scope] = [institution_of(group).pk]
        objects["person", scope] = [Episode.objects.get(pk=objects["file", scope][0]).person_id]
        objects["roster", scope] = [_hand_in(institution_of(group), cast)]
    objects["file", "moved"] = [Episode.objects.get(person=moved).pk]
    objects["person", "moved"] = [moved.pk]
    _tell_everybody(cast, [*users.values(), former.keeper])
    _enrol_equipment(cast, objects)
    _hand_out_links(cast, objects)
    for actor, user in users.items():
        objects["message", f"own:{actor}"] = [_message_to(user)]
    objects["message", "own"] = objects["message", "other_school"] = [_message_to(cast.stranger)]
    objects["message", "former"] = [_message_to(former.keeper)]
    objects["message", "drill"] = [_message_to(cast.trainer)]
    objects["hold", "own"] = [_hold_on(cast.district, cast)]
    objects["hold", "former"] = [_hold_on(former.district, cast)]
    objects["report", "own"] = [let_go(dry=True, at=cast.at).pk]
    _protect(cast, former.keeper, users, objects)
    kinds = ("group", "session", "signal", "file", "institution", "message", "person", "hold", "report")
    for kind in (*kinds, "user_session", "factor", "staff_member", "roster"):
        objects[kind, "unknown"] = [UNKNOWN]
    objects["group_code", "unknown"] = ["X-0-0"]
    objects["figure", "unknown"] = [FIGURE, UNKNOWN]
    objects |= _deleted(cast, objects)
    objects |= {
        (f"{kind}_{act}", scope): [*found, act]
        for (kind, scope), found in list(objects.items())
        for act in {"group": GROUP_ACTS, "person": PERSON_ACTS, "institution": SCHOOL_ACTS}.get(kind, ())
    }
    return District(
        cast=cast,
        now=cast.at + TOP_OF_LADDERS + timedelta(minutes=1),
        users=users,
        secrets={TOKEN: secret, REVOKED: revoked_secret},
        objects=objects,
    )


def _hold_on(unit: Unit, cast: Cast) -> int:
    """Asked for by somebody who is none of the actors, so that each of them may be the second person."""
    until = cast.day + timedelta(days=30)
    return ask_for_hold(by=cast.stranger, unit=unit, reason="7", until=until, at=cast.at).pk


def _token_of(cast: Cast, name: str) -> tuple[ApiToken, str]:
    return make_api_token(
        by=cast.officer,
        name=name,
        unit=cast.school,
        scopes=["checks:write", "rosters:read", "figures:read"],
        expires_at=cast.at + timedelta(days=30),
        at=cast.at,
    )


def _message_to(user: User) -> int:
    message = Message.objects.filter(recipient=user).first()
    assert message is not None
    return message.pk


def _hand_in(unit: Unit, cast: Cast) -> int:
    """A list that waits to be read."""
    roster = hand_in_roster(
        by=cast.officer,
        unit=unit,
        kind="pupils",
        file_name="2020.csv",
        content="姓名,班级".encode(),
        effective_on=cast.day,
        at=cast.at,
    )
    return roster.pk


def _find_three_ill(group: Unit, user: User, at: datetime) -> int:
    """The session of a check that found three persons of ``group`` vomiting."""
    ids = [row.person for row in roster(group, local_day(at))]
    session = submit(group, *(ill(person, "vomiting") for person in ids[:3]), by=user, at=at)["session"]
    settle(at=at)
    return session


def _closed_class(cast: Cast, eve: date) -> Unit:
    """A class of the next grade that found three ill on its last day, the eve."""
    grade = ancestors_of([cast.class_c])[cast.class_c.pk][-1]
    group = add_unit(grade, "group", "P1-4-9", "四(9)班", "Class 4(9)", group_kind="class")
    enrol(group, 5)
    _find_three_ill(group, cast.doctor, cast.at - timedelta(days=1))
    return close_unit(by=cast.officer, unit=group, last_day=eve, at=cast.at - timedelta(hours=2))


@dataclass(frozen=True)
class _Former:
    """A district of its own, and the teacher whom it has today."""

    district: Unit
    school: Unit
    grade: Unit
    group: Unit
    room: Unit
    keeper: User

    def employ_until(self, last_day: date, users: Mapping[str, User]) -> None:
        """Everybody held here, up to that day, the role that they now hold elsewhere."""
        units = {TEACHER: self.group, LEAVER: self.group, SUPERVISOR: self.room, LEAD: self.grade}
        units |= dict.fromkeys((OFFICER, SYSTEM, AUDITOR), self.district)
        for actor, user in users.items():
            assign_role(
                by=None,
                user=user,
                role={LEAVER: TEACHER, DEACTIVATED: DOCTOR}.get(actor, actor),
                unit=units.get(actor, self.school),
                valid_from=TERM[0],
                valid_to=last_day,
                at=BEFORE,
            )


def _former_district(cast: Cast) -> _Former:
    district = create_district(by=None, code="410107", name="邻区", name_en="Next District", at=BEFORE)
    open_term(by=None, unit=district, name="2020-2021 上学期", start=TERM[0], end=TERM[1], at=BEFORE)
    school, grade, group = add_school(district, "F1", "前进小学", "Qianjin Primary School")
    room = add_unit(school, "group", "F1-D1", "宿舍201", "Room 201", group_kind="dormitory")
    enrol(group, 5)
    return _Former(
        district, school, grade, group, room, keeper=staff("keeper", "沈老师", "class_teacher", group)
    )


def _move_a_child(cast: Cast, eve: date) -> Person:
    """Somebody who left class_a for the other school with the end of the eve."""
    row = PersonRow("pupil", "P1-3-1-77", "华安然", "F", 2011)
    (person,) = register_persons(by=None, unit=cast.class_a, rows=[row], at=BEFORE)
    enrol_many(
        by=None,
        unit=cast.class_a,
        rows=[
            EnrolmentRow(person, cast.class_a, TERM[0], 77, eve),
            EnrolmentRow(person, cast.other_class, cast.day, 77),
        ],
        at=BEFORE,
    )
    return person


def _find_ill(person: Person, session_id: int, cast: Cast) -> None:
    """The check of the new school is corrected: the child who came is ill too."""
    session = CheckSession.objects.get(pk=session_id)
    at = cast.at + timedelta(minutes=6)
    before = [
        FindingInput(finding.person_id, finding.status, tuple(finding.symptoms), finding.onset)
        for finding in findings_in_force(session)
    ]
    correct_check(
        by=cast.stranger,
        session=session,
        base_version=1,
        findings=[*before, ill(person, "vomiting")],
        reason="",
        at=at,
        client_id=uuid4(),
        source="test",
    )
    settle(at=at)


def _deleted(cast: Cast, objects: Mapping[tuple[str, str], list]) -> dict[tuple[str, str], list]:
    """Rows that were there and are gone."""
    group = add_unit(cast.grade, "group", "P1-3-8", "三(8)班", "Class 3(8)", group_kind="class")
    school = add_unit(cast.district, "institution", "P8", "旧校", "Old School", institution_kind="primary")
    gone: dict[tuple[str, str], list] = {
        ("group", "deleted"): [group.pk],
        ("group_code", "deleted"): [group.code],
        ("figure", "deleted"): [FIGURE, group.pk],
        ("institution", "deleted"): [school.pk],
        ("session", "deleted"): [_gone(CheckSession, objects["session", "own"], group=group)],
        ("signal", "deleted"): [_gone(Signal, objects["signal", "own"], unit=group)],
        ("file", "deleted"): [_gone(Episode, objects["file", "own"], state=Episode.State.VOID)],
        ("person", "deleted"): [_gone_person(cast)],
        ("roster", "deleted"): [_gone(RosterImport, objects["roster", "own"], token="gone")],
        ("message", "deleted"): [_gone(Message, objects["message", f"own:{TEACHER}"])],
        ("user_session", "deleted"): [
            _gone(UserSession, objects["user_session", f"own:{TEACHER}"], session_key="gone")
        ],
        ("factor", "deleted"): [_gone(Factor, objects["factor", f"own:{TEACHER}"], kind="passkey")],
        ("staff_member", "deleted"): [_gone(User, objects["staff_member", "own"], username="gone")],
    }
    for unit in (group, school):
        Unit.objects.get(pk=unit.pk).delete()
    return gone


def _gone_person(cast: Cast) -> int:
    row = PersonRow("pupil", "P1-3-1-99", "华无痕", "F", 2011)
    (person,) = register_persons(by=None, unit=cast.class_a, rows=[row], at=BEFORE)
    key = person.pk
    person.delete()
    return key


def _gone(model: type[Model], key: list, **changes: object) -> int:
    """The id that a copy of a row had before it was deleted."""
    copy = model._default_manager.get(pk=key[0])
    copy.pk = None
    for name, value in changes.items():
        setattr(copy, name, value)
    copy.save(force_insert=True)
    pk = copy.pk
    copy.delete()
    return pk
