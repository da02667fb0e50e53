"""``xiaodun district`` and ``xiaodun structure``: from an empty database to institutions, classes and posts.

The list of the structure is a CSV file with one line for each class with its teacher, or for each post. It is
taken whole or not at all, and taken twice it changes nothing the second time.
"""

import argparse
import csv
import io
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils import translation

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import RoleAssignment, User
from xiaodun.accounts.policies import fits
from xiaodun.accounts.services import assign_role, create_user
from xiaodun.accounts.services.slips import IssuedSlip, issue_slips
from xiaodun.kit import clock
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import GroupKind, InstitutionKind, UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import free_code, under
from xiaodun.organisations.services import create_district, create_drill_area, create_unit

HEADINGS = {
    "机构代码": "code",
    "机构名称": "institution",
    "机构类别": "kind",
    "年级": "grade",
    "班组": "group",
    "班组类别": "group_kind",
    "职务": "role",
    "工号": "number",
    "姓名": "name",
}
_NEEDED = ("code", "institution", "kind")
_MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list by field, with its number as a spreadsheet shows it."""

    number: int
    values: dict[str, str]

    def get(self, name: str) -> str:
        return self.values.get(name, "")


@dataclass(slots=True)
class Faults:
    """What is wrong, line by line; anything here and nothing is taken."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: int, what: object, remedy: object) -> None:
        self.lines.append(f"line {line}: {what} {remedy}")


class FaultyListError(Exception):
    """The list cannot be taken; ``lines`` say why and what to do."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(lines))


def found_district(
    *,
    code: str,
    name: str,
    name_en: str,
    officer: tuple[str, str],
    administrator: tuple[str, str],
    at: datetime,
) -> list[IssuedSlip]:
    """The district, its drill area, its first officer and its system administrator, and a slip for each."""
    day = clock.local_day(at)
    with transaction.atomic():
        district = create_district(by=None, code=code, name=name, name_en=name_en, at=at)
        create_drill_area(by=None, code=f"drill-{code}", name=f"{name}演练区", name_en="Drill area", at=at)
        users = []
        for role, (number, who) in (
            (Role.DISTRICT_OFFICER, officer),
            (Role.SYSTEM_ADMINISTRATOR, administrator),
        ):
            user = create_user(by=None, username=number, name=who, at=at)
            assign_role(by=None, user=user, role=role, unit=district, valid_from=day, at=at)
            users.append(user)
        # Nobody issues a slip for oneself: the first two do it for each other.
        first, second = users
        return [
            *issue_slips(by=second, unit=district, users=[first], at=at),
            *issue_slips(by=first, unit=district, users=[second], at=at),
        ]


def read_lines(content: bytes) -> list[Line]:
    """The lines of a CSV file in UTF-8 or, as Excel in China writes it, GB18030.

    Raises:
        FaultyListError: when it is no such file.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise FaultyListError(["The file is no text. Save the list as CSV."]) from None
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or len(rows) > _MOST_LINES:
        raise FaultyListError([f"The file holds {len(rows)} lines; 1 to {_MOST_LINES} can be taken."])
    names = [HEADINGS.get(cell.strip(), "") for cell in rows[0]]
    lacking = [word for word, name in HEADINGS.items() if name in _NEEDED and name not in names]
    if lacking:
        raise FaultyListError([f"The first line lacks the heading {', '.join(lacking)}."])
    lines = []
    for number, cells in enumerate(rows[1:], start=2):
        pairs = zip(names, (cell.strip() for cell in cells), strict=False)
        values = {name: cell for name, cell in pairs if name and cell}
        if values:
            lines.append(Line(number, values))
    return lines


def load_structure(lines: Iterable[Line], *, by: User, district: Unit, at: datetime) -> Counter[str]:
    """Institutions, grades, groups, users and posts of the list that are not there yet; how many of each.

    Raises:
        FaultyListError: with every faulty line; nothing is taken then.
    """
    loader = _Loader(by, district, at)
    with transaction.atomic():
        for line in lines:
            try:
                with transaction.atomic():
                    loader.take(line)
            except Refusal as refusal:
                loader.faults.add(line.number, refusal.message, refusal.lifts)
        if loader.faults.lines:
            raise FaultyListError(loader.faults.lines)
    return loader.made


