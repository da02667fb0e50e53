"""Old outbreaks through the real services: which day did the rule fire, who was told."""

import csv
import io
import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from xiaodun.config.replay import as_json
from xiaodun.config.replay_files import read_line_list
from xiaodun.config.replay_report import as_text
from xiaodun.config.replay_run import replay
from xiaodun.config.replay_world import symptom_vocabulary

DATA = Path(__file__).parents[1] / "data" / "outbreaks"
HEADER = "person_id,school,grade,class,onset_date,end_date,symptoms,diagnosis\n"
# A Tuesday, as day 1 of the outbreak was; from here to its end the State has no day off.
DAY_1 = date(2001, 3, 6)


def derbyshire() -> str:
    """The norovirus outbreak as a line list: first day absent as onset, vomiting for every case."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER.strip().split(","))
    with (DATA / "norovirus_derbyshire_2001_linelist.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            onset, symptoms = "", ""
            if row["day_absent"]:
                onset, symptoms = day_of(int(row["day_absent"])).isoformat(), "vomiting"
            writer.writerow([row["child_id"], "", "", row["class"], onset, "", symptoms, ""])
    return out.getvalue()


def day_of(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


def run_command(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    program = "import sys; from xiaodun.config.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, "replay", *map(str, arguments)], capture_output=True, check=False
    )


def replayed(file: Path, **options) -> dict:
    defaults = {"sizes": {}, "named_days": {}, "rules": "norm-2006", "ill_days": 3, "seed": 1}
    members = read_line_list(file, vocabulary=symptom_vocabulary())
    return replay(members=members, progress=lambda done, total: None, **(defaults | options))


@pytest.fixture
def write(tmp_path: Path):
    def write(content: str, name: str = "list.csv") -> Path:
        file = tmp_path / name
        file.write_text(content, encoding="utf-8")
        return file

    return write


@pytest.fixture(scope="module")
def outbreak(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("derbyshire") / "derbyshire.csv"
    file.write_text(derbyshire(), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def printed(outbreak: Path) -> bytes:
    """What `xiaodun replay` prints of the outbreak, from a process and a database of its own."""
    done = run_command(outbreak)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout


@pytest.mark.parametrize(("min_cases", "window_days"), [(3, 1), (5, 3)])
def test_derbyshire_fires_in_each_class_on_the_day_that_an_independent_program_names(
    printed, min_cases, window_days
):
    oracle = json.loads((DATA / "rules_norovirus_derbyshire.json").read_text(encoding="utf-8"))
    rule = next(
        rule
        for rule in oracle["rules"]
        if (rule.get("min_cases"), rule["window_days"]) == (min_cases, window_days)
    )
    signals = [
        signal
        for signal in json.loads(printed)["signals"]
        if (signal["min_cases"], signal["window_days"]) == (min_cases, window_days)
    ]
    first: dict[str, date] = {}
    for signal in signals:
        end = date.fromisoformat(signal["window_end"])
        first[signal["unit"]] = min(first.get(signal["unit"], date.max), end)
        next_school_day = end + timedelta(days=max(0, 7 - end.isoweekday()) if end.isoweekday() > 5 else 0)
        assert date.fromisoformat(signal["raised_on"]) == next_school_day
    assert first == {name: day_of(number) for name, number in rule["first"]}
    # Every window with an onset on its last day, with the oracle's count; the oracle also lists windows that
    # end on a day without onset.
    counts = {(name, day_of(number)): count for name, number, count in rule["all"]}
    for signal in signals:
        for window in signal["windows"]:
            assert counts[signal["unit"], date.fromisoformat(window["end"])] == window["count"]


@pytest.mark.django_db
def test_the_same_file_in_another_database_gives_the_same_bytes(printed, outbreak):
    assert as_json(replayed(outbreak)).encode() == printed


def test_a_signal_says_who_was_told_when_and_where_it_climbed(printed):
    signal = json.loads(printed)["signals"][0]
    assert (signal["unit"], signal["raised_on"], signal["rule"]) == (
        "C01",
        day_of(14).isoformat(),
        "norm-2006-3-in-1-day",
    )
    assert signal["symptom_group"] == "gastrointestinal"
    assert signal["deadline"] == "2001-03-20T07:40+08:00"
    assert [notice["role"] for notice in signal["told"]] == ["class_teacher", "grade_lead", "school_doctor"]
    assert {notice["at"] for notice in signal["told"]} == {"2001-03-19T07:40+08:00"}
    assert [(notice["role"], notice["at"]) for notice in signal["climbed"]] == [
        ("principal", "2001-03-19T08:10+08:00"),
        ("district_officer", "2001-03-19T09:40+08:00"),
    ]
    assert len(signal["persons"]) >= signal["count"]


def cases(*rows: str) -> str:
    """Rows of one class: "id onset [end] symptoms", `-` for an empty cell."""
    lines = []
    for row in rows:
        person, onset, end, symptoms = (cell.replace("-", "", cell == "-") for cell in row.split())
        lines.append(f"{person},,,1,{onset},{end},{symptoms},\n")
    return HEADER + "".join(lines)


@pytest.mark.django_db
def test_cases_of_a_weekend_are_raised_on_monday_by_their_onset(write):
    file = write(
        cases(
            "a 2020-12-05 2020-12-05 vomiting",
            "b 2020-12-05 2020-12-06 vomiting",
            "c 2020-12-05 - diarrhoea",
            "d - - -",
        )
    )
    (signal,) = replayed(file)["signals"]
    assert (signal["raised_on"], signal["window_start"], signal["window_end"]) == (
        "2020-12-07",
        "2020-12-05",
        "2020-12-05",
    )
    assert signal["persons"] == ["a", "b", "c"]


@pytest.mark.django_db
def test_unknown_symptoms_count_in_the_group_of_the_class_and_are_marked(write):
    file = write(cases("a 2020-12-07 - vomiting", "b 2020-12-07 - -", "c 2020-12-07 - -"))
    (signal,) = replayed(file)["signals"]
    assert signal["symptom_group"] == "gastrointestinal"
    assert signal["windows"] == [{"start": "2020-12-07", "end": "2020-12-07", "count": 3, "unknown": 2}]


@pytest.mark.django_db
def test_classes_of_the_same_name_are_kept_apart_by_school_and_grade(write):
    rows = [
        f"{school}{grade}{n},{school},{grade},1,2020-12-07,,fever,\n"
        for school, grade, number in (("A", "I", 3), ("A", "II", 2), ("B", "I", 1))
        for n in range(number)
    ]
    result = replayed(write(HEADER + "".join(rows)))
    (signal,) = result["signals"]
    assert (signal["school"], signal["grade"], signal["unit"]) == ("A", "I", "1")
    assert [notice["unit"] for notice in signal["told"]] == ["1", "I", "A"]
    assert result["summary"]["classes"] == 3


@pytest.mark.django_db
def test_an_enrolment_fills_classes_up_and_a_calendar_moves_the_day_of_entry(write):
    file = write(cases(*(f"{name} 2020-12-05 2020-12-08 fever" for name in "abc")))
    members = read_line_list(file, vocabulary=symptom_vocabulary())
    result = replayed(
        file, sizes={members[0].place: 40}, named_days={date(2020, 12, 5): True, date(2020, 12, 7): False}
    )
    assert [signal["raised_on"] for signal in result["signals"]] == ["2020-12-05"]
    assert result["summary"]["enrolled"] == 40
    assert result["summary"]["school_days"] == 3


@pytest.mark.django_db
def test_an_old_outbreak_is_judged_by_rules_that_came_later(write):
    file = write(cases(*(f"{name} 1989-03-07 - vomiting" for name in "abc")))
    result = replayed(file)
    assert [signal["raised_on"] for signal in result["signals"]] == ["1989-03-07"]
    assert result["summary"]["assumed_years"] == [1989]


@pytest.mark.django_db
def test_a_report_for_people_names_class_rule_windows_and_steps(write):
    text = as_text(replayed(write(cases(*(f"{name} 2020-12-07 - vomiting" for name in "abc")))))
    assert "1: gastrointestinal, rule “3 in 1 day” (norm-2006-3-in-1-day v1)" in text
    assert "told at 2020-12-07 07:40: class teacher, grade lead, school doctor" in text
    assert "unanswered, climbed to: principal at 2020-12-07 08:10" in text
    assert text.endswith("1 of 1 class had a signal.\n")


def test_a_malformed_file_is_named_on_standard_error_with_exit_code_2(write):
    file = write(HEADER + "a,,,1,soon,,,\n")
    done = run_command(file)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"{file}:2:5: onset_date 'soon' is not a date. Write it as")


def test_an_unknown_rule_set_is_refused_with_the_known_ones(write):
    done = run_command(write(cases("a 2020-12-07 - fever")), "--rules", "norm-1066")
    assert done.returncode == 2
    assert "'norm-1066' is unknown. Known are norm-2006." in done.stderr.decode()


def test_help_describes_the_files():
    done = run_command("--help")
    assert done.returncode == 0
    assert HEADER.strip() in done.stdout.decode()
