"""Jobs: the minute tick finds what a lost queue forgot, and one failing step does not stop the others."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from huey.contrib.djhuey import HUEY

from xiaodun.config import jobs
from xiaodun.kit import audit, outbox
from xiaodun.kit.models import Installation, OutboxMessage, Receipt

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

NOW = datetime(2026, 11, 3, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def heard():
    calls = []
    outbox.subscribe("config.tests", "first", lambda payload, *, at: calls.append(payload))
    yield calls
    outbox._subscribers.pop("config.tests")


@pytest.fixture
def _empty_queue():
    HUEY.flush()
    yield
    HUEY.flush()


def write(number=1):
    with transaction.atomic():
        outbox.announce("config.tests", {"number": number}, at=NOW)
        audit.record(by=None, action="config.try", obj=Receipt(pk=number), at=NOW)


def test_a_tick_delivers_seals_and_keeps_the_demo_clock(heard):
    Installation.objects.create(id=1, kind=Installation.Kind.DEMO, made_at=NOW, clock_start=NOW)
    write()
    jobs.tick(now=NOW)
    assert heard == [{"number": 1}]
    assert audit.verify().unsealed == ()
    assert Installation.objects.get().clock_seen == NOW


@pytest.mark.usefixtures("_empty_queue")
@pytest.mark.django_db(transaction=True)
def test_what_a_lost_queue_forgot_is_found_by_the_tick(heard, settings):
    settings.OUTBOX_WAKER = "xiaodun.config.jobs.wake_up"
    write()
    assert len(HUEY.pending()) == 1
    HUEY.flush()
    jobs.tick(now=NOW)
    assert heard == [{"number": 1}]


@pytest.mark.usefixtures("_empty_queue")
@pytest.mark.django_db(transaction=True)
def test_a_wake_up_from_the_queue_delivers_and_seals(heard, settings):
    settings.OUTBOX_WAKER = "xiaodun.config.jobs.wake_up"
    write()
    HUEY.execute(HUEY.dequeue())
    assert heard == [{"number": 1}]
    assert audit.verify().unsealed == ()


def test_more_announcements_than_one_drain_takes_are_all_delivered(heard, monkeypatch):
    monkeypatch.setattr(jobs, "_BATCH", 2)
    for number in range(5):
        write(number)
    assert jobs.deliver(now=NOW) == 5


def test_a_step_that_fails_leaves_the_others_their_turn(heard, monkeypatch):
    def fails(*, at):
        raise LookupError("a rule is missing")

    monkeypatch.setattr(jobs, "chase_due", fails)
    write()
    with pytest.raises(ExceptionGroup) as failed:
        jobs.tick(now=NOW)
    assert [str(error) for error in failed.value.exceptions] == ["a rule is missing"]
    assert heard == [{"number": 1}]
    assert audit.verify().unsealed == ()


def test_the_night_forgets_what_had_its_time(heard):
    write()
    jobs.deliver(now=NOW)
    for number, age in enumerate((59, 61)):
        Receipt.objects.create(
            source="web",
            client_id=f"00000000-0000-4000-8000-00000000000{number}",
            answer={},
            at=NOW - age * DAY,
        )
    jobs.sweep(now=NOW)
    assert Receipt.objects.count() == 1
    assert OutboxMessage.objects.count() == 1
    jobs.sweep(now=NOW + 15 * DAY)
    assert OutboxMessage.objects.count() == 0


def test_the_schedule_ticks_each_minute_and_sweeps_each_night():
    names = {task.__name__ for task in HUEY._registry._periodic_tasks}
    assert names == {"every_minute", "every_night", "back_up_nightly"}
