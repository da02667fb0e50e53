"""A district of 88 institutions, from the empty database to the first check, by the documentation.

Each step is a heading of docs/operations/onboarding.md. Commands are typed as they stand there; what is done
in pages goes through the server as a browser would send it.
"""

import csv
import json
import re
import shlex
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tests.architecture.source import ROOT
from tests.docs.markdown import blocks
from tests.factories import settle
from xiaodun.absence.models import Episode
from xiaodun.accounts.factors import totp
from xiaodun.accounts.models import User
from xiaodun.config import cli, cli_onboarding, prepare
from xiaodun.kit import audit, clock
from xiaodun.kit.clock import local_moment
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Person
from xiaodun.screening.models import CheckSession

DOC = ROOT / "docs" / "operations" / "onboarding.md"
PREPARED = date(2020, 10, 30)  # a Friday in mid-term
FIRST_DAY = date(2020, 11, 2)
PASSWORD = "Lotus-Pond-Moon-88"
CODE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}")
CHECK = {"status": "absent_ill", "symptoms": ["fever"], "onset": None}

# Kind, how many, and its grades: 14 schools, 36 kindergartens, 33 training bodies, 5 colleges.
KINDS = (
    ("小学", 8, ("一年级", "六年级")),
    ("初中", 4, ("七年级", "九年级")),
    ("高中", 2, ("高一", "高三")),
    ("幼儿园", 36, ("小班", "大班")),
    ("校外培训机构", 33, ("",)),
    ("高等院校", 5, ("2020级",)),
)


@dataclass
class Institution:
    """One of the list, with the numbers of its staff."""

    code: str
    name: str
    kind: str
    classes: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def clerk(self) -> str:
        return f"{self.code}-C"


def invent() -> list[Institution]:
    found = []
    for kind, count, grades in KINDS:
        for number in range(1, count + 1):
            made = Institution(f"I{len(found) + 1:03d}", f"第{number}{kind}", kind)
            for grade in grades:
                stem = grade.removesuffix("年级").removesuffix("班")
                name = f"{stem}(1)班" if grade else "书法课"
                made.classes.append((grade, name, f"{made.code}-T{len(made.classes) + 1}"))
            found.append(made)
    return found


def write_list(institutions: list[Institution], file: Path) -> None:
    heading = ["机构代码", "机构名称", "机构类别", "年级", "班组", "班组类别", "职务", "工号", "姓名"]
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(heading)
        for each in institutions:
            own = [each.code, each.name, each.kind]
            for grade, name, number in each.classes:
                writer.writerow([*own, grade, name, "", "", number, f"教师{number}"])
            for post, sign in (("校长", "P"), ("校医", "D"), ("学校文员", "C")):
                writer.writerow([*own, "", "", "", post, f"{each.code}-{sign}", f"{post}{each.code}"])


def commands() -> list[list[str]]:
    """What the documentation lets one type, in order."""
    lines = [line for block in blocks(DOC) if block.language == "sh" for line in block.text.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("xiaodun ")]


def headings() -> list[str]:
    return re.findall(r"^## (\d+)\.", DOC.read_text(encoding="utf-8"), re.MULTILINE)


class Sitting:
    """The two at the table: what they type, and the browsers of those who come in."""

    def __init__(self, folder: Path, capsys, set_clock) -> None:
        self.capsys, self.set_clock = capsys, set_clock
        self.file = folder / "structure.csv"
        self.institutions = invent()
        self.lines = commands()
        self.secrets: dict[str, str] = {}

    def at(self, day: date, of_day: time) -> datetime:
        moment = local_moment(day, of_day)
        self.set_clock(moment)
        return moment

    def type_line(self, command: str) -> str:
        line = next(each for each in self.lines if each[0] == command)
        line = [str(self.file) if word == "structure.csv" else word for word in line]
        code = cli.main(line)
        said = self.capsys.readouterr()
        assert code == 0, said.err
        return said.out

    def activate(self, code: str, username: str) -> Client:
        """Use a slip, then sign in with the password chosen."""
        client = Client()
        chosen = client.post(
            reverse("accounts:activate"),
            {"code": code, "password": PASSWORD, "again": PASSWORD},
        )
        assert chosen.status_code == 200, chosen.content.decode()[:500]
        return self.sign_in(username)

    def sign_in(self, username: str) -> Client:
        client = Client()
        answer = client.post(reverse("accounts:sign_in"), {"username": username, "password": PASSWORD})
        assert answer.status_code == 302, answer.content.decode()
        if answer.url == reverse("accounts:challenge"):
            answer = client.post(answer.url, {"code": self.code_of(username)})
            assert answer.status_code == 302, answer.content.decode()
        return client

    def set_up_app(self, client: Client, username: str) -> Client:
        """Scan a code with an authenticator app and type what it shows, as who sees many classes must."""
        enrol = reverse("accounts:enrol_app")
        self.secrets[username] = client.get(enrol).context["secret"].replace(" ", "")
        answer = client.post(enrol, {"code": self.code_of(username)})
        assert answer.status_code == 302, answer.content.decode()
        return client

    def code_of(self, username: str) -> str:
        return totp.code_at(self.secrets[username], int(clock.now().timestamp())).decode()

    def browser_of(self, username: str) -> Client:
        client = Client()
        client.force_login(User.objects.get(username=username))
        return client


