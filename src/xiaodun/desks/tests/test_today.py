"""Today: what each role must decide, what is late, due and closed; and the tap that closes it."""

import pytest

from xiaodun.accounts import services as accounts
from xiaodun.accounts.choices import Role
from xiaodun.accounts.policies import OFFICES
from xiaodun.desks.tests.cast import all_of, at, links, sign_in, squeezed, tap, words
from xiaodun.messages import services as messages
from xiaodun.messages.models import Message
from xiaodun.screening.models import CheckSession
from xiaodun.screening.tests.cast import MADE_AT, School, make_school, moment
from xiaodun.surveillance import services as surveillance
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import newest_event

pytestmark = pytest.mark.django_db

RASH = ["rash"]


@pytest.fixture
def school() -> School:
    return make_school()


def test_before_the_deadline_the_own_check_is_due_and_the_one_act_under_the_thumb(school):
    room = school.classes[0]
    with at(moment(0, 7, 30)):
        page = sign_in(school.users[Role.CLASS_TEACHER]).get("/today/")
    assert "今日待办 1" in words(page)
    assert "没有等您签收的信号" in words(page)
    assert "下一个时限" in words(page)
    (act,) = all_of(page, "x-actions")
    assert squeezed(act) == "去晨检"
    assert f"/groups/{room.pk}/check/" in links(page)


def test_one_tap_closes_the_check_and_says_so(school):
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 7, 42)):
        done = client.get(tap(client, school.classes[0]))
        today = words(client.get("/today/"))
    page = words(done)
    assert "晨检已交" in page
    assert "07:42 点按提交 · 早" in page
    assert "10 人正常，零报告已交" in page
    assert "您不用再做什么" in page
    assert "已交 1 / 2 班" in page
    assert "07:42 提交" in today
    assert "过时未交" not in today


def test_exceptions_name_what_follows_and_whose_it_is(school):
    room = school.classes[0]
    *_, a, b = school.pupils[room.pk]
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 7, 42)):
        done = client.get(tap(client, room, {a: ["fever"], b: []}))
    page = words(done)
    assert "09 测试19 · 病假、发热" in page
    assert "12 月 14 日起在追踪，由校医随访" in page
    assert "聚集信号" not in page
    assert links(done, "/figures/screening.absent_ill/") == [f"/figures/screening.absent_ill/{room.pk}/"]


def test_one_tap_names_whose_file_it_ends(school):
    room = school.classes[0]
    school.submit(room, 0, {school.pupils[room.pk][0]: ["fever"]})
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(1, 7, 42)):
        page = words(client.get(tap(client, room)))
        today = client.get("/today/")
    assert "今天返校 1 这次检查后结案 01 测试11 12 月 14 日起病；今天结案：已返校。" in page
    assert "/files/?state=ended&back=2020-12-15" in links(today)


def test_a_signal_to_acknowledge_is_left_to_do_after_the_check(school):
    room = school.classes[0]
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 7, 42)):
        done = client.get(tap(client, room, dict.fromkeys(school.pupils[room.pk][:3], RASH)))
    assert "签收 1 条信号" in words(done)
    assert "您不用再做什么" not in words(done)
    assert f"/signals/{Signal.objects.get().pk}/" in links(done)


def test_a_correction_shows_before_and_after_with_its_author(school):
    room = school.classes[0]
    a = school.pupils[room.pk][0]
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 7, 42)):
        tap(client, room, {a: ["fever"]})
        session = CheckSession.objects.get()
        done = client.get(tap(client, room, session=session.pk, base_version=1))
    (change,) = all_of(done, "x-change")
    assert squeezed(change) == "更正前： 病假、发热 更正后： 到校，正常"
    assert "杜若 · 07:42" in words(done)


def test_a_late_check_says_that_it_counts_as_late(school):
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 9, 0)):
        assert "过时未交 1" in words(client.get("/today/"))
        done = client.get(tap(client, school.classes[0]))
        today = words(client.get("/today/"))
    assert "已过时限，计为迟交" in words(done)
    assert "迟交" in today


@pytest.mark.parametrize("role", [Role.SCHOOL_DOCTOR, Role.PRINCIPAL, Role.GRADE_LEAD])
def test_the_school_sees_which_class_is_missing(school, role):
    school.submit(school.classes[0], 0)
    with at(moment(0, 9, 0)):
        page = words(sign_in(school.users[role]).get("/today/"))
    assert "过时未交 1" in page
    assert "三(2)班 · 晨检" in page
    assert "1 个班组晨检已交" in page


def test_the_district_sees_schools_and_each_leads_to_its_page(school):
    with at(moment(0, 9, 0)):
        page = sign_in(school.users[Role.DISTRICT_OFFICER]).get("/today/")
    assert "银杏小学 · 2 个班组晨检未交" in words(page)
    assert f"/institutions/{school.institution.pk}/" in links(page)


@pytest.mark.parametrize("role", [role for role in Role if role not in OFFICES])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_figure_on_today_opens(school, role, language):
    room = school.classes[0]
    school.submit(room, 0, {school.pupils[room.pk][0]: ["fever"]})
    client = sign_in(school.users[role], language)
    with at(moment(0, 9, 0)):
        targets = links(client.get("/today/"), "/figures/")
        assert len(targets) >= 4
        assert {client.get(target).status_code for target in targets} == {200}


