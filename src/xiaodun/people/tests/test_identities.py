"""Identities and guardians: checked, encrypted, found by what is known in full, sealed in the audit."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations.tests.cast import AT, make_district
from xiaodun.people import numbers
from xiaodun.people.models import Guardian, Identity
from xiaodun.people.selectors import guardians_of, identities_of
from xiaodun.people.services import (
    GuardianValues,
    IdentityValues,
    keep_identities,
    keep_identity,
    set_guardians,
    set_guardians_of_many,
)
from xiaodun.people.tests.cast import id_number, make_pupil

pytestmark = pytest.mark.django_db

# The example of GB 11643.
STANDARD = "11010519491231002X"


def keep(person, **values):
    return keep_identity(by=None, person=person, values=IdentityValues(**values), at=AT)


def test_the_check_character_is_that_of_the_standards_example():
    assert numbers.check_character(STANDARD[:17]) == "X"


def test_numbers_stand_encrypted_and_are_found_by_their_index():
    person = make_pupil(1)
    keep(person, document_number=id_number(1), student_number="G" + id_number(1), address="示范路1号")
    found = Identity.objects.get(student_index=numbers.student_index("G" + id_number(1)))
    assert (found.person, found.document_number, found.document_kind) == (person, id_number(1), "1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT document_number, student_number, address FROM people_identity")
        stored = b"|".join(bytes(each) for each in cursor.fetchone())
    assert id_number(1).encode() not in stored
    assert "示范路".encode() not in stored


def test_old_and_new_values_are_sealed_under_the_persons_key_and_name_nobody_in_the_clear():
    person = make_pupil(1)
    keep(person, document_number=id_number(1))
    keep(person, document_number=id_number(2), birth_date=date(2013, 1, 1))
    entry = AuditEntry.objects.filter(action="people.keep_identity").last()
    assert id_number(2) not in str(entry.facts) + str(entry.sealed)
    assert entry.facts["fields"] == ["birth_date", "document_number"]
    opened = audit.open_sealed(entry, person)
    assert opened["old"]["document_number"] == id_number(1)
    assert opened["new"]["document_number"] == id_number(2)


def test_the_same_values_again_write_nothing():
    person = make_pupil(1)
    keep(person, document_number=id_number(1))
    before = AuditEntry.objects.count()
    keep(person, document_number=f" {id_number(1)} ")
    assert AuditEntry.objects.count() == before


def test_a_mask_that_comes_back_with_a_form_leaves_what_is_on_record():
    person = make_pupil(1)
    keep(person, document_number=id_number(1))
    set_guardians(
        by=None, person=person, guardians=[GuardianValues("王建国", "father", "13900000001")], at=AT
    )
    before = AuditEntry.objects.count()
    keep(person, document_number=numbers.mask_number(id_number(1)))
    masked = numbers.mask_phone("+8613900000001")
    set_guardians(by=None, person=person, guardians=[GuardianValues("王建国", "father", masked)], at=AT)
    assert AuditEntry.objects.count() == before
    assert Identity.objects.get().document_number == id_number(1)
    assert Guardian.objects.get().phone == "+8613900000001"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"document_number": "11010519491231002"}, "id-number-length"),
        ({"document_number": "110105194912310021"}, "id-number-check-digit"),
        ({"document_number": "11010520130230" + "0025"}, "id-number-birth-date"),
        ({"document_number": "11010520991231" + "0025"}, "id-number-birth-date"),
        ({"document_kind": "5", "document_number": STANDARD}, "document-kind-unknown"),
        ({"document_kind": "A", "document_number": "?"}, "document-number-malformed"),
        ({"document_kind": "A", "document_number": ""}, "document-number-missing"),
        ({"student_number": "甲"}, "student-number-malformed"),
        ({"student_number": "G110105194912310021"}, "student-number-check-digit"),
        ({"birth_date": date(2031, 1, 1)}, "birth-date-in-future"),
    ],
)
def test_a_wrong_number_is_refused_with_a_remedy(values, code):
    with pytest.raises(Refusal) as refused:
        keep(make_pupil(1), **values)
    assert (refused.value.code, bool(refused.value.lifts)) == (code, True)
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("1", STANDARD.lower()),
        ("1", "１１０１０５１９４９１２３１００２Ｘ"),
        ("6", "H12345678"),
        ("6", "A123456(7)"),
        ("7", "M1234567890"),
        ("8", "12345678"),
        ("8", "830000201301010012"[:17] + numbers.check_character("83000020130101001")),
        ("9", "USA110078010101"),
        ("A", "E12345678"),
        ("Z", ""),
    ],
)
def test_documents_of_every_kind_are_taken(kind, number):
    assert keep(make_pupil(1), document_kind=kind, document_number=number).document_kind == kind


def test_a_number_stands_with_one_person_only_in_services_and_in_the_database():
    first, second = make_pupil(1), make_pupil(2)
    keep(first, document_number=id_number(1))
    with pytest.raises(Refusal, match="identity-taken"):
        keep(second, document_number=id_number(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        Identity.objects.create(
            person=second,
            document_kind="1",
            document_number=id_number(1),
            document_index=numbers.document_index("1", id_number(1)),
        )


def test_a_batch_is_all_or_none_and_says_which_rows_are_wrong():
    tree = make_district()
    pupils = [make_pupil(n) for n in range(4)]
    rows = [
        (pupils[0], IdentityValues(document_number=id_number(1))),
        (pupils[1], IdentityValues(document_number=id_number(1))),
        (pupils[2], IdentityValues(document_number="123")),
        (pupils[3], IdentityValues(student_number="G" + id_number(3))),
    ]
    with pytest.raises(Refusal) as refused:
        keep_identities(by=None, unit=tree.school, rows=rows, at=AT)
    assert {error.person for error in refused.value.errors} == {pupils[1].pk, pupils[2].pk}
    assert not Identity.objects.exists()


def test_a_batch_changes_what_differs_and_seals_old_values_of_those_on_record():
    tree = make_district()
    old, new = make_pupil(1), make_pupil(2)
    keep(old, document_number=id_number(1))
    rows = [
        (old, IdentityValues(document_number=id_number(3))),
        (new, IdentityValues(document_number=id_number(2))),
    ]
    assert keep_identities(by=None, unit=tree.school, rows=rows, at=AT) == 2
    assert keep_identities(by=None, unit=tree.school, rows=rows, at=AT) == 0
    sealed = AuditEntry.objects.filter(action="people.keep_identities").exclude(sealed={}).get()
    assert audit.open_sealed(sealed, old)["old"]["document_number"] == id_number(1)
    assert identities_of([old.pk])[old.pk].document_number == id_number(3)


def test_guardians_are_kept_in_their_order_with_phones_as_they_are_dialled():
    person = make_pupil(1)
    set_guardians(
        by=None,
        person=person,
        guardians=[
            GuardianValues("李芳", "mother", "１３９ ００００ ０００２"),
            GuardianValues("王建国", "father", "0371-68888888"),
        ],
        at=AT,
    )
    found = guardians_of([person.pk])[person.pk]
    assert [(row.name, row.phone) for row in found] == [
        ("李芳", "+8613900000002"),
        ("王建国", "+8637168888888"),
    ]
    assert Guardian.objects.get(phone_index=numbers.phone_index("+8613900000002")) == found[0]


def test_a_wrong_guardian_is_refused():
    person = make_pupil(1)
    for guardian in (
        GuardianValues("李芳", "mother", "68888888"),
        GuardianValues(" ", "mother", ""),
        GuardianValues("李芳", "cousin", ""),
    ):
        with pytest.raises(Refusal, match="rows-faulty"):
            set_guardians(by=None, person=person, guardians=[guardian], at=AT)
    assert not Guardian.objects.exists()


def test_statements_do_not_grow_with_the_batch():
    tree = make_district()
    counts = []
    for start, many in ((0, 5), (100, 60)):
        pupils = [make_pupil(start + n) for n in range(many)]
        with CaptureQueriesContext(connection) as queries:
            keep_identities(
                by=None,
                unit=tree.school,
                rows=[
                    (p, IdentityValues(document_number=id_number(start + n))) for n, p in enumerate(pupils)
                ],
                at=AT,
            )
            set_guardians_of_many(
                by=None,
                unit=tree.school,
                rows=[(pupil, [GuardianValues("李芳", "mother", "13900000002")]) for pupil in pupils],
                at=AT,
            )
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("real", "shown"),
    [
        ("+8613812345678", "138****5678"),
        ("+8637168888888", "371****8888"),
        ("+4915112345678", "**********5678"),
    ],
)
def test_phones_are_masked_but_for_their_ends(real, shown):
    assert numbers.mask_phone(real) == shown


def test_numbers_are_masked_but_for_two_characters_at_each_end():
    assert numbers.mask_number(STANDARD) == "11**************2X"
    assert numbers.mask_number("1234") == "****"
