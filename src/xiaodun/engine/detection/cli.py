"""``xiaodun detect``: run a detector over the series of a CSV file.

The file has a header row, one row a time and one column a series, UTF-8. Time columns, of which one is
needed:

    date        ISO dates, rising; a gap is allowed (school days only)
    week_start  ISO dates, 7 days apart
    year, week  whole numbers, each week after the one before
    day         whole numbers, each day after the one before

Every other column that holds numbers is a series, unless ``--column`` names those wanted. An empty field is
an unknown count. For ``scan`` a column name such as ``School 1/Grade 3/Class 2`` places the series in a tree.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import re
import sys
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import numpy.typing as npt

from . import METHODS
from .base import Detection, Detector, FloatArray
from .scan import ScanStatistic, zones_of_tree

__all__ = ["main"]

BAD_INPUT = 2
"""Exit code for a file, an option or a parameter that cannot be used."""

_WEEK_FORM = re.compile(r"(\d{4})-?W?(\d{1,2})", re.IGNORECASE)
_TRUE = ("true", "yes", "1")
_FALSE = ("false", "no", "0")


class InputError(Exception):
    """The input cannot be used; the message says where and what to do about it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}\n{self.format_usage().strip()}")


@dataclass(frozen=True, slots=True)
class _Series:
    """The file: labels and, where known, days or (year, week) of its times; counts of shape (n_columns,
    n_times).
    """

    labels: tuple[str, ...]
    days: tuple[date, ...] | None
    weeks: tuple[tuple[int, int], ...] | None
    columns: tuple[str, ...]
    counts: FloatArray


def main(argv: Sequence[str]) -> int:
    """Run the command with the arguments after ``xiaodun detect``; the exit code is 0, or 2 for bad input."""
    try:
        options = _parser().parse_args(argv)
        detector = _make_detector(options.method, options.param)
        series = _read(Path(options.series), options.column)
        first = _place(options.start, series, "--from", last=False)
        last = _place(options.end, series, "--to", last=True)
        if first > last:
            raise InputError("--from lies after --to: exchange them")
        detection = _detect(detector, series, range(first, last + 1))
    except InputError as error:
        print(f"xiaodun detect: {error}", file=sys.stderr)
        return BAD_INPUT
    shown = range(first, last + 1)
    if bool(np.ma.getmaskarray(detection.alarm)[:, first : last + 1].all()):
        print(
            "xiaodun detect: note: no time could be judged; these parameters need a longer history",
            file=sys.stderr,
        )
    write = {"json": _as_json, "csv": _as_csv, "text": _as_text}[options.format]
    print(write(options.method, detector, series, detection, shown))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="xiaodun detect",
        description="Look for outbreaks in the series of a CSV file.",
        epilog="Undefined and infinite numbers are null in JSON, empty in CSV. Parameters of each method:\n"
        + "\n".join(f"  {name}: {', '.join(_parameter_types(method))}" for name, method in METHODS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "series",
        metavar="SERIES.csv",
        help="columns date, week_start, year and week, or day; then the series",
    )
    parser.add_argument("--method", required=True, choices=sorted(METHODS))
    parser.add_argument("--param", action="extend", nargs="+", default=[], metavar="NAME=VALUE")
    parser.add_argument(
        "--column",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME",
        help="default: every numeric column",
    )
    parser.add_argument(
        "--from", dest="start", metavar="TIME", help="a date, year-week or number of the row, from 1"
    )
    parser.add_argument("--to", dest="end", metavar="TIME", help="the last time shown, itself included")
    parser.add_argument("--format", choices=("json", "csv", "text"), default="text")
    return parser


# Parameters


def _parameter_types(method: type[Detector]) -> dict[str, Any]:
    assert is_dataclass(method)
    hints = typing.get_type_hints(method)
    return {field.name: hints[field.name] for field in fields(method)}


