"""The message catalogues: what the source says in English, each app says in Chinese, completely.

    python tools/catalogue.py update    take new texts into the catalogues, drop unused ones
    python tools/catalogue.py check     report what is missing, fuzzy, unused or outside a catalogue

English texts stand in the source (templates, Python); Chinese ones in
``src/xiaodun/<app>/locale/zh_Hans/LC_MESSAGES/django.po``, one catalogue an app. A new text that another app
has translated takes over that translation; others are left empty for somebody who knows the language.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.template.base import Lexer, TokenType
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]

HEADER = """\
msgid ""
msgstr ""
"Project-Id-Version: xiaodun\\n"
"Language: zh_Hans\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""

KEYWORDS: dict[str, tuple | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}

# Chinese in Python that is not said to anybody: the material of invented names, readings of characters.
CHINESE_IS_DATA = {
    "accounts/views/sign_in.py": "the language's name for itself",
    "config/cli.py": "the product's name in the help",
    "config/onboarding.py": "the headings of the list that a district writes",
    "config/demo.py": "what the invented people of the demonstration are called and write",
    "engine/calendar/state.py": "the holiday table's word for a working weekend",
    "engine/simulation": "names of invented people and institutions",
    "organisations/grades.py": "how schools write their grades",
    "people/imports": "how schools write their lists",
    "people/pinyin.py": "readings of surnames",
    "kit/logs.py": "names of fields whose values are masked",
    "people/policies.py": "the words in which a street or village ends",
}

# No apps of Django's: what they say is in Django's own catalogue (names of languages) or is nobody's to read.
NO_CATALOGUE = {"config", "engine"}

CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
# Words that are the same in both languages: units, codes, proper names.
NO_WORDS = re.compile(r"^[^A-Za-z]*$|^(API|CSV|PDF|JSON|OpenAPI|Xiaodun|English|°C)$")

Key = tuple[str | None, str | tuple[str, ...]]


@dataclass
class App:
    """One app's folder, its texts with the files that say them, and its catalogue."""

    path: Path
    texts: dict[Key, set[str]] = field(default_factory=dict)
    catalogue: dict[Key, Message] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def po(self) -> Path:
        return self.path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


def apps(root: Path = ROOT) -> list[App]:
    """Every app of the package with its texts and its catalogue as they stand in the files."""
    package = root / "src" / "xiaodun"
    found = []
    for init in sorted(package.glob("*/__init__.py")):
        app = App(init.parent)
        for path in _sources(app.path):
            for key in _texts_of(path):
                app.texts.setdefault(key, set()).add(path.relative_to(package).as_posix())
        if app.po.exists():
            with app.po.open("rb") as file:
                for message in read_po(file, locale="zh_Hans", abort_invalid=True):
                    if message.id:
                        app.catalogue[_key(message)] = message
        found.append(app)
    return found


def _key(message: Message) -> Key:
    return message.context, tuple(message.id) if isinstance(message.id, list | tuple) else message.id


def _sources(folder: Path) -> list[Path]:
    files = [*folder.rglob("*.py"), *folder.glob("templates/**/*.html"), *folder.glob("templates/**/*.txt")]
    left_out = {"tests", "migrations", "__pycache__"}
    return sorted(path for path in files if not left_out & set(path.relative_to(folder).parts))


def _texts_of(path: Path) -> Iterator[Key]:
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        source = templatize(source, origin=str(path))
    # The keyword table names the arguments that are texts; Babel yields the context first where there is one.
    for _line, text, _comments, context in extract("python", BytesIO(source.encode()), keywords=KEYWORDS):
        yield context, tuple(text) if isinstance(text, list | tuple) else text


def update(root: Path = ROOT) -> list[Path]:
    """Bring every catalogue in line with the source; returns the files that changed."""
    everything = apps(root)
    known: dict[Key, Message] = {}
    for app in everything:
        known |= {key: message for key, message in app.catalogue.items() if _is_translated(message)}
    changed = []
    for app in everything:
        if not app.texts or app.name in NO_CATALOGUE:
            continue
        catalogue = Catalog(locale="zh_Hans", fuzzy=False)
        for (context, text), files in app.texts.items():
            old = app.catalogue.get((context, text))
            if old is None or not _is_translated(old):
                old = known.get((context, text))
            plural = isinstance(text, tuple)
            catalogue.add(
                text,
                string=old.string if old else (("",) if plural else ""),
                locations=[(file, None) for file in sorted(files)],
                user_comments=old.user_comments if old else (),
                context=context,
            )
        buffer = BytesIO()
        write_po(buffer, catalogue, width=110, omit_header=True, sort_output=True, include_lineno=False)
        content = (HEADER + buffer.getvalue().decode().strip() + "\n").encode()
        if not app.po.exists() or app.po.read_bytes() != content:
            app.po.parent.mkdir(parents=True, exist_ok=True)
            app.po.write_bytes(content)
            changed.append(app.po)
    return changed


def _strings(message: Message) -> tuple[str, ...]:
    string = message.string
    return (
        tuple(string.values())
        if isinstance(string, dict)
        else tuple(string)
        if isinstance(string, list | tuple)
        else (string,)
    )


def _is_translated(message: Message) -> bool:
    return bool(_strings(message)) and all(_strings(message)) and "fuzzy" not in message.flags


