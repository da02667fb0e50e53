"""Data files: YAML's traps are closed and a fault names its line."""

from datetime import date

import pytest
from pydantic import BaseModel, ConfigDict

from xiaodun.kit import yamldata


class Duty(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: str
    deadline: str
    days: int
    since: date
    counts: bool = False


class Playbook(BaseModel):
    duties: list[Duty]


GOOD = """\
duties:
  - code: no
    deadline: 18:00
    days: 30
    since: 2026-09-01
    counts: true
"""


def load(tmp_path, text):
    file = tmp_path / "playbook.yaml"
    file.write_text(text, encoding="utf-8")
    return yamldata.load(file, Playbook)


def test_hours_and_words_stay_what_they_look_like(tmp_path):
    duty = load(tmp_path, GOOD).duties[0]
    assert duty == Duty(code="no", deadline="18:00", days=30, since=date(2026, 9, 1), counts=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("days: 30", "days: many"), r"playbook\.yaml, line 4: duties\.0\.days: "),
        (("counts: true", "count: true"), r"playbook\.yaml, line 6: duties\.0\.count: "),
        (("    days: 30\n", ""), r"playbook\.yaml, line 2: duties\.0\.days: Field required"),
        (("days: 30", "code: other"), r"playbook\.yaml, line 4: the key 'code' stands twice"),
        (("days: 30", "days: [30"), r"playbook\.yaml, line 5: "),
        ((GOOD, ""), r"playbook\.yaml, line 1: file: "),
    ],
)
def test_a_fault_names_file_line_and_field(tmp_path, change, said):
    with pytest.raises(yamldata.DataFileError, match=said):
        load(tmp_path, GOOD.replace(*change))