def _make_detector(name: str, given: Sequence[str]) -> Detector:
    method = METHODS[name]
    known = _parameter_types(method)
    values: dict[str, object] = {}
    for item in given:
        key, equals, text = item.partition("=")
        if not equals:
            raise InputError(f"--param {item}: write NAME=VALUE")
        if key not in known:
            raise InputError(f"--param {key}: {name} has no such parameter; it has {', '.join(known)}")
        if key in values:
            raise InputError(f"--param {key}: given twice; keep one")
        values[key] = _parse_value(known[key], key, text)
    assert is_dataclass(method)
    for field in fields(method):
        if field.default is MISSING and field.name not in values:
            raise InputError(f"--param {field.name}=…: {name} needs it, it has no default")
    make: Callable[..., Detector] = method
    try:
        return make(**values)
    except ValueError as error:
        raise InputError(f"--param: {error}") from error


def _parse_value(kind: Any, key: str, text: str) -> object:
    """``text`` as the annotated type: a number, a truth value, one of some words, or a union of these."""
    origin = typing.get_origin(kind)
    options: tuple[Any, ...] = typing.get_args(kind) if origin in (typing.Union, types.UnionType) else (kind,)
    for option in options:
        if option is types.NoneType and text.lower() in ("none", ""):
            return None
        if typing.get_origin(option) is Literal and text in typing.get_args(option):
            return text
        if option is bool and text.lower() in _TRUE + _FALSE:
            return text.lower() in _TRUE
        if option in (int, float):
            try:
                return option(text)
            except ValueError:
                continue
    raise InputError(f"--param {key}: {text!r} is not {' or '.join(_describe(option) for option in options)}")


def _describe(kind: Any) -> str:
    if typing.get_origin(kind) is Literal:
        return " or ".join(str(value) for value in typing.get_args(kind))
    names = {int: "a whole number", float: "a number", bool: "true or false", types.NoneType: "none"}
    return names[kind]


# The file


def _read(path: Path, wanted: Sequence[str]) -> _Series:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give the path of a CSV file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start + 1} is not UTF-8; save the file as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            if row:
                rows.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}; mend the quotes") from error
    if not rows:
        raise InputError(f"{path}: the file is empty; give it a header row and one row a time")
    header, body = rows[0][1], rows[1:]
    if not body:
        raise InputError(f"{path}: there is no row below the header; add one row a time")
    for name in header:
        if not name:
            raise InputError(
                f"{path}, line 1, column {header.index('') + 1}: the column has no name; give it one"
            )
        if header.count(name) > 1:
            raise InputError(f"{path}, line 1, column {name}: the name occurs twice; rename one")
    for line, row in body:
        if len(row) != len(header):
            raise InputError(
                f"{path}, line {line}: {len(row)} fields where the header has {len(header)}; "
                "write every field, empty if unknown"
            )

    time_columns, labels, days, weeks = _times(path, header, body)
    columns, counts = _counts(path, header, body, time_columns, wanted)
    return _Series(labels, days, weeks, columns, counts)


def _times(
    path: Path, header: list[str], body: list[tuple[int, list[str]]]
) -> tuple[set[str], tuple[str, ...], tuple[date, ...] | None, tuple[tuple[int, int], ...] | None]:
    """Time columns, labels, and days or weeks; every time must come after the one before it."""
    names = {name.lower(): name for name in header}
    for kind in ("date", "week_start"):
        if kind in names:
            days = [_date(path, line, names[kind], row[header.index(names[kind])]) for line, row in body]
            for (line, _), before, after in zip(body[1:], days, days[1:], strict=False):
                where = f"{path}, line {line}, column {names[kind]}"
                if after <= before:
                    raise InputError(
                        f"{where}: {after} does not come after {before}; one row a time, in order"
                    )
                if kind == "week_start" and after - before != timedelta(days=7):
                    raise InputError(
                        f"{where}: {after} is {(after - before).days} days after {before}, not 7; "
                        "add the missing weeks, with an empty count if unknown"
                    )
            return {names[kind]}, tuple(day.isoformat() for day in days), tuple(days), None
    if "year" in names and "week" in names:
        return _year_weeks(path, header, body, names["year"], names["week"])
    if "day" in names:
        name = names["day"]
        numbers = [_whole(path, line, name, row[header.index(name)]) for line, row in body]
        for (line, _), one, other in zip(body[1:], numbers, numbers[1:], strict=False):
            if other != one + 1:
                raise InputError(
                    f"{path}, line {line}, column {name}: day {other} does not follow day {one}; "
                    "one row a day, in order, one column a group, an empty count if unknown"
                )
        return {name}, tuple(str(number) for number in numbers), None, None
    raise InputError(
        f"{path}, line 1: no time column; name one date, week_start or day, or two year and week "
        f"(found: {', '.join(header)})"
    )