class _Loader:
    """The list as it is taken, line by line; what is on record is read once."""

    def __init__(self, by: User, district: Unit, at: datetime) -> None:
        self.by, self.district, self.at = by, district, at
        self.day = clock.local_day(at)
        self.made: Counter[str] = Counter()
        self.faults = Faults()
        units = list(Unit.objects.filter(under(district.path), last_day__isnull=True).order_by("path"))
        self.by_path: dict[str, Unit] = {unit.path: unit for unit in units}
        self.institutions: dict[str, Unit] = {
            unit.code: unit for unit in units if unit.kind == UnitKind.INSTITUTION
        }
        self.below: dict[tuple[int, str], Unit] = {
            (self._parent(unit).pk, unit.name): unit for unit in units if unit.pk != district.pk
        }
        with translation.override("zh-hans"):
            self.kinds = _words(InstitutionKind)
            self.group_kinds = _words(GroupKind)
            self.roles = _words(Role)

    def _parent(self, unit: Unit) -> Unit:
        return self.by_path[unit.path[: -Unit.steplen]]

    def take(self, line: Line) -> None:
        institution = self._institution(line)
        if institution is None:
            return
        parent = institution
        if grade := line.get("grade"):
            parent = self._unit(institution, UnitKind.GRADE, grade)
        unit = parent
        if group := line.get("group"):
            unit = self._group(line, institution, parent, group)
        if line.get("number") or line.get("name"):
            self._post(line, institution, unit)

    def _institution(self, line: Line) -> Unit | None:
        code = line.get("code")
        if code in self.institutions:
            return self.institutions[code]
        kind = self.kinds.get(line.get("kind"))
        if not code or kind is None:
            self.faults.add(
                line.number,
                "The institution has no code, or a kind that is not known.",
                f"Give its code and one of: {', '.join(self.kinds)}.",
            )
            return None
        unit = create_unit(
            by=self.by,
            parent=self.district,
            kind=UnitKind.INSTITUTION,
            institution_kind=kind,
            code=code,
            name=line.get("institution"),
            at=self.at,
        )
        self.institutions[code] = unit
        self.made["institutions"] += 1
        return unit

    def _group(self, line: Line, institution: Unit, parent: Unit, name: str) -> Unit:
        is_training = institution.institution_kind == InstitutionKind.TRAINING
        usual = GroupKind.LESSON if is_training else GroupKind.CLASS
        written = line.get("group_kind")
        kind = self.group_kinds.get(written, usual)
        if written and written not in self.group_kinds:
            self.faults.add(
                line.number,
                f"The kind of group {written} is not known.",
                f"Use one of: {', '.join(self.group_kinds)}.",
            )
        return self._unit(parent, UnitKind.GROUP, name, group_kind=kind)

    def _unit(self, parent: Unit, kind: UnitKind, name: str, *, group_kind: str = "") -> Unit:
        known = self.below.get((parent.pk, name))
        if known is not None:
            return known
        unit = create_unit(
            by=self.by,
            parent=parent,
            kind=kind,
            group_kind=group_kind,
            code=free_code(parent),
            name=name,
            at=self.at,
        )
        self.below[parent.pk, name] = unit
        self.made["grades" if kind == UnitKind.GRADE else "groups"] += 1
        return unit

    def _post(self, line: Line, institution: Unit, unit: Unit) -> None:
        number, name = line.get("number"), line.get("name")
        written = line.get("role")
        role = self.roles.get(written) if written else Role.CLASS_TEACHER.value
        if role is None or not number or not name:
            self.faults.add(
                line.number,
                "The post lacks the staff number or the name, or is not known.",
                f"Give both, and one of: {', '.join(self.roles)}.",
            )
            return
        held_on = unit if fits(Role(role), unit) else institution
        user = User.objects.filter(username=number).first()
        if user is None:
            user = create_user(by=self.by, username=number, name=name, at=self.at)
            self.made["users"] += 1
        elif user.name != name:
            self.faults.add(
                line.number,
                f"The staff number {number} belongs to somebody of another name.",
                "Correct the number or the name.",
            )
            return
        open_ended = RoleAssignment.objects.filter(user=user, role=role, unit=held_on, valid_to__isnull=True)
        if not open_ended.exists():
            assign_role(by=self.by, user=user, role=role, unit=held_on, valid_from=self.day, at=self.at)
            self.made["posts"] += 1


def _words(choices: type[InstitutionKind] | type[GroupKind] | type[Role]) -> dict[str, str]:
    """Code and Chinese word of each choice."""
    return {word: choice.value for choice in choices for word in (str(choice.label), choice.value)}


# --- the commands -----------------------------------------------------------------------------------------


def district(arguments: argparse.Namespace) -> int:
    """Print the slips: the only time that their codes are seen."""
    at = clock.now()
    try:
        issued = found_district(
            code=arguments.code,
            name=arguments.name,
            name_en=arguments.name_en,
            officer=(arguments.officer[0], arguments.officer[1]),
            administrator=(arguments.administrator[0], arguments.administrator[1]),
            at=at,
        )
    except Refusal as refusal:
        print(f"xiaodun: {refusal.message} {refusal.lifts}", file=sys.stderr)
        return 1
    print(f"The district {arguments.name} is made. Hand each of these two their slip, and nobody else.")
    for slip in issued:
        until = slip.expires_at.astimezone(clock.SHANGHAI)
        print(f"\n  {slip.user.name}  user name {slip.user.username}")
        print(f"  code {slip.code}  until {until:%Y-%m-%d %H:%M}, at the address /activate/")
    return 0


def structure(arguments: argparse.Namespace) -> int:
    """Print what was made, or every faulty line."""
    by = User.objects.filter(username=arguments.by, is_active=True).first()
    root = Unit.objects.filter(kind=UnitKind.DISTRICT, code=arguments.district).first()
    if by is None or root is None:
        print("xiaodun: this user or this district is not known.", file=sys.stderr)
        return 2
    try:
        lines = read_lines(Path(arguments.file).read_bytes())
        # The console speaks English, whatever the pages speak.
        with translation.override("en"):
            made = load_structure(lines, by=by, district=root, at=clock.now())
    except FaultyListError as error:
        print("Nothing was taken.", *error.lines, sep="\n", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"xiaodun: the file cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    words = ("institutions", "grades", "groups", "users", "posts")
    print("New: " + ", ".join(f"{made[word]} {word}" for word in words) + ".")
    return 0
