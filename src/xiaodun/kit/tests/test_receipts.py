"""Receipts: a repeat over a bad network gets the first answer and writes nothing."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from django.db import transaction

from xiaodun.kit import receipts
from xiaodun.kit.errors import Refusal

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

AT = datetime(2026, 11, 3, 0, 0, tzinfo=UTC)
ID = UUID("11111111-1111-4111-8111-111111111111")
PAYLOAD = {"group": 4, "day": date(2026, 11, 3), "findings": [{"person": 1, "symptoms": ["vomiting"]}]}


def keep(payload=PAYLOAD, answer=None, *, source="web", at=AT):
    with transaction.atomic():
        receipts.keep_answer(
            source=source, client_id=ID, payload=payload, answer=answer or {"session": 9}, at=at
        )


def test_an_unknown_id_has_no_answer():
    assert receipts.first_answer(source="web", client_id=ID, payload=PAYLOAD) is None


def test_the_same_id_and_payload_get_the_first_answer(django_assert_num_queries):
    keep()
    reordered = dict(reversed(list(PAYLOAD.items())))
    with django_assert_num_queries(1):
        assert receipts.first_answer(source="web", client_id=ID, payload=reordered) == {"session": 9}


def test_keeping_costs_one_insert(django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(1):
        receipts.keep_answer(source="web", client_id=ID, payload=PAYLOAD, answer={}, at=AT)


def test_the_same_id_with_another_payload_is_refused_with_422():
    keep()
    with pytest.raises(Refusal) as refused:
        receipts.first_answer(source="web", client_id=ID, payload=PAYLOAD | {"group": 5})
    assert (refused.value.code, refused.value.status) == ("receipt-mismatch", 422)
    assert refused.value.facts["first_received"] == AT


def test_ids_of_two_sources_do_not_meet():
    keep()
    assert receipts.first_answer(source="api:2", client_id=ID, payload={"other": 1}) is None


@pytest.mark.django_db(transaction=True)
def test_who_loses_the_race_is_told_and_can_read_the_winners_answer():
    keep(answer={"session": 9})
    with pytest.raises(receipts.AlreadyAnswered):
        keep(answer={"session": 10})
    assert receipts.first_answer(source="web", client_id=ID, payload=PAYLOAD) == {"session": 9}


@pytest.mark.django_db(transaction=True)
def test_keeping_outside_of_a_transaction_is_a_programming_error():
    with pytest.raises(RuntimeError, match="transaction"):
        receipts.keep_answer(source="web", client_id=ID, payload={}, answer={}, at=AT)
