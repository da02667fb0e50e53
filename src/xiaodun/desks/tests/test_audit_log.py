"""The audit log for auditors and principals: by key, narrowed by the address, each look in it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from tests.factories import busy_morning
from xiaodun.desks.selectors import audit_log
from xiaodun.desks.tests.cast import at, links, sign_in, words
from xiaodun.kit.models import AuditEntry

LOG = reverse("desks:audit_log")


@pytest.fixture
def later(cast):
    """An hour after the busy morning, on which the doctor looked at a file of class_a."""
    busy_morning(cast)
    with at(cast.at + timedelta(minutes=30)):
        sign_in(cast.doctor).get(reverse("desks:figure", args=["screening.absent_ill", cast.class_a.pk]))
    return cast.at + timedelta(minutes=60)


def test_an_auditor_reads_who_did_what_and_no_name_of_a_child(cast, later):
    with at(later):
        page = words(sign_in(cast.auditor).get(LOG))
    assert cast.doctor.name in page
    assert "desks.figure.screening.absent_ill.read" in page
    assert cast.pupils[0].name not in page


def test_a_principal_reads_the_log_of_the_own_school_alone(cast, later):
    with at(later):
        page = words(sign_in(cast.principal).get(LOG))
    assert cast.doctor.name in page
    assert cast.stranger.name not in page
    # What belongs to no unit is the district's to read.
    assert "accounts.create_user" not in page


def test_each_value_narrows_the_list_to_its_like_and_the_address_keeps_it(cast, later):
    with at(later):
        client = sign_in(cast.auditor)
        by_doctor = f"{LOG}?actor={cast.doctor.pk}"
        assert by_doctor in links(client.get(LOG))
        page = client.get(by_doctor)
        assert cast.stranger.name not in words(page)
        assert f"{LOG}?actor={cast.doctor.pk}&unit={cast.class_a.pk}" in links(page)
        yesterday = (cast.day - timedelta(days=1)).isoformat()
        assert "没有符合的记录" in words(client.get(f"{by_doctor}&day={yesterday}"))


def test_who_read_of_one_child_is_found_by_the_schools_number(cast, later):
    child, other = cast.pupils[0], cast.members[cast.class_d.pk][0]
    with at(later):
        client = sign_in(cast.auditor)
        found = client.post(reverse("desks:audit_find"), {"number": child.number})
        assert found.url == f"{LOG}?person={child.pk}"
        assert "desks.figure.screening.absent_ill.read" in words(client.get(found.url))
        other_log = client.post(reverse("desks:audit_find"), {"number": other.number}).url
        assert "desks.figure" not in words(client.get(other_log))


def test_a_person_or_unit_of_another_school_is_as_unknown_to_a_principal(cast, later):
    stranger = cast.members[cast.other_class.pk][0]
    with at(later):
        client = sign_in(cast.principal)
        assert client.get(f"{LOG}?person={stranger.pk}").status_code == 404
        assert client.get(f"{LOG}?unit={cast.other_class.pk}").status_code == 404
        assert client.post(reverse("desks:audit_find"), {"number": stranger.number}).status_code == 422


def test_every_look_at_the_log_stands_in_the_log(cast, later):
    with at(later):
        sign_in(cast.auditor).get(f"{LOG}?actor={cast.doctor.pk}")
    entry = AuditEntry.objects.get(action="desks.audit.read")
    assert (entry.actor_id, entry.facts) == (cast.auditor.pk, {"filters": {"actor": str(cast.doctor.pk)}})


def test_pages_follow_each_other_by_key_and_lose_no_row(cast, later, monkeypatch):
    monkeypatch.setattr(audit_log, "PAGE", 7)
    monkeypatch.setattr(audit_log, "LOOKED_AT", 20)
    with at(later):
        client = sign_in(cast.auditor)
        for start in (f"{LOG}?actor={cast.teacher.pk}", f"{LOG}?person={cast.pupils[0].pk}"):
            url, pages, seen = start, 0, 0
            while url:
                answer = client.get(url)
                page = answer.context["page"]
                seen, pages, url = seen + len(page.lines), pages + 1, page.next_url
                assert pages < 200
            assert seen