def unit(code: str) -> Unit:
    return Unit.objects.get(code=code)


def group(institution: Institution, name: str) -> Unit:
    return Unit.objects.get(path__startswith=unit(institution.code).path, name=name, kind="group")


@pytest.fixture
def sitting(db, tmp_path, capsys, set_clock, monkeypatch) -> Sitting:
    monkeypatch.setattr(cli_onboarding, "set_up", lambda module: None)
    return Sitting(tmp_path, capsys, set_clock)


def test_a_district_is_taken_from_an_empty_database_to_its_first_check(sitting: Sitting):
    assert headings() == [str(number) for number in range(1, 10)]
    assert not Unit.objects.exists()
    institutions = sitting.institutions
    assert len(institutions) == 88

    # 1. Make the database: the tables are there; what `migrate` loads into them.
    prepare.load_reference(at=sitting.at(PREPARED, time(9, 0)))

    # 2. Make the district.
    said = sitting.type_line("district")
    codes = CODE.findall(said)
    assert len(codes) == 2
    officer = sitting.set_up_app(sitting.activate(codes[0], "O001"), "O001")

    # 3. Enter the term.
    district = unit("410106")
    term = {"term-name": "2020-2021 上学期", "term-start": "2020-09-01", "term-end": "2021-01-22"}
    assert officer.post(reverse("desks:term_open", args=[district.pk]), term).status_code == 302

    # 4. Institutions, grades, classes, staff; the same list again changes nothing.
    write_list(institutions, sitting.file)
    assert "New: 88 institutions" in sitting.type_line("structure")
    assert sitting.type_line("structure") == "New: 0 institutions, 0 grades, 0 groups, 0 users, 0 posts.\n"

    # 5. Slips for the staff: the officer's for the clerk, the clerk's for the school.
    first = institutions[0]
    school = unit(first.code)
    clerk_id = User.objects.get(username=first.clerk).pk
    sheet = officer.post(reverse("accounts:print_slips", args=[school.pk]), {"user": clerk_id})
    clerk = sitting.activate(CODE.findall(sheet.content.decode())[0], first.clerk)
    sitting.set_up_app(clerk, first.clerk)
    sheet = clerk.post(reverse("accounts:print_slips", args=[school.pk])).content.decode()
    name = User.objects.get(username=first.classes[0][2]).name
    teacher_code = CODE.findall(sheet[sheet.index(name) :])[0]
    sitting.activate(teacher_code, first.classes[0][2])

    # 6. Pupils.
    for institution in institutions:
        browser = clerk if institution is first else sitting.browser_of(institution.clerk)
        for _grade, class_name, number in institution.classes:
            for seat in (1, 2):
                answer = browser.post(
                    reverse("desks:group_act_do", args=[group(institution, class_name).pk, "add"]),
                    {
                        "number": f"{number}-{seat}",
                        "name": f"学生{seat}",
                        "seat": seat,
                        "valid_from": date(2020, 10, 26),
                    },
                )
                assert answer.status_code == 302, answer.content.decode()

    # 7. Children who are ill at the start.
    own = group(first, first.classes[0][1])
    ill = Person.objects.get(number=f"{first.classes[0][2]}-1")
    answer = clerk.post(
        reverse("desks:group_act_do", args=[own.pk, "ill"]),
        {"person": ill.pk, "onset": "2020-10-29", "symptoms": ["fever"]},
    )
    assert answer.status_code == 302, answer.content.decode()
    settle(at=clock.now())
    assert Episode.objects.get().onset == date(2020, 10, 29)

    # 8. The first day of each.
    page = officer.get(reverse("desks:readiness")).context["page"]
    assert (page.total, page.ready, page.joined) == (88, 88, 0)
    for institution in institutions:
        join = reverse("desks:join", args=[unit(institution.code).pk])
        assert officer.post(join, {"first_day": FIRST_DAY}).status_code == 302
    settle(at=clock.now())

    # 9. The first check.
    at = sitting.at(FIRST_DAY, time(7, 40))
    teacher, officer = sitting.sign_in(first.classes[0][2]), sitting.sign_in("O001")
    for institution in institutions:
        class_name, number = institution.classes[0][1:]
        browser = teacher if institution is first else sitting.browser_of(number)
        submit(browser, group(institution, class_name), at, ill=[ill] if institution is first else [])
    settle(at=clock.now() + timedelta(seconds=1))
    assert CheckSession.objects.filter(day=FIRST_DAY).count() == 88
    board = officer.get(reverse("desks:board")).content.decode()
    assert all(institution.name in board for institution in institutions)
    assert Episode.objects.get().state == Episode.State.RUNNING
    audit.seal(at=clock.now())
    assert audit.verify().ok


