"""A cluster on the pages: from the third case to every desk, the clock, acknowledgment and decision."""

from datetime import timedelta

import pytest

from xiaodun.accounts import services as accounts
from xiaodun.accounts.choices import Role
from xiaodun.desks.tests.cast import all_of, at, found, links, sign_in, squeezed, words
from xiaodun.kit.models import AuditEntry
from xiaodun.ladders import services as ladders
from xiaodun.people.models import Person
from xiaodun.screening.tests.cast import MADE_AT, School, day, make_school, moment
from xiaodun.surveillance import services as surveillance
from xiaodun.surveillance.models import Signal, SignalCase
from xiaodun.surveillance.selectors import newest_event

pytestmark = pytest.mark.django_db

VOMITING = ["vomiting"]


@pytest.fixture
def school() -> School:
    return make_school()


@pytest.fixture
def signal(school: School) -> Signal:
    """Three vomiting pupils of the second class, who share no dormitory room."""
    room = school.classes[1]
    a, b, c, *_ = school.pupils[room.pk]
    school.submit(room, 0, {a: VOMITING, b: ["diarrhoea"], c: VOMITING})
    return Signal.objects.get()


@pytest.mark.parametrize("role", [Role.SCHOOL_DOCTOR, Role.PRINCIPAL, Role.DISTRICT_OFFICER])
def test_the_third_similar_case_is_a_decision_with_its_clock_on_every_desk(school, signal, role):
    client = sign_in(school.users[role])
    with at(moment(0, 8, 0)):
        today = client.get("/today/")
        assert "三(2)班 · 呕吐、腹泻 · 3 例" in words(today)
        assert f"/signals/{signal.pk}/" in links(today)
        page = client.get(f"/signals/{signal.pk}/")
    (strip,) = all_of(page, "x-strip-now")
    # Raised at 07:42, 24 hours; looked at from 08:00 on.
    assert "剩 23 小时 4" in squeezed(strip)
    assert "明天 07:42" in squeezed(strip)
    assert "3 / 10" in words(page)
    assert "30.0%" in words(page)


def test_the_page_says_why_it_rang_by_which_version_and_source(school, signal):
    with at(moment(0, 8, 0)):
        page = words(sign_in(school.users[Role.SCHOOL_DOCTOR]).get(f"/signals/{signal.pk}/"))
    for said in (
        "norm-2006-3-in-1-day",
        "第 1 版",
        "≥ 3",
        "卫办疾控发〔2006〕65号",
        "见于二手文献，尚未核对原文",
        "12 月 14 日",
    ):
        assert said in page


def test_the_onset_curve_ends_today_and_has_a_table_behind_it_with_the_same_numbers(school, signal):
    with at(moment(0, 8, 0)):
        page = sign_in(school.users[Role.SCHOOL_DOCTOR]).get(f"/signals/{signal.pk}/")
    (curve,) = all_of(page, "x-bars")
    counts = [squeezed(bar)[0] for bar in curve.walk() if bar.tag == "li"]
    assert counts == ["0", "0", "3"]
    (tallest,) = all_of(page, "x-bar-in")
    assert next(each for each in tallest.walk() if each.tag == "svg").attributes["height"] == "100"
    assert "2020 年 12 月 14 日 周一 3 计入窗口" in words(page)


def test_the_doctor_reads_names_and_symptoms_of_the_persons_and_the_look_is_logged(school, signal):
    with at(moment(0, 8, 0)):
        page = words(sign_in(school.users[Role.SCHOOL_DOCTOR]).get(f"/signals/{signal.pk}/"))
    assert "测试21" in page
    assert "腹泻" in page
    assert "已遮盖" not in page
    assert AuditEntry.objects.filter(action="desks.signal.read").count() == 1


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.DISTRICT_OFFICER])
def test_principal_and_district_read_masked_names_and_the_page_says_so(school, signal, role):
    with at(moment(0, 8, 0)):
        response = sign_in(school.users[role]).get(f"/signals/{signal.pk}/")
    page = words(response)
    assert "姓名和症状已遮盖" in page
    assert page.count("测**") == 3
    assert "测试2" not in response.content.decode()
    assert "腹泻" not in page.replace("呕吐、腹泻", "")
    assert not AuditEntry.objects.filter(action="desks.signal.read").exists()


