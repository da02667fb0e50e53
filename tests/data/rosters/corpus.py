"""Lists as schools hand them in, good and hostile, each with its expected answer.

One table, :data:`CASES`. A case names a file, makes its bytes and says what the import answers: counts of a
good list, ``where: code`` of each problem of a faulty one, or the code of the refusal of a file that is not
read. They are read against the small cast: the school 育才小学 with the classes 三(1)班, 三(2)班, 四(1)班 and
四(2)班 of five pupils each, another school, a drill area. Everybody is invented.
"""

import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import xlsxwriter

from xiaodun.people.numbers import check_character

Rows = Sequence[Sequence[Any]]
HEAD = ("姓名", "性别", "身份证号", "学籍号", "年级", "班级", "学号")


def id_number(seed: int, *, born: str = "20120101") -> str:
    """An ID number of a region that does not exist; an even seed is a girl's."""
    body = f"990000{born}{seed:03}"
    return body + check_character(body)


def pupil(seed: int, *, group: str = "2班", grade: str = "三年级", **changes: Any) -> list[Any]:
    """A row under HEAD of the invented pupil ``seed``."""
    row = {
        "name": f"赵新{'甲乙丙丁戊己庚辛壬癸'[seed % 10]}",
        "sex": "男" if seed % 2 else "女",
        "id": id_number(seed),
        "student": f"G{id_number(seed)}",
        "grade": grade,
        "group": group,
        "number": str(9000 + seed),
    } | changes
    return list(row.values())


# --- making files ---


def excel(
    *sheets: Rows,
    names: Sequence[str] = (),
    hidden: Sequence[int] = (),
    merged: Sequence[tuple[int, int, int, int, Any]] = (),
    formats: dict[int, str] | None = None,
) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_numbers": False})
    styles = {column: book.add_format({"num_format": code}) for column, code in (formats or {}).items()}
    for index, rows in enumerate(sheets):
        sheet = book.add_worksheet(names[index] if names else f"表{index + 1}")
        if index in hidden:
            sheet.hide()
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, date | datetime):
                    moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - Excel knows no zones
                    sheet.write_datetime(number, column, moment, book.add_format({"num_format": "yyyy/m/d"}))
                elif value != "":
                    sheet.write(number, column, value, styles.get(column))
        for area in merged if index == 0 else ():
            sheet.merge_range(*area)
    if sheets and len(hidden) == len(sheets):
        book.add_worksheet("空").activate()
    book.close()
    return target.getvalue()


def csv(rows: Rows, encoding: str = "utf-8", separator: str = ",") -> bytes:
    return "\r\n".join(separator.join(str(cell) for cell in row) for row in rows).encode(encoding)


def repacked(
    content: bytes, change: Callable[[str, bytes], bytes], extra: dict[str, bytes] | None = None
) -> bytes:
    """The archive with its parts changed and some added."""
    target = io.BytesIO()
    packed = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(io.BytesIO(content)) as old, packed as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
        for name, part in (extra or {}).items():
            new.writestr(name, part)
    return target.getvalue()


