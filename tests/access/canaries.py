"""A unique word in each sensitive field, and who may ever be shown it."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from tests.access.district import District
from tests.access.matrix import CLERK, DOCTOR, LEAD, PHONE, REPORTER, SUPERVISOR, TEACHER, TOKEN
from tests.factories import ill, settle
from xiaodun.accounts.services.slips import issue_slips
from xiaodun.kit.models import AuditEntry, OutboxMessage, Receipt
from xiaodun.messages.models import Message
from xiaodun.people.models import Person
from xiaodun.people.numbers import check_character
from xiaodun.people.services import GuardianValues, IdentityValues, keep_identity, set_guardians
from xiaodun.screening.models import CheckSession
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.selectors import findings_in_force
from xiaodun.screening.services import correct_check

# An enrolled phone shows its teacher the check of the own class.
_CARERS = frozenset({TEACHER, PHONE, SUPERVISOR, LEAD, DOCTOR, REPORTER})
_LISTS = frozenset({CLERK, TOKEN})
_SCHOOL = frozenset({DOCTOR, REPORTER}) | _LISTS
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Canary:
    """What stands in one field. ``shown_to``: the actors for whom the field matrix has more than a mask."""

    field: str
    text: str
    shown_to: frozenset[str]
    # Whether a page shows it at all today; then whoever may see it must be shown it somewhere.
    is_shown: bool = False


@dataclass
class Canaries:
    """All that was planted, and the texts of rows that are kept or sent beside the pages."""

    planted: list[Canary] = field(default_factory=list)
    records: dict[str, str] = field(default_factory=dict)

    def read_records(self) -> None:
        """What messages say and what waits or is kept in plain beside the tables of the fact itself."""
        self.records = {
            "a message": "\n".join(
                f"{row.title} {row.body} {row.facts} {row.url}" for row in Message.objects.all()
            ),
            "the outbox": "\n".join(str(row) for row in OutboxMessage.objects.values_list("payload")),
            "the audit's plain facts": "\n".join(str(row) for row in AuditEntry.objects.values_list("facts")),
            "a receipt": "\n".join(str(row) for row in Receipt.objects.values_list("answer")),
        }


def plant(district: District) -> Canaries:
    """Put a canary into every sensitive field of children here and elsewhere."""
    cast, objects = district.cast, district.objects
    own, room, beside = cast.pupils[3], cast.pupils[0], cast.pupils[1]
    canaries = Canaries()

    def name(person: Person, text: str, shown_to: frozenset[str]) -> None:
        Person.objects.filter(pk=person.pk).update(name=text)
        canaries.planted.append(Canary(f"name {text}", text, shown_to, is_shown=bool(shown_to)))

    name(room, "哪吒甲天", _CARERS | _LISTS)
    name(beside, "哪吒乙地", _CARERS - {SUPERVISOR} | _LISTS)
    name(cast.members[cast.class_b.pk][0], "哪吒丙玄", _SCHOOL | {LEAD})
    name(cast.members[cast.class_c.pk][0], "哪吒丁黄", _SCHOOL)
    # The lists of a school keep whom it had.
    for scope, text, shown_to in (
        ("former", "哪吒戊宇", NOBODY),
        ("moved", "哪吒己宙", frozenset({CLERK})),
        ("drill", "哪吒庚洪", NOBODY),
    ):
        name(Person.objects.get(episodes=objects["file", scope][0]), text, shown_to)
    name(cast.members[cast.other_class.pk][0], "哪吒辛荒", NOBODY)

    _find_stomach_ache(district, own)
    in_class = _CARERS - {SUPERVISOR}
    canaries.planted += [
        # The legend of the class page names every symptom to whoever submits.
        Canary("symptom", "腹痛", in_class | {SUPERVISOR}, is_shown=True),
        Canary("reason of a correction", "金丝雀更正理由", in_class),
    ]
    body = "4101062011051522"
    number = body + "9" + check_character(body + "9")
    keep_identity(
        by=None,
        person=own,
        values=IdentityValues(
            document_number=number,
            student_number=f"G{number}",
            address="示范区凤凰路88号7栋503",
        ),
        at=cast.at,
    )
    set_guardians(
        by=None, person=own, guardians=[GuardianValues("金丝雀家长", "mother", "13912345678")], at=cast.at
    )
    (slip,) = issue_slips(by=cast.clerk, unit=cast.school, users=[cast.colleague], at=cast.at)
    canaries.planted += [
        Canary("ID number", number, NOBODY),
        Canary("address", "88号7栋503", NOBODY),
        Canary("name of a guardian", "金丝雀家长", in_class | {CLERK}),
        Canary("phone of a guardian", "13912345678", in_class),
        *(Canary(f"secret of {actor}", secret, NOBODY) for actor, secret in district.secrets.items()),
        Canary("code of a slip", slip.code, NOBODY),
    ]
    return canaries


def _find_stomach_ache(district: District, person: Person) -> None:
    cast = district.cast
    session = CheckSession.objects.get(pk=district.objects["session", "own"][0])
    at = cast.at + timedelta(minutes=7)
    before = [
        FindingInput(finding.person_id, finding.status, tuple(finding.symptoms), finding.onset)
        for finding in findings_in_force(session)
    ]
    correct_check(
        by=cast.teacher,
        session=session,
        base_version=session.version,
        findings=[*before, ill(person, "abdominal_pain")],
        reason="金丝雀更正理由",
        at=at,
        client_id=uuid4(),
        source="test",
    )
    settle(at=at)