def check(root: Path = ROOT) -> list[str]:
    """Every fault of the catalogues, in words; an empty list is a pass."""
    faults: list[str] = []
    said: dict[Key, dict[tuple[str, ...], str]] = {}
    for app in apps(root):
        texts = {} if app.name in NO_CATALOGUE else app.texts
        for key, files in sorted(texts.items(), key=lambda item: str(item[0])):
            where = f"{app.name} ({', '.join(sorted(files))}): {key[1]!r}"
            # A sign without any letter (a tick) says the same in both languages.
            faults += [
                f"{where}: the English text is not plain ASCII"
                for text in _ids(key)
                if not text.isascii() and re.search("[A-Za-z]", text)
            ]
            message = app.catalogue.get(key)
            if message is None:
                faults.append(f"{where}: not in the catalogue; run `python tools/catalogue.py update`")
                continue
            if not _is_translated(message):
                faults.append(f"{where}: {'fuzzy' if 'fuzzy' in message.flags else 'has no Chinese text'}")
                continue
            faults += [f"{where}: {fault}" for fault in _faults(key, message)]
            said.setdefault(key, {})[_strings(message)] = app.name
        faults += [
            f"{app.name}: {key[1]!r} is in the catalogue and nowhere else"
            for key in app.catalogue
            if key not in app.texts
        ]
        faults += _texts_outside(app)
    faults += [
        f"{' and '.join(sorted(ways.values()))} translate {key[1]!r} differently: "
        f"{' / '.join(way[0] for way in ways)}; give one of them a context"
        for key, ways in said.items()
        if len(ways) > 1
    ]
    faults += _chinese_in_scripts(root)
    return faults


def _ids(key: Key) -> tuple[str, ...]:
    return key[1] if isinstance(key[1], tuple) else (key[1],)


def _faults(key: Key, message: Message) -> Iterator[str]:
    ids = _ids(key)
    # The plural form names every placeholder; Chinese has one form for all numbers.
    wanted = sorted(set(PLACEHOLDER.findall(ids[-1])))
    for string in _strings(message):
        found = sorted(set(PLACEHOLDER.findall(string)))
        if found != wanted:
            yield f"placeholders {found} instead of {wanted}"
        if not CJK.search(string) and not NO_WORDS.match(PLACEHOLDER.sub("", string).strip()):
            yield f"the Chinese text {string!r} is not Chinese"
        if ids[-1][:1].isspace() != string[:1].isspace() or ids[-1].endswith("\n") != string.endswith("\n"):
            yield "starts or ends with a space in one language only"


def _texts_outside(app: App) -> Iterator[str]:
    for path in _sources(app.path):
        name = path.relative_to(app.path.parent).as_posix()
        if path.suffix == ".py":
            if not any(name.startswith(data) for data in CHINESE_IS_DATA):
                yield from (
                    f"{name}:{line}: Chinese in code: {text!r}" for line, text in _chinese_literals(path)
                )
        else:
            yield from (
                f"{name}: text outside the catalogue: {text!r}"
                for text in literal_texts(path.read_text("utf-8"))
            )


def _chinese_literals(path: Path) -> Iterator[tuple[int, str]]:
    """String literals with Chinese characters, docstrings left out: they explain the field's terms."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documentation and CJK.search(node.value):
            yield node.lineno, node.value


class _Texts(HTMLParser):
    """Words that no tag of Django produces: between elements, or in attributes that are read out."""

    READ_OUT = frozenset({"title", "alt", "placeholder", "aria-label", "aria-description", "content"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style", "code"}:
            self.within.append(tag)
        if tag != "meta":
            self.found += [
                value for name, value in attrs if name in self.READ_OUT and value and self._is_words(value)
            ]

    def handle_endtag(self, tag: str) -> None:
        if self.within and self.within[-1] == tag:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if not self.within and self._is_words(data):
            self.found.append(data.strip())

    @staticmethod
    def _is_words(text: str) -> bool:
        return bool(CJK.search(text)) or not NO_WORDS.match(text.strip())


def literal_texts(source: str) -> list[str]:
    """Words that a template says without the catalogue."""
    texts: list[str] = []
    skipping: list[str] = []
    ends = {
        "comment": "endcomment",
        "blocktranslate": "endblocktranslate",
        "blocktrans": "endblocktrans",
        "texts": "endtexts",
    }
    for token in Lexer(source).tokenize():
        name = token.contents.split(" ", 1)[0] if token.token_type == TokenType.BLOCK else ""
        if skipping:
            if name == skipping[-1]:
                skipping.pop()
        elif name in ends:
            skipping.append(ends[name])
        elif token.contents == "block body_class":
            skipping.append("endblock")
        elif token.token_type == TokenType.TEXT:
            texts.append(token.contents)
        elif token.token_type == TokenType.VAR:
            texts.append("0")  # stands for a value inside attributes, so that quotes stay paired
    parser = _Texts()
    parser.feed("".join(texts))
    parser.close()
    return parser.found


def _chinese_in_scripts(root: Path) -> Iterator[str]:
    for path in sorted((root / "frontend").rglob("*.js")):
        source = re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        if CJK.search(source):
            yield f"{path.relative_to(root).as_posix()}: Chinese in a script; pass it with {{% texts %}}"


def main() -> int:
    match sys.argv[1:]:
        case ["update"]:
            for path in update():
                sys.stdout.write(f"{path.relative_to(ROOT)}\n")
            return 0
        case ["check"]:
            faults = check()
            sys.stdout.write("".join(f"{fault}\n" for fault in faults))
            sys.stdout.write(f"catalogues: {len(faults)} faults\n")
            return 1 if faults else 0
    sys.stdout.write(__doc__ or "")
    return 2


if __name__ == "__main__":
    sys.exit(main())
