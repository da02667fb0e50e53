"""Links on paper: they submit, they never read; the notice comes before the first record."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from xiaodun.accounts.models import User
from xiaodun.families.models import Acknowledgment, ChildLink, FamilyPhone
from xiaodun.families.notices import notice_on
from xiaodun.families.selectors import families_of, open_links, reads_of
from xiaodun.families.services import acknowledge, bind_phone, issue_links, revoke_links
from xiaodun.kit.clock import local_day
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations.services import set_phone
from xiaodun.people.services import transfer
from xiaodun.people.services.guardians import GuardianValues, set_guardians

PHONE = "13800138000"


@pytest.fixture
def child(cast, set_clock):
    set_clock(cast.at)
    set_phone(by=None, unit=cast.school, phone="0371-60000000", at=cast.at)
    person = cast.pupils[0]
    set_guardians(by=None, person=person, guardians=[GuardianValues("王芳", "mother", PHONE)], at=cast.at)
    return person


@pytest.fixture
def slip(cast, child):
    (issued,) = issue_links(by=cast.teacher, group=cast.class_a, persons=[child], at=cast.at)
    return issued


def link_of(slip) -> ChildLink:
    return ChildLink.objects.get(person=slip.person, revoked_at__isnull=True)


def page(slip, client: Client | None = None):
    return (client or Client()).get(reverse("families:child", args=[slip.secret]))


def said_yes(slip) -> Client:
    client = Client()
    answer = client.post(
        reverse("families:child", args=[slip.secret]), {"name": "王芳", "relation": "mother"}
    )
    assert answer.status_code == 302
    return client


def test_the_sheet_of_a_class_holds_one_link_a_child_and_only_digests_stay(cast, child, set_clock):
    office = Client()
    office.force_login(cast.clerk)
    sheet = office.post(reverse("families:print_links", args=[cast.class_a.pk])).content.decode()
    assert sheet.count('class="x-qr"') == len(cast.pupils)
    assert ChildLink.objects.count() == len(cast.pupils)
    codes = re.findall(r"\b(?:[2-9A-Z]{4}-){2}[2-9A-Z]{4}\b", sheet)
    kept = " ".join(str(value) for row in ChildLink.objects.values_list() for value in row)
    assert codes
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_the_page_names_school_class_and_the_masked_child_shows_the_notice_and_nothing_of_the_record(
    cast, slip
):
    text = page(slip).content.decode()
    for shown in ("育才小学", "三(1)班", "王*明", "0371-60000000", "学校记录孩子每天的晨午检结果"):
        assert shown in text
    for hidden in (slip.person.name, PHONE, "王芳", slip.person.number):
        assert hidden not in text


def test_the_acknowledgment_is_kept_with_version_time_name_and_relation_and_only_the_first_counts(cast, slip):
    said_yes(slip)
    again = {"name": "李强", "relation": "father"}
    assert Client().post(reverse("families:child", args=[slip.secret]), again).status_code == 200
    kept = Acknowledgment.objects.get()
    notice = notice_on(cast.day)
    assert (kept.notice, kept.version) == (notice.code, notice.version)
    assert (kept.name, kept.relation, kept.language) == ("王芳", "mother", "zh-hans")
    assert local_day(kept.at) == cast.day
    entry = AuditEntry.objects.get(action="families.acknowledge")
    assert "王芳" not in str(entry.facts)
    assert "没有其他要做的" in page(slip).content.decode()


def test_a_forwarded_link_reads_nothing_even_after_the_acknowledgment(cast, slip):
    said_yes(slip)
    text = page(slip).content.decode()
    for hidden in ("王芳", slip.person.name, PHONE):
        assert hidden not in text


def test_an_unknown_and_a_replaced_link_get_the_same_answer(cast, slip):
    (newer,) = issue_links(by=cast.clerk, group=cast.class_a, persons=[slip.person], at=cast.at)
    bodies = set()
    for secret in (slip.secret, "x" * len(slip.secret)):
        answer = Client().get(reverse("families:child", args=[secret]))
        assert answer.status_code == 404
        bodies.add(
            re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|" + secret, "", answer.content.decode())
        )
        assert Client().get(reverse("families:bind", args=[secret])).status_code == 404
    assert len({re.sub(r'value="\w+"', "", body) for body in bodies}) == 1
    assert page(newer).status_code == 200


def test_after_the_school_year_the_link_shows_the_telephone_and_nothing_of_the_child(cast, slip, set_clock):
    set_clock(cast.at.replace(year=2021, month=8, day=31))
    assert page(slip).status_code == 200
    set_clock(cast.at.replace(year=2021, month=9, day=1))
    answer = page(slip)
    assert answer.status_code == 410
    assert "0371-60000000" in answer.content.decode()
    assert "王*明" not in answer.content.decode()


def test_a_child_who_changes_the_class_leaves_the_link_of_the_old_one_behind(cast, slip):
    transfer(
        by=None,
        person=slip.person,
        from_group=cast.class_a,
        to_group=cast.class_b,
        on=cast.day,
        at=cast.at,
    )
    assert page(slip).status_code == 404


def test_a_phone_is_bound_by_a_number_on_record_and_the_second_code(cast, slip):
    client = said_yes(slip)
    address = reverse("families:bind", args=[slip.secret])
    for phone, code in (("13900139000", slip.code), (PHONE, "2222-2222-2222")):
        answer = client.post(address, {"phone": phone, "code": code})
        assert answer.status_code == 422
    assert client.post(address, {"phone": "138 0013 8000", "code": slip.code.lower()}).status_code == 302
    bound = FamilyPhone.objects.get()
    assert (bound.person, bound.name) == (slip.person, "王芳")
    text = page(slip, client).content.decode()
    assert "谁看过孩子的记录" in text
    assert "王芳" in text
    # The same link on another phone still reads nothing.
    assert "王芳" not in page(slip).content.decode()


def test_after_five_wrong_tries_a_slip_binds_no_phone_any_more(cast, slip):
    said_yes(slip)
    link = link_of(slip)
    for _ in range(5):
        assert bind_phone(link=link, phone=PHONE, code="2222-2222-2222", at=cast.at) is None
    assert bind_phone(link=link, phone=PHONE, code=slip.code, at=cast.at) is None


def test_no_phone_is_bound_before_the_notice_is_acknowledged(cast, slip):
    answer = Client().post(reverse("families:bind", args=[slip.secret]), {"phone": PHONE, "code": slip.code})
    assert answer.status_code == 302
    assert not FamilyPhone.objects.exists()


def test_a_new_slip_or_a_revocation_ends_link_and_phones(cast, slip):
    client = said_yes(slip)
    client.post(reverse("families:bind", args=[slip.secret]), {"phone": PHONE, "code": slip.code})
    assert revoke_links(by=cast.clerk, persons=[slip.person], at=cast.at) == 1
    assert page(slip, client).status_code == 404
    assert not open_links(cast.at).exists()


def test_a_bound_phone_sees_who_opened_the_child_alone(cast, slip):
    from xiaodun.desks.services import log_child_read, log_read

    log_child_read(
        by=cast.doctor, page="file", unit=cast.class_a, person=slip.person, record=slip.person, at=cast.at
    )
    # A list in which the child stands alone is a list.
    log_read(by=cast.teacher, page="files", unit=cast.class_a, person_ids=[slip.person.pk], at=cast.at)
    log_read(
        by=cast.teacher,
        page="roster",
        unit=cast.class_a,
        person_ids=[person.pk for person in cast.pupils],
        at=cast.at,
    )
    assert [read.name for read in reads_of(slip.person)] == [cast.doctor.name]


def test_who_opened_a_child_is_read_by_the_index_of_objects(child):
    with CaptureQueriesContext(connection) as asked, connection.cursor() as cursor:
        reads_of(child)
        cursor.execute(f"EXPLAIN QUERY PLAN {asked.captured_queries[0]['sql']}")
        assert "audit_object" in str(cursor.fetchall())


def test_whoever_prints_is_the_class_teacher_or_the_office_for_the_own_school(cast, child, set_clock):
    allowed: dict[User, int] = {
        cast.teacher: 200,
        cast.clerk: 200,
        cast.colleague: 404,
        cast.stranger: 404,
        cast.doctor: 403,
        cast.principal: 403,
        cast.officer: 403,
    }
    for user, status in allowed.items():
        client = Client()
        client.force_login(user)
        assert client.get(reverse("families:group", args=[cast.class_a.pk])).status_code == status


def test_the_page_of_the_class_says_how_far_each_family_is(cast, slip):
    said_yes(slip)
    first, *others = families_of(cast.class_a, cast.at)
    assert first.acknowledged.name == "王芳"
    assert all(family.link is None for family in others)


def test_an_acknowledgment_needs_a_name_and_a_known_relation(cast, slip):
    for name, relation in (("", "mother"), ("王芳", "neighbour")):
        with pytest.raises(Refusal, match="guardian-missing"):
            acknowledge(link=link_of(slip), language="en", name=name, relation=relation, at=cast.at)


def test_the_notice_is_complete_in_both_languages_from_its_first_day():
    notice = notice_on(date(2020, 9, 1))
    for words in (notice.words("zh-hans"), notice.words("en")):
        assert all(words.model_dump().values())
    assert notice_on(date(2020, 9, 1) + timedelta(days=400)) == notice
