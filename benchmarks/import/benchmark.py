"""Time the import of a whole district's pupils, from the uploaded Excel file to the last row written.

    python benchmarks/import/benchmark.py [--rows 70000] [--output benchmarks/import/results.md]

A throw-away SQLite database in a temporary folder, or the server of XIAODUN_TEST_DATABASE_URL. The list is
applied once, then handed in again (it must change nothing), then with every tenth pupil in another class.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xiaodun.config.settings.test")

import django
import xlsxwriter

HERE = Path(__file__).parent
CLASS_SIZE, CLASSES_A_GRADE, GRADES = 45, 4, 6
ON = date(2026, 9, 1)
HEADINGS = (
    "学校标识码", "年级", "班级", "学籍号", "学号", "姓名", "性别", "出生日期", "身份证件类型", "身份证件号",
    "现住址",
    "监护人1姓名", "监护人1关系", "监护人1联系电话", "监护人2姓名", "监护人2关系", "监护人2联系电话",
)  # fmt: skip
NUMERALS = "一二三四五六"
FAMILY, GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨", "子涵雨轩浩宇欣怡梓萱思远佳琪明哲"


def row_of(number: int, moved: bool) -> list[str]:
    """The invented pupil ``number``; ``moved`` into the next class of the grade."""
    from xiaodun.people.numbers import check_character

    school, rest = divmod(number, CLASS_SIZE * CLASSES_A_GRADE * GRADES)
    grade, rest = divmod(rest, CLASS_SIZE * CLASSES_A_GRADE)
    group = rest // CLASS_SIZE
    if moved and number % 10 == 0:
        group = (group + 1) % CLASSES_A_GRADE
    born = f"{2019 - grade}{number % 12 + 1:02}{number % 28 + 1:02}"
    body = f"99{number // 1000:04}{born}{number % 1000:03}"
    identity = body + check_character(body)
    name = FAMILY[number % 16] + GIVEN[number // 16 % 16] + GIVEN[number // 256 % 16]
    return [
        f"S{school:03}", f"{NUMERALS[grade]}年级", f"{group + 1}班", f"G{identity}", str(100000 + number),
        name,
        "男" if int(body[-1]) % 2 else "女", born, "居民身份证", identity, f"示范路{number % 999}号",
        f"{name[0]}建国", "父亲", f"139{number:08}", f"李芳{GIVEN[number % 16]}", "母亲", f"138{number:08}",
    ]  # fmt: skip


def workbook(rows: int, *, moved: bool = False) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("学生名单")
    for number, cells in enumerate([list(HEADINGS), *(row_of(each, moved) for each in range(rows))]):
        for column, cell in enumerate(cells):
            sheet.write_string(number, column, cell)
    book.close()
    return target.getvalue()


def make_district(rows: int, at: datetime) -> Any:
    from xiaodun.organisations.services import create_district, create_unit

    district = create_district(by=None, code="410106", name="示范区", at=at)
    for number in range(-(-rows // (CLASS_SIZE * CLASSES_A_GRADE * GRADES))):
        school = create_unit(
            by=None, parent=district, kind="institution", institution_kind="primary", code=f"S{number:03}",
            name=f"示范{number}小学", first_day=ON, at=at,
        )  # fmt: skip
        for grade in range(GRADES):
            level = create_unit(
                by=None, parent=school, kind="grade", code=f"S{number:03}-{grade}",
                name=f"{NUMERALS[grade]}年级", at=at,
            )  # fmt: skip
            for group in range(CLASSES_A_GRADE):
                create_unit(
                    by=None, parent=level, kind="group", group_kind="class",
                    code=f"S{number:03}-{grade}-{group}", name=f"{NUMERALS[grade]}({group + 1})班", at=at,
                )  # fmt: skip
    return district


class Run:
    """Does the steps and keeps what each took."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def step(self, name: str, do: Callable[[], Any]) -> Any:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        start, processor = time.perf_counter(), time.process_time()
        with CaptureQueriesContext(connection) as queries:
            answer = do()
        took, worked = time.perf_counter() - start, time.process_time() - processor
        line = f"| {name} | {took:.1f} s | {worked:.1f} s | {len(queries)} |"
        self.lines.append(line)
        print(line, flush=True)
        return answer


def run(rows: int) -> list[str]:
    from xiaodun.accounts.services import assign_role, create_user
    from xiaodun.kit.clock import now
    from xiaodun.people.models import Enrolment, Guardian, Identity, Person
    from xiaodun.people.services.rosters import (
        apply_roster,
        approve_roster,
        hand_in_roster,
        read_roster,
        take_roster,
    )

    at = now()
    district = make_district(rows, at)
    officer = create_user(by=None, username="officer", name="吴科长", at=at)
    assign_role(
        by=None, user=officer, role="district_officer", unit=district, valid_from=date(2020, 1, 1), at=at
    )
    measured = Run()
    measured.lines += ["| step | time | processor time | statements |", "|---|---|---|---|"]

    def import_(name: str, content: bytes, on: date) -> dict[str, int]:
        hand_in_roster(
            by=officer,
            unit=district,
            kind="pupils",
            file_name="list.xlsx",
            content=content,
            effective_on=on,
            at=at,
        )
        roster = take_roster(at=at)
        roster = measured.step(f"{name}: read and compare", lambda: read_roster(roster=roster, at=at))
        assert roster.state == "ready", (roster.state, roster.report[:2000])
        approve_roster(by=officer, roster=roster, at=at)
        roster = take_roster(at=at)
        roster = measured.step(f"{name}: apply", lambda: apply_roster(roster=roster, at=at))
        assert roster.state == "done", roster.report[:2000]
        return dict(roster.counts)

    first = workbook(rows)
    start = time.perf_counter()
    counts = [import_("first", first, ON)]
    total = time.perf_counter() - start
    counts.append(import_("same file again", first, ON))
    counts.append(import_("every tenth moved", workbook(rows, moved=True), date(2026, 10, 1)))
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    held = ", ".join(
        f"{model.objects.count()} {model._meta.model_name}s"
        for model in (Person, Identity, Guardian, Enrolment)
    )
    assert counts[0]["new"] == counts[1]["unchanged"] == rows, counts
    assert counts[2]["moved"] == len(range(0, rows, 10)), counts
    size = len(first) / 1e6
    return [
        *measured.lines,
        "",
        f"- {rows} rows of {len(HEADINGS)} columns, {size:.1f} MB: the first import took **{total:.1f} s**.",
        f"- Memory at most: {own:.0f} MB in the process that plans and writes, {worker:.0f} MB to open it.",
        f"- On record afterwards: {held}.",
        f"- Counts: {counts}.",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=70_000)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    django.setup()
    from django.db import connection
    from django.test.runner import DiscoverRunner

    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        engine = connection.vendor
        lines = run(arguments.rows)
    finally:
        runner.teardown_databases(databases)
    made = (
        f"Made by `benchmarks/import/benchmark.py`; {engine}, Python {platform.python_version()}, "
        f"{os.cpu_count()} processors, other work on the machine at the same time."
    )
    head = ["# Import of a district's pupils", "", made, ""]
    text = "\n".join(head + lines) + "\n"
    print(text)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