def test_it_is_told_who_was_alarmed_and_who_comes_next(school, signal):
    ladders.climb_due(at=moment(0, 8, 20))
    with at(moment(0, 8, 21)):
        page = words(sign_in(school.users[Role.SCHOOL_DOCTOR]).get(f"/signals/{signal.pk}/"))
    assert "告知 校医 林静 08:21 已读" in page
    assert "随后告知 校长 孟昭 未读" in page
    assert "下一步 区教育局防控专员" in page


def test_acknowledging_stops_the_ladder_and_leaves_the_clock(school, signal):
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 8, 0)):
        answer = client.post(
            f"/signals/{signal.pk}/acknowledge/", {"seen": newest_event(signal)}, follow=True
        )
    assert answer.redirect_chain == [(f"/signals/{signal.pk}/", 302)]
    page = words(answer)
    assert "林静 08:00 签收，当时 3 例" in page
    assert "剩 23 小时 4" in page
    assert "下一步 区教育局防控专员" not in page
    signal.refresh_from_db()
    assert signal.state == Signal.State.ACKNOWLEDGED


def test_a_decision_with_a_reason_is_recorded_and_closes_the_matter_on_today(school, signal):
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        answer = client.post(
            f"/signals/{signal.pk}/decide/",
            {"outcome": "ruled_out", "reason": "前一晚同在校外就餐", "seen": newest_event(signal)},
            follow=True,
        )
        page = words(answer)
        assert "已排除 · 林静，09:00" in page
        assert "前一晚同在校外就餐" in page
        assert "提交判定" not in page
        today = words(client.get("/today/"))
    assert "现在没有要您决定的事" in today
    assert "林静 09:00 已排除" in today


def test_confirming_needs_no_reason_and_the_page_says_that_it_is_no_statutory_report(school, signal):
    client = sign_in(school.users[Role.PRINCIPAL])
    with at(moment(0, 9, 0)):
        assert "不等于法定报告" in words(client.get(f"/signals/{signal.pk}/"))
        client.post(
            f"/signals/{signal.pk}/decide/",
            {"outcome": "confirmed", "reason": "", "seen": newest_event(signal)},
        )
    signal.refresh_from_db()
    assert (signal.state, signal.decided_by) == (Signal.State.CONFIRMED, school.users[Role.PRINCIPAL])


def test_nobody_decides_on_cases_that_the_page_did_not_show(school, signal):
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        answer = client.post(
            f"/signals/{signal.pk}/decide/",
            {"outcome": "ruled_out", "reason": "误报", "seen": newest_event(signal) - 1},
        )
    assert answer.status_code == 409
    assert "您查看期间病例有变化" in words(answer)
    signal.refresh_from_db()
    assert signal.state == Signal.State.OPEN


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"outcome": "ruled_out", "reason": " "}, "id_reason"), ({"reason": "不清楚"}, "id_outcome")],
)
def test_an_incomplete_decision_leads_to_its_field_and_loses_nothing(school, signal, typed, field):
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        answer = client.post(f"/signals/{signal.pk}/decide/", typed)
    assert answer.status_code == 422
    (summary,) = all_of(answer, "x-errors")
    assert [each.attributes["href"] for each in summary.walk() if each.tag == "a"] == [f"#{field}"]
    assert f'id="{field}"' in answer.content.decode()
    assert typed["reason"].strip() in answer.content.decode()
    if "outcome" in typed:
        checked = [each for each in all_of(answer, "x-decide")[0].walk() if "checked" in each.attributes]
        assert [each.attributes["value"] for each in checked] == ["ruled_out"]
    signal.refresh_from_db()
    assert signal.state == Signal.State.OPEN


