"""Submitting and correcting a check: one tap, safe to repeat, nothing lost, nothing overwritten silently."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from xiaodun.duties.models import Evidence
from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry, OutboxMessage, Receipt
from xiaodun.screening import selectors, services
from xiaodun.screening.choices import CheckKind, FindingStatus
from xiaodun.screening.models import CheckSession, Finding
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.tests.cast import School, day, make_school, moment

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def school() -> School:
    return make_school(classes=1)


def submit(school: School, findings: list[FindingInput], *, client_id: UUID | None = None, offset: int = 0):
    return services.submit_check(
        by=None,
        group=school.classes[0],
        kind=CheckKind.MORNING,
        day=day(offset),
        findings=findings,
        tapped_at=moment(offset),
        received_at=moment(offset),
        clock_offset_ms=120,
        client_id=client_id or uuid4(),
        source="test",
    )


def test_a_healthy_class_is_one_row_with_evidence_audit_and_no_child(school):
    answer = submit(school, [])
    session = CheckSession.objects.get(pk=answer["session"])
    assert (session.expected, session.present, session.absent_ill) == (10, 10, 0)
    assert not Finding.objects.exists()
    evidence = Evidence.objects.get(unit=school.classes[0], day=day(0))
    assert (evidence.tapped_at, evidence.clock_offset_ms) == (moment(0), 120)
    assert (
        AuditEntry.objects.filter(action="screening.check.submitted", object_id=str(session.pk)).count() == 1
    )


def test_the_same_submit_again_gives_the_first_answer_and_writes_nothing(school):
    pupil = school.pupils[school.classes[0].pk][0]
    said = [FindingInput(pupil.pk, FindingStatus.ABSENT_ILL, ("fever",))]
    client_id = uuid4()
    first = submit(school, said, client_id=client_id)
    before = (AuditEntry.objects.count(), OutboxMessage.objects.count(), Receipt.objects.count())
    assert submit(school, said, client_id=client_id) == first
    assert (AuditEntry.objects.count(), OutboxMessage.objects.count(), Receipt.objects.count()) == before
    assert Finding.objects.count() == 1


def test_the_same_id_with_other_content_is_refused(school):
    client_id = uuid4()
    submit(school, [], client_id=client_id)
    pupil = school.pupils[school.classes[0].pk][0]
    with pytest.raises(Refusal) as refused:
        submit(school, [FindingInput(pupil.pk, FindingStatus.LATE)], client_id=client_id)
    assert (refused.value.code, refused.value.status) == ("receipt-mismatch", 422)


def test_a_second_submit_by_a_colleague_is_refused_and_names_the_first(school):
    first = submit(school, [])
    with pytest.raises(Refusal) as refused:
        submit(school, [])
    assert refused.value.code == "check-already-submitted"
    assert refused.value.facts["session"] == first["session"]


def test_wrong_rows_are_all_named_with_their_remedy_and_nothing_is_stored(school):
    a, b, c, d, *_ = school.pupils[school.classes[0].pk]
    with translation.override("en"), pytest.raises(Refusal) as refused:
        submit(
            school,
            [
                FindingInput(a.pk, FindingStatus.SYMPTOMS),
                FindingInput(b.pk, FindingStatus.ABSENT_ILL, ("plague",)),
                FindingInput(c.pk, FindingStatus.RECOVERED, ("fever",), day(0)),
                FindingInput(d.pk, FindingStatus.ABSENT_ILL, (), day(1)),
                FindingInput(d.pk, FindingStatus.LATE),
                FindingInput(999_999, FindingStatus.LATE),
                FindingInput(a.pk + 100_000, "asleep"),
            ],
        )
    errors = refused.value.errors
    assert {str(error.where) for error in errors} == {f"row {n}" for n in range(1, 8)}
    assert all(str(error.remedy) for error in errors)
    assert not CheckSession.objects.exists()
    assert not Receipt.objects.exists()


def test_tomorrow_cannot_be_checked_today(school):
    with pytest.raises(Refusal) as refused:
        services.submit_check(
            by=None,
            group=school.classes[0],
            kind=CheckKind.MORNING,
            day=day(1),
            findings=[],
            tapped_at=moment(0),
            received_at=moment(0),
            clock_offset_ms=0,
            client_id=uuid4(),
            source="test",
        )
    assert refused.value.code == "check-future-day"


def test_a_correction_keeps_what_it_replaced_with_who_and_when(school):
    a, b, c, *_ = school.pupils[school.classes[0].pk]
    answer = submit(
        school,
        [FindingInput(a.pk, FindingStatus.ABSENT_ILL, ("fever",)), FindingInput(b.pk, FindingStatus.LATE)],
    )
    session = CheckSession.objects.get(pk=answer["session"])
    kept = Finding.objects.get(person=b)
    services.correct_check(
        by=None,
        session=session,
        base_version=1,
        findings=[FindingInput(b.pk, FindingStatus.LATE), FindingInput(c.pk, FindingStatus.ABSENT_OTHER)],
        reason="点错了",
        at=moment(0, 9),
        client_id=uuid4(),
        source="test",
    )
    session.refresh_from_db()
    assert (session.version, session.absent_ill, session.absent_other, session.late) == (2, 0, 1, 1)
    assert [f.person for f in selectors.findings_in_force(session)] == [b, c]
    assert Finding.objects.get(person=b).pk == kept.pk
    assert Finding.objects.get(person=a).replaced_in == 2
    revision = session.revisions.get()
    assert (revision.at, revision.reason) == (moment(0, 9), "点错了")
    entry = AuditEntry.objects.get(action="screening.check.corrected")
    assert audit.open_sealed(entry, a)["old"]["symptoms"] == ["fever"]
    assert "fever" not in str(entry.facts)


def test_a_correction_of_an_older_version_is_refused_not_merged(school):
    a, *_ = school.pupils[school.classes[0].pk]
    answer = submit(school, [])
    school.correct(answer["session"], {a: ["fever"]}, at=moment(0, 9))
    with pytest.raises(Refusal) as refused:
        school.correct(answer["session"], {}, at=moment(0, 10), base_version=1)
    assert refused.value.code == "check-changed-meanwhile"
    assert Finding.objects.filter(replaced_in__isnull=True).count() == 1


def test_a_correction_that_changes_nothing_makes_no_version(school):
    a, *_ = school.pupils[school.classes[0].pk]
    answer = submit(school, [FindingInput(a.pk, FindingStatus.ABSENT_ILL, ("fever", "cough"))])
    corrected = school.correct(answer["session"], {a: ["cough", "fever"]}, at=moment(0, 9))
    assert corrected["version"] == 1


def statements(school: School, findings: int, offset: int) -> list[str]:
    pupils = school.pupils[school.classes[0].pk][:findings]
    said = [FindingInput(person.pk, FindingStatus.ABSENT_ILL, ("fever",)) for person in pupils]
    with CaptureQueriesContext(
        connection,
    ) as captured:
        submit(school, said, offset=offset)
    queries = [query["sql"] for query in captured.captured_queries]
    begin = next((i for i, sql in enumerate(queries) if sql.startswith(("BEGIN", "SAVEPOINT"))), 0)
    return queries[begin:]


@pytest.mark.django_db(transaction=True)
def test_a_submit_takes_at_most_12_statements_in_its_transaction_whatever_the_class_and_the_history():
    school = make_school(classes=1, size=60)
    first = statements(school, 5, 0)
    whole_class = statements(school, 60, 1)
    offsets = [n for n in range(2, 300) if day(n).isoweekday() < 6][:200]
    for offset in offsets:
        submit(school, [], offset=offset)
    after_200_days = statements(school, 5, offsets[-1] + 7)
    assert len(first) <= 12, "\n".join(first)
    assert len(first) == len(whole_class) == len(after_200_days)


def test_a_device_clock_may_be_wrong_and_is_kept_as_sent(school):
    answer = services.submit_check(
        by=None,
        group=school.classes[0],
        kind=CheckKind.MORNING,
        day=day(0),
        findings=[],
        tapped_at=moment(0) + timedelta(minutes=10),
        received_at=moment(0),
        clock_offset_ms=600_000,
        client_id=uuid4(),
        source="test",
    )
    session = CheckSession.objects.get(pk=answer["session"])
    assert (session.tapped_at, session.received_at) == (moment(0, 7, 52), moment(0, 7, 42))


@pytest.mark.parametrize("days", [-367, 367, -700_000])
def test_a_tap_of_another_age_is_refused_by_its_field(school, days):
    given = {
        "by": None, "group": school.classes[0], "kind": CheckKind.MORNING, "day": day(0), "findings": [],
        "received_at": moment(0), "clock_offset_ms": None, "source": "test",
    }  # fmt: skip
    for tapped_at in (moment(0) + timedelta(days=days), moment(0).replace(tzinfo=None)):
        with pytest.raises(Refusal) as refused:
            services.submit_check(**given, tapped_at=tapped_at, client_id=uuid4())
        assert (refused.value.code, refused.value.status) == ("check-tap-impossible", 422)
        assert [error.field for error in refused.value.errors] == ["tapped_at"]
    assert not CheckSession.objects.exists()
    services.submit_check(
        **given, tapped_at=moment(0) + timedelta(days=366 if days > 0 else -366), client_id=uuid4()
    )


@pytest.mark.django_db(transaction=True)
def test_a_repeat_of_a_correction_that_races_the_first_gets_its_answer():
    school = make_school(classes=1)
    pupil = school.pupils[school.classes[0].pk][0]
    session = CheckSession.objects.get(pk=submit(school, [])["session"])
    given = {
        "by": None, "session": session, "base_version": 1, "reason": "", "at": moment(0, 9),
        "findings": [FindingInput(pupil.pk, FindingStatus.LATE)], "client_id": uuid4(), "source": "test",
    }  # fmt: skip

    def correct(_number: int) -> dict:
        try:
            return services.correct_check(**given)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        with transaction.atomic():
            CheckSession.objects.select_for_update().get(pk=session.pk)
            answers = pool.map(correct, range(3))
            # Time for all to ask for the receipt and to come to the lock.
            sleep(1)
        assert list(answers) == [{"session": session.pk, "version": 2}] * 3
    assert CheckSession.objects.get().version == 2
