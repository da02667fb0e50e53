"""Boards: every number opens to its rows, who sees counts sees masked rows, many schools cost no more."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from xiaodun.accounts.choices import Role
from xiaodun.desks.tests.cast import all_of, at, links, sign_in, squeezed, tap, words
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations import services as organisations
from xiaodun.organisations.models import Unit
from xiaodun.people import services as people
from xiaodun.people.models import Person
from xiaodun.screening.tests.cast import MADE_AT, School, make_school, moment

pytestmark = pytest.mark.django_db

FEVER = ["fever"]


@pytest.fixture
def school() -> School:
    return make_school()


def add_school(district: Unit, number: int, *, pupils: int = 1) -> Unit:
    """One more primary school with one class."""
    first_day = date(2020, 9, 1)
    institution = organisations.create_unit(
        by=None,
        parent=district,
        kind="institution",
        institution_kind="primary",
        code=f"N{number}",
        name=f"第{number}实验小学暨附属第{number}九年一贯制示范学校",
        first_day=first_day,
        at=MADE_AT,
    )
    group = organisations.create_unit(
        by=None,
        parent=institution,
        kind="group",
        group_kind="class",
        code=f"N{number}-1",
        name="一(1)班",
        first_day=first_day,
        at=MADE_AT,
    )
    for seat in range(pupils):
        person = people.register_person(
            by=None, kind=Person.Kind.PUPIL, number=f"N{number}-{seat}", name="测试生", at=MADE_AT
        )
        people.enrol(by=None, person=person, group=group, valid_from=first_day, at=MADE_AT)
    return institution


def test_the_number_on_the_board_opens_to_the_rows_it_counts(school):
    room = school.classes[0]
    a, b, *_ = school.pupils[room.pk][3:]
    school.submit(room, 0, {a: ["fever"], b: ["rash"]})
    client = sign_in(school.users[Role.DISTRICT_OFFICER])
    with at(moment(0, 9, 0)):
        board = client.get("/board/")
        url = f"/figures/screening.absent_ill/{school.institution.pk}/"
        cell = next(each for each in all_of(board, "x-cell") if each.attributes["href"] == url)
        figure = client.get(url)
    assert squeezed(cell) == "病 2"
    page = words(figure)
    assert "构成这个数的 2 行" in page
    assert "与明细核对一致" in page
    assert "第 1 版" in page
    assert "当天班级和培训课晨检中因病缺勤的人次" in page


def test_every_number_of_the_board_opens(school):
    school.submit(school.classes[0], 0, {school.pupils[school.classes[0].pk][0]: ["fever"]})
    client = sign_in(school.users[Role.DISTRICT_OFFICER])
    with at(moment(0, 9, 0)):
        board = client.get("/board/")
        targets = links(board, "/figures/")
        assert len(targets) == 6 + 6
        assert {client.get(target).status_code for target in targets} == {200}
    numbers = all_of(board, "x-cell")
    assert all(each.tag == "a" for each in numbers)


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.DISTRICT_OFFICER])
def test_rows_about_children_are_masked_for_who_may_see_counts_only(school, role):
    room = school.classes[0]
    school.submit(room, 0, {school.pupils[room.pk][5]: ["fever"]})
    with at(moment(0, 9, 0)):
        answer = sign_in(school.users[role]).get(f"/figures/screening.absent_ill/{school.institution.pk}/")
    page = words(answer)
    assert "测**" in page
    assert "姓名已遮盖" in page
    assert "测试16" not in answer.content.decode()
    assert "发热" not in page
    assert not links(answer, "/checks/")


def test_the_doctor_reads_the_rows_in_full_and_opens_the_check_behind_them(school):
    room = school.classes[0]
    answer = school.submit(room, 0, {school.pupils[room.pk][5]: ["fever"]})
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        figure = client.get(f"/figures/screening.absent_ill/{school.institution.pk}/")
        assert "测试16" in words(figure)
        assert "发热" in words(figure)
        assert f"/checks/{answer['session']}/" in links(figure)
        assert client.get(f"/checks/{answer['session']}/").status_code == 200


def test_an_illness_that_a_correction_reported_has_the_time_of_the_correction(school):
    room = school.classes[0]
    answer = school.submit(room, 0)
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 10, 5)):
        tap(client, room, {school.pupils[room.pk][0]: FEVER}, session=answer["session"], base_version=1)
        page = words(client.get(f"/figures/screening.absent_ill/{room.pk}/"))
    assert "报告时刻 10:05" in page


def test_a_figure_shows_its_parts_and_a_dash_where_nothing_was_reported(school):
    school.submit(school.classes[0], 0)
    client = sign_in(school.users[Role.PRINCIPAL])
    with at(moment(0, 9, 0)):
        done = words(client.get(f"/figures/duties.checks_done/{school.institution.pk}/"))
        ill = words(client.get(f"/figures/screening.absent_ill/{school.classes[1].pk}/"))
    assert "2 应检 − 1 未交 = 1 按时晨检" in done
    assert "不是 0" in ill


def test_an_unknown_figure_and_a_foreign_unit_are_not_found(school):
    other = add_school(school.district, 1)
    client = sign_in(school.users[Role.PRINCIPAL])
    with at(moment(0, 9, 0)):
        urls = [
            f"/figures/screening.nonsense/{school.institution.pk}/",
            f"/figures/screening.absent_ill/{other.pk}/",
            f"/institutions/{other.pk}/",
            "/institutions/999999/",
            "/board/",
        ]
        assert [client.get(url).status_code for url in urls] == [404] * 5


def test_worst_first_and_filters_stand_in_the_address(school):
    calm = add_school(school.district, 1)
    # Nobody owes a check where nobody is enrolled.
    idle = add_school(school.district, 2, pupils=0)
    for room in school.classes:
        school.submit(room, 0)
    client = sign_in(school.users[Role.DISTRICT_OFFICER])
    with at(moment(0, 9, 0)):
        everything = client.get("/board/")
        missing = client.get("/board/?state=now")
        nothing = client.get("/board/?state=due")
        named = client.get("/board/?sort=name")
    order = [url for url in links(everything, "/institutions/") if url != f"/institutions/{idle.pk}/"]
    assert order == [f"/institutions/{calm.pk}/", f"/institutions/{school.institution.pk}/"]
    assert "1 个单位当天不应检，不计入" in words(everything)
    assert links(missing, "/institutions/") == [f"/institutions/{calm.pk}/"]
    assert "3 个单位中的 1 个" in words(missing)
    assert "没有符合条件的单位" in words(nothing)
    assert named.status_code == 200


def test_the_institution_shows_classes_by_school_days_and_never_a_nought_for_nothing_reported(school):
    room, other = school.classes
    school.submit(room, 0, {school.pupils[room.pk][4]: ["fever"]})
    client = sign_in(school.users[Role.PRINCIPAL])
    with at(moment(0, 9, 0)):
        page = client.get(f"/institutions/{school.institution.pk}/")
    cells = [each for each in all_of(page, "x-heat-1") if each.tag == "a"]
    assert [each.attributes["href"] for each in cells] == [f"/figures/screening.absent_ill/{room.pk}/"]
    unreported = [each for each in all_of(page, "x-heat-none") if each.tag == "a"]
    assert f"/figures/screening.absent_ill/{other.pk}/" in {each.attributes["href"] for each in unreported}
    assert {squeezed(each) for each in unreported} == {"— 未报"}
    assert "今日未完成 1" in words(page)


def test_yesterday_is_another_address_and_leads_to_yesterdays_rows(school):
    room = school.classes[0]
    school.submit(room, 0, {school.pupils[room.pk][4]: ["fever"]})
    client = sign_in(school.users[Role.DISTRICT_OFFICER])
    with at(moment(1, 9, 0)):
        board = client.get("/board/?day=2020-12-14")
        assert client.get("/board/?day=nonsense").status_code == 404
    assert "现在要您决定" not in words(board)
    assert all(url.endswith("?day=2020-12-14") for url in links(board, "/figures/"))


def statements(client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("url", ["/board/", "/today/"])
def test_the_district_costs_as_many_statements_with_two_schools_as_with_twelve(school, url):
    add_school(school.district, 0)
    client = sign_in(school.users[Role.DISTRICT_OFFICER])
    with at(moment(0, 9, 0)):
        client.get(url)
        few = statements(client, url)
        for number in range(1, 11):
            add_school(school.district, number)
        many = statements(client, url)
    assert many == few


def test_the_institution_costs_as_many_statements_with_two_classes_as_with_six():
    school = make_school(classes=6, size=3)
    client = sign_in(school.users[Role.PRINCIPAL])
    url = f"/institutions/{school.institution.pk}/"
    with at(moment(0, 9, 0)):
        client.get(url)
        many = statements(client, url)
        for room in school.classes[2:]:
            organisations.close_unit(by=None, unit=room, last_day=date(2020, 12, 11), at=moment(0, 8, 0))
        few = statements(client, url)
    assert many == few


def asked_for_evidence(client, url: str) -> int:
    """How often the page asks for what proves the duties of the day."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return sum('FROM "duties_evidence"' in query["sql"] for query in captured.captured_queries)


