"""A file that several units know in part: each reads its own checks, the present class the whole."""

from datetime import date

import pytest

from xiaodun.absence.models import Episode
from xiaodun.accounts import services as accounts
from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import User
from xiaodun.desks.tests.cast import at, links, sign_in, words
from xiaodun.organisations import services as organisations
from xiaodun.organisations.models import Unit
from xiaodun.people import services as people
from xiaodun.screening.choices import FindingStatus
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.tests.cast import MADE_AT, School, day, make_school, moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def school() -> School:
    return make_school()


def teacher_of(unit: Unit, name: str, role: Role = Role.CLASS_TEACHER) -> User:
    user = accounts.create_user(by=None, username=f"T-{unit.code}-{role}", name=name, at=MADE_AT)
    accounts.assign_role(by=None, user=user, role=role, unit=unit, valid_from=day(-90), at=MADE_AT)
    return user


def roster_of(client, group: Unit, query: str = "") -> dict[int, object]:
    answer = client.get(f"/groups/{group.pk}/check/roster.json{query}")
    return {pupil["id"]: pupil["file"] for pupil in answer.json()["pupils"]}


def test_after_a_transfer_the_old_class_reads_its_own_rows_and_the_new_one_the_whole_file(school):
    old, new = school.classes
    pupil = school.pupils[old.pk][4]
    school.submit(old, 0, {pupil: ["fever"]})
    people.transfer(
        by=None, person=pupil, from_group=old, to_group=new, on=day(1), number=44, at=moment(1, 6)
    )
    school.submit(new, 1, {pupil: ["rash"]})
    file = Episode.objects.get()
    with at(moment(1, 9, 0)):
        before = sign_in(school.users[Role.CLASS_TEACHER])
        after = sign_in(teacher_of(new, "郑安"))
        part, whole = (words(client.get(f"/files/{file.pk}/")) for client in (before, after))
        part_list, whole_list = (words(client.get("/files/")) for client in (before, after))
    assert "发热" in part
    assert "发热" in part_list
    for page in (part, part_list):
        assert "皮疹" not in page
        assert new.label not in page
    assert part.count("晨检 ·") == 1
    assert whole.count("晨检 ·") == 2
    for page in (whole, whole_list):
        assert "发热" in page
        assert "皮疹" in page
        assert old.label not in whole_list


def test_a_training_body_knows_nothing_of_an_illness_that_only_the_school_found(school):
    body = organisations.create_unit(
        by=None,
        parent=school.district,
        kind="institution",
        institution_kind="training",
        code="X",
        name="启明培训",
        first_day=date(2020, 9, 1),
        at=MADE_AT,
    )
    lesson = organisations.create_unit(
        by=None,
        parent=body,
        kind="group",
        group_kind="lesson",
        code="X-1",
        name="围棋课",
        first_day=date(2020, 9, 1),
        at=MADE_AT,
    )
    room = school.classes[0]
    quiet, told = school.pupils[room.pk][:2]
    for person in (quiet, told):
        people.enrol(by=None, person=person, group=lesson, valid_from=date(2020, 9, 1), at=MADE_AT)
    school.submit(room, 0, {quiet: ["fever"], told: ["fever"]})
    teacher = teacher_of(lesson, "郑安")
    school.submit(lesson, 1, {told: ["rash"]}, by=teacher)
    client = sign_in(teacher)
    with at(moment(1, 9, 0)):
        page = client.get("/files/")
        hidden = client.get(f"/files/{Episode.objects.get(person=quiet).pk}/")
        files = roster_of(client, lesson)
    assert told.name in words(page)
    assert quiet.name not in words(page)
    assert room.label not in words(page)
    assert hidden.status_code == 404
    assert files[quiet.pk] is None
    assert files[told.pk] == {"since": day(1).isoformat(), "day_n": 1, "symptoms": ["rash"]}


def test_a_roster_shows_the_file_of_its_own_day_and_nothing_later(school):
    room, other = school.classes
    ill, well, gone = school.pupils[room.pk][:3]
    school.submit(room, 0, {ill: ["fever"], gone: ["fever"]})
    school.submit(room, 1, {gone: ["fever"]})
    people.transfer(
        by=None, person=gone, from_group=room, to_group=other, on=day(2), number=44, at=moment(2, 6)
    )
    school.submit(room, 2, {well: ["rash"]})
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(2, 9, 0)):
        monday = roster_of(client, room, f"?day={day(0).isoformat()}")
        today = roster_of(client, room)
    assert monday[ill.pk] == {"since": day(0).isoformat(), "day_n": 1, "symptoms": ["fever"]}
    assert monday[well.pk] is None
    assert monday[gone.pk] is None
    assert today[ill.pk] is None
    assert today[well.pk] == {"since": day(2).isoformat(), "day_n": 1, "symptoms": ["rash"]}


def test_a_past_check_leads_to_the_file_of_its_own_finding_and_never_from_another_absence(school):
    room = school.classes[0]
    pupil, away = school.pupils[room.pk][:2]
    other = FindingInput(0, FindingStatus.ABSENT_OTHER, ())
    first = school.submit(room, 0, {pupil: ["fever"], away: other})
    school.submit(room, 1, {away: ["rash"]})
    school.submit(room, 2, {pupil: ["cough"]})
    then, now = Episode.objects.filter(person=pupil).order_by("onset")
    assert then.pk != now.pk
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(2, 9, 0)):
        page = client.get(f"/checks/{first['session']}/")
    assert {url for url in links(page, "/files/") if url != "/files/"} == {f"/files/{then.pk}/"}
    assert "已返校" in words(page)
