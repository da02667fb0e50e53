"""The playbook is dated data: loaded once, ended, never altered; a past day is judged by its own row."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from xiaodun.duties.models import Duty
from xiaodun.duties.selectors import obligation_of
from xiaodun.duties.services import PLAYBOOK, load_playbook
from xiaodun.duties.tests.world import DUTY, moment
from xiaodun.kit.models import AuditEntry
from xiaodun.kit.yamldata import DataFileError
from xiaodun.ladders.services import LADDERS, load_ladders

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

AT = datetime(2020, 11, 30, 1, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def ladders(db) -> None:
    load_ladders(LADDERS, at=AT)


@pytest.fixture
def shipped() -> list[dict]:
    return yaml.safe_load(PLAYBOOK.read_text(encoding="utf-8"))["duties"]


@pytest.fixture
def load(tmp_path: Path):
    def load(duties: list[dict]) -> int:
        file = tmp_path / "playbook.yaml"
        file.write_text(yaml.safe_dump({"duties": duties}, allow_unicode=True, sort_keys=False), "utf-8")
        return load_playbook(file, at=AT)

    return load


def test_the_shipped_playbook_loads_once_and_marks_its_times_as_proposals():
    assert load_playbook(PLAYBOOK, at=AT) == 3
    assert load_playbook(PLAYBOOK, at=AT) == 0
    assert AuditEntry.objects.filter(action="duties.load_playbook").count() == 3
    assert set(Duty.objects.values_list("times_mark", flat=True)) == {"P"}
    assert all("WS/T 772" in source for source in Duty.objects.values_list("source", flat=True))


def test_a_version_in_force_is_never_altered(shipped, load):
    load(shipped)
    shipped[0]["deadline"] = "09:00"
    with pytest.raises(
        DataFileError, match=r"playbook\.yaml, morning-check \(school\) v1: differs .* new version"
    ):
        load(shipped)
    assert f"{Duty.objects.get(variant='school').deadline:%H:%M}" == "08:20"


def test_each_day_is_judged_by_the_version_of_that_day(cast, shipped, load):
    shipped[0]["valid_to"] = date(2020, 12, 16)
    new = shipped[0] | {"version": 2, "valid_from": date(2020, 12, 17), "valid_to": None}
    assert load([shipped[0], new | {"remind_at": "07:40", "deadline": "08:00"}]) == 1
    assert AuditEntry.objects.filter(action="duties.end_duty").count() == 1
    for day, clock in [(date(2020, 12, 16), "08:20"), (date(2020, 12, 17), "08:00")]:
        found = obligation_of(cast.class_a, DUTY, day, at=moment(day, "12:00"))
        assert found.deadline == moment(day, clock)


def test_two_rows_for_one_group_on_one_day_are_refused_and_nothing_is_stored(shipped, load):
    clash = shipped[1] | {"variant": "special", "institution_kinds": ["college", "senior"]}
    with pytest.raises(DataFileError, match=r"asks what morning-check .* Give that one a valid_to"):
        load([*shipped, clash])
    assert not Duty.objects.exists()


@pytest.mark.parametrize("changes", [{"ladder": "duty-chekc"}, {"valid_from": date(2020, 7, 27)}])
def test_a_duty_without_a_ladder_in_force_is_refused_with_the_remedy(shipped, load, changes):
    with pytest.raises(DataFileError, match=r"morning-check \(school\) v1: its ladder .* Load a version"):
        load([shipped[0] | changes, *shipped[1:]])
    assert not Duty.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"remind_at": "08:20"}, "remind earlier"),
        ({"deadline": "25:00"}, "duties.0.deadline"),
        ({"role": "headmaster"}, "duties.0.role"),
        ({"institution_kinds": []}, "duties.0.institution_kinds"),
        ({"late_weight": "1.5"}, "duties.0.late_weight"),
        ({"valid_to": date(2020, 1, 1)}, "ends before it begins"),
        ({"deadlien": "08:20"}, "duties.0.deadlien"),
        ({"times_mark": "sure"}, "duties.0.times_mark"),
    ],
)
def test_a_faulty_row_is_refused_with_file_line_and_field(shipped, load, changes, said):
    with pytest.raises(DataFileError, match=rf"playbook\.yaml, line \d+: .*{said}"):
        load([shipped[0] | changes])


def test_one_row_twice_is_refused(shipped, load):
    with pytest.raises(DataFileError, match=r"morning-check \(school\) version 1 stands twice"):
        load([shipped[0], shipped[0]])
