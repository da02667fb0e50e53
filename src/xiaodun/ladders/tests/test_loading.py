"""Ladders are dated data: loaded once, ended, never altered."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from xiaodun.kit.models import AuditEntry
from xiaodun.kit.yamldata import DataFileError
from xiaodun.ladders.models import Ladder
from xiaodun.ladders.services import LADDERS, load_ladders

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

AT = datetime(2020, 11, 30, 1, 0, tzinfo=UTC)

ENTRY = """
  - code: test
    version: {version}
    source: 本系统建议
    source_en: Proposal of this software
    source_mark: P
    valid_from: {start}
    valid_to: {end}
    steps:
      - {{role: class_teacher, wait_minutes: {first}}}
      - {{role: principal, wait_minutes: {second}}}
"""


def entry(version=1, start="2020-09-01", end="null", first=0, second=30):
    return ENTRY.format(version=version, start=start, end=end, first=first, second=second)


@pytest.fixture
def load(tmp_path: Path):
    def load(*entries: str) -> int:
        file = tmp_path / "ladders.yaml"
        file.write_text("ladders:" + "".join(entries), encoding="utf-8")
        return load_ladders(file, at=AT)

    return load


def test_the_shipped_ladders_load_once():
    assert load_ladders(LADDERS, at=AT) == 3
    assert load_ladders(LADDERS, at=AT) == 0
    assert AuditEntry.objects.filter(action="ladders.load_ladders").count() == 3
    signal = Ladder.objects.get(code="signal-24h")
    assert [(step.role, step.wait_minutes) for step in signal.steps.all()] == [
        ("class_teacher", 0),
        ("grade_lead", 0),
        ("school_doctor", 0),
        ("principal", 30),
        ("district_officer", 120),
    ]


def test_a_version_in_force_is_never_altered(load):
    load(entry())
    with pytest.raises(DataFileError, match=r"ladders\.yaml, test version 1: differs .* as a new version"):
        load(entry(second=60))
    assert Ladder.objects.get().steps.last().wait_minutes == 30


def test_a_new_version_follows_the_end_of_the_old_one(load):
    load(entry())
    assert load(entry(end="2020-12-31"), entry(version=2, start="2021-01-01", second=60)) == 1
    assert Ladder.objects.get(version=1).valid_to == date(2020, 12, 31)
    assert AuditEntry.objects.filter(action="ladders.end_ladder").count() == 1


def test_two_versions_on_one_day_are_refused_with_the_remedy_and_nothing_is_stored(load):
    with pytest.raises(
        DataFileError, match="test version 2: begins on 2021-01-01 while version 1 still holds"
    ):
        load(entry(), entry(version=2, start="2021-01-01"))
    assert not Ladder.objects.exists()


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        (entry(first=30, second=10), "line 9: ladders.0.steps: .*order the steps by wait_minutes"),
        (entry() + entry(), "test version 1 stands twice"),
        (entry().replace("principal", "headmaster"), r"line 11: ladders\.0\.steps\.1\.role"),
        (entry().replace("wait_minutes: 30", "wait_minutes: -1"), "wait_minutes"),
        (entry().replace("source_mark: P", "source_mark: sure"), "line 6: ladders.0.source_mark"),
        (entry() + "    wiat: 3\n", "wiat"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line(load, faulty, said):
    with pytest.raises(DataFileError, match=said):
        load(faulty)
