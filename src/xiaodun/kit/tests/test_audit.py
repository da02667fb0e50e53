"""The audit: one row a write, a chain over all rows, and a report of every departure."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from xiaodun.kit import audit, crypto
from xiaodun.kit.models import AuditEntry, AuditSeal, Receipt
from xiaodun.kit.requestid import request_id

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

AT = datetime(2026, 11, 3, 0, 12, 30, 123456, tzinfo=UTC)
OBJECT = Receipt(pk=7)


@dataclass
class Pupil:
    pk: int
    audit_key: bytes | None

    def __hash__(self) -> int:
        return self.pk


def write(*, facts=None, subjects=None, at=AT) -> AuditEntry:
    with transaction.atomic():
        return audit.record(
            by=None, action="kit.try", obj=OBJECT, at=at, unit="00010001", facts=facts, subjects=subjects
        )


def test_a_record_costs_one_insert_and_reads_nothing(django_assert_num_queries):
    pupil = Pupil(3, audit.new_subject_key())
    with transaction.atomic(), django_assert_num_queries(1):
        audit.record(by=None, action="kit.try", obj=OBJECT, at=AT, subjects={pupil: {"old": 1, "new": 2}})


def test_a_record_says_who_did_what_where_when_and_in_which_request():
    with request_id("0b0e-1"):
        entry = write(facts={"on": AT.date(), "count": 3})
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_id, entry.action) == ("system", None, "kit.try")
    assert (entry.object_type, entry.object_id, entry.unit_path) == ("kit.receipt", "7", "00010001")
    assert entry.facts == {"on": "2026-11-03", "count": 3}
    assert (entry.at, entry.request_id) == (AT, "0b0e-1")


@pytest.mark.django_db(transaction=True)
def test_a_record_outside_of_a_transaction_is_a_programming_error():
    with pytest.raises(RuntimeError, match="transaction"):
        audit.record(by=None, action="kit.try", obj=OBJECT, at=AT)


def test_old_and_new_values_open_with_the_persons_key_only():
    pupil, other = Pupil(3, audit.new_subject_key()), Pupil(4, audit.new_subject_key())
    entry = write(subjects={pupil: {"old": "咳嗽", "new": "发热"}})
    entry.refresh_from_db()
    assert "发热" not in str(entry.sealed)
    assert audit.open_sealed(entry, pupil) == {"old": "咳嗽", "new": "发热"}
    assert audit.open_sealed(entry, other) == {}
    with pytest.raises(crypto.UnreadableError):
        audit.open_sealed(entry, Pupil(3, other.audit_key))


def test_erasing_a_person_makes_the_values_unreadable_and_leaves_the_chain_whole():
    pupil = Pupil(3, audit.new_subject_key())
    entry = write(subjects={pupil: {"new": "发热"}})
    audit.seal(at=AT)
    pupil.audit_key = None
    with pytest.raises(ValueError, match="no audit key"):
        audit.open_sealed(entry, pupil)
    assert audit.verify().ok


def test_the_merkle_root_is_that_of_rfc_6962():
    def leaf(data):
        return hashlib.sha256(b"\x00" + data).digest()

    def node(left, right):
        return hashlib.sha256(b"\x01" + left + right).digest()

    a, b, c, d, e = (leaf(letter) for letter in (b"a", b"b", b"c", b"d", b"e"))
    assert audit.merkle_root([]) == hashlib.sha256(b"").digest()
    assert audit.merkle_root([b"a"]) == a
    assert audit.merkle_root([b"a", b"b", b"c"]) == node(node(a, b), c)
    assert audit.merkle_root([b"a", b"b", b"c", b"d", b"e"]) == node(node(node(a, b), node(c, d)), e)


def test_sealed_rows_verify_and_a_second_seal_finds_nothing_to_do():
    for count in (3, 1, 4):
        for number in range(count):
            write(facts={"number": number})
        assert audit.seal(at=AT) == count
    assert audit.seal(at=AT) == 0
    report = audit.verify()
    assert report.ok
    assert (report.rows, report.seals, report.unsealed) == (8, 3, ())
    assert report.head == AuditSeal.objects.order_by("pk").last().head


def test_numbers_that_databases_write_differently_still_verify():
    write(facts={"large": 1e22, "zero": -0.0, "whole": 37.0, "part": 37.5, "tiny": 1e-7})
    assert audit.verify().altered == ()


def test_more_rows_than_a_batch_holds_make_several_seals(monkeypatch):
    monkeypatch.setattr(audit, "BATCH", 3)
    for _number in range(8):
        write()
    assert audit.seal(at=AT) == 8
    assert AuditSeal.objects.count() == 3
    assert audit.verify().ok


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "user:9"},
        {"action": "kit.other"},
        {"object_id": "8"},
        {"unit_path": "00010002"},
        {"facts": {"count": 4}},
        {"at": AT + timedelta(microseconds=1)},
        {"request_id": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("when", ["sealed", "not yet sealed"])
def test_an_altered_row_is_reported(change, when):
    entry = write(facts={"count": 3})
    write()
    if when == "sealed":
        audit.seal(at=AT)
    AuditEntry.objects.filter(pk=entry.pk).update(**change)
    report = audit.verify()
    assert report.altered == (entry.pk,)
    assert not report.ok


def test_a_removed_row_is_reported():
    entries = [write() for _number in range(3)]
    audit.seal(at=AT)
    entries[1].delete()
    gone = entries[1].pk or AuditEntry.objects.order_by("pk").first().pk + 1
    report = audit.verify()
    assert report.missing == (gone,)
    assert not report.ok


def test_a_row_replaced_by_a_genuine_copy_of_another_breaks_its_seal():
    first, second = write(facts={"count": 1}), write(facts={"count": 2})
    audit.seal(at=AT)
    copied = AuditEntry.objects.values("facts", "mac").get(pk=first.pk)
    AuditEntry.objects.filter(pk=second.pk).update(**copied)
    report = audit.verify()
    assert report.altered == ()
    assert report.broken_seals == (AuditSeal.objects.get().pk,)


def test_a_removed_or_rewritten_seal_breaks_the_chain():
    for _number in range(3):
        write()
        audit.seal(at=AT)
    _first, second, third = AuditSeal.objects.order_by("pk")
    AuditSeal.objects.filter(pk=second.pk).update(entry_ids=[])
    assert audit.verify().broken_seals == (second.pk,)
    second.delete()
    report = audit.verify()
    assert report.broken_seals == (third.pk,)
    assert len(report.unsealed) == 1


def test_cutting_off_the_end_is_found_by_who_kept_the_head():
    write()
    audit.seal(at=AT)
    kept_early = audit.verify().head
    write()
    audit.seal(at=AT)
    kept_late = audit.verify().head
    AuditEntry.objects.order_by("pk").last().delete()
    AuditSeal.objects.order_by("pk").last().delete()
    assert audit.verify().ok
    assert audit.verify(known_head=kept_early).ok
    assert not audit.verify(known_head=kept_late).ok


def test_the_unsealed_tail_is_reported_with_its_age_and_is_no_damage():
    write()
    audit.seal(at=AT)
    later = write(at=AT + timedelta(minutes=1))
    report = audit.verify()
    assert report.unsealed == (later.pk,)
    assert report.oldest_unsealed == AT + timedelta(minutes=1)
    assert report.ok


def test_a_row_that_commits_late_with_a_lower_number_is_sealed_next():
    first, late, last = write(), write(), write()
    kept = AuditEntry.objects.get(pk=late.pk)
    AuditEntry.objects.filter(pk=late.pk).delete()  # as seen by a sealer while its transaction is open
    assert audit.seal(at=AT) == 2
    kept.save(force_insert=True)  # it commits
    assert audit.verify().unsealed == (kept.pk,)
    assert audit.seal(at=AT) == 1
    report = audit.verify()
    assert report.ok
    assert report.unsealed == ()
    assert [seal.entry_ids for seal in AuditSeal.objects.order_by("pk")] == [[first.pk, last.pk], [kept.pk]]


def test_holes_left_by_rolled_back_writes_stay_bounded(monkeypatch):
    monkeypatch.setattr(audit, "OPEN_GAPS", 5)
    first = write()
    audit.seal(at=AT)
    jumped = write()
    AuditEntry.objects.filter(pk=jumped.pk).update(id=first.pk + 1_000)
    audit.seal(at=AT)
    assert AuditSeal.objects.order_by("pk").last().gaps == list(range(first.pk + 995, first.pk + 1_000))
    assert audit.verify().ok
