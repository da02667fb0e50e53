"""Which unit a list means by "三年级（2）班", "302", "三(2)班" or the grade and "2" in two columns."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit

_DIGITS = {each: number for number, each in enumerate("零一二三四五六七八九")} | {"两": 2}
_NUMERAL = re.compile(r"[零一二三四五六七八九两]?十[一二三四五六七八九]?|[零一二三四五六七八九两]")
# Grades are counted through: 初一 is grade 7, 高一 grade 10.
_STAGES = {"初": 6, "初中": 6, "高": 9, "高中": 9}
_FILLERS = {"", "年级", "级", "班", "第", "年", "班级", "小学", "号"}

Key = tuple[str, ...]


def key_of(text: str) -> Key:
    """The tokens that tell units apart: ("3", "2") for all writings of class 2 of grade 3."""
    text = unicodedata.normalize("NFKC", text)
    # Blanks inside a name mean nothing, brackets part: "九(十一)班" is not grade 91.
    text = "".join(each if unicodedata.category(each)[0] in "LN" else " " for each in "".join(text.split()))
    text = _NUMERAL.sub(lambda found: f" {_number(found.group())} ", text)
    tokens: list[str] = []
    for token in re.findall(r"\d+|[^\d\s]+", text):
        if token.isdigit():
            stage = _STAGES.get(tokens[-1]) if tokens else None
            if stage is not None:
                tokens.pop()
            tokens.append(str(int(token) + (stage or 0)))
        else:
            word = re.sub(r"年级|班级|级|班|第|号", "", token)
            if word not in _FILLERS:
                tokens.append(word.upper())
    return tuple(tokens)


def _number(numeral: str) -> int:
    if "十" not in numeral:
        return _DIGITS[numeral]
    tens, ones = numeral.split("十")
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


class UnitIndex:
    """Grades and groups of institutions, found as a list writes them."""

    def __init__(self, units: Iterable[Unit]) -> None:
        by_path = {unit.path: unit for unit in units}
        self.by_code: dict[str, Unit] = {unit.code.upper(): unit for unit in by_path.values()}
        self._full: dict[tuple[str, str, Key], list[Unit]] = {}
        self._last: dict[tuple[str, str, Key], list[Unit]] = {}
        self._names: dict[str, list[str]] = {}
        for path, unit in by_path.items():
            if unit.kind == UnitKind.INSTITUTION:
                continue
            institution = next(
                (path[:end] for end in range(len(path), 0, -Unit.steplen)
                 if path[:end] in by_path and by_path[path[:end]].kind == UnitKind.INSTITUTION), ""
            )  # fmt: skip
            parent = by_path.get(path[: -Unit.steplen])
            own = key_of(unit.name)
            grade = key_of(parent.name) if parent is not None and parent.kind == UnitKind.GRADE else ()
            full = own if _begins(own, grade) else grade + own
            self._full.setdefault((institution, unit.kind, full), []).append(unit)
            self._last.setdefault((institution, unit.kind, full[-1:]), []).append(unit)
            if unit.kind == UnitKind.GROUP:
                self._names.setdefault(institution, []).append(unit.name)

    def find(
        self, institution: Unit, name: str, *, grade: str = "", kind: str = UnitKind.GROUP
    ) -> list[Unit]:
        """The units of ``institution`` that may be meant: one, none, or several."""
        by_code = self.by_code.get(name.strip().upper())
        if by_code is not None and by_code.kind == kind and by_code.path.startswith(institution.path):
            return [by_code]
        above, own = key_of(grade), key_of(name)
        if not own:
            return []
        full = own if _begins(own, above) else above + own
        found = self._full.get((institution.path, kind, full), [])
        if not found and not above:
            # "2班" alone is enough where only one grade has a second class.
            found = self._last.get((institution.path, kind, own), [])
        if not found and len(own) == 1 and re.fullmatch(r"\d{3,4}", own[0]):
            # 302 and 1203: the last two digits are the class.
            split = (own[0][:-2], str(int(own[0][-2:])))
            if not above or above == split[:1]:
                found = self._full.get((institution.path, kind, split), [])
        return found

    def some_names(self, institution: Unit) -> str:
        """A few names of groups, for a remedy."""
        names = self._names.get(institution.path, [])
        return "、".join(names[:8]) + ("…" if len(names) > 8 else "") if names else "-"


def institutions_by_word(institutions: Iterable[Unit]) -> Mapping[str, Unit]:
    """Institutions by code and by name as :func:`word_of` writes them; a name that two have is left out."""
    found: dict[str, Unit | None] = {}
    for unit in institutions:
        for word in {word_of(unit.code), word_of(unit.name)}:
            found[word] = None if word in found else unit
    return {word: unit for word, unit in found.items() if unit is not None}


def word_of(text: str) -> str:
    """A name or code of an institution as it is compared."""
    text = unicodedata.normalize("NFKC", text).upper()
    return "".join(each for each in text if unicodedata.category(each)[0] in "LN")


def _begins(whole: Key, start: Key) -> bool:
    return len(whole) > len(start) and whole[: len(start)] == start
