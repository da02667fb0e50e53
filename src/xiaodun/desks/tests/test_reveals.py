"""A masked value is opened for a person, a reason and a quarter of an hour; auditors hear of hoarders."""

from datetime import timedelta

import pytest
from django.urls import reverse

from tests.factories import busy_morning, enrol, settle
from xiaodun.accounts.assurance import Assurance
from xiaodun.accounts.choices import Level
from xiaodun.desks.tests.cast import at, links, sign_in, words
from xiaodun.kit.models import AuditEntry
from xiaodun.messages.models import Message
from xiaodun.people.choices import Revealable, RevealReason
from xiaodun.people.models import Person, Reveal
from xiaodun.people.numbers import check_character
from xiaodun.people.services import GuardianValues, IdentityValues, keep_identity, set_guardians
from xiaodun.people.services.reveals import MANY_AN_HOUR, reveal

BODY = "41010620110515229"
NUMBER = BODY + check_character(BODY)


@pytest.fixture
def child(cast) -> Person:
    """The first of class_a, ill on the busy morning, with everything on record."""
    busy_morning(cast)
    person = cast.pupils[0]
    keep_identity(
        by=None,
        person=person,
        values=IdentityValues(document_number=NUMBER, address="示范区凤凰路88号7栋503"),
        at=cast.at,
    )
    set_guardians(
        by=None, person=person, guardians=[GuardianValues("王芳", "mother", "13912345678")], at=cast.at
    )
    return person


def open_field(client, person: Person, field: str, reason: str = "call_family"):
    return client.post(reverse("desks:reveal_open", args=[person.pk]), {"field": field, "reason": reason})


def page_of(client, person: Person):
    return client.get(reverse("desks:reveal", args=[person.pk]))


def test_a_doctor_opens_one_value_and_the_audit_keeps_who_what_and_why(cast, child):
    with at(cast.at):
        client = sign_in(cast.doctor)
        before = words(page_of(client, child))
        assert "139****5678" in before
        assert "凤凰路" in before
        assert "13912345678" not in before
        assert "88号" not in before
        assert open_field(client, child, "guardian_phone").status_code == 302
        after = words(page_of(client, child))
    assert "13912345678" in after
    assert NUMBER not in after
    assert "88号" not in after
    entry = AuditEntry.objects.get(action="people.reveal")
    assert (entry.actor_id, entry.object_id) == (cast.doctor.pk, str(child.pk))
    assert (entry.facts["field"], entry.facts["reason"]) == ("guardian_phone", "call_family")
    assert not any(text in str(entry.facts) for text in ("1391", "王"))


def test_it_is_masked_again_after_a_quarter_of_an_hour_and_was_never_open_to_a_colleague(cast, child):
    with at(cast.at):
        open_field(sign_in(cast.doctor), child, "guardian_phone")
        assert "13912345678" not in words(page_of(sign_in(cast.reporter), child))
    with at(cast.at + timedelta(minutes=14)):
        assert "13912345678" in words(page_of(sign_in(cast.doctor), child))
    with at(cast.at + timedelta(minutes=16)):
        assert "13912345678" not in words(page_of(sign_in(cast.doctor), child))


def test_without_a_reason_or_for_a_field_of_another_role_nothing_opens(cast, child):
    with at(cast.at):
        assert open_field(sign_in(cast.doctor), child, "guardian_phone", "").status_code == 422
        assert open_field(sign_in(cast.clerk), child, "id_number").status_code == 422
        assert open_field(sign_in(cast.principal), child, "id_number").status_code == 422
    assert not Reveal.objects.exists()


def test_the_id_number_asks_for_the_factor_again(cast, child):
    client = sign_in(cast.doctor)
    session = client.session
    signed_in = cast.at - timedelta(minutes=20)
    Assurance(Level.MFA, signed_in, cast.at, signed_in).keep_in(session)
    session.save()
    with at(cast.at):
        answer = open_field(client, child, "id_number")
        assert answer.url.startswith(reverse("accounts:confirm"))
        assert not Reveal.objects.exists()
        assert open_field(client, child, "guardian_phone").url == reverse("desks:reveal", args=[child.pk])


def test_a_principal_opens_a_name_from_the_row_of_a_figure(cast, child):
    with at(cast.at + timedelta(minutes=1)):
        client = sign_in(cast.principal)
        figure = client.get(reverse("desks:figure", args=["screening.absent_ill", cast.class_a.pk]))
        url = reverse("desks:reveal", args=[child.pk])
        assert url in links(figure)
        assert child.name not in words(client.get(url))
        assert open_field(client, child, "name", "report").status_code == 302
        assert child.name in words(client.get(url))


def test_an_officer_opens_only_while_a_signal_that_counts_the_child_waits(cast, child):
    calm = cast.members[cast.class_d.pk][0]
    with at(cast.at + timedelta(minutes=1)):
        client = sign_in(cast.officer)
        assert page_of(client, child).status_code == 200
        assert page_of(client, calm).status_code == 404
        assert open_field(client, calm, "name").status_code == 404


def test_more_than_two_hundred_persons_within_an_hour_are_told_to_the_auditor_once(cast):
    extra = enrol(cast.class_d, 0)
    persons = [*cast.pupils, *extra]
    rows = Person.objects.bulk_create(
        Person(kind="pupil", number=f"X{n:04d}", name="测试") for n in range(MANY_AN_HOUR + 3 - len(persons))
    )
    for number, person in enumerate([*persons, *rows]):
        reveal(
            by=cast.doctor,
            person=person,
            unit=cast.class_d,
            field=Revealable.PHONE,
            reason=RevealReason.CALL_FAMILY,
            at=cast.at + timedelta(seconds=number),
        )
        if number == MANY_AN_HOUR - 1:
            settle(at=cast.at + timedelta(minutes=5))
            assert not Message.objects.filter(kind="many-revealed").exists()
    settle(at=cast.at + timedelta(minutes=5))
    message = Message.objects.get(kind="many-revealed")
    assert message.recipient == cast.auditor
    assert cast.doctor.name in message.title


def test_a_masked_value_that_comes_back_from_a_page_changes_nothing(cast, child):
    masked = IdentityValues(document_number="41**************29", address="示范区凤凰路**")
    identity = keep_identity(by=cast.clerk, person=child, values=masked, at=cast.at)
    assert identity.document_number == NUMBER
    assert identity.address == "示范区凤凰路88号7栋503"
    (guardian,) = set_guardians(
        by=cast.clerk, person=child, guardians=[GuardianValues("王芳", "mother", "139****5678")], at=cast.at
    )
    assert guardian.phone == "+8613912345678"
