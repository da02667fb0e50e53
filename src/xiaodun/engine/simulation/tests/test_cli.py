"""``xiaodun simulate``: four files that agree with each other, and refusals before any is touched."""

import csv

import pytest

from xiaodun.engine.simulation.cli import main

SHORT = ["--from", "2020-09-01", "--to", "2020-11-30"]


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_term_is_written_with_its_truth(tmp_path, capsys):
    assert main([str(tmp_path), "--only", "p07", "k01", "--seed", "5", *SHORT]) == 0
    counts, cases, outbreaks, windows = (
        rows(tmp_path / f"{name}.csv") for name in ("counts", "cases", "outbreaks", "windows")
    )
    assert f"{len(cases)} infections" in capsys.readouterr().out.replace(",", "")
    assert sum(int(row["infections"]) for row in outbreaks) == len(cases)
    units = {row["unit"] for row in counts}
    assert {row["unit"] for row in [*cases, *outbreaks, *windows]} <= units
    assert len(counts) == len(units) * len({row["date"] for row in counts})
    assert "2020-09-27" in {row["date"] for row in counts}  # a Sunday that is a school day
    assert all(row["infector"] == "" or int(row["infector"]) < int(row["case"]) for row in cases)
    assert all(int(row["absent_ill"]) <= int(row["checked"]) <= int(row["headcount"]) for row in counts)


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        assert main([str(tmp_path / folder), "--persons", "1", "--disease", "norovirus", *SHORT]) == 0
    for name in ("counts", "cases", "outbreaks", "windows"):
        assert (tmp_path / "one" / f"{name}.csv").read_bytes() == (
            tmp_path / "two" / f"{name}.csv"
        ).read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "x99"], "no institution x99"),
        (["--disease", "plague"], "unknown disease plague"),
        (["--seed", "-1"], "seed"),
        (["--from", "2021-02-01", "--to", "2020-09-01"], "cannot end"),
        (["--from", "someday"], "--from"),
        (["--to", "2030-01-01"], "2027"),
    ],
)
def test_what_cannot_be_simulated_is_refused_before_a_file_is_touched(tmp_path, capsys, options, message):
    folder = tmp_path / "none"
    assert main([str(folder), "--only", "p07", *SHORT, *options]) == 2
    assert message in capsys.readouterr().err
    assert not folder.exists()
