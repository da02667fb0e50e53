"""Illness files on the pages: the list to work from, one child's thread, and that each look is logged."""

import pytest

from xiaodun.absence.models import Episode
from xiaodun.accounts.choices import Role
from xiaodun.desks.tests.cast import all_of, at, links, sign_in, words
from xiaodun.kit.models import AuditEntry
from xiaodun.screening.tests.cast import School, make_school, moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def school() -> School:
    return make_school()


def file_of(page) -> str:
    """The address of the one file that the list shows."""
    (url,) = {url for url in links(page, "/files/") if url.rstrip("/")[-1].isdigit()}
    return url


def test_a_file_runs_from_the_first_finding_to_the_check_that_finds_the_pupil_well(school):
    room = school.classes[0]
    pupil = school.pupils[room.pk][4]
    school.submit(room, 0, {pupil: ["fever"]})
    school.submit(room, 1, {pupil: ["fever", "cough"]})
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(1, 9, 0)):
        running = client.get("/files/")
        thread = client.get(file_of(running))
    assert "测试15" in words(running)
    assert "第 2 天" in words(running)
    assert "追踪中" in words(thread)
    assert words(thread).count("晨检 · 病假") == 2
    school.submit(room, 2)
    with at(moment(2, 9, 0)):
        assert "这里没有档案" in words(client.get("/files/"))
        ended = client.get("/files/?state=ended")
        thread = client.get(file_of(ended))
        on_the_day = words(client.get("/files/?state=ended&back=2020-12-16"))
        on_another = words(client.get("/files/?state=ended&back=2020-12-15"))
    assert "12 月 16 日返校" in words(ended)
    assert "测试15" in on_the_day
    assert "这里没有档案" in on_another
    assert "12 月 16 日的检查确认正常" in words(thread)


def test_each_look_at_children_is_logged_with_the_ids_shown(school):
    room = school.classes[0]
    a, b = school.pupils[room.pk][4:6]
    school.submit(room, 0, {a: ["fever"], b: ["rash"]})
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        client.get("/files/")
        client.get(f"/files/{Episode.objects.get(person=a).pk}/")
    looks = AuditEntry.objects.filter(action__startswith="desks.file").order_by("pk")
    assert [(look.object_type, look.unit_path, look.facts["persons"]) for look in looks] == [
        ("organisations.unit", school.institution.path, sorted([a.pk, b.pk])),
        # A single look is found by the person, for whoever asks who read of the child.
        ("people.person", room.path, [a.pk]),
    ]


def test_a_corrected_file_stays_readable_as_withdrawn(school):
    room = school.classes[0]
    pupil = school.pupils[room.pk][4]
    answer = school.submit(room, 0, {pupil: ["fever"]})
    file = Episode.objects.get()
    school.correct(answer["session"], {}, at=moment(0, 8, 0))
    with at(moment(0, 9, 0)):
        page = sign_in(school.users[Role.SCHOOL_DOCTOR]).get(f"/files/{file.pk}/")
    assert "更正后撤销" in words(page)
    assert all_of(page, "x-note")


def test_a_teacher_sees_the_own_class_and_a_foreign_file_is_not_found(school):
    own, other = school.classes
    school.submit(own, 0, {school.pupils[own.pk][4]: ["fever"]})
    school.submit(other, 0, {school.pupils[other.pk][4]: ["fever"]})
    foreign = Episode.objects.get(person=school.pupils[other.pk][4])
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 9, 0)):
        page = words(client.get("/files/"))
        answers = [client.get(f"/files/{number}/").status_code for number in (foreign.pk, 999_999)]
        session = other.check_sessions.get()
        answers.append(client.get(f"/checks/{session.pk}/").status_code)
    assert "测试15" in page
    assert "测试25" not in page
    assert answers == [404, 404, 404]


def test_principal_and_district_have_no_list_of_children(school):
    with at(moment(0, 9, 0)):
        for role in (Role.PRINCIPAL, Role.DISTRICT_OFFICER):
            assert sign_in(school.users[role]).get("/files/").status_code == 403