def in_part(name: str, old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    """In the part whose name ends so, ``old`` becomes ``new``."""

    def change(part: str, content: bytes) -> bytes:
        if not part.endswith(name):
            return content
        assert old in content, (part, old)
        return content.replace(old, new, 1)

    return change


def unchanged(_part: str, content: bytes) -> bytes:
    return content


def good() -> bytes:
    return excel([HEAD, pupil(1)])


def with_formula() -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet = book.add_worksheet()
    for number, row in enumerate([HEAD, pupil(1)]):
        for column, value in enumerate(row):
            sheet.write_string(number, column, value)
    sheet.write_formula(1, 5, '="2"&"班"', None, "2班")
    book.close()
    return target.getvalue()


def bomb(megabytes: int) -> bytes:
    return repacked(good(), unchanged, {"xl/media/big.bin": b"\x00" * (megabytes * 1024 * 1024)})


def lying_bomb() -> bytes:
    """An archive whose directory claims that the big part is small."""
    content = bytearray(bomb(30))
    size = struct.pack("<I", 30 * 1024 * 1024)
    start = content.rfind(size)
    content[start : start + 4] = struct.pack("<I", 100)
    return bytes(content)


def many_parts() -> bytes:
    return repacked(good(), unchanged, {f"xl/media/{number}.txt": b"x" for number in range(1_100)})


_LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "haha">'
    + b"".join(
        f'<!ENTITY {new} "{"&" + old + ";" * 1}{("&" + old + ";") * 9}">'.encode()
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + b"]>"
)
_OUTSIDE = b'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def with_entities(declared: bytes, used: bytes) -> bytes:
    content = repacked(good(), in_part("sharedStrings.xml", _DECLARATION, _DECLARATION + declared))
    return repacked(content, in_part("sharedStrings.xml", "赵新乙".encode(), used))


def far_cell(reference: bytes) -> bytes:
    """A sheet whose last cell claims to stand at ``reference``; all up to it would be read."""
    return repacked(good(), in_part("sheet1.xml", b'<c r="G2"', b'<c r="' + reference + b'"'))


def compound(*streams: str) -> bytes:
    """The beginning of a compound file (as .xls and locked files are) that holds streams of these names."""
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\x00" * 504
        + b"".join(stream.encode("utf-16-le") + b"\x00" * 64 for stream in streams)
        + b"\x00" * 2048
    )


PAGE = "<html><body><table><tr><td>姓名</td><td>班级</td></tr></table></body></html>".encode()


# --- the table ---


@dataclass(frozen=True)
class Case:
    """A file and its answer: ``counts`` of a good list, ``problems`` by place, or why it is ``refused``."""

    name: str
    file: str
    make: Callable[[], bytes]
    counts: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    refused: str = ""


def new(count: int = 1) -> dict[str, int]:
    return {"new": count}


def _case(name: str, rows: Rows | Callable[[], bytes], file: str = "名单.xlsx", **answer: Any) -> Case:
    return Case(name, file, rows if callable(rows) else lambda: excel(rows), **answer)


def one(**changes: Any) -> Rows:
    """The heading and one pupil in whom something is different."""
    return [HEAD, pupil(1, **changes)]


FAMILY = ("成员姓名", "关系", "是否监护人", "联系电话")