def test_a_second_decision_is_refused_names_the_first_and_says_what_to_do(school, signal):
    doctor, principal = (sign_in(school.users[role]) for role in (Role.SCHOOL_DOCTOR, Role.PRINCIPAL))
    with at(moment(0, 9, 0)):
        doctor.post(f"/signals/{signal.pk}/decide/", {"outcome": "confirmed", "seen": newest_event(signal)})
        answer = principal.post(
            f"/signals/{signal.pk}/decide/",
            {"outcome": "ruled_out", "reason": "误报", "seen": newest_event(signal)},
        )
    assert answer.status_code == 409
    page = words(answer)
    for said in ("已经处理过", "林静", "norm-2006-3-in-1-day v1", "请刷新页面", "signal-not-open"):
        assert said in page
    signal.refresh_from_db()
    assert signal.state == Signal.State.CONFIRMED


def test_a_class_teacher_acknowledges_the_own_class_but_is_not_offered_a_decision(school):
    room = school.classes[0]
    a, b, c, *_ = school.pupils[room.pk]
    school.submit(room, 0, {a: VOMITING, b: VOMITING, c: VOMITING})
    signal = Signal.objects.get()
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 8, 0)):
        page = client.get(f"/signals/{signal.pk}/")
        assert "由校医、校长或区教育局判定" in words(page)
        assert "提交判定" not in words(page)
        # Nothing leads where the reader may not go.
        assert not links(page, "/institutions/")
        assert (
            client.post(
                f"/signals/{signal.pk}/decide/", {"outcome": "confirmed", "seen": newest_event(signal)}
            ).status_code
            == 403
        )
        client.post(f"/signals/{signal.pk}/acknowledge/", {"seen": newest_event(signal)})
    signal.refresh_from_db()
    assert signal.state == Signal.State.ACKNOWLEDGED


def test_a_foreign_signal_is_not_found_exactly_as_an_unknown_one(school, signal):
    stranger = accounts.create_user(by=None, username="T-other", name="郑安", at=MADE_AT)
    accounts.assign_role(
        by=None,
        user=stranger,
        role=Role.CLASS_TEACHER,
        unit=school.classes[0],
        valid_from=day(-90),
        at=MADE_AT,
    )
    client = sign_in(stranger)
    with at(moment(0, 8, 0)):
        answers = [client.get(f"/signals/{number}/") for number in (signal.pk, 999_999)]
        answers += [client.post(f"/signals/{signal.pk}/{act}/") for act in ("acknowledge", "decide")]
    assert [answer.status_code for answer in answers] == [404] * 4


def test_a_withdrawn_signal_stays_readable_with_its_history(school, signal):
    room = school.classes[1]
    a, b, *_ = school.pupils[room.pk]
    session = room.check_sessions.get()
    school.correct(session.pk, {a: VOMITING, b: ["diarrhoea"]}, at=moment(0, 9, 0))
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 5)):
        page = words(client.get(f"/signals/{signal.pk}/"))
        withdrawn = words(client.get("/signals/?state=withdrawn"))
        waiting = words(client.get("/signals/"))
    assert "所依据的记录已更正" in page
    assert "撤销：病例已不足阈值" in page
    assert "三(2)班" in withdrawn
    assert "没有待处理的信号" in waiting


def test_after_the_deadline_the_clock_counts_up_and_today_lists_it_as_overdue(school, signal):
    client = sign_in(school.users[Role.DISTRICT_OFFICER])
    with at(signal.deadline_at + timedelta(hours=2)):
        page = words(client.get(f"/signals/{signal.pk}/"))
        today = words(client.get("/today/"))
    assert "超时 2 小时" in page
    assert "已过报告时限" in today


