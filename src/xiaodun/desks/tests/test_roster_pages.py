"""The pages of lists: from the upload to who left; what is wrong stands on the page and in a marked list."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from xiaodun.config.jobs import work_on_rosters
from xiaodun.desks.tests.cast import sign_in
from xiaodun.people.imports.reading import read_file
from xiaodun.people.imports.workbooks import harmless
from xiaodun.people.models import Person, RosterImport

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(cast, set_clock):
    set_clock(cast.at)
    return sign_in(cast.clerk)


def hand_in(client, cast, text, name="名单.csv"):
    file = SimpleUploadedFile(name, text.encode())
    answer = client.post(
        reverse("desks:roster_hand_in"),
        {"unit": cast.school.pk, "file": file, "effective_on": cast.day.isoformat()},
    )
    work_on_rosters(now=lambda: cast.at)
    return answer


def page(client, name="roster"):
    roster = RosterImport.objects.latest("pk")
    return client.get(reverse(f"desks:{name}", args=[roster.pk]))


def post(client, name, **data):
    return client.post(reverse(f"desks:{name}", args=[RosterImport.objects.latest("pk").pk]), data)


def test_a_list_goes_from_the_upload_to_its_effect(clerk, cast):
    answer = hand_in(clerk, cast, "姓名,班级\n赵新,三(2)班\n")
    assert answer.status_code == 302
    body = page(clerk).content.decode()
    assert "赵新" in body
    post(clerk, "roster_approve")
    assert not Person.objects.filter(name="赵新").exists()
    work_on_rosters(now=lambda: cast.at)
    assert Person.objects.filter(name="赵新").exists()
    assert RosterImport.objects.get().state == "done"
    assert page(clerk).status_code == 200


def test_what_is_wrong_stands_on_the_page_and_in_the_marked_list(clerk, cast):
    hand_in(clerk, cast, "姓名,班级,性别,备注\n赵新,九(9)班,男,=1+1\n,三(2)班,男,\n")
    body = page(clerk).content.decode()
    assert ">B2<" in body
    assert ">A3<" in body
    marked = page(clerk, "roster_marked")
    assert "attachment" in marked["Content-Disposition"]
    (sheet,) = read_file("list.xlsx", marked.content).sheets
    assert sheet.rows[1][3] == "'=1+1"
    assert "B2" in sheet.rows[1][4]
    assert "A3" in sheet.rows[2][4]


def test_a_list_without_faults_has_nothing_to_mark(clerk, cast):
    hand_in(clerk, cast, "姓名,班级\n赵新,三(2)班\n")
    assert page(clerk, "roster_marked").status_code == 409


def test_an_upload_without_a_file_keeps_the_form(clerk, cast):
    answer = clerk.post(reverse("desks:roster_hand_in"), {"unit": cast.school.pk})
    assert answer.status_code == 422
    assert not RosterImport.objects.exists()


def test_nobody_hands_in_a_list_for_a_school_out_of_reach(clerk, cast):
    file = SimpleUploadedFile("a.csv", b"x")
    data = {"unit": cast.other_school.pk, "file": file, "effective_on": cast.day.isoformat()}
    assert clerk.post(reverse("desks:roster_hand_in"), data).status_code == 422
    assert not RosterImport.objects.exists()


def test_progress_is_told_to_a_script_until_the_work_is_done(clerk, cast):
    file = SimpleUploadedFile("a.csv", "姓名,班级\n赵新,三(2)班\n".encode())
    data = {"unit": cast.school.pk, "file": file, "effective_on": cast.day.isoformat()}
    clerk.post(reverse("desks:roster_hand_in"), data)
    assert page(clerk, "roster_progress").json()["at_work"] is True
    work_on_rosters(now=lambda: cast.at)
    assert page(clerk, "roster_progress").json()["at_work"] is False


def test_whoever_is_missing_leaves_when_the_clerk_says_so(clerk, cast):
    hand_in(clerk, cast, "姓名,班级\n" + "".join(f"{p.name},三(1)班\n" for p in cast.pupils[1:]))
    post(clerk, "roster_approve")
    work_on_rosters(now=lambda: cast.at)
    gone = cast.pupils[0]
    assert gone.name in page(clerk).content.decode()
    post(clerk, "roster_leavers", person=[gone.pk, "x"])
    assert gone.enrolments.get(group=cast.class_a).valid_to == cast.day


def test_a_discarded_list_changes_nothing(clerk, cast):
    hand_in(clerk, cast, "姓名,班级\n赵新,三(2)班\n")
    assert post(clerk, "roster_discard").status_code == 302
    assert RosterImport.objects.get().state == "discarded"
    assert not Person.objects.filter(name="赵新").exists()


def test_the_template_is_read_as_a_list_with_nobody_in_it(clerk, cast):
    template = clerk.get(reverse("desks:roster_template")).content
    file = SimpleUploadedFile("名单.xlsx", template)
    data = {"unit": cast.school.pk, "file": file, "effective_on": cast.day.isoformat()}
    clerk.post(reverse("desks:roster_hand_in"), data)
    work_on_rosters(now=lambda: cast.at)
    assert page(clerk).context["page"].refusal.code == "list-empty"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_no_cell_that_is_handed_out_runs(start):
    assert harmless(f"{start}cmd|'/c calc'!A1").startswith("'")


def test_a_download_is_a_workbook():
    from xiaodun.people.imports.workbooks import template

    assert io.BytesIO(template("pupils")).read(2) == b"PK"
