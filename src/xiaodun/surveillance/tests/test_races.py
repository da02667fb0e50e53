"""A decision and a judgement of the same signal at the same time: the later one knows of the earlier."""

import time
from threading import Thread

import pytest
from django.db import connection, transaction

from xiaodun.accounts.choices import Role
from xiaodun.kit import outbox
from xiaodun.screening.tests.cast import make_school, moment
from xiaodun.surveillance import services
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import newest_event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

VOMITING = ["vomiting"]


def wait_until_one_waits() -> None:
    """Until another connection stands before a lock. SQLite lets nobody else write and needs no waiting."""
    while connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)


def test_others_judged_while_the_signal_is_being_ruled_out_alarm_again():
    school = make_school()
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    school.submit(room, 0, dict.fromkeys(pupils[:3], VOMITING))
    school.submit(room, 1, dict.fromkeys(pupils[3:6], VOMITING), drain=False)
    signal = Signal.objects.get()

    def judge() -> None:
        try:
            outbox.drain(now=moment(1))
        finally:
            connection.close()

    judging = Thread(target=judge)
    with transaction.atomic():
        services.decide(
            by=school.users[Role.SCHOOL_DOCTOR],
            signal=signal,
            outcome=Signal.State.RULED_OUT,
            reason="前晚同在校外就餐",
            seen=newest_event(signal),
            at=moment(1),
        )
        judging.start()
        wait_until_one_waits()
    judging.join(timeout=60)
    signal.refresh_from_db()
    assert (signal.state, len(signal.windows)) == (Signal.State.OPEN, 2)