def test_the_attack_rate_counts_children_whose_masked_names_are_alike(school, signal):
    room = school.classes[1]
    session = room.check_sessions.get()
    a, b, c, d, *_ = school.pupils[room.pk]
    school.correct(session.pk, {a: VOMITING, b: ["diarrhoea"], c: VOMITING, d: VOMITING}, at=moment(0, 8, 0))
    Person.objects.filter(pk__in=[a.pk, b.pk, c.pk, d.pk]).update(name="测试生")
    with at(moment(0, 9, 0)):
        page = words(sign_in(school.users[Role.PRINCIPAL]).get(f"/signals/{signal.pk}/"))
    assert page.count("测*生") == 4
    assert "40.0%" in page


def test_why_it_rang_leaves_out_the_outbreaks_of_other_weeks(school, signal):
    room = school.classes[1]
    school.submit(room, 1)
    a, b, c, *_ = school.pupils[room.pk]
    school.submit(room, 21, {a: VOMITING, b: VOMITING, c: VOMITING})
    later = Signal.objects.exclude(pk=signal.pk).get()
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(21, 9, 0)):
        pages = [words(client.get(f"/signals/{each.pk}/")) for each in (signal, later)]
    assert [page.count("norm-2006-3-in-1-day") for page in pages] == [1, 1]


def confirmed(signal, by):
    surveillance.decide(
        by=by,
        signal=signal,
        outcome=Signal.State.CONFIRMED,
        reason="",
        seen=newest_event(signal),
        at=moment(0, 9, 0),
    )


def told(signal, to_whom, reported_at="2020-12-14T09:20"):
    """What the form of the report posts."""
    return {
        "seen": newest_event(signal),
        "to_whom": to_whom,
        "how": "telephone",
        "reported_at": reported_at,
        "reference": "值班 2 号",
    }


def test_after_confirming_the_clock_runs_until_the_reports_are_on_record(school, signal):
    doctor = school.users[Role.SCHOOL_DOCTOR]
    confirmed(signal, doctor)
    client = sign_in(doctor)
    url = f"/signals/{signal.pk}/"
    with at(moment(0, 9, 30)):
        page = client.get(url)
        (strip,) = all_of(page, "x-strip-now")
        assert "剩 22 小时" in squeezed(strip)
        assert "还需报告： 疾控中心、教育局" in words(page)
        assert "不是法定报告" in words(page)
        client.post(url + "report/", told(signal, "cdc"))
        assert "还需报告： 教育局" in words(client.get(url))
        done = client.post(url + "report/", told(signal, "bureau"), follow=True)
    page = words(done)
    assert not all_of(done, "x-strip-now")
    assert "按时报告" in page
    assert "09:20 报告" in page
    assert "已报告：教育局 09:20 电话 · 3 例 · 值班 2 号 · 林静 登记" in page


def test_a_report_after_the_deadline_is_shown_as_late(school, signal):
    doctor = school.users[Role.SCHOOL_DOCTOR]
    confirmed(signal, doctor)
    client = sign_in(doctor)
    with at(moment(1, 9, 30)):
        for to_whom in ("cdc", "bureau"):
            client.post(f"/signals/{signal.pk}/report/", told(signal, to_whom, "2020-12-15T09:00"))
        page = words(client.get(f"/signals/{signal.pk}/"))
    assert "超时报告" in page


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"to_whom": "cdc", "reported_at": "2020-12-14T23:00"}, "id_reported_at"),
        ({"to_whom": "nobody"}, "id_to_whom"),
        ({"to_whom": "cdc", "reported_at": "gestern"}, "id_reported_at"),
    ],
)
def test_an_impossible_report_leads_to_its_field_and_loses_nothing(school, signal, typed, field):
    confirmed(signal, school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 30)):
        answer = sign_in(school.users[Role.SCHOOL_DOCTOR]).post(
            f"/signals/{signal.pk}/report/", told(signal, "cdc") | typed
        )
    assert answer.status_code == 422
    (summary,) = all_of(answer, "x-errors")
    assert [each.attributes["href"] for each in summary.walk() if each.tag == "a"] == [f"#{field}"]
    assert "值班 2 号" in answer.content.decode()
    assert not signal.reports.exists()


