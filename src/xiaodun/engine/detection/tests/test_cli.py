"""``xiaodun detect`` on files."""

import csv
import io
import json
from datetime import date, timedelta

import numpy as np
import pytest

from xiaodun.engine.detection import EarsC1, FarringtonFlexible
from xiaodun.engine.detection.cli import main

from .reference_results import DATA, numbers, runs_of

AGONA = str(DATA / "salmonella_agona_uk_1990_1995_weekly.csv")
HOSPITALISED = str(DATA / "salmonella_hospitalised_germany_2004_2014_weekly.csv")


@pytest.fixture
def write(tmp_path):
    def write_file(text, encoding="utf-8"):
        path = tmp_path / "series.csv"
        path.write_bytes(text.encode(encoding))
        return str(path)

    return write_file


def daily(*columns, start=date(2026, 3, 2), n=12):
    rows = [["date", *(name for name, _ in columns)]]
    rows += [
        [str(start + timedelta(days=day)), *(str(values[day]) for _, values in columns)] for day in range(n)
    ]
    return "\n".join(",".join(row) for row in rows) + "\n"


def as_json(capsys, *argv):
    assert main([*argv, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *argv):
    assert main(list(argv)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_the_json_carries_method_parameters_and_every_point(capsys):
    document = as_json(
        capsys, AGONA, "--method", "farrington-flexible",
        "--param", "periods=10", "--param", "past_weeks_excluded=26", "trend_p_threshold=1",
        "--param", "threshold_method=nbPlugin", "alpha=0.01",
    )  # fmt: skip
    assert document["method"] == "farrington-flexible"
    assert document["parameters"]["periods"] == 10
    assert document["parameters"]["power"] == "2/3"
    (series,) = document["series"]
    assert series["column"] == "cases"
    assert len(series["points"]) == 312
    assert series["points"][0] == {
        "time": "1990-W01", "observed": 1, "expected": None, "upperbound": None, "score": None, "alarm": None,
    }  # fmt: skip
    (run,) = (
        r
        for s, r in runs_of("farringtonFlexible")
        if s["series"] == "salmonella_agona_uk_1990_1995" and r["id"] == "flex_noufaily_nbplugin_a01"
    )
    shown = series["points"][run["first"] - 1 :]
    assert [point["alarm"] for point in shown] == run["alarm"]
    assert [point["upperbound"] for point in shown] == run["upperbound"]


def test_the_numbers_are_those_of_the_library(capsys):
    with open(HOSPITALISED, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    name = next(column for column in rows[0] if column != "week_start")
    detection = FarringtonFlexible().detect([float(row[name]) for row in rows])
    document = as_json(capsys, HOSPITALISED, "--method", "farrington-flexible", "--from", "264")
    points = document["series"][0]["points"]
    np.testing.assert_allclose(numbers([p["expected"] for p in points]), detection.expected[263:])
    np.testing.assert_allclose(numbers([p["upperbound"] for p in points]), detection.upperbound[263:])


def test_a_range_takes_dates_weeks_and_row_numbers(capsys):
    def times(path, *argv):
        points = as_json(capsys, path, "--method", "ears-c1", *argv)["series"][0]["points"]
        return points[0]["time"], points[-1]["time"]

    assert times(HOSPITALISED, "--from", "2014-01-01", "--to", "2014-01-31") == ("2014-01-06", "2014-01-27")
    assert times(HOSPITALISED, "--from", "2014-W03", "--to", "2014-04") == ("2014-01-13", "2014-01-20")
    assert times(AGONA, "--from", "1995-W30", "--to", "1995-32") == ("1995-W30", "1995-W32")
    assert times(AGONA, "--from", "10", "--to", "12") == ("1990-W10", "1990-W12")


def test_the_range_shown_does_not_change_what_is_known(capsys):
    whole = as_json(capsys, AGONA, "--method", "ears-c2")["series"][0]["points"]
    part = as_json(capsys, AGONA, "--method", "ears-c2", "--from", "100")["series"][0]["points"]
    assert part == whole[99:]


def test_every_numeric_column_is_a_series_unless_some_are_named(capsys, write):
    path = write(daily(("Class 1", [1] * 12), ("remark", ["calm"] * 12), ("Class 2", [0] * 11 + [9])))
    document = as_json(capsys, path, "--method", "ears-c1")
    assert [series["column"] for series in document["series"]] == ["Class 1", "Class 2"]
    assert document["series"][1]["points"][-1]["alarm"] == 1
    assert document["series"][1]["points"][-1]["score"] is None, "infinite: JSON has no such number"
    named = as_json(capsys, path, "--method", "ears-c1", "--column", "Class 2")
    assert [series["column"] for series in named["series"]] == ["Class 2"]


def test_an_empty_field_is_an_unknown_count(capsys, write):
    path = write(daily(("cases", [1, 2, 1, 2, 1, 2, 1, 2, "", 2, 1, 2])))
    points = as_json(capsys, path, "--method", "ears-c1")["series"][0]["points"]
    assert points[8]["observed"] is None
    assert points[8]["alarm"] is None
    assert points[7]["alarm"] == 0


def test_csv_and_text_say_the_same(capsys, write):
    path = write(daily(("cases", [1, 2, 1, 2, 1, 2, 1, 2, 9, 2, 1, 2])))
    assert main([path, "--method", "ears-c1", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows[8]["time"] == "2026-03-10"
    assert (rows[8]["observed"], rows[8]["alarm"], rows[0]["alarm"]) == ("9", "1", "")
    expected = EarsC1().detect([1, 2, 1, 2, 1, 2, 1, 2, 9, 2, 1, 2])
    assert float(rows[8]["upperbound"]) == pytest.approx(expected.upperbound[8])
    assert main([path, "--method", "ears-c1"]) == 0
    text = capsys.readouterr().out
    assert "cases: 1 alarms in 5 times judged, 12 shown" in text
    assert "ALARM" in text


def test_the_scan_reads_the_tree_from_the_names(capsys, write):
    rng = np.random.default_rng(1)
    columns = [(f"School 1/Grade {g}/Class {c}", rng.poisson(0.3, 30)) for g in (1, 2) for c in (1, 2)]
    for _, values in columns[2:]:
        values[28:] += 4
    path = write(daily(*columns, n=30))
    document = as_json(capsys, path, "--method", "scan", "--param", "replicates=99", "seed=4", "--from", "30")
    assert [series["points"][0]["alarm"] for series in document["series"]] == [0, 0, 1, 1]


def test_a_short_history_is_said(capsys, write):
    path = write(daily(("cases", [1] * 12)))
    assert main([path, "--method", "farrington"]) == 0
    assert "longer history" in capsys.readouterr().err


BAD_FILES = {
    "": ("empty", "header row"),
    "date,cases\n": ("no row", "add one"),
    "when,cases\n2026-03-02,1\n": ("line 1", "no time column", "week_start"),
    "date,cases\n2026-03-02,1\n2026-3-3,1\n": ("line 3", "column date", "2026-03-09"),
    "date,cases\n2026-03-02,1\n2026-03-02,1\n": ("line 3", "column date", "in order"),
    "week_start,cases\n2026-03-02,1\n2026-03-16,1\n": ("line 3", "column week_start", "missing weeks"),
    "year,week,cases\n2025,52,1\n2026,2,1\n": ("line 3", "column week", "2026-W02"),
    "year,week,cases\n2025,54,1\n": ("line 2", "column week", "54"),
    "year,week,cases\n2025,x,1\n": ("line 2", "column week", "whole number"),
    "day,class,cases\n1,C01,1\n1,C02,1\n": ("line 3", "column day", "one column a group"),
    "date,cases\n2026-03-02,1\n2026-03-03,l\n": ("line 3", "column cases", "'l'", "leave the field empty"),
    "date,cases\n2026-03-02,1\n2026-03-03,-1\n": ("line 3", "column cases", "'-1'"),
    "date,cases\n2026-03-02,1\n2026-03-03\n": ("line 3", "1 fields where the header has 2"),
    "date,cases,cases\n2026-03-02,1,1\n": ("line 1", "column cases", "twice"),
    "date,,cases\n2026-03-02,1,1\n": ("line 1", "column 2", "no name"),
    "date,remark\n2026-03-02,calm\n": ("no column holds numbers", "add a series"),
    'date,cases\n2026-03-02,"1\n': ("line 2", "quotes"),
}


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_bad_file_is_refused_with_line_column_and_remedy(capsys, write, text):
    message = refused(capsys, write(text), "--method", "ears-c1")
    for part in BAD_FILES[text]:
        assert part in message


def test_a_file_that_cannot_be_read_is_refused(capsys, write, tmp_path):
    assert "give the path" in refused(capsys, str(tmp_path / "none.csv"), "--method", "ears-c1")
    path = write("date,cases\n2026-03-02,1\n班,2\n", encoding="gbk")
    assert "save the file as UTF-8" in refused(capsys, path, "--method", "ears-c1")


def test_a_byte_order_mark_is_no_part_of_the_header(capsys, write):
    path = write(daily(("cases", [1] * 12)), encoding="utf-8-sig")
    assert as_json(capsys, path, "--method", "ears-c1")["series"][0]["column"] == "cases"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--method", "ears-c9"], ["ears-c9", "ears-c1"]),
        (["--method", "ears-c1", "--param", "alfa=1"], ["alfa", "baseline, alpha, min_sigma"]),
        (["--method", "ears-c1", "--param", "alpha"], ["NAME=VALUE"]),
        (["--method", "ears-c1", "--param", "alpha=x"], ["alpha", "'x' is not a number"]),
        (["--method", "ears-c1", "--param", "alpha=2"], ["between 0 and 1"]),
        (["--method", "ears-c1", "--param", "alpha=0.1", "alpha=0.2"], ["twice"]),
        (["--method", "ears-c3", "--param", "form=x"], ["cdc or r"]),
        (["--method", "farrington", "--param", "trend=maybe"], ["true or false"]),
        (["--method", "rt"], ["mean_si", "no default"]),
        (["--method", "ears-c1", "--column", "deaths"], ["deaths", "cases"]),
        (["--method", "ears-c1", "--from", "400"], ["rows 1 to 312"]),
        (["--method", "ears-c1", "--from", "20", "--to", "10"], ["exchange"]),
        (["--method", "ears-c1", "--from", "1995-01-02"], ["year and week"]),
        (["--method", "ears-c1", "--from", "2001-W01"], ["1995-W52"]),
        (["--method", "farrington", "--param", "calendar=dates"], ["needs the dates"]),
        ([], ["--method"]),
    ],
)
def test_a_bad_option_is_refused_with_the_remedy(capsys, arguments, parts):
    message = refused(capsys, AGONA, *arguments)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("method", "item", "name", "value"),
    [
        ("cusum", "m=glm", "m", "glm"),
        ("cusum", "m=3.5", "m", 3.5),
        ("farrington", "reweight=no", "reweight", False),
        ("farrington-flexible", "power=none", "power", "none"),
        ("farrington-flexible", "past_weeks_excluded=none", "past_weeks_excluded", None),
        ("ears-c3", "form=r", "form", "r"),
    ],
)
def test_a_parameter_is_read_as_its_type(capsys, method, item, name, value):
    document = as_json(capsys, AGONA, "--method", method, "--param", item, "--from", "300")
    assert document["parameters"][name] == value
