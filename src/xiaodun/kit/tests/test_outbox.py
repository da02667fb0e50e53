"""The outbox: nothing announced is lost, nothing delivered runs twice, a failure stops nobody else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from xiaodun.kit import outbox
from xiaodun.kit.models import OutboxMessage, Receipt
from xiaodun.kit.tests.recorder import Recorder

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

AT = datetime(2026, 11, 3, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def topic():
    """A topic with its subscribers, forgotten after the test."""
    name = "kit.tests"
    yield name
    outbox._subscribers.pop(name, None)


def announce(topic, **payload):
    with transaction.atomic():
        outbox.announce(topic, payload, at=AT)


def announce_and_roll_back(topic):
    with transaction.atomic():
        outbox.announce(topic, {"session": 0}, at=AT)
        transaction.set_rollback(True)


def test_announcing_costs_one_insert_however_many_listen(topic, django_assert_num_queries):
    for name in ("first", "second", "third"):
        outbox.subscribe(topic, name, Recorder())
    with transaction.atomic(), django_assert_num_queries(1):
        outbox.announce(topic, {"session": 1}, at=AT)
    assert OutboxMessage.objects.count() == 3


def test_announcing_to_nobody_writes_nothing(topic, django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(0):
        outbox.announce(topic, {"session": 1}, at=AT)


@pytest.mark.django_db(transaction=True)
def test_announcing_outside_of_a_transaction_is_a_programming_error(topic):
    outbox.subscribe(topic, "first", Recorder())
    with pytest.raises(RuntimeError, match="transaction"):
        outbox.announce(topic, {}, at=AT)


def test_each_subscriber_gets_each_payload_once_and_oldest_first(topic):
    first, second = Recorder(), Recorder()
    outbox.subscribe(topic, "first", first)
    outbox.subscribe(topic, "second", second)
    announce(topic, session=1)
    announce(topic, session=2)
    assert outbox.drain(now=AT + MINUTE) == 4
    assert outbox.drain(now=AT + MINUTE) == 0
    # The moment handed over is that of the announcement, however late the worker comes.
    expected = [({"session": 1}, AT), ({"session": 2}, AT)]
    assert first.calls == second.calls == expected


def test_a_name_is_taken_once(topic):
    outbox.subscribe(topic, "first", Recorder())
    with pytest.raises(ValueError, match="first"):
        outbox.subscribe(topic, "first", Recorder())


def test_what_a_handler_announces_is_delivered_in_the_same_drain(topic):
    def passes_on(payload, *, at):
        if payload["step"] < 3:
            outbox.announce(topic, {"step": payload["step"] + 1}, at=at)

    outbox.subscribe(topic, "chain", passes_on)
    announce(topic, step=1)
    assert outbox.drain(now=AT) == 3


def test_a_drain_stops_at_its_limit_and_the_next_goes_on(topic):
    outbox.subscribe(topic, "first", Recorder())
    for number in range(5):
        announce(topic, session=number)
    assert outbox.drain(now=AT, limit=3) == 3
    assert outbox.drain(now=AT, limit=3) == 2


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_write_announces_nothing(topic):
    outbox.subscribe(topic, "first", Recorder())
    announce_and_roll_back(topic)
    assert outbox.pending(AT).waiting == 0


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_the_commit_and_the_worker_loses_nothing(topic, settings):
    heard = Recorder()
    outbox.subscribe(topic, "first", heard)
    settings.OUTBOX_WAKER = "xiaodun.kit.tests.recorder.die"
    announce(topic, session=1)  # the wake-up dies; the write stands and its caller is not troubled
    assert outbox.pending(AT).waiting == 1
    assert outbox.drain(now=AT + MINUTE) == 1
    assert heard.calls == [({"session": 1}, AT)]


@pytest.mark.django_db(transaction=True)
def test_the_worker_is_woken_once_a_transaction_and_after_its_commit(topic, settings):
    from xiaodun.kit.tests import recorder

    recorder.woken.clear()
    settings.OUTBOX_WAKER = "xiaodun.kit.tests.recorder.wake"
    outbox.subscribe(topic, "first", Recorder())
    with transaction.atomic():
        announce_and_roll_back(topic)
        outbox.announce(topic, {"session": 1}, at=AT)
        outbox.announce(topic, {"session": 2}, at=AT)
        assert recorder.woken == []
    assert len(recorder.woken) == 1


@pytest.mark.django_db(transaction=True)
def test_a_handler_that_fails_leaves_no_half_done_work_and_the_others_go_on(topic):
    def half(payload, *, at):
        Receipt.objects.create(
            source="half", client_id="00000000-0000-0000-0000-000000000001", answer={}, at=at
        )
        raise LookupError("no such session")

    heard = Recorder()
    outbox.subscribe(topic, "half", half)
    outbox.subscribe(topic, "whole", heard)
    announce(topic, session=1)
    assert outbox.drain(now=AT) == 1
    assert not Receipt.objects.exists()
    assert len(heard.calls) == 1


def test_a_failing_subscriber_is_visible_and_tried_again_later_and_later(topic):
    def fails(payload, *, at):
        raise LookupError("no such session\nDETAIL: values of the row")

    outbox.subscribe(topic, "fails", fails)
    announce(topic, session=1)
    now = AT
    waits = []
    for _attempt in range(6):
        assert outbox.drain(now=now) == 0
        assert outbox.drain(now=now) == 0  # not before it is due
        row = outbox.pending(now).failing[0]
        waits.append(int((row.due_at - now).total_seconds() // 60))
        now = row.due_at
    assert waits == [1, 5, 30, 120, 360, 360]
    assert row.attempts == 6
    assert "LookupError: no such session" in row.last_error
    assert "DETAIL" not in row.last_error
    assert outbox.pending(now).oldest_age(now) == now - AT


def test_a_subscriber_that_recovers_gets_what_it_missed(topic):
    heard = Recorder(failures=1)
    outbox.subscribe(topic, "first", heard)
    announce(topic, session=1)
    outbox.drain(now=AT)
    assert outbox.drain(now=AT + MINUTE) == 1
    assert heard.calls == [({"session": 1}, AT)]
    assert outbox.pending(AT + MINUTE).waiting == 0
    assert OutboxMessage.objects.get().last_error == ""


def test_a_row_whose_subscriber_is_gone_is_kept_and_visible(topic):
    outbox.subscribe(topic, "first", Recorder())
    announce(topic, session=1)
    outbox._subscribers.pop(topic)
    assert outbox.drain(now=AT) == 0
    assert "Nobody subscribes" in outbox.pending(AT).failing[0].last_error


def test_purging_deletes_delivered_rows_only(topic):
    outbox.subscribe(topic, "first", Recorder(failures=1))
    announce(topic, session=1)
    announce(topic, session=2)
    assert outbox.drain(now=AT) == 1
    assert outbox.purge(before=AT + MINUTE) == 1
    assert outbox.pending(AT + MINUTE).waiting == 1