def test_a_class_teacher_reads_that_the_report_is_owed_and_records_none(school):
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], VOMITING))
    signal = Signal.objects.get()
    confirmed(signal, school.users[Role.SCHOOL_DOCTOR])
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 9, 30)):
        page = words(client.get(f"/signals/{signal.pk}/"))
        answer = client.post(f"/signals/{signal.pk}/report/", told(signal, "cdc"))
    assert "由疫情报告人、校医、校长或区教育局登记" in page
    assert answer.status_code == 403


@pytest.fixture
def limbs(school) -> list[Signal]:
    room = school.classes[1]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:5], VOMITING))
    return list(Signal.objects.order_by("pk"))


def test_both_limbs_of_the_norm_are_decided_by_one_form_with_one_reason(school, limbs):
    first, second = limbs
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        page = client.get(f"/signals/{first.pk}/")
        assert f"/signals/{second.pk}/" in links(page)
        assert "同一批人，另一条规则也报了警" in words(page)
        (card,) = all_of(page, "x-decide")
        assert "· 呕吐、腹泻 · 5 例" in squeezed(card)
        client.post(
            f"/signals/{first.pk}/decide/",
            {
                "outcome": "ruled_out",
                "reason": "春游晕车",
                "seen": newest_event(first),
                "together": [second.pk],
                f"seen-{second.pk}": newest_event(second),
            },
        )
    assert {(each.state, each.decision_reason) for each in Signal.objects.all()} == {
        (Signal.State.RULED_OUT, "春游晕车")
    }


def test_a_limb_that_was_taken_out_stays_to_be_decided(school, limbs):
    first, second = limbs
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        client.post(f"/signals/{first.pk}/decide/", {"outcome": "confirmed", "seen": newest_event(first)})
        foreign = client.post(
            f"/signals/{second.pk}/decide/",
            {"outcome": "confirmed", "seen": newest_event(second), "together": [999_999]},
        )
    assert foreign.status_code == 422
    second.refresh_from_db()
    assert second.state == Signal.State.OPEN


def reported(school, signal):
    """Confirmed and reported in time to everybody whom the rule names."""
    doctor = school.users[Role.SCHOOL_DOCTOR]
    confirmed(signal, doctor)
    client = sign_in(doctor)
    with at(moment(0, 9, 30)):
        for to_whom in ("cdc", "bureau"):
            client.post(f"/signals/{signal.pk}/report/", told(signal, to_whom))
    return client


def test_persons_who_came_after_the_report_stand_as_untold_on_its_page(school, signal):
    client = reported(school, signal)
    url = f"/signals/{signal.pk}/"
    with at(moment(0, 9, 35)):
        assert "规则要求报告的单位都已报告" in words(client.get(url))
    room = school.classes[1]
    school.submit(room, 1, dict.fromkeys(school.pupils[room.pk][3:6], VOMITING))
    with at(moment(1, 9, 0)):
        assert "上次报告后又增加 3 例" in words(client.get(url))


def test_a_signal_reported_in_time_is_never_said_to_be_late_when_it_grows(school, signal):
    client = reported(school, signal)
    room = school.classes[1]
    session = room.check_sessions.get()
    school.correct(session.pk, dict.fromkeys(school.pupils[room.pk][:4], VOMITING), at=moment(0, 11, 0))
    with at(signal.deadline_at + timedelta(hours=2)):
        page, today, waiting = (client.get(url) for url in (f"/signals/{signal.pk}/", "/today/", "/signals/"))
    assert "按时报告" in words(page)
    assert "三(2)班 · 呕吐、腹泻 · 4 例" in words(today)
    assert "已过报告时限" not in words(today)
    for shown in (page, waiting):
        assert "超时" not in words(shown)


