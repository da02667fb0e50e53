"""A small district that tests of several apps stand on: one school, one training body, one dormitory room."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from xiaodun.organisations import services
from xiaodun.organisations.models import Unit

AT = datetime(2020, 11, 30, 0, 0, tzinfo=UTC)
FIRST_DAY = date(2020, 9, 1)


@dataclass(frozen=True, slots=True)
class District:
    district: Unit
    school: Unit
    grade: Unit
    class_1: Unit
    class_2: Unit
    dormitory: Unit
    training: Unit
    lesson: Unit


def make_district(prefix: str = "", *, root: Unit | None = None) -> District:
    """The district, or its copy below another root (a drill area); ``prefix`` keeps codes apart."""
    district = root or services.create_district(
        by=None, code=f"{prefix}410106", name="上街区", name_en="Shangjie", at=AT
    )
    school = services.create_unit(
        by=None, parent=district, kind="institution", institution_kind="primary", code=f"{prefix}P1",
        name="中心路小学", name_en="Central Road Primary School", is_public=True, first_day=FIRST_DAY, at=AT,
    )  # fmt: skip
    grade = services.create_unit(
        by=None, parent=school, kind="grade", code=f"{prefix}P1-1", name="一年级", at=AT
    )
    class_1, class_2 = (
        services.create_unit(
            by=None, parent=grade, kind="group", group_kind="class", code=f"{prefix}P1-1-{n}",
            name=f"一（{n}）班", at=AT,
        )
        for n in (1, 2)
    )  # fmt: skip
    dormitory = services.create_unit(
        by=None,
        parent=school,
        kind="group",
        group_kind="dormitory",
        code=f"{prefix}P1-D",
        name="101室",
        at=AT,
    )
    training = services.create_unit(
        by=None, parent=district, kind="institution", institution_kind="training", code=f"{prefix}T1",
        name="启航培训", teaching_weekdays="67", first_day=FIRST_DAY, at=AT,
    )  # fmt: skip
    lesson = services.create_unit(
        by=None, parent=training, kind="group", group_kind="lesson", code=f"{prefix}T1-1", name="英语", at=AT
    )
    return District(district, school, grade, class_1, class_2, dormitory, training, lesson)