@pytest.mark.parametrize("role", [role for role in Role if role not in OFFICES])
def test_on_a_weekend_nothing_is_owed_and_the_page_says_why(school, role):
    with at(moment(5, 9, 0)):
        page = words(sign_in(school.users[role]).get("/today/"))
    assert "今天不应检" in page
    assert "过时未交" not in page


@pytest.mark.parametrize("role", sorted(OFFICES))
def test_an_office_is_told_what_it_is_for_and_sees_no_count_and_no_signal(school, role):
    room = school.classes[0]
    school.submit(room, 0, {pupil: ["rash"] for pupil in school.pupils[room.pk][:3]})
    with at(moment(0, 9, 0)):
        page = sign_in(school.users[role]).get("/today/")
    assert "您的工作" in words(page)
    assert "今天的数字" not in words(page)
    assert "聚集" not in words(page)
    assert links(page, "/messages/")


def test_a_room_that_owes_no_check_can_be_checked_at_any_time(school):
    with at(moment(0, 7, 30)):
        page = sign_in(school.users[Role.DORMITORY_SUPERVISOR]).get("/today/")
    assert "没有时限" in words(page)
    assert f"/groups/{school.dormitory.pk}/check/" in links(page)


def test_a_clerk_who_also_teaches_has_a_class_to_check_and_the_office_beside_it(school):
    clerk = school.users[Role.SCHOOL_CLERK]
    accounts.assign_role(
        by=None,
        user=clerk,
        role=Role.CLASS_TEACHER,
        unit=school.classes[0],
        valid_from=MADE_AT.date(),
        at=MADE_AT,
    )
    with at(moment(0, 7, 30)):
        page = words(sign_in(clerk).get("/today/"))
    assert "今日待办 1" in page
    assert "您的工作" in page


def test_somebody_without_a_role_is_told_whom_to_ask(school):
    nobody = accounts.create_user(by=None, username="T-new", name="新人", at=MADE_AT)
    with at(moment(0, 9, 0)):
        page = words(sign_in(nobody).get("/today/"))
    assert "您目前没有岗位" in page


def test_a_message_opens_what_it_is_about_and_is_read_from_then_on(school):
    room = school.classes[1]
    a, b, c, *_ = school.pupils[room.pk]
    school.submit(room, 0, {a: ["rash"], b: ["rash"], c: ["rash"]})
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    message = Message.objects.get(recipient=school.users[Role.SCHOOL_DOCTOR], kind="signal")
    with at(moment(0, 8, 0)):
        assert "信号：银杏小学 三(2)班，3 例" in words(client.get("/messages/"))
        answer = client.post(f"/messages/{message.pk}/open/")
        assert answer.url == message.url
        assert "08:00 已读" in words(client.get("/messages/"))


def test_a_withdrawn_message_stays_and_says_so(school):
    room = school.classes[1]
    a, b, c, *_ = school.pupils[room.pk]
    answer = school.submit(room, 0, {a: ["rash"], b: ["rash"], c: ["rash"]})
    school.correct(answer["session"], {a: ["rash"]}, at=moment(0, 8, 0))
    with at(moment(0, 8, 5)):
        page = words(sign_in(school.users[Role.SCHOOL_DOCTOR]).get("/messages/"))
    assert "信号：银杏小学 三(2)班" in page
    assert "已撤销" in page


def test_an_empty_inbox_says_what_will_come(school):
    with at(moment(0, 7, 30)):
        page = words(sign_in(school.users[Role.CLASS_TEACHER]).get("/messages/"))
    assert "没有消息" in page


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.DISTRICT_OFFICER])
def test_who_leads_and_also_teaches_a_class_still_sees_every_class_on_today(school, role):
    user = school.users[role]
    accounts.assign_role(
        by=None,
        user=user,
        role=Role.CLASS_TEACHER,
        unit=school.classes[0],
        valid_from=MADE_AT.date(),
        at=MADE_AT,
    )
    school.submit(school.classes[0], 0)
    with at(moment(0, 9, 0)):
        page = words(sign_in(user).get("/today/"))
    assert "三(2)班" in page
    assert "1 个班组晨检已交" in page


@pytest.mark.parametrize("role", [Role.GRADE_LEAD, Role.PRINCIPAL, Role.DISTRICT_OFFICER])
def test_a_missing_check_leads_whoever_may_not_submit_it_to_a_page_that_opens(school, role):
    user, room = school.users[role], school.classes[1]
    with at(moment(0, 9, 0)):
        messages.send(
            to=[user],
            kind="duty-missed",
            unit=room,
            facts={
                "unit": "银杏小学 三(2)班",
                "unit_en": "Class 3(2), Ginkgo Primary School",
                "duty": "晨检",
                "duty_en": "Morning check",
                "deadline": "08:30",
            },
            url=f"/groups/{room.pk}/check/?day=2020-12-14",
            at=moment(0, 8, 30),
        )
        message = Message.objects.get(recipient=user, unit=room)
        answer = sign_in(user).post(f"/messages/{message.pk}/open/", follow=True)
    page = school.grade if role == Role.GRADE_LEAD else school.institution
    assert answer.redirect_chain == [(f"/institutions/{page.pk}/?day=2020-12-14", 302)]
    assert answer.status_code == 200