def _year_weeks(
    path: Path, header: list[str], body: list[tuple[int, list[str]]], year: str, week: str
) -> tuple[set[str], tuple[str, ...], None, tuple[tuple[int, int], ...]]:
    weeks: list[tuple[int, int]] = []
    for line, row in body:
        pair = (
            _whole(path, line, year, row[header.index(year)]),
            _whole(path, line, week, row[header.index(week)]),
        )
        where = f"{path}, line {line}, column {week}"
        if not 1 <= pair[1] <= 53:
            raise InputError(f"{where}: week {pair[1]} is not 1 to 53; correct it")
        if weeks:
            before = weeks[-1]
            next_year = before[1] in (52, 53) and pair == (before[0] + 1, 1)
            if not next_year and pair != (before[0], before[1] + 1):
                raise InputError(
                    f"{where}: {_week_label(pair)} does not follow {_week_label(before)}; "
                    "one row a week, in order, an empty count if unknown"
                )
        weeks.append(pair)
    return {year, week}, tuple(_week_label(pair) for pair in weeks), None, tuple(weeks)


def _counts(
    path: Path,
    header: list[str],
    body: list[tuple[int, list[str]]],
    time_columns: set[str],
    wanted: Sequence[str],
) -> tuple[tuple[str, ...], FloatArray]:
    candidates = [name for name in header if name not in time_columns]
    for name in wanted:
        if name not in candidates:
            raise InputError(f"--column {name}: no such column; there are {', '.join(candidates) or 'none'}")
    columns, arrays = [], []
    for name in dict.fromkeys(wanted) if wanted else candidates:
        index = header.index(name)
        cells = [(line, row[index]) for line, row in body]
        numbers = [_number(cell) for _, cell in cells]
        if not wanted and all(number is None for number in numbers):
            continue  # a column of words (or of nothing) is a remark, not a series
        for (line, cell), number in zip(cells, numbers, strict=True):
            if cell and (number is None or number < 0):
                raise InputError(
                    f"{path}, line {line}, column {name}: {cell!r} is not a count; "
                    "write a number of at least 0, leave the field empty if unknown, "
                    "or choose other columns with --column"
                )
        columns.append(name)
        arrays.append([math.nan if number is None else number for number in numbers])
    if not columns:
        raise InputError(f"{path}: no column holds numbers besides the time; add a series")
    return tuple(columns), np.array(arrays, dtype=np.float64)


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _whole(path: Path, line: int, column: str, cell: str) -> int:
    try:
        return int(cell)
    except ValueError as error:
        raise InputError(
            f"{path}, line {line}, column {column}: {cell!r} is not a whole number; correct it"
        ) from error


def _date(path: Path, line: int, column: str, cell: str) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError as error:
        raise InputError(
            f"{path}, line {line}, column {column}: {cell!r} is not a date; write it as 2026-03-09"
        ) from error


def _week_label(pair: tuple[int, int]) -> str:
    return f"{pair[0]}-W{pair[1]:02d}"


# The range


