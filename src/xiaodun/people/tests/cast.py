"""Persons for tests: names and numbers are invented."""

from datetime import date
from typing import Any

from xiaodun.organisations.models import Unit
from xiaodun.organisations.tests.cast import AT
from xiaodun.people import services
from xiaodun.people.models import Person
from xiaodun.people.numbers import check_character

_NAMES = ("王小明", "李静", "单伟", "曾雨", "赵子涵", "欧阳雪", "陈一诺", "刘宇轩")


def make_pupil(seed: int, **changes: Any) -> Person:
    """The pupil number ``seed``; enrolled nowhere."""
    given = {"kind": "pupil", "number": f"S{seed:04}", "name": _NAMES[seed % len(_NAMES)]} | changes
    return services.register_person(by=None, at=AT, **given)


def make_class(group: Unit, numbers: range, *, since: date) -> list[Person]:
    """Pupils of these numbers, in ``group`` from ``since`` on under their place in the list."""
    rows = [services.PersonRow("pupil", f"S{n:04}", _NAMES[n % len(_NAMES)]) for n in numbers]
    pupils = services.register_persons(by=None, unit=group, rows=rows, at=AT)
    services.enrol_many(
        by=None,
        unit=group,
        rows=[
            services.EnrolmentRow(pupil, group, since, number=n) for n, pupil in enumerate(pupils, start=1)
        ],
        at=AT,
    )
    return pupils


def id_number(seed: int, *, born: str = "20130101") -> str:
    """The ID number of the invented person number ``seed``, of a region that does not exist."""
    body = f"990000{born}{seed:03}"
    return body + check_character(body)
