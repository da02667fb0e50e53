"""Registering persons, one by one and in batches, and finding them again."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from xiaodun.accounts.policies import Grant, Scope
from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations.tests.cast import AT, FIRST_DAY, make_district
from xiaodun.people import services
from xiaodun.people.models import Person
from xiaodun.people.services import EnrolmentRow, PersonRow
from xiaodun.people.tests.cast import make_pupil

pytestmark = pytest.mark.django_db

DAY = date(2020, 11, 30)


def scope_on(unit, role="school_doctor"):
    return Scope(None, (Grant(role, unit.pk, unit.path, unit.kind),))


def test_a_person_gets_readings_and_an_audit_key_of_their_own():
    person = make_pupil(2)
    assert (person.pinyin, person.initials) == ("shan/dan wei", "sw/dw")
    assert bytes(person.audit_key) != bytes(make_pupil(3).audit_key)


def test_the_audit_names_nobody_in_the_clear_but_opens_with_the_persons_key():
    person = make_pupil(1, birth_year=2013, sex="F")
    entry = AuditEntry.objects.get(action="people.register_person")
    assert "李静" not in str(entry.facts) + str(entry.sealed)
    assert audit.open_sealed(entry, person)["new"] == {
        "number": "S0001", "name": "李静", "sex": "F", "birth_year": 2013, "user": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": "S0001"}, "person-number-taken"),
        ({"number": "Ｓ０００１ "}, "person-number-taken"),
        ({"number": " "}, "number-missing"),
        ({"number": "9" * 33}, "number-missing"),
        ({"number": "41010620130101123x"}, "number-is-id-number"),
        ({"number": "G410106201301011234"}, "number-is-id-number"),
        ({"name": ""}, "name-missing"),
        ({"name": "长" * 41}, "name-missing"),
        ({"kind": "robot"}, "person-kind-unknown"),
        ({"sex": "X"}, "person-kind-unknown"),
        ({"birth_year": 1013}, "birth-year-impossible"),
        ({"birth_year": 2031}, "birth-year-impossible"),
    ],
)
def test_a_malformed_person_is_refused_with_a_remedy(changes, code):
    make_pupil(1)
    with pytest.raises(Refusal) as refused:
        make_pupil(2, **changes)
    assert refused.value.code == code
    assert refused.value.lifts
    assert Person.objects.count() == AuditEntry.objects.count() == 1


def test_a_batch_is_taken_whole_in_its_order_with_one_audit_row():
    tree = make_district()
    AuditEntry.objects.all().delete()
    rows = [PersonRow("pupil", f"A{n}", "王小明") for n in (3, 1, 2)]
    persons = services.register_persons(by=None, unit=tree.school, rows=rows, at=AT)
    assert [person.number for person in persons] == ["A3", "A1", "A2"]
    assert all(person.pk and person.audit_key for person in persons)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.facts, entry.unit_path) == (
        "people.register_persons", {"count": 3}, tree.school.path,
    )  # fmt: skip


def test_a_faulty_batch_leaves_nothing_and_names_every_faulty_row():
    tree = make_district()
    make_pupil(1)
    rows = [
        PersonRow("pupil", "S0001", "李静"),
        PersonRow("pupil", "A1", "王小明"),
        PersonRow("pupil", "A1", "陈一诺"),
        PersonRow("pupil", "A2", ""),
    ]
    with pytest.raises(Refusal) as refused:
        services.register_persons(by=None, unit=tree.school, rows=rows, at=AT)
    assert refused.value.code == "rows-faulty"
    with override("en"):
        assert [str(error.where) for error in refused.value.errors] == ["row 1", "row 3", "row 4"]
    assert [error.field for error in refused.value.errors] == ["number", "number", "name"]
    assert Person.objects.count() == 1


def test_sixty_persons_take_no_more_statements_than_twenty():
    tree = make_district()
    counts = []
    for start, many in ((0, 20), (100, 60)):
        rows = [PersonRow("pupil", f"N{start + n}", "刘宇轩") for n in range(many)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            persons = services.register_persons(by=None, unit=tree.school, rows=rows, at=AT)
            services.enrol_many(
                by=None,
                unit=tree.school,
                rows=[EnrolmentRow(person, tree.class_1, FIRST_DAY) for person in persons],
                at=AT,
            )
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14
