"""The state of the system: said truly, with a remedy, and nothing about any person."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import translation

from xiaodun.kit import audit, clock
from xiaodun.kit.models import AuditEntry, Installation, OutboxMessage
from xiaodun.operations.choices import RunKind, RunState
from xiaodun.operations.doctor import CHECKS, examine, worst
from xiaodun.operations.models import Run
from xiaodun.organisations.models import StateYear

pytestmark = pytest.mark.django_db


@pytest.fixture
def district(cast, set_clock, tmp_path, settings):
    set_clock(cast.at)
    settings.BACKUP_DIR = tmp_path
    tmp_path.chmod(0o700)
    Installation.objects.create(id=1, kind="production", made_at=cast.at)
    audit.seal(at=cast.at)
    return cast


@pytest.fixture
def browser(district):
    client = Client()
    client.force_login(district.system_administrator)
    return client


def found(code, at):
    (result,) = [each for each in examine(at) if each.code == code]
    return result


def done(kind, at, state=RunState.DONE, **fields):
    return Run.objects.create(kind=kind, state=state, asked_at=at, started_at=at, finished_at=at, **fields)


def test_every_check_says_what_it_found_in_both_languages(district):
    for language in ("en", "zh-hans"):
        with translation.override(language):
            results = examine(district.at)
            assert len(results) == len(CHECKS)
            for each in results:
                assert each.title, each
                assert each.said, each
                if each.state in {"now", "due"}:
                    assert each.remedy, each
                json.dumps(each.as_json())


def test_a_missing_failed_or_old_backup_is_to_be_done(district):
    at = district.at
    assert found("backup", at).state == "now"
    done(RunKind.BACKUP, at)
    assert found("backup", at + timedelta(hours=1)).state == "done"
    assert found("backup", at + timedelta(hours=31)).state == "due"
    assert found("backup", at + timedelta(hours=60)).state == "now"
    done(RunKind.BACKUP, at, RunState.FAILED, code="no-space", said="There is not enough space.")
    result = found("backup", at + timedelta(hours=1))
    assert (result.state, result.since) == ("now", at)
    assert "XIAODUN_BACKUP_DIR" in result.remedy
    assert found("restore_test", at).state == "now"


def test_a_stuck_queue_and_an_unsealed_audit_are_to_be_done(district):
    at = district.at
    assert found("queue", at).state == "done"
    OutboxMessage.objects.create(topic="x", subscriber="x", payload={}, announced_at=at, due_at=at)
    assert found("queue", at + timedelta(minutes=6)).state == "due"
    OutboxMessage.objects.update(attempts=1)
    assert found("queue", at + timedelta(minutes=6)).state == "now"
    assert found("audit", at).state == "done"
    audit.record(by=None, action="x.x", obj=Installation.objects.get(), at=at)
    assert found("audit", at + timedelta(minutes=6)).state == "now"


def test_a_clock_that_was_set_back_and_a_year_without_calendar_are_to_be_done(district):
    assert found("clock", AuditEntry.objects.order_by("-pk").first().at).state == "done"
    audit.record(by=None, action="x.x", obj=Installation.objects.get(), at=district.at + timedelta(days=1))
    assert found("clock", district.at).state == "now"
    StateYear.objects.filter(year__gte=district.day.year).delete()
    assert found("calendar", district.at).state == "now"
    StateYear.objects.create(year=district.day.year, is_confirmed=True)
    assert found("calendar", district.at).state == "due"


def test_a_check_that_fails_itself_is_a_result(district, settings):
    settings.CERTIFICATE = "/no/such/file"
    result = found("certificate", district.at)
    assert (result.state, worst(examine(district.at))) == ("now", "now")
    assert "FileNotFoundError" in result.said


def test_the_page_names_no_person_and_notes_that_the_keys_were_seen(district, browser):
    page = browser.get("/system/").content.decode()
    names = [person.name for members in district.members.values() for person in members]
    assert not [name for name in names if name in page]
    assert browser.post("/system/keys-seen/").status_code == 302
    assert found("key_copies", clock.now()).state == "done"
    assert AuditEntry.objects.filter(action="operations.note_keys_seen").count() == 1


def test_a_backup_is_asked_for_once(district, browser):
    assert browser.post("/system/backup/").status_code == 302
    assert browser.post("/system/backup/").status_code == 409
    assert Run.objects.get(kind=RunKind.BACKUP).state == RunState.WAITING
    assert browser.get("/system/")["Refresh"] == "5"