def test_a_withdrawal_is_not_attributed_to_who_decided_before(school, signal):
    confirmed(signal, school.users[Role.SCHOOL_DOCTOR])
    school.correct(school.classes[1].check_sessions.get().pk, {}, at=moment(0, 10, 0))
    client = sign_in(school.users[Role.PRINCIPAL])
    with at(moment(0, 11, 0)):
        page = client.get(f"/signals/{signal.pk}/")
        listed = words(client.get("/signals/?state=withdrawn"))
        today = words(client.get("/today/"))
    assert "林静" not in squeezed(found(page, "dl"))
    (card, *_rest) = all_of(page, "x-decide")
    assert "林静" not in squeezed(card)
    assert "所依据的记录已更正" in squeezed(card)
    assert "三(2)班" in listed
    assert "林静" not in listed
    assert "林静 09:00" not in today


@pytest.mark.parametrize("left", [0, 1])
def test_after_their_time_the_count_stays_and_the_page_says_that_the_names_are_gone(school, signal, left):
    confirmed(signal, school.users[Role.SCHOOL_DOCTOR])
    SignalCase.objects.filter(pk__in=SignalCase.objects.order_by("pk")[left:].values("pk")).delete()
    with at(moment(0, 11, 0)):
        page = sign_in(school.users[Role.SCHOOL_DOCTOR]).get(f"/signals/{signal.pk}/")
    strip = squeezed(found(page, "dl"))
    assert "人数 3 姓名已过保存期，已删除" in strip
    assert "%" not in strip
    assert "计入人员 3" in words(page)
    assert "病例已移出" not in words(page)
    assert not all_of(page, "x-bars")


def test_peak_and_total_have_words_where_they_differ(school, signal):
    room = school.classes[1]
    pupils = school.pupils[room.pk]
    school.submit(room, 1, dict.fromkeys(pupils[3:7], VOMITING))
    signal.refresh_from_db()
    assert signal.peak_count == 4
    with at(moment(1, 9, 0)):
        client = sign_in(school.users[Role.SCHOOL_DOCTOR])
        page = client.get(f"/signals/{signal.pk}/")
        assert "1 天内最多 4 例，共 7 人" in squeezed(found(page, "h1"))
        assert "7 / 10 1 天内最多 4 例" in words(page)
        assert "70.0%" in words(page)
        assert "1 天内最多 4 例，共 7 人" in words(client.get("/signals/"))


def test_english_pages_tell_rules_and_sources_in_english(school, signal):
    with at(moment(0, 9, 0)):
        page = words(sign_in(school.users[Role.SCHOOL_DOCTOR], "en").get(f"/signals/{signal.pk}/"))
    assert "Ministry of Health notice No. 65 (2006)" in page
    assert "卫办" not in page


def test_a_refused_decision_leads_back_to_its_signal(school, signal):
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        answer = client.post(
            f"/signals/{signal.pk}/decide/", {"outcome": "confirmed", "seen": newest_event(signal) - 1}
        )
    assert answer.status_code == 409
    assert f"/signals/{signal.pk}/" in links(answer)


def test_an_address_of_a_form_opened_like_a_page_says_so_and_leads_to_the_form(school, signal):
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        answer = client.get(f"/signals/{signal.pk}/decide/")
        as_json = client.get(f"/signals/{signal.pk}/decide/", headers={"accept": "application/json"})
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "只接收表单提交" in words(answer)
    assert f"/signals/{signal.pk}/" in links(answer)
    assert (as_json.status_code, as_json.json()["code"]) == (405, "method-not-allowed")


def test_a_page_that_does_not_exist_says_so_in_its_heading(school):
    with at(moment(0, 9, 0)):
        answer = sign_in(school.users[Role.SCHOOL_DOCTOR]).get("/nothing-here/")
    assert squeezed(found(answer, "h1")) == "找不到页面"
    assert "请检查网址" in words(answer)
