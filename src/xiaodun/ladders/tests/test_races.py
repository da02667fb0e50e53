"""Ticks and starts at the same time, on both databases."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from tests.factories import make_cast
from xiaodun.ladders import services
from xiaodun.ladders.models import LadderNotice, LadderRun
from xiaodun.messages.models import Message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

THREADS = 4
FACTS = {"unit": "三(1)班", "duty": "晨检", "deadline": "08:20"}


def together(work: Callable[[], object]) -> list[Exception]:
    """Run ``work`` in several threads from one starting gun; returns what went wrong."""
    gate, failures = Barrier(THREADS), []

    def run() -> None:
        try:
            gate.wait(timeout=30)
            work()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return failures


def test_starts_and_ticks_at_the_same_time_tell_everybody_once():
    cast = make_cast()

    def start():
        services.start(
            code="signal-24h",
            subject="signal:1",
            unit=cast.class_a,
            message_kind="duty-missed",
            facts=FACTS,
            url="",
            at=cast.at,
        )

    assert together(start) == []
    assert LadderRun.objects.count() == 1
    assert together(lambda: services.climb_due(at=cast.at + timedelta(hours=3))) == []
    assert LadderNotice.objects.count() == Message.objects.count() == 5
