"""Keys change while the system runs: all is encrypted anew, resumable, and older audit stays readable."""

import os

import pytest
from django.db import connection, transaction

from xiaodun.kit import audit, crypto, rotation
from xiaodun.operations import services
from xiaodun.operations.doctor import examine
from xiaodun.people.models import Guardian, Person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

PHONE = "13800000000"


def quiet(done):
    pass


@pytest.fixture
def guardian(cast):
    return Guardian.objects.create(person=cast.pupils[0], order=1, name="王某", phone=PHONE)


def numbers():
    """The key numbers that stand in the database."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM people_guardian WHERE phone IS NOT NULL")
        found |= {bytes(value)[0] for (value,) in cursor.fetchall()}
        cursor.execute("SELECT audit_key FROM people_person WHERE audit_key IS NOT NULL")
        found |= {bytes(value)[0] for (value,) in cursor.fetchall()}
    return found


def test_after_a_rotation_the_old_key_is_needed_no_more(cast, guardian, settings):
    old, new = settings.MASTER_KEYS[1], os.urandom(32)
    assert numbers() == {1}
    with transaction.atomic():
        entry = audit.record(
            by=None,
            action="x.x",
            obj=guardian,
            at=cast.at,
            subjects={cast.pupils[0]: {"new": "fever"}},
        )
    settings.MASTER_KEYS = {1: old, 2: new}
    run = services.rotate_keys(progress=quiet, at=cast.at)
    assert numbers() == {2}
    assert run.facts["renewed"] == 1 + Person.objects.count()
    again = services.rotate_keys(progress=quiet, at=cast.at)
    assert again.facts["renewed"] == 0
    settings.MASTER_KEYS = {2: new}
    assert Guardian.objects.get().phone == PHONE
    # What was sealed under a person's own key before is readable after.
    assert audit.open_sealed(entry, Person.objects.get(pk=cast.pupils[0].pk)) == {"new": "fever"}
    (keys,) = [each for each in examine(cast.at) if each.code == "keys"]
    assert keys.since == again.finished_at


def test_a_rotation_that_was_cut_off_goes_on(cast, guardian, settings):
    settings.MASTER_KEYS = {**settings.MASTER_KEYS, 2: os.urandom(32)}

    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(stop)
    assert numbers() == {1, 2}
    rotation.rotate(quiet)
    assert numbers() == {2}


def test_a_value_whose_key_is_gone_stops_the_rotation_by_name(cast, guardian, settings):
    settings.MASTER_KEYS = {2: os.urandom(32)}
    with pytest.raises(crypto.UnreadableError, match="people"):
        rotation.rotate(quiet)
