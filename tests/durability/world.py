"""The school whose checks are streamed at a server that is killed: many small classes and a doctor.

    python -m tests.durability.world CLASSES

Makes the database of the environment's settings and prints, as JSON, the secret of a token that sends checks
and the classes with the numbers of three of their pupils.
"""

import json
import sys
from datetime import date, time, timedelta

MORNING = date(2020, 12, 16)
# Before any duty is owed: what is sent in the hour after it is told to nobody for its own sake.
AT_HOUR = time(5, 0)
LAST_CHECKED = MORNING - timedelta(days=1)
PUPILS = 4


def main(classes: int) -> None:
    import django

    django.setup()
    from tests.factories import BEFORE, TERM, add_school, add_unit, enrol, settle, staff
    from xiaodun.accounts.services import make_api_token
    from xiaodun.config import prepare
    from xiaodun.kit.clock import local_moment
    from xiaodun.kit.models import Installation
    from xiaodun.organisations.services import create_district, open_term

    at = local_moment(MORNING, AT_HOUR)
    prepare.make_tables()
    prepare.load_reference(at=BEFORE)
    district = create_district(by=None, code="410106", name="示范区", at=BEFORE)
    open_term(by=None, unit=district, name="2020-2021 上学期", start=TERM[0], end=TERM[1], at=BEFORE)
    school, grade, _ = add_school(district, "P1", "育才小学", "Yucai Primary School")
    officer = staff("officer", "吴科长", "district_officer", district)
    staff("doctor", "李校医", "school_doctor", school)
    members = {}
    for number in range(1, classes + 1):
        code = f"P1-9-{number}"
        group = add_unit(grade, "group", code, f"三({number})班", f"Class {number}", group_kind="class")
        members[code] = [person.number for person in enrol(group, PUPILS)[:3]]
    settle(at=BEFORE)
    _token, secret = make_api_token(
        by=officer,
        name="stream",
        unit=school,
        scopes=["checks:write"],
        expires_at=at + timedelta(days=1),
        at=BEFORE,
    )
    prepare.mark(Installation.Kind.PRODUCTION, at=BEFORE)
    print(json.dumps({"secret": secret, "classes": members}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
