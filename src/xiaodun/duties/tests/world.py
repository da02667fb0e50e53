"""Evidence as a screening would give it, and districts of any number of institutions."""

from datetime import date, datetime, timedelta

from tests.factories import BEFORE, TERM
from xiaodun.duties.services import record_evidence
from xiaodun.kit.clock import local_day, local_moment
from xiaodun.organisations.models import Unit
from xiaodun.organisations.services import create_district, create_unit
from xiaodun.people.services import EnrolmentRow, PersonRow, enrol_many, register_persons

DUTY = "morning-check"


def moment(day: date, clock: str) -> datetime:
    """``"08:20"`` on ``day`` in China."""
    return local_moment(day, datetime.strptime(clock, "%H:%M").time())  # noqa: DTZ007 - a time of day only


def prove(
    group: Unit,
    tapped: datetime,
    *,
    received: datetime | None = None,
    offset_ms: int | None = 0,
    day: date | None = None,
    source: str = "check:1",
) -> None:
    """The group's morning check: tapped then, received at once unless said otherwise."""
    record_evidence(
        duty_code=DUTY,
        unit=group,
        day=day or local_day(tapped),
        tapped_at=tapped,
        received_at=received or tapped,
        clock_offset_ms=offset_ms,
        source=source,
    )


def make_schools(code: str, count: int, *, groups: int = 1) -> tuple[Unit, list[Unit], list[Unit]]:
    """A district of its own, its institutions of all kinds, and their groups of one pupil each."""
    kinds = ["kindergarten", "primary", "junior", "senior", "nine_year", "training", "college"]
    district = create_district(by=None, code=code, name=f"{code}区", at=BEFORE)
    institutions, made = [], []
    for number in range(count):
        kind = kinds[number % len(kinds)]
        school = create_unit(
            by=None,
            parent=district,
            kind="institution",
            institution_kind=kind,
            code=f"{code}-{number}",
            name=f"{number}校",
            teaching_weekdays="123456" if kind == "training" else "12345",
            first_day=TERM[0],
            at=BEFORE,
        )
        institutions.append(school)
        made += [
            create_unit(
                by=None,
                parent=school,
                kind="group",
                group_kind="lesson" if kind == "training" else "class",
                code=f"{code}-{number}-{group}",
                name=f"{group}班",
                at=BEFORE,
            )
            for group in range(groups)
        ]
    persons = register_persons(
        by=None,
        unit=district,
        rows=[PersonRow("pupil", f"{code}-{number}", "王小明") for number in range(len(made))],
        at=BEFORE,
    )
    enrol_many(
        by=None,
        unit=district,
        rows=[EnrolmentRow(person, group, TERM[0]) for person, group in zip(persons, made, strict=True)],
        at=BEFORE,
    )
    return district, institutions, made


MINUTE = timedelta(minutes=1)