def test_whoever_only_acknowledges_is_not_told_to_decide(school):
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], RASH))
    signal = Signal.objects.get()
    teacher = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 8, 0)):
        page = words(teacher.get("/today/"))
        assert "现在要您签收 1" in page
        assert "现在要您决定" not in page
        surveillance.acknowledge(
            by=school.users[Role.CLASS_TEACHER], signal=signal, seen=newest_event(signal), at=moment(0, 8, 0)
        )
        page = words(teacher.get("/today/"))
        assert "没有等您签收的信号" in page
        assert "已签收，等待判定 1" in page
        assert "现在要您决定 1" in words(sign_in(school.users[Role.PRINCIPAL]).get("/today/"))


def test_opening_a_signal_by_any_way_reads_its_message(school):
    room = school.classes[1]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], RASH))
    doctor = school.users[Role.SCHOOL_DOCTOR]
    message = Message.objects.get(recipient=doctor)
    with at(moment(0, 8, 0)):
        sign_in(doctor).get(f"/signals/{Signal.objects.get().pk}/")
    message.refresh_from_db()
    assert message.read_at >= moment(0, 8, 0)


def test_whoever_acts_on_a_signal_has_read_its_message_without_having_opened_it(school):
    room = school.classes[1]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], RASH))
    doctor, signal = school.users[Role.SCHOOL_DOCTOR], Signal.objects.get()
    surveillance.acknowledge(by=doctor, signal=signal, seen=newest_event(signal), at=moment(0, 8, 0))
    assert Message.objects.get(recipient=doctor).read_at == moment(0, 8, 0)
    assert set(Message.objects.exclude(recipient=doctor).values_list("read_at", flat=True)) <= {None}


def remind(user, room, *, at, day="2020-12-14"):
    messages.send(
        to=[user],
        kind="duty-missed",
        unit=room,
        facts={"unit": "三(2)班", "duty": "晨检", "deadline": "08:30"},
        url=f"/groups/{room.pk}/check/?day={day}",
        at=at,
    )


def unread(user):
    return Message.objects.filter(recipient=user, read_at__isnull=True).count()


def test_opening_the_class_or_the_school_reads_the_reminders_of_that_day(school):
    room = school.classes[0]
    teacher, principal = school.users[Role.CLASS_TEACHER], school.users[Role.PRINCIPAL]
    for user in (teacher, principal):
        remind(user, room, at=moment(0, 8, 30))
        remind(user, room, at=moment(0, 8, 31), day="2020-12-11")
    with at(moment(0, 9, 0)):
        sign_in(teacher).get(f"/groups/{room.pk}/check/roster.json")
        sign_in(principal).get(f"/institutions/{school.institution.pk}/")
    assert unread(teacher) == unread(principal) == 1


def test_all_messages_are_read_at_once_and_old_ones_fold(school):
    principal = school.users[Role.PRINCIPAL]
    for offset in (-7, -3, 0):
        remind(principal, school.classes[0], at=moment(offset, 8, 30))
    client = sign_in(principal)
    with at(moment(0, 9, 0)):
        page = client.get("/messages/")
        assert "更早的 2 条消息 · 2 条未读" in words(page)
        assert "全部标为已读" in page.content.decode()
        shown = Message.objects.filter(recipient=principal).latest("pk").pk
        remind(principal, school.classes[0], at=moment(0, 8, 59), day="2020-12-10")
        answer = client.post("/messages/read/", {"newest": shown}, follow=True)
    assert answer.redirect_chain == [("/messages/", 302)]
    # What came while the page lay open was never shown.
    assert unread(principal) == 1
    assert "全部标为已读" in answer.content.decode()


def test_a_confirmed_signal_is_to_be_reported_on_the_pages_of_who_may_decide(school):
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], RASH))
    surveillance.decide(
        by=school.users[Role.SCHOOL_DOCTOR],
        signal=Signal.objects.get(),
        outcome=Signal.State.CONFIRMED,
        reason="",
        seen=newest_event(Signal.objects.get()),
        at=moment(0, 9, 0),
    )
    for role in (Role.SCHOOL_DOCTOR, Role.PRINCIPAL, Role.DISTRICT_OFFICER):
        client = sign_in(school.users[role])
        with at(moment(0, 10, 0)):
            page = words(client.get("/today/"))
            assert "待报告：" in page
            assert "明天 07:42 前须报告" in page
        with at(moment(1, 8, 0)):
            page = words(client.get("/today/"))
            assert "07:42 前须报告 超时" in page[page.index("过时未交") :]
    with at(moment(0, 10, 0)):
        assert "待报告" not in words(sign_in(school.users[Role.CLASS_TEACHER]).get("/today/"))
        listed = words(sign_in(school.users[Role.SCHOOL_DOCTOR]).get("/signals/?state=report"))
    assert "三(1)班" in listed