CASES: tuple[Case, ...] = (
    # --- good lists ---
    _case("one new pupil", one(), counts=new()),
    _case("headings in another order", [HEAD[::-1], pupil(1)[::-1]], counts=new()),
    _case(
        "title rows and a blank row above",
        [["育才小学学生名单"], ["2020年9月"], [], HEAD, pupil(1)],
        counts=new(),
    ),
    _case(
        "starred headings with remarks and blanks",
        [("姓 名★", "性别*", "身份证件号（文本）", "学籍号：", "年 级", "班级(号)", "学号"), pupil(1)],
        counts=new(),
    ),
    _case(
        "stray blanks and an invisible character", one(name=" 赵 新\u200b 甲 ", group=" 2 班 "), counts=new()
    ),
    _case("full-width digits", one(id="".join(chr(ord(c) + 0xFEE0) for c in id_number(1))), counts=new()),
    _case(
        "trailing blank in the ID number, small x",
        one(id=id_number(3).lower() + " ", student=""),
        counts=new(),
    ),
    _case("sex as 1 and 2", [HEAD, pupil(1, sex="1"), pupil(2, sex=2)], counts=new(2)),
    _case("class as 302", one(grade="", group="302"), counts=new()),
    _case("class in Chinese numerals", one(grade="", group="三年级二班"), counts=new()),
    _case(
        "class in half and full brackets",
        [HEAD, pupil(1, group="三（2）班"), pupil(2, group="三(2)班")],
        counts=new(2),
    ),
    _case("class as a number cell", one(group=2), counts=new()),
    _case("class by its code", one(grade="", group="P1-3-2"), counts=new()),
    _case(
        "merged grade and class cells",
        lambda: excel(
            [HEAD, pupil(1), pupil(2, grade="", group=""), pupil(3, grade="", group="")],
            merged=[(1, 4, 3, 4, "三年级"), (1, 5, 3, 5, "2班")],
        ),
        counts=new(3),
    ),
    _case(
        "headings in two rows with a merged family block",
        lambda: excel(
            [
                ["姓名", "班级", "监护人一", "", "", "监护人二", "", ""],
                ["", "", "姓名", "关系", "电话", "姓名", "关系", "电话"],
                ["赵新甲", "三(2)班", "赵大", "父亲", "13900000001", "李芳", "母亲", "13900000002"],
            ],
            merged=[
                (0, 2, 0, 4, "监护人一"),
                (0, 5, 0, 7, "监护人二"),
                (0, 0, 1, 0, "姓名"),
                (0, 1, 1, 1, "班级"),
            ],
        ),
        counts=new(),
    ),
    _case(
        "the family block twice, as the student register prints it",
        [
            ("姓名", "班级", *FAMILY, *FAMILY),
            ("赵新甲", "三(2)班", "赵大", "父亲", "是", "13900000001", "李芳", "母亲", "是", 13900000002),
        ],
        counts=new(),
    ),
    _case(
        "father and mother in columns of their own",
        [
            ("姓名", "班级", "父亲姓名", "父亲电话", "母亲姓名", "母亲电话"),
            ("赵新甲", "三(2)班", "赵大", "13900000001", "李芳", "0371-68888888"),
        ],
        counts=new(),
    ),
    _case(
        "a family phone without a name",
        [("姓名", "班级", "联系电话"), ("赵新甲", "三(2)班", "13900000001")],
        counts=new(),
    ),
    _case("birth dates as serials", [(*HEAD, "出生日期"), [*pupil(1), 40909]], counts=new()),
    _case("birth dates as dates", [(*HEAD, "出生日期"), [*pupil(1), date(2012, 1, 1)]], counts=new()),
    _case(
        "birth dates as people write them",
        [
            (*HEAD, "出生日期"),
            [*pupil(1), "20120101"],
            [*pupil(2), "2012-1-1"],
            [*pupil(3), "2012年1月1日"],
            [*pupil(4), "2012.01.01"],
            [*pupil(5), 20120101],
            [*pupil(6), "2012/1/1 0:00:00"],
        ],
        counts=new(6),
    ),
    _case(
        "a month of birth alone",
        [("姓名", "班级", "出生年月"), ("赵新甲", "三(2)班", "2012-03")],
        counts=new(),
    ),
    _case("no numbers at all", [("姓名", "班级"), ("赵新甲", "三(2)班")], counts=new()),
    _case(
        "minority names with any dot",
        [
            HEAD,
            *(
                pupil(n, name=name)
                for n, name in enumerate(
                    ("阿依努尔·买买提", "阿依古丽•艾合买提", "买买提．吐尔逊", "古丽 · 艾山"), start=1
                )
            ),
        ],
        counts=new(4),
    ),
    _case("a foreign name", one(name="Anna-Maria O'Neil"), counts=new()),
    _case("rare characters", one(name="王㛃𬀩"), counts=new()),
    _case("twins in one class", [HEAD, pupil(1, name="赵大双"), pupil(2, name="赵小双")], counts=new(2)),
    _case(
        "two of one name with numbers",
        [HEAD, pupil(1, name="赵同名"), pupil(2, name="赵同名")],
        counts=new(2),
    ),
    _case(
        "documents of Hong Kong, Macau, Taiwan and abroad, and none",
        [
            ("姓名", "班级", "身份证件类型", "身份证件号"),
            ("赵新甲", "三(2)班", "香港特区护照/身份证明", "A123456(7)"),
            ("赵新乙", "三(2)班", "7", "M12345678"),
            ("赵新丙", "三(2)班", "台湾居民来往大陆通行证", "12345678"),
            ("赵新丁", "三(2)班", "A", "E12345678"),
            ("赵新戊", "三(2)班", "Z", ""),
        ],
        counts=new(5),
    ),
    _case(
        "a passport with a leading zero as text",
        [("姓名", "班级", "证件类型", "证件号"), ("赵新甲", "三(2)班", "护照", "012345678")],
        counts=new(),
    ),
    _case(
        "a sheet for each class",
        lambda: excel([HEAD, pupil(1)], [HEAD, pupil(2, group="1班")]),
        counts=new(2),
    ),
    _case(
        "a sheet of instructions beside the list",
        lambda: excel([["填写说明"], ["请勿修改表头"]], [HEAD, pupil(1)]),
        counts=new(),
    ),
    _case(
        "a hidden sheet is not read",
        lambda: excel([HEAD, pupil(1)], [HEAD, pupil(2)], hidden=[1]),
        counts=new(),
    ),
    _case(
        "totals, blank rows and a printed heading between the rows",
        [HEAD, pupil(1), [], HEAD, pupil(2), ["合计", "", "", "", "", "2人"]],
        counts=new(2),
    ),
    _case("formulas give their stored result", with_formula, counts=new()),
    _case(
        "rows claimed to the end of the sheet by formats alone",
        lambda: repacked(
            good(),
            in_part(
                "sheet1.xml", b"</sheetData>", b'<row r="1048576"><c r="A1048576" s="0"/></row></sheetData>'
            ),
        ),
        counts=new(),
    ),
    _case("CSV in UTF-8", lambda: csv(one()), "名单.csv", counts=new()),
    _case("CSV in UTF-8 with a byte order mark", lambda: csv(one(), "utf-8-sig"), "名单.csv", counts=new()),
    _case("CSV in GB18030", lambda: csv(one(name="王㛃甲"), "gb18030"), "名单.CSV", counts=new()),
    _case(
        "CSV in UTF-16 with tabs, as Excel writes Unicode text",
        lambda: csv(one(), "utf-16", "\t"),
        "名单.csv",
        counts=new(),
    ),
    _case("CSV with semicolons", lambda: csv(one(), separator=";"), "名单.csv", counts=new()),
    _case(
        "somebody on record by school number",
        [("姓名", "班级", "学号"), ("王小明", "三(1)班", "3-1-01")],
        counts={"unchanged": 1, "missing": 4},
    ),
    _case(
        "somebody on record by name and class",
        [("姓名", "班级"), ("王小明", "三(1)班")],
        counts={"unchanged": 1, "missing": 4},
    ),
    _case(
        "somebody on record gets numbers",
        [HEAD, pupil(1, name="王小明", group="1班", number="", sex="男", id="")],
        counts={"changed": 1, "missing": 4},
    ),
    _case(
        "somebody on record in another class by number",
        [("姓名", "班级", "学号"), ("王小明", "三(2)班", "3-1-01")],
        counts={"moved": 1, "missing": 5},
    ),
    _case(
        "an injection in a column that is not read",
        [(*HEAD, "备注"), [*pupil(1), "=cmd|'/c calc'!A1"]],
        counts=new(),
    ),
    # --- faulty lists: each bad cell is named ---
    _case(
        "an ID number stored as a number",
        one(id=int(id_number(1)[:17] + "0")),
        problems=("表1!C2: number-stored-as-number",),
    ),
    _case(
        "an ID number that Excel showed as 1.1E+17",
        one(id="1.10105E+17"),
        problems=("表1!C2: number-stored-as-number",),
    ),
    _case(
        "the same in CSV",
        lambda: csv(one(id="9.9E+17")),
        "名单.csv",
        problems=("C2: number-stored-as-number",),
    ),
    _case(
        "a passport that lost its leading zero",
        [("姓名", "班级", "证件类型", "证件号"), ("赵新甲", "三(2)班", "护照", 12345678)],
        problems=("表1!D2: number-stored-as-number",),
    ),
    _case(
        "a student number stored as a number",
        one(student=12345678901234567890),
        problems=("表1!D2: number-stored-as-number",),
    ),
    _case(
        "a wrong check digit",
        one(id=id_number(1)[:17] + ("1" if id_number(1)[17] != "1" else "2"), student=""),
        problems=("表1!C2: id-number-check-digit",),
    ),
    _case(
        "a wrong check digit in the student number",
        one(id="", student="G110105194912310021"),
        problems=("表1!D2: student-number-check-digit",),
    ),
    _case(
        "an old ID number of 15 digits",
        one(id="110105491231002", student=""),
        problems=("表1!C2: id-number-length",),
    ),
    _case(
        "a birth date that no calendar has",
        one(id="990000201302300" + "015", student=""),
        problems=("表1!C2: id-number-birth-date",),
    ),
    _case(
        "a future birth date",
        [("姓名", "班级", "出生日期"), ("赵新甲", "三(2)班", "20990101")],
        problems=("表1!C2: date-in-future",),
    ),
    _case(
        "a birth date in words",
        [("姓名", "班级", "出生日期"), ("赵新甲", "三(2)班", "去年")],
        problems=("表1!C2: date-unreadable",),
    ),
    _case(
        "a birth date other than in the ID number",
        [(*HEAD, "出生日期"), [*pupil(1), "20120202"]],
        problems=("表1!H2: birth-date-differs",),
    ),
    _case("a sex other than in the ID number", one(sex="女"), problems=("表1!B2: sex-differs",)),
    _case("an unknown sex", one(sex="3"), problems=("表1!B2: sex-unknown",)),
    _case("a class that the school has not", one(group="9班"), problems=("表1!F2: class-unknown",)),
    _case("no class", one(group=""), problems=("表1!F2: class-missing",)),
    _case(
        "a class of which the grade is missing",
        one(grade="", group="1班"),
        problems=("表1!F2: class-ambiguous",),
    ),
    _case(
        "another school",
        [("姓名", "班级", "学校"), ("赵新甲", "三(1)班", "青禾小学")],
        problems=("表1!C2: institution-unknown",),
    ),
    _case("no name", one(name=""), problems=("表1!A2: name-missing",)),
    _case("markup in a name", one(name="<script>alert(1)</script>"), problems=("表1!A2: name-characters",)),
    _case(
        "a statement in a name",
        one(name="Robert'); DROP TABLE people_person;--"),
        problems=("表1!A2: name-characters",),
    ),
    _case("a formula in a name", one(name="=cmd|'/c calc'!A1"), problems=("表1!A2: name-characters",)),
    _case(
        "a control character in a name",
        lambda: csv(one(name="赵\x07甲")),
        "名单.csv",
        problems=("A2: name-characters",),
    ),
    _case("a direction mark in a name", one(name="赵\u202e甲"), problems=("表1!A2: name-characters",)),
    _case("a character of a private area", one(name="赵\ue123"), problems=("表1!A2: name-characters",)),
    _case("a name of fifty characters", one(name="赵" * 50), problems=("表1!A2: name-too-long",)),
    _case(
        "a phone that nobody has",
        [("姓名", "班级", "联系电话"), ("赵新甲", "三(2)班", "68888888")],
        problems=("表1!C2: phone-impossible",),
    ),
    _case(
        "an unknown relation",
        [("姓名", "班级", "监护人姓名", "监护人关系"), ("赵新甲", "三(2)班", "李四", "邻居")],
        problems=("表1!D2: relation-unknown",),
    ),
    _case(
        "an unknown kind of document",
        [("姓名", "班级", "证件类型", "证件号"), ("赵新甲", "三(2)班", "借书证", "123456")],
        problems=("表1!C2: word-unknown",),
    ),
    _case(
        "a student number twice",
        [HEAD, pupil(1), pupil(2, student=f"G{id_number(1)}")],
        problems=("表1!D3: same-person-twice",),
    ),
    _case(
        "one pupil in two classes",
        [HEAD, pupil(1), pupil(1, group="1班")],
        problems=("表1!D3: same-person-twice",),
    ),
    _case(
        "two rows that mean one pupil on record",
        [
            ("姓名", "班级", "学号", "性别"),
            ("王小明", "三(1)班", "3-1-01", "男"),
            ("王小明", "三(1)班", "3-1-01", "男"),
        ],
        problems=("表1!C3: same-person-twice",),
    ),
    _case(
        "every bad row is named",
        [HEAD, pupil(1, group="9班"), pupil(2), pupil(3, name="")],
        problems=("表1!A4: name-missing", "表1!F2: class-unknown"),
    ),
    # --- files that are not read ---
    _case("nothing at all", lambda: b"", refused="file-empty"),
    _case("an empty sheet", lambda: excel([]), refused="heading-missing"),
    _case("headings alone", [HEAD], refused="list-empty"),
    _case("no class column", [("姓名", "性别"), ("赵新甲", "男")], refused="heading-missing"),
    _case("no headings", [pupil(1), pupil(2)], refused="heading-missing"),
    _case("a heading twice", [(*HEAD, "姓名"), [*pupil(1), "别人"]], refused="heading-twice"),
    _case("only hidden sheets", lambda: excel([HEAD, pupil(1)], hidden=[0]), refused="heading-missing"),
    _case("a workbook with macros by its ending", good, "名单.xlsm", refused="file-with-macros"),
    _case(
        "a workbook with macros inside",
        lambda: repacked(good(), unchanged, {"xl/vbaProject.bin": b"x"}),
        refused="file-with-macros",
    ),
    _case(
        "an old workbook with macros",
        lambda: compound("Workbook", "_VBA_PROJECT"),
        "名单.xls",
        refused="file-with-macros",
    ),
    _case("an Excel file named CSV", good, "名单.csv", refused="ending-wrong"),
    _case("a text named Excel", lambda: csv(one()), "名单.xlsx", refused="ending-wrong"),
    _case("a new workbook named as an old one", good, "名单.xls", refused="ending-wrong"),
    _case("a document", lambda: b"%PDF-1.7", "名单.pdf", refused="ending-unknown"),
    _case("a program", lambda: b"MZ\x00\x00", "名单.exe", refused="ending-unknown"),
    _case("no ending", good, "名单", refused="ending-unknown"),
    _case("a web page named Excel", lambda: PAGE, "名单.xls", refused="file-is-web-page"),
    _case(
        "a workbook with a password",
        lambda: compound("EncryptedPackage", "EncryptionInfo"),
        refused="file-has-password",
    ),
    _case(
        "an old workbook that is cut off", lambda: compound("Workbook"), "名单.xls", refused="file-damaged"
    ),
    _case("an archive that is cut off", lambda: good()[:-400], refused="file-damaged"),
    _case("an archive with a flipped byte in the sheet", lambda: _flipped(good()), refused="file-damaged"),
    _case("an archive that is no workbook", lambda: _plain_zip(), refused="file-damaged"),
    _case("a bomb by ratio", lambda: bomb(60), refused="unpacks-too-much"),
    _case("a bomb whose directory lies", lying_bomb, refused="file-damaged"),
    _case("too many parts", many_parts, refused="too-many-parts"),
    _case("a billion laughs", lambda: with_entities(_LAUGHS, b"&i;"), refused="file-declares-entities"),
    _case(
        "an entity from outside", lambda: with_entities(_OUTSIDE, b"&x;"), refused="file-declares-entities"
    ),
    _case("a cell at the last row", lambda: far_cell(b"A1048576"), refused="too-many-rows"),
    _case(
        "a cell at the last column of the last row", lambda: far_cell(b"XFD1048576"), refused="file-too-heavy"
    ),
    _case(
        "two hundred and fifty columns",
        [[*HEAD, *(f"栏{n}" for n in range(250))], pupil(1)],
        refused="too-many-columns",
    ),
    _case("a huge cell", one(name="赵" * 30_000), refused="cell-too-long"),
    _case("a CSV of one endless cell", lambda: b"a" * 300_000, "名单.csv", refused="cell-too-long"),
    _case("bytes in no encoding", lambda: b"\xff\x80\xff\x81,\n", "名单.csv", refused="encoding-unknown"),
    _case("zeros", lambda: b"\x00" * 1000, "名单.csv", refused="ending-wrong"),
)


def _flipped(content: bytes) -> bytes:
    """A byte of the compressed sheet is another one: its sum no longer fits."""
    flipped = bytearray(content)
    start = content.find(b"xl/worksheets/sheet1.xml") + len(b"xl/worksheets/sheet1.xml") + 60
    flipped[start] ^= 0xFF
    return bytes(flipped)


def _plain_zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("readme.txt", "x")
    return target.getvalue()