def test_each_desk_asks_for_the_duties_of_the_day_once(school):
    client = sign_in(school.users[Role.DISTRICT_OFFICER])
    with at(moment(0, 9, 0)):
        for url in ("/board/", "/today/", f"/institutions/{school.institution.pk}/"):
            assert asked_for_evidence(client, url) == 1, url


def test_the_board_costs_as_many_statements_with_six_institutions_as_with_88(school):
    client = sign_in(school.users[Role.DISTRICT_OFFICER])
    for number in range(5):
        add_school(school.district, number)
    with at(moment(0, 9, 0)):
        client.get("/board/")
        six = statements(client, "/board/")
        for number in range(5, 87):
            add_school(school.district, number)
        assert statements(client, "/board/") == six


def test_the_rows_of_a_figure_come_in_pages_by_key_and_only_those_shown_are_logged(school, monkeypatch):
    monkeypatch.setattr("xiaodun.desks.selectors.figures.PAGE", 3)
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    answer = school.submit(room, 0, dict.fromkeys(pupils[:5], FEVER))
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    url = f"/figures/screening.absent_ill/{school.institution.pk}/"
    with at(moment(0, 9, 0)):
        first = client.get(url)
        assert "构成这个数的 5 行" in words(first)
        assert "5 行中的 3 行" in words(first)
        (next_url,) = links(first, f"{url}?after=")
        # One more comes to stand at the end; nobody is skipped and nobody shown twice.
        school.correct(answer["session"], dict.fromkeys(pupils[:6], FEVER), at=moment(0, 9, 1))
        second = client.get(next_url)
    assert [pupil.name in words(second) for pupil in pupils[:6]] == [False] * 3 + [True] * 3
    assert "与明细核对一致" in words(second)
    logged = AuditEntry.objects.filter(action="desks.figure.screening.absent_ill.read").order_by("pk")
    assert [len(entry.facts["persons"]) for entry in logged] == [3, 3]


def test_within_one_class_persons_are_counted_and_above_it_absences(school):
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    school.submit(school.classes[0], 0, {school.pupils[school.classes[0].pk][0]: FEVER})
    with at(moment(0, 9, 0)):
        own = client.get(f"/figures/screening.absent_ill/{school.classes[0].pk}/")
        all_of_it = client.get(f"/figures/screening.absent_ill/{school.institution.pk}/")
    assert squeezed(all_of(own, "x-opened-number")[0]) == "1 人"
    assert squeezed(all_of(all_of_it, "x-opened-number")[0]) == "1 人次"
