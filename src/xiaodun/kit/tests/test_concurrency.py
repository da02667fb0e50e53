"""Workers, sealers and clients at the same time, on both databases."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Barrier, Lock, Thread
from uuid import UUID

import pytest
from django.db import close_old_connections, connection, transaction

from xiaodun.kit import audit, outbox, receipts
from xiaodun.kit.models import AuditSeal, OutboxMessage, Receipt

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

AT = datetime(2026, 11, 3, 0, 0, tzinfo=UTC)
THREADS = 4


def together(work: Callable[[int], None]) -> list[Exception]:
    """Run ``work(number)`` in several threads from one starting gun; returns what went wrong."""
    gate, failures = Barrier(THREADS), []

    def run(number: int) -> None:
        try:
            gate.wait(timeout=30)
            work(number)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    close_old_connections()
    return failures


def test_concurrent_drains_run_no_row_twice_and_none_is_left():
    ran, lock = Counter(), Lock()

    def count(payload, *, at):
        with lock:
            ran[payload["number"]] += 1

    outbox.subscribe("kit.race", "count", count)
    try:
        with transaction.atomic():
            for number in range(40):
                outbox.announce("kit.race", {"number": number}, at=AT)
        done = []
        failures = together(lambda _number: done.append(outbox.drain(now=AT)))
    finally:
        outbox._subscribers.pop("kit.race")
    assert failures == []
    assert ran == Counter(range(40))
    assert sum(done) == 40
    assert not OutboxMessage.objects.filter(done_at__isnull=True).exists()


def test_of_concurrent_repeats_one_writes_and_all_get_its_answer():
    payload = {"group": 4}
    client_id = UUID("22222222-2222-4222-8222-222222222222")
    answers = []

    def submit(number: int) -> None:
        try:
            with transaction.atomic():
                answer = receipts.first_answer(source="web", client_id=client_id, payload=payload)
                if answer is None:
                    answer = {"session": number}
                    receipts.keep_answer(
                        source="web", client_id=client_id, payload=payload, answer=answer, at=AT
                    )
        except receipts.AlreadyAnswered:
            answer = receipts.first_answer(source="web", client_id=client_id, payload=payload)
        answers.append(answer)

    assert together(submit) == []
    assert len(answers) == THREADS
    assert answers == [Receipt.objects.get().answer] * THREADS


def test_concurrent_writers_and_sealers_leave_one_whole_chain():
    def write_and_seal(number: int) -> None:
        for step in range(10):
            with transaction.atomic():
                audit.record(by=None, action="kit.try", obj=Receipt(pk=number), at=AT, facts={"step": step})
            audit.seal(at=AT)

    assert together(write_and_seal) == []
    audit.seal(at=AT)
    report = audit.verify()
    assert report.ok
    assert (report.rows, report.unsealed) == (40, ())
    assert sum(len(seal.entry_ids) for seal in AuditSeal.objects.all()) == 40
