"""Handing in a list: previewed, applied whole or not at all, repeatable, claimed by number alone."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from xiaodun.accounts.services import end_role
from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.people.models import Enrolment, Guardian, Identity, Person, RosterImport
from xiaodun.people.selectors import groups_of, report_of, rosters_visible_to, rosters_wait
from xiaodun.people.services import IdentityValues, keep_identity, transfer
from xiaodun.people.services.rosters import (
    FILES_KEPT,
    answer_roster,
    apply_roster,
    approve_roster,
    confirm_leavers,
    discard_roster,
    hand_in_roster,
    purge_roster_files,
    read_roster,
    take_roster,
)
from xiaodun.people.tests.cast import id_number

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

HEAD = ["姓名", "班级", "学籍号", "身份证号", "学号", "监护人姓名", "联系电话"]


def row(name="赵新", group="三(2)班", seed=None, number="", guardian="", phone="", student=True):
    identity = id_number(seed) if seed is not None else ""
    return [name, group, f"G{identity}" if identity and student else "", identity, number, guardian, phone]


def content(*rows, head=HEAD):
    target = io.StringIO()
    csv.writer(target).writerows([head, *rows])
    return target.getvalue().encode()


def hand_in(cast, *rows, by=None, unit=None, on=None):
    return hand_in_roster(
        by=by or cast.clerk,
        unit=unit or cast.school,
        kind="pupils",
        file_name="三年级.csv",
        content=content(*rows),
        effective_on=on or cast.day,
        at=cast.at,
    )


def read(cast, *rows, **options):
    hand_in(cast, *rows, **options)
    return read_roster(roster=take_roster(at=cast.at), at=cast.at)


def apply(cast, *rows, **options):
    roster = read(cast, *rows, **options)
    assert roster.state == "ready", (roster.state, report_of(roster))
    approve_roster(by=options.get("by") or cast.clerk, roster=roster, at=cast.at)
    return apply_roster(roster=take_roster(at=cast.at), at=cast.at)


def codes(roster):
    return [problem["code"] for problem in report_of(roster)["problems"]]


def on_record():
    return [model.objects.count() for model in (Person, Identity, Guardian, Enrolment)]


def test_a_list_is_applied_whole_with_identity_guardians_and_class(cast):
    roster = apply(cast, row(seed=1, number="901", guardian="赵大", phone="13900000001"))
    assert (roster.state, roster.counts["new"]) == ("done", 1)
    person = Person.objects.get(number="P1-901")
    assert (person.name, person.birth_year, person.sex) == ("赵新", 2013, "M")
    assert person.identity.student_number == f"G{id_number(1)}"
    assert person.guardians.get().phone == "+8613900000001"
    assert groups_of([person.pk], cast.day)[person.pk] == [cast.class_b]


def test_the_same_list_twice_changes_nothing(cast):
    rows = [row(seed=1, number="901", guardian="赵大", phone="13900000001"), row(name="赵无号")]
    apply(cast, *rows)
    before = on_record()
    roster = apply(cast, *rows)
    assert (roster.counts["unchanged"], roster.counts["new"]) == (2, 0)
    assert on_record() == before


def test_a_pupil_in_another_class_is_moved_and_no_duplicate(cast):
    apply(cast, row(seed=1))
    later = cast.day + timedelta(days=7)
    roster = apply(cast, row(seed=1, group="四(1)班"), on=later)
    assert roster.counts["moved"] == 1
    person = Person.objects.get(name="赵新")
    assert groups_of([person.pk], later)[person.pk] == [cast.class_c]
    assert groups_of([person.pk], later - timedelta(days=1))[person.pk] == [cast.class_b]


def test_a_list_for_the_wrong_class_is_put_right_on_the_same_day(cast):
    apply(cast, row(seed=1))
    apply(cast, row(seed=1, group="四(1)班"))
    assert Enrolment.objects.get(person__name="赵新").group == cast.class_c


def test_what_differs_is_changed_and_old_values_are_sealed(cast):
    apply(cast, row(seed=1, guardian="赵大", phone="13900000001"))
    roster = apply(cast, row(name="赵新名", seed=1, guardian="赵大", phone="13900000002"))
    assert roster.counts["changed"] == 1
    person = Person.objects.get(name="赵新名")
    sealed = AuditEntry.objects.filter(action="people.set_guardians_of_many").exclude(sealed={}).get()
    assert audit.open_sealed(sealed, person)["old"][0]["phone"] == "+8613900000001"
    sealed = AuditEntry.objects.filter(action="people.correct_persons").exclude(sealed={}).get()
    assert audit.open_sealed(sealed, person)["old"]["name"] == "赵新"


def test_a_guardian_entered_by_hand_stays_behind_those_of_the_list(cast):
    apply(cast, row(seed=1, guardian="赵大", phone="13900000001"))
    person = Person.objects.get(name="赵新")
    Guardian.objects.create(person=person, order=2, name="李芳", relation="mother")
    apply(cast, row(seed=1, guardian="赵大", phone="13900000009"))
    assert [(each.name, each.phone) for each in person.guardians.all()] == [
        ("赵大", "+8613900000009"), ("李芳", None),
    ]  # fmt: skip


def test_the_clerk_claims_a_pupil_of_another_school_by_the_student_number_and_learns_no_more(cast):
    child = cast.members[cast.other_class.pk][0]
    values = IdentityValues(student_number=f"G{id_number(1)}", document_number=id_number(1))
    keep_identity(by=None, person=child, values=values, at=cast.at)
    roster = read(cast, row(name=child.name, seed=1))
    sample = report_of(roster)["samples"][0]
    assert (sample["outcome"], sample["from"], sample["from_other_school"]) == ("moved", "", True)
    assert "青禾" not in roster.report
    approve_roster(by=cast.clerk, roster=roster, at=cast.at)
    apply_roster(roster=take_roster(at=cast.at), at=cast.at)
    assert groups_of([child.pk], cast.day)[child.pk] == [cast.class_b]


def test_an_id_number_alone_claims_nobody_of_another_school(cast):
    child = cast.members[cast.other_class.pk][0]
    keep_identity(by=None, person=child, values=IdentityValues(document_number=id_number(1)), at=cast.at)
    assert codes(read(cast, row(name=child.name, seed=1, student=False))) == ["known-elsewhere"]


def test_the_officer_moves_between_schools_by_any_number(cast):
    child = cast.members[cast.other_class.pk][0]
    keep_identity(by=None, person=child, values=IdentityValues(document_number=id_number(1)), at=cast.at)
    head = [*HEAD, "学校"]
    listed = [*row(name=child.name, seed=1, student=False), "育才小学"]
    hand_in_roster(
        by=cast.officer, unit=cast.district, kind="pupils", file_name="全区.csv",
        content=content(listed, head=head), effective_on=cast.day, at=cast.at,
    )  # fmt: skip
    roster = read_roster(roster=take_roster(at=cast.at), at=cast.at)
    assert (codes(roster), roster.counts["moved"]) == ([], 1)


def test_one_name_in_another_class_is_a_question_and_each_answer_is_kept(cast):
    child = cast.members[cast.class_b.pk][0]
    transfer(
        by=None, person=child, from_group=cast.class_b, to_group=cast.class_c,
        on=cast.day - timedelta(days=7), at=cast.at,
    )  # fmt: skip
    Enrolment.objects.filter(person=cast.members[cast.class_c.pk][0]).delete()
    Enrolment.objects.filter(
        person__in=[cast.members[g.pk][0] for g in (cast.class_a, cast.class_d)]
    ).delete()
    roster = read(cast, row(name=child.name))
    question = report_of(roster)["questions"][0]
    assert (roster.state, question["person"], question["person_group"]) == ("faulty", child.pk, "四(1)班")
    answer_roster(by=cast.clerk, roster=roster, answers={question["key"]: "new"}, at=cast.at)
    roster = read_roster(roster=take_roster(at=cast.at), at=cast.at)
    assert (roster.state, roster.counts["new"]) == ("ready", 1)
    roster = read(cast, row(name=child.name))
    answer_roster(
        by=cast.clerk, roster=roster, answers={question["key"]: str(child.pk), "x": "9"}, at=cast.at
    )
    roster = read_roster(roster=take_roster(at=cast.at), at=cast.at)
    assert (roster.state, roster.counts["moved"]) == ("ready", 1)


def test_whoever_is_missing_is_listed_and_leaves_only_when_confirmed(cast):
    rows = [row(name=pupil.name, group="三(1)班") for pupil in cast.pupils[1:]]
    roster = apply(cast, *rows)
    gone = cast.pupils[0]
    assert report_of(roster)["missing"] == [[cast.class_a.pk, gone.pk]]
    assert cast.class_a in groups_of([gone.pk], cast.day)[gone.pk]
    foreign = cast.members[cast.other_class.pk][0].pk
    left = confirm_leavers(
        by=cast.clerk, roster=roster, persons=[gone.pk, foreign], last_day=cast.day, at=cast.at
    )
    assert left == 1
    assert cast.class_a not in groups_of([gone.pk], cast.day + timedelta(days=1))[gone.pk]


def test_a_fault_late_in_the_writing_leaves_nothing(cast, monkeypatch):
    roster = read(cast, row(seed=1), row(name="赵另", seed=3))
    before = on_record()
    approve_roster(by=cast.clerk, roster=roster, at=cast.at)
    taken = take_roster(at=cast.at)
    cast.class_b.last_day = cast.day - timedelta(days=1)
    cast.class_b.save()
    roster = apply_roster(roster=taken, at=cast.at)
    assert roster.state == "faulty"
    assert set(codes(roster)) == {"class-unknown"}
    assert on_record() == before


def test_what_changed_since_the_preview_is_shown_again_before_it_is_applied(cast):
    first = read(cast, row(seed=1))
    apply(cast, row(seed=1))
    approve_roster(by=cast.clerk, roster=first, at=cast.at)
    again = apply_roster(roster=take_roster(at=cast.at), at=cast.at)
    assert (again.pk, again.state, again.counts["unchanged"]) == (first.pk, "ready", 1)


def test_a_right_that_ended_meanwhile_applies_nothing(cast):
    roster = read(cast, row(seed=1))
    approve_roster(by=cast.clerk, roster=roster, at=cast.at)
    end_role(
        by=None, assignment=cast.clerk.assignments.get(), last_day=cast.day - timedelta(days=1), at=cast.at
    )
    roster = apply_roster(roster=take_roster(at=cast.at), at=cast.at)
    assert (roster.state, report_of(roster)["refusal"]["code"]) == ("unreadable", "right-gone")
    assert not Person.objects.filter(name="赵新").exists()


def test_a_list_is_applied_once_however_often_it_is_approved(cast):
    roster = apply(cast, row(seed=1))
    with pytest.raises(Refusal, match="roster-elsewhere"):
        approve_roster(by=cast.clerk, roster=roster, at=cast.at)
    before = on_record()
    assert apply_roster(roster=roster, at=cast.at).state == "done"
    assert on_record() == before


def test_a_worker_that_died_is_followed_by_another(cast):
    hand_in(cast, row(seed=1))
    assert take_roster(at=cast.at) is not None
    assert take_roster(at=cast.at + timedelta(minutes=5)) is None
    assert rosters_wait(at=cast.at + timedelta(minutes=11))
    assert take_roster(at=cast.at + timedelta(minutes=11)) is not None


def test_the_file_lies_encrypted_and_is_deleted_after_its_days(cast):
    roster = hand_in(cast, row(seed=1))
    file = Path(settings.DATA_DIR) / "rosters" / f"{roster.token}.roster"
    assert "赵新".encode() not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    assert purge_roster_files(at=cast.at + FILES_KEPT) == 0
    assert purge_roster_files(at=cast.at + FILES_KEPT + timedelta(hours=1)) == 1
    assert not file.exists()
    roster.refresh_from_db()
    assert (roster.state, roster.report) == ("discarded", None)


def test_a_discarded_list_is_gone_at_once(cast, django_capture_on_commit_callbacks):
    roster = read(cast, row(seed=1))
    with django_capture_on_commit_callbacks(execute=True):
        discard_roster(by=cast.clerk, roster=roster, at=cast.at)
    assert not (Path(settings.DATA_DIR) / "rosters" / f"{roster.token}.roster").exists()


def test_lists_are_seen_by_those_who_manage_the_people_of_the_unit(cast):
    from xiaodun.accounts.selectors import scope_of

    hand_in(cast, row(seed=1))
    seen = {
        user.username: rosters_visible_to(scope_of(user, cast.day)).count()
        for user in (cast.clerk, cast.officer, cast.teacher, cast.stranger, cast.principal)
    }
    assert seen == {"clerk": 1, "officer": 1, "teacher": 0, "stranger": 0, "principal": 0}


def test_the_database_names_nobody_in_what_it_keeps_of_a_list(cast):
    read(cast, row(seed=1), row(name="", seed=3))
    with connection.cursor() as cursor:
        cursor.execute("SELECT report, file_name FROM people_rosterimport")
        stored = b"".join(bytes(part) for part in cursor.fetchone())
    assert "赵新".encode() not in stored
    assert "三年级".encode() not in stored
    entries = AuditEntry.objects.filter(object_type="people.rosterimport")
    assert "赵新" not in "".join(str(entry.facts) for entry in entries)


def test_statements_do_not_grow_with_the_rows(cast):
    counts = []
    for start, many in ((0, 4), (100, 60)):
        rows = [
            row(name="赵新", seed=start + n, number=str(start + n), guardian="赵大", phone="13900000001")
            for n in range(many)
        ]
        with CaptureQueriesContext(connection) as queries:
            apply(cast, *rows)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert RosterImport.objects.filter(state="done").count() == 2
