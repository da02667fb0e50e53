"""Grades: read from names as schools write them, and derived from the year of entry."""

from datetime import date

import pytest

from xiaodun.organisations.choices import Stage
from xiaodun.organisations.grades import (
    Grade,
    entry_year_of,
    grade_in,
    grade_name,
    moved_up,
    moved_up_en,
    next_grade,
    read_grade,
    school_year_of,
)


@pytest.mark.parametrize(
    ("name", "kind", "stage", "number"),
    [
        ("三年级", "primary", "primary", 3),
        ("三(1)班", "primary", "primary", 3),
        ("3年级2班", "primary", "primary", 3),
        ("小学六年级", "nine_year", "primary", 6),
        ("七年级", "nine_year", "junior", 7),
        ("初一", "junior", "junior", 7),
        ("初三（2）班", "junior", "junior", 9),
        ("一年级", "junior", "junior", 7),
        ("八(3)班", "junior", "junior", 8),
        ("高一", "senior", "senior", 10),
        ("高三(1)班", "senior", "senior", 12),
        ("12年级", "senior", "senior", 12),
        ("小班", "kindergarten", "kindergarten", 1),
        ("中二班", "kindergarten", "kindergarten", 2),
        ("大(1)班", "kindergarten", "kindergarten", 3),
        ("托班", "kindergarten", "kindergarten", 0),
    ],
)
def test_a_name_says_its_grade(name, kind, stage, number):
    assert read_grade(name, kind) == Grade(Stage(stage), number)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("2020级", "college"),
        ("食堂", "primary"),
        ("混龄班", "kindergarten"),
        ("大自然工作坊", "kindergarten"),
        ("一班", "primary"),
        ("少儿美术一班", "training"),
        ("13年级", "senior"),
    ],
)
def test_a_name_that_says_no_grade_is_not_guessed_at(name, kind):
    assert read_grade(name, kind) is None


def test_the_grade_follows_from_the_year_of_entry_and_ends_with_the_stage():
    third = Grade(Stage.PRIMARY, 3)
    assert entry_year_of(third, 2020) == 2018
    grades = [grade_in("primary", 2018, year) for year in (2017, 2018, 2020, 2023, 2024)]
    assert [grade and grade.number for grade in grades] == [None, 1, 3, 6, None]
    assert grade_in("kindergarten", 2020, 2022) == Grade(Stage.KINDERGARTEN, 3)
    assert (school_year_of(date(2021, 8, 31)), school_year_of(date(2021, 9, 1))) == (2020, 2021)


def test_a_nine_year_school_keeps_its_sixth_grade_and_a_primary_school_sees_it_off():
    sixth = Grade(Stage.PRIMARY, 6)
    assert next_grade(sixth, "nine_year") == Grade(Stage.JUNIOR, 7)
    assert next_grade(sixth, "primary") is None
    assert next_grade(Grade(Stage.KINDERGARTEN, 3), "kindergarten") is None


@pytest.mark.parametrize(
    ("name", "kind", "after"),
    [
        ("三(1)班", "primary", "四(1)班"),
        ("3年级2班", "primary", "4年级2班"),
        ("初一（2）班", "junior", "初二（2）班"),
        ("八(3)班", "junior", "九(3)班"),
        ("高二(1)班", "senior", "高三(1)班"),
        ("小一班", "kindergarten", "中一班"),
        ("六(2)班", "nine_year", "七(2)班"),
    ],
)
def test_a_class_keeps_the_manner_of_its_name_when_it_moves_up(name, kind, after):
    grade = read_grade(name, kind)
    assert moved_up(name, grade, next_grade(grade, kind)) == after


def test_a_name_without_the_grade_stays_and_an_english_one_is_not_guessed():
    old, new = Grade(Stage.PRIMARY, 3), Grade(Stage.PRIMARY, 4)
    assert moved_up("2018级1班", old, new) == "2018级1班"
    assert [moved_up_en(name, old, new) for name in ("Class 3(1)", "Grade 3 Class 2", "Rainbow")] == [
        "Class 4(1)",
        "Grade 4 Class 2",
        "",
    ]
    assert moved_up_en("Senior 1(3)", Grade(Stage.SENIOR, 10), Grade(Stage.SENIOR, 11)) == "Senior 2(3)"
    assert moved_up_en("Nursery 1", Grade(Stage.KINDERGARTEN, 1), Grade(Stage.KINDERGARTEN, 2)) == "Middle 1"
    assert grade_name(Grade(Stage.SENIOR, 12)) == "高三"