def submit(browser: Client, on: Unit, at: datetime, *, ill: list[Person]) -> None:
    body = {
        "day": FIRST_DAY.isoformat(),
        "findings": [CHECK | {"person": person.pk} for person in ill],
        "tapped_at": at.isoformat(),
        "clock_offset_ms": 0,
        "client_id": str(uuid4()),
    }
    address = reverse("desks:class_submit", args=[on.pk])
    answer = browser.post(address, json.dumps(body), content_type="application/json")
    assert answer.status_code == 201, answer.content.decode()


def test_both_languages_of_the_documentation_have_the_same_steps_and_commands():
    chinese = DOC.with_name("onboarding.zh-CN.md")
    shell = [[block.text for block in blocks(page) if block.language == "sh"] for page in (DOC, chinese)]
    assert shell[0] == shell[1]
    steps = [re.findall(r"^#+ ", page.read_text(encoding="utf-8"), re.MULTILINE) for page in (DOC, chinese)]
    assert steps[0] == steps[1]
    rows = [re.findall(r"^\|.*$", page.read_text(encoding="utf-8"), re.MULTILINE) for page in (DOC, chinese)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["I1,甲校,小学,一年级,一(1)班,,,T1,赵"], ""),
        (["I1,甲校,学堂,一年级,一(1)班,,,T1,赵"], "line 2: The institution has no code"),
        (["I1,甲校,小学,一年级,一(1)班,,,T1,"], "line 2: The post lacks the staff number or the name"),
        (["I1,甲校,小学,,,,校长,T1,赵", "I1,甲校,小学,,,,校医,T1,钱"], "line 3: The staff number T1 belongs"),
        (["I1,甲校,小学,一年级,,,,T1,赵"], "line 2: This role cannot be held on a unit of this kind."),
        (["I1,甲校,小学,,甲班,窝,,T1,赵"], "line 2: The kind of group 窝 is not known."),
    ],
)
def test_a_faulty_list_is_refused_whole_with_every_line(sitting: Sitting, capsys, lines, said):
    sitting.at(PREPARED, time(9, 0))
    sitting.type_line("district")
    heading = "机构代码,机构名称,机构类别,年级,班组,班组类别,职务,工号,姓名"
    sitting.file.write_text("\n".join([heading, "I0,乙校,初中,,,,,,", *lines]), encoding="gb18030")
    code = cli.main(["structure", str(sitting.file), "--district", "410106", "--by", "O001"])
    error = capsys.readouterr().err
    # The list begins with a sound line of its own.
    assert said.replace("line 3", "line 4").replace("line 2", "line 3") in error
    assert code == (1 if said else 0)
    assert Unit.objects.filter(code="I0").exists() is (not said)
