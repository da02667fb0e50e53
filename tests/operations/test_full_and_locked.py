"""A locked database and a full disk: 503 with Retry-After, nothing half done, and it goes on afterwards."""

import contextlib
import errno
import json
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory

from xiaodun.duties.models import Evidence
from xiaodun.kit.errors import unavailable
from xiaodun.kit.models import AuditEntry, OutboxMessage, Receipt
from xiaodun.kit.views import server_error
from xiaodun.screening.models import CheckSession, Finding

pytestmark = pytest.mark.django_db(transaction=True)


@contextlib.contextmanager
def locked():
    """Somebody else holds what a check needs."""
    holder = connection.copy(alias="holder")
    try:
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 100")
            with holder.cursor() as cursor:
                cursor.execute("BEGIN EXCLUSIVE")
        else:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = 100")
            holder.set_autocommit(False)
            with holder.cursor() as cursor:
                cursor.execute("LOCK TABLE screening_checksession IN EXCLUSIVE MODE")
        yield
    finally:
        holder.close()
        connection.close()


@contextlib.contextmanager
def full():
    """SQLite may take no further page (a server of PostgreSQL cannot be filled from here)."""
    columns = ", ".join(f'"{field.column}"' for field in AuditEntry._meta.fields[1:])
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        # Free pages and the room in the last one would take a small record.
        with contextlib.suppress(OperationalError):
            while True:
                cursor.execute(
                    f"INSERT INTO kit_auditentry ({columns}) SELECT {columns} FROM kit_auditentry LIMIT 1"  # noqa: S608
                )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")


@pytest.fixture
def send(cast, set_clock):
    """The teacher's page sends three ill children, long symptoms and all."""
    set_clock(cast.at)
    client = Client(raise_request_exception=False)
    client.force_login(cast.teacher)
    body = {
        "client_id": str(uuid4()),
        "day": cast.day.isoformat(),
        "tapped_at": cast.at.isoformat(),
        "clock_offset_ms": 0,
        "base_version": 0,
        "findings": [
            {"person": person.pk, "status": "absent_ill", "symptoms": ["fever", "vomiting"], "onset": None}
            for person in cast.pupils
        ],
    }
    address = f"/groups/{cast.class_a.pk}/check/submit/"
    return lambda: client.post(address, json.dumps(body), content_type="application/json")


def stored():
    return [
        model.objects.count()
        for model in (CheckSession, Finding, AuditEntry, OutboxMessage, Receipt, Evidence)
    ]


def refused_then_stored(send, trouble):
    with trouble():
        before = stored()
        answer = send()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5"), answer.content
    assert answer.json()["code"] == "database-unavailable"
    assert stored() == before
    # The same record again: nothing of the first try is in its way.
    assert send().status_code == 201
    assert CheckSession.objects.count() == 1
    assert Finding.objects.count() == 5


@pytest.mark.postgresql
def test_a_locked_database_refuses_clearly_and_takes_the_same_record_afterwards(send):
    refused_then_stored(send, locked)


def test_a_full_disk_refuses_clearly_and_takes_the_same_record_afterwards(send):
    refused_then_stored(send, full)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_an_upload_that_the_disk_does_not_take_is_503(number):
    answer = unavailable(RequestFactory().get("/api/x"), OSError(number, "full"))
    assert answer is not None
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_another_fault_is_no_503():
    assert unavailable(RequestFactory().get("/"), OSError(errno.EACCES, "denied")) is None
    assert unavailable(RequestFactory().get("/"), None) is None


def test_a_fault_met_outside_of_a_view_is_503_as_well():
    """A session that cannot be saved is met by middleware; Django then calls the handler of status 500."""
    try:
        raise OperationalError("database is locked")
    except OperationalError:
        answer = server_error(RequestFactory().get("/api/x"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert server_error(RequestFactory().get("/api/x")).status_code == 500
