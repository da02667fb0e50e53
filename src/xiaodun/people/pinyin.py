"""Readings of Chinese names for search by pinyin and by initials.

pypinyin reads characters as words do and so misreads surnames (单 dan, 曾 ceng, 仇 chou). Those surnames are
listed here with their reading as surnames; the common misreading is kept beside it, because a reader who
knows only the word looks for that one. A surname that families read in two ways has both, for that reason.
"""

from functools import cache, lru_cache
from importlib import import_module
from itertools import product
from typing import Any

# Readings as a surname, without those that pypinyin gives by itself. Compared with the surname list of the
# public project overtrue/pinyin (sources/surnames.txt).
SURNAMES: dict[str, tuple[str, ...]] = {
    "么": ("yao",),
    "乐": ("yue",),
    "乜": ("nie",),
    "仇": ("qiu",),
    "佴": ("nai",),
    "六": ("lu",),
    "区": ("ou",),
    "单": ("shan",),
    "卜": ("bu",),
    "句": ("gou",),
    "召": ("shao",),
    "员": ("yun",),
    "宓": ("mi", "fu"),
    "扎": ("za",),
    "折": ("she",),
    "曾": ("zeng",),
    "朴": ("piao",),
    "查": ("zha",),
    "洗": ("xian",),
    "炅": ("gui",),
    "牟": ("mu", "mou"),
    "盖": ("ge",),
    "祭": ("zhai",),
    "种": ("chong",),
    "秘": ("bi",),
    "粘": ("nian",),
    "繁": ("po",),
    "缪": ("miao",),
    "翟": ("zhai",),
    "能": ("nai",),
    "薄": ("bo",),
    "藏": ("zang",),
    "覃": ("qin",),
    "角": ("jue",),
    "解": ("xie",),
    "谌": ("chen", "shen"),
    "贠": ("yun",),
    "费": ("fei", "bi"),
    "郇": ("xun",),
    "郗": ("xi", "chi"),
    "都": ("du",),
    "重": ("chong",),
    "阚": ("kan",),
    "隗": ("wei",),
    "黑": ("he",),
}

# Surnames of two characters, one of which is read otherwise alone.
COMPOUND_SURNAMES: dict[str, tuple[str, str]] = {
    "万俟": ("mo", "qi"),
    "单于": ("chan", "yu"),
    "尉迟": ("yu", "chi"),
    "澹台": ("tan", "tai"),
    "长孙": ("zhang", "sun"),
}


def pinyin_of(name: str) -> str:
    """The syllables of ``name``, separated by spaces, in lower case without tones: "zhang san".

    Readings of one syllable are separated by "/", the surname's own first: "shan/dan wei". ü is written v, as
    keyboards do. What is not a Chinese character stays as it is, in lower case.
    """
    return " ".join("/".join(readings) for readings in _syllables(name))


def initials_of(name: str) -> str:
    """The initials of ``name``, one word for each reading of the surname: "zs", "sw/dw"."""
    letters = [tuple(dict.fromkeys(reading[0] for reading in readings)) for readings in _syllables(name)]
    return "/".join("".join(choice) for choice in product(*letters))


def search_words_of(name: str) -> tuple[str, ...]:
    """All that a search for ``name`` may begin with in letters: ("shanwei", "danwei", "sw", "dw")."""
    words = dict.fromkeys("".join(choice) for choice in product(*_syllables(name)))
    words |= dict.fromkeys(initials_of(name).split("/"))
    return tuple(words)


# Three readings are made of each name, one after the other.
@lru_cache(maxsize=4)
def _syllables(name: str) -> tuple[tuple[str, ...], ...]:
    name = name.replace("·", " ").replace("•", " ").strip()
    read = [syllable.lower() for part in _lazy_pinyin(name) for syllable in part.split()]
    readings: list[tuple[str, ...]] = [(syllable,) for syllable in read]
    if name[:2] in COMPOUND_SURNAMES:
        for position, syllable in enumerate(COMPOUND_SURNAMES[name[:2]]):
            readings[position] = _with_misreading((syllable,), _alone(name[position]))
    elif name[:1] in SURNAMES:
        readings[0] = _with_misreading(SURNAMES[name[:1]], _alone(name[0]))
    return tuple(readings)


def _with_misreading(own: tuple[str, ...], as_word: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*own, as_word)))


def _alone(character: str) -> str:
    return _lazy_pinyin(character)[0].lower()


def _lazy_pinyin(text: str) -> list[str]:
    return list(_pypinyin().lazy_pinyin(text))


@cache
def _pypinyin() -> Any:
    # Its dictionary takes half a second and some 30 MB: only processes that register persons pay for it.
    return import_module("pypinyin")
