"""Messages: told once, in the reader's language, read by the addressee only, withdrawn in plain sight."""

from datetime import timedelta

import pytest
from django.http import Http404
from django.utils.translation import override

from xiaodun.kit.errors import Refusal
from xiaodun.messages import services
from xiaodun.messages.models import Message
from xiaodun.messages.selectors import deliveries, inbox_visible_to, message_visible_to, unread_count

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

MINUTE = timedelta(minutes=1)
FACTS = {
    "unit": "育才小学 三(1)班",
    "unit_en": "Class 3(1), Yucai Primary School",
    "duty": "晨检",
    "duty_en": "Morning check",
    "deadline": "08:20",
}


def tell(cast, *users, subject="duty:x", **changes):
    given = {"kind": "duty-missed", "unit": cast.class_a, "facts": FACTS, "subject": subject, "at": cast.at}
    return services.send(to=users, **given | changes)


def test_each_recipient_gets_one_message_and_it_costs_one_insert(cast, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert tell(cast, cast.teacher, cast.doctor, cast.teacher) == 2
    assert unread_count(cast.teacher) == unread_count(cast.doctor) == 1
    assert unread_count(cast.principal) == 0


def test_telling_nobody_costs_nothing(cast, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert tell(cast) == 0


def test_a_message_speaks_the_language_of_its_reader(cast):
    tell(cast, cast.teacher)
    message = inbox_visible_to(cast.teacher).get()
    with override("zh-hans"):
        assert message.title == "育才小学 三(1)班：晨检未交"
    with override("en"):
        assert message.title == "Morning check missing: Class 3(1), Yucai Primary School"
        assert "08:20" in message.body


def test_an_unknown_kind_or_a_lacking_fact_is_refused_before_anybody_is_told(cast):
    with pytest.raises(ValueError, match="No kind of message"):
        tell(cast, cast.teacher, kind="gossip")
    with pytest.raises(ValueError, match="needs the fact 'duty'"):
        tell(cast, cast.teacher, facts={"unit": "三(1)班"})
    assert Message.objects.count() == 0


def test_nothing_is_sent_from_the_future(cast):
    draft = services.Draft(
        to=(cast.teacher,), kind="duty-missed", unit=cast.class_a, facts=FACTS, sent_at=cast.at + MINUTE
    )
    with pytest.raises(ValueError, match="cannot be sent"):
        services.send_each(drafts=[draft], at=cast.at)


def test_two_kinds_of_one_code_fail_at_start():
    with pytest.raises(ValueError, match="duty-missed"):
        services.register_kind(code="duty-missed", title="again", body="again")


def test_the_first_reading_counts(cast):
    tell(cast, cast.teacher)
    message = inbox_visible_to(cast.teacher).get()
    services.mark_read(by=cast.teacher, message=message, at=cast.at + MINUTE)
    services.mark_read(by=cast.teacher, message=message, at=cast.at + 5 * MINUTE)
    message.refresh_from_db()
    assert message.read_at == cast.at + MINUTE
    assert not message.is_unread
    assert unread_count(cast.teacher) == 0


def test_nobody_opens_or_marks_a_message_to_somebody_else(cast):
    tell(cast, cast.teacher)
    message = inbox_visible_to(cast.teacher).get()
    with pytest.raises(Http404):
        message_visible_to(cast.colleague, message.pk)
    with pytest.raises(Http404):
        message_visible_to(cast.teacher, message.pk + 1)
    with pytest.raises(Refusal) as refused:
        services.mark_read(by=cast.colleague, message=message, at=cast.at)
    assert (refused.value.code, refused.value.status) == ("message-unknown", 404)


def test_a_settled_matter_withdraws_what_nobody_has_read_and_leaves_it_in_sight(cast):
    tell(cast, cast.teacher, cast.doctor)
    tell(cast, cast.teacher, subject="duty:y")
    services.mark_read(by=cast.doctor, message=inbox_visible_to(cast.doctor).get(), at=cast.at + MINUTE)
    assert services.withdraw(subject="duty:x", at=cast.at + 2 * MINUTE) == 1
    assert services.withdraw(subject="duty:x", at=cast.at + 3 * MINUTE) == 0
    assert [(d.name, d.read_at, d.withdrawn_at) for d in deliveries("duty:x")] == [
        (cast.teacher.name, None, cast.at + 2 * MINUTE),
        (cast.doctor.name, cast.at + MINUTE, None),
    ]
    assert inbox_visible_to(cast.teacher).count() == 2
    assert unread_count(cast.teacher) == 1


def test_the_last_message_to_arrive_stands_first(cast):
    tell(cast, cast.teacher, subject="first")
    tell(cast, cast.teacher, subject="second")
    assert [message.subject for message in inbox_visible_to(cast.teacher)] == ["second", "first"]
