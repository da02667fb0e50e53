"""What a replay takes as a line list, enrolment or calendar, and what it says of anything else."""

from datetime import date
from pathlib import Path

import pytest

from xiaodun.config.replay_files import (
    ClassKey,
    MalformedFileError,
    read_calendar,
    read_enrolment,
    read_line_list,
)
from xiaodun.config.replay_world import symptom_vocabulary

HEADER = "person_id,school,grade,class,onset_date,end_date,symptoms,diagnosis\n"


@pytest.fixture
def write(tmp_path: Path):
    def write(content: str | bytes, name: str = "list.csv") -> Path:
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


def read(file: Path):
    return read_line_list(file, vocabulary=symptom_vocabulary())


def faults(file: Path, reader=read) -> list[str]:
    """The lines on standard error, without the folder."""
    with pytest.raises(MalformedFileError) as caught:
        reader(file)
    return [line.replace(f"{file.parent}/", "") for line in str(caught.value).splitlines()]


def test_a_row_without_onset_is_a_healthy_member(write):
    ill, well = read(write(HEADER + "a,S,G,1,2020-12-01,2020-12-03,fever;cough,influenza\nb,S,G,1,,,,\n"))
    assert (ill.person_id, ill.place, ill.diagnosis) == ("a", ClassKey("S", "G", "1"), "influenza")
    assert (ill.onset, ill.end, ill.symptoms) == (date(2020, 12, 1), date(2020, 12, 3), ("fever", "cough"))
    assert (well.onset, well.end, well.symptoms) == (None, None, ())


def test_columns_may_stand_in_any_order_and_optional_ones_may_be_absent(write):
    (member,) = read(write("onset_date, Class ,person_id\n2020-12-01,1,a\n"))
    assert member.place == ClassKey("", "", "1")


def test_a_byte_order_mark_and_windows_line_ends_are_taken(write):
    (member,) = read(
        write(b"\xef\xbb\xbf" + (HEADER + "a,,,1,2020-12-01,,,\n").replace("\n", "\r\n").encode())
    )
    assert member.person_id == "a"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("vomiting", "vomiting"),
        ("Sore-Throat", "sore_throat"),
        ("sore throat", "sore_throat"),
        ("ABDOMINAL  PAIN", "abdominal_pain"),
        ("diarrhea", "diarrhoea"),
        ("red eyes", "conjunctival_congestion"),
        ("conjunctival congestion", "conjunctival_congestion"),
    ],
)
def test_symptoms_are_known_by_code_and_by_english_name_in_any_spelling(write, written, code):
    (member,) = read(write(HEADER + f"a,,,1,2020-12-01,, {written} ;;{written},\n"))
    assert member.symptoms == (code,)


def test_every_fault_of_the_file_is_named_with_line_column_and_remedy(write):
    found = faults(
        write(
            HEADER
            + "a,,,1,2020-13-01,,vomitting,\n"
            + "a,,,,2020-12-05,2020-12-01,,\n"
            + "\n"
            + "b,,,1,,,fever,\n"
            + "c,,,1\n"
            + ",,,1,2020-12-01,,,\n"
        )
    )
    assert [line.split(" ", 1)[0] for line in found] == [
        "list.csv:2:5:",
        "list.csv:2:7:",
        "list.csv:3:1:",
        "list.csv:3:4:",
        "list.csv:3:6:",
        "list.csv:5:7:",
        "list.csv:6:5:",
        "list.csv:7:1:",
    ]
    assert found[0].endswith(
        "onset_date '2020-13-01' is not a date. Write it as YYYY-MM-DD, for example 2020-12-16."
    )
    assert "Unknown symptom 'vomitting'. Did you mean vomiting?" in found[1]
    assert "stands already in line 2. Keep one row for each person" in found[2]
    assert "ends on 2020-12-01, before its onset on 2020-12-05. Correct one" in found[4]


def test_only_the_first_twenty_faults_are_written_out(write):
    found = faults(write(HEADER + "".join(f"p{n},,,1,soon,,,\n" for n in range(25))))
    assert len(found) == 21
    assert found[-1] == "… and 5 more."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "list.csv:1:1: The file is empty. Write a header line"),
        (HEADER, "list.csv:2:1: There is a header but no row."),
        (HEADER + "a,,,1,,,,\n", "list.csv:2:5: Nobody in the file was ever ill"),
        ("person_id,class\na,1\n", "list.csv:1:3: The column onset_date is missing. Add it"),
        ("person,class,onset_date\na,1,\n", "list.csv:1:1: Unknown column 'person'. Did you mean person_id?"),
        ("person_id,class,onset_date,class\n", "list.csv:1:4: The column class stands twice."),
        ("person_id;class;onset_date\na;1;\n", "list.csv:1:1: The cells are separated by ';'."),
        (HEADER + 'a,,,"1,2020-12-01,,,\n', "list.csv:2:1: This row is not CSV: unexpected end of data."),
        (
            (HEADER + "甲,,,一班,2020-12-01,,,\n").encode("gb18030"),
            "list.csv:2:1: This is not UTF-8 text; it looks",
        ),
        ((HEADER + "a,,,1,,,,\n").encode("utf-16"), "list.csv:1:1: This is not UTF-8 text but UTF-16."),
        (
            HEADER + "a,,,1,2020-12-01,,,\nb,,,1,2030-12-01,,,\n",
            "list.csv:3:5: 2030-12-01 lies more than 1100 days after the file's first onset, 2020-12-01.",
        ),
        (HEADER + "a,,,1,20201201,,,\n", "list.csv:2:5: onset_date '20201201' is not a date."),
    ],
)
def test_a_file_that_is_no_line_list_says_why(write, content, said):
    assert faults(write(content))[0].startswith(said)


def test_a_missing_file_is_a_fault_like_any_other(tmp_path):
    assert faults(tmp_path / "none.csv")[0].startswith("none.csv:1:1: The file cannot be read: No such file")


def test_an_enrolment_names_the_size_of_each_class(write):
    members = read(write(HEADER + "a,S,,1,2020-12-01,,,\n"))
    sizes = read_enrolment(write("school,class,size\nS,1,30\nS,2,28\n", "e.csv"), members=members)
    assert sizes == {ClassKey("S", "", "1"): 30, ClassKey("S", "", "2"): 28}


def test_an_enrolment_smaller_than_the_line_list_is_refused(write):
    members = read(write(HEADER + "a,,,1,2020-12-01,,,\nb,,,1,,,,\n"))
    found = faults(
        write("class,size\n1,1\n2,many\n2,4\n2,5\n", "e.csv"),
        lambda file: read_enrolment(file, members=members),
    )
    assert [line.split(". ")[0] for line in found] == [
        "e.csv:2:2: The class has 1 members here and 2 rows in the line list",
        "e.csv:3:2: size 'many' is not a whole number from 1 to 500",
        "e.csv:4:1: This class stands twice",
        "e.csv:5:1: This class stands twice",
    ]


def test_a_calendar_names_school_days_and_days_off(write):
    days = read_calendar(write("date,kind\n2020-12-05,school\n2020-12-07,OFF\n", "c.csv"))
    assert days == {date(2020, 12, 5): True, date(2020, 12, 7): False}


def test_a_calendar_refuses_other_kinds_and_repeated_days(write):
    found = faults(write("date,kind\n2020-12-05,open\n2020-12-05,off\n,off\n", "c.csv"), read_calendar)
    assert [line.split(" ", 1)[0] for line in found] == ["c.csv:2:2:", "c.csv:3:1:", "c.csv:4:1:"]