def _place(text: str | None, series: _Series, option: str, *, last: bool) -> int:
    """Number of the row, from 0, that --from or --to means."""
    n = len(series.labels)
    if text is None:
        return n - 1 if last else 0
    if text.isdecimal():
        number = int(text)
        # Eight digits without hyphens are a date to ISO 8601, but here a row: say so rather than guess.
        if not 1 <= number <= n:
            raise InputError(f"{option} {text}: there is no such row; the file has rows 1 to {n}")
        return number - 1
    inside: Callable[[int], bool]
    week = _WEEK_FORM.fullmatch(text)
    if series.days is not None:
        days = series.days
        try:
            if week is not None:
                bound = date.fromisocalendar(int(week[1]), int(week[2]), 7 if last else 1)
            else:
                bound = date.fromisoformat(text)
        except ValueError as error:
            raise InputError(
                f"{option} {text}: write a date (2026-03-09), a week (2026-W11) or a row number"
            ) from error

        def inside(row: int) -> bool:
            return days[row] <= bound if last else days[row] >= bound
    elif series.weeks is not None:
        weeks = series.weeks
        if week is None:
            raise InputError(
                f"{option} {text}: the file has year and week; write a week (2026-W11) or a row number"
            )
        wanted = (int(week[1]), int(week[2]))

        def inside(row: int) -> bool:
            return weeks[row] <= wanted if last else weeks[row] >= wanted
    else:
        raise InputError(f"{option} {text}: the file has days by number; write a row number from 1 to {n}")
    rows = [row for row in range(n) if inside(row)]
    if not rows:
        raise InputError(
            f"{option} {text}: it leaves nothing; the file has {series.labels[0]} to {series.labels[-1]}"
        )
    return rows[-1] if last else rows[0]


# The run and its result


def _detect(detector: Detector, series: _Series, rows: range) -> Detection:
    dates = None if series.days is None else np.array(series.days, dtype="datetime64[D]")
    try:
        if isinstance(detector, ScanStatistic):
            # Each time costs a Monte Carlo run, so only those shown are judged.
            zones = list(zones_of_tree([name.split("/") for name in series.columns]).values())
            return detector.detect(series.counts, dates=dates, zones=zones, times=rows)
        return detector.detect(series.counts, dates=dates)
    except ValueError as error:
        raise InputError(f"{error}") from error


def _plain(value: float) -> int | float | None:
    """A number as JSON has it: whole numbers without a point, None where undefined or infinite."""
    if not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)


def _points(series: _Series, detection: Detection, column: int, rows: range) -> list[dict[str, object]]:
    masked: npt.NDArray[np.bool_] = np.ma.getmaskarray(detection.alarm)
    alarm = detection.alarm.filled(False)
    return [
        {
            "time": series.labels[row],
            "observed": _plain(float(series.counts[column, row])),
            "expected": _plain(float(detection.expected[column, row])),
            "upperbound": _plain(float(detection.upperbound[column, row])),
            "score": _plain(float(detection.score[column, row])),
            "alarm": None if masked[column, row] else int(alarm[column, row]),
        }
        for row in rows
    ]


def _as_json(method: str, detector: Detector, series: _Series, detection: Detection, rows: range) -> str:
    assert is_dataclass(detector)
    assert not isinstance(detector, type)
    document = {
        "method": method,
        "parameters": asdict(detector),
        "series": [
            {"column": name, "points": _points(series, detection, column, rows)}
            for column, name in enumerate(series.columns)
        ],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def _as_csv(method: str, detector: Detector, series: _Series, detection: Detection, rows: range) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["column", "time", "observed", "expected", "upperbound", "score", "alarm"])
    for column, name in enumerate(series.columns):
        for point in _points(series, detection, column, rows):
            writer.writerow([name, *("" if value is None else value for value in point.values())])
    return out.getvalue().rstrip("\n")


def _as_text(method: str, detector: Detector, series: _Series, detection: Detection, rows: range) -> str:
    lines = [f"method {method}: {detector}"]
    for column, name in enumerate(series.columns):
        points = _points(series, detection, column, rows)
        alarms = sum(point["alarm"] == 1 for point in points)
        judged = sum(point["alarm"] is not None for point in points)
        lines += ["", f"{name}: {alarms} alarms in {judged} times judged, {len(points)} shown"]
        lines.append(
            f"{'time':>12} {'observed':>10} {'expected':>10} {'upperbound':>10} {'score':>10}  alarm"
        )
        for point in points:
            numbers = " ".join(
                f"{'-' if point[key] is None else format(point[key], '.5g'):>10}"
                for key in ("observed", "expected", "upperbound", "score")
            )
            mark = {None: "-", 0: "", 1: "ALARM"}[typing.cast("int | None", point["alarm"])]
            lines.append(f"{point['time']:>12} {numbers}  {mark}".rstrip())
    return "\n".join(lines)
