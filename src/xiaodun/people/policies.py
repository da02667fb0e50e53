"""Masks of names, by what persons are found, which lists wait for a worker, the codes of practice schools."""

import re
import unicodedata
from datetime import datetime, timedelta

from django.db.models import Q

from xiaodun.people.choices import RosterState
from xiaodun.people.pinyin import COMPOUND_SURNAMES, search_words_of

# Up to the street or the village: what follows leads to a door.
_STREET = re.compile(r".*?(?:街道|路|街|巷|镇|乡|村)")


def mask_name(name: str) -> str:
    """The name with only its first and, from three characters on, its last character: 王*, 王*明."""
    if len(name) <= 2:
        return name[:1] + "*"
    return f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"


def search_word(text: str) -> str:
    """What is looked for as keys are written: one width, lower case, no blanks, no middle dot."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if not letter.isspace() and letter not in "·•")


def search_keys_of(number: str, name: str) -> list[str]:
    """The beginnings by which a person is found: number, name, given name, readings and their initials."""
    given = name[2:] if name[:2] in COMPOUND_SURNAMES else name[1:]
    keys = [number, name, given, *search_words_of(name)]
    return list(dict.fromkeys(word for word in map(search_word, keys) if word))


# A worker that says nothing for so long is dead; another one takes its list.
_WORKER_DEAD_AFTER = timedelta(minutes=10)


def waits_for_worker(at: datetime) -> Q:
    """The handed-in lists that wait to be read or applied, those of a dead worker among them."""
    dead = Q(state__in=(RosterState.READING, RosterState.APPLYING), taken_at__lt=at - _WORKER_DEAD_AFTER)
    return dead | Q(state__in=(RosterState.WAITING, RosterState.APPROVED))


def mask_address(address: str) -> str:
    """The address up to its street; all of it covered where none can be told."""
    if not address:
        return ""
    street = _STREET.match(address)
    return f"{street[0] if street else address[:2]}**"


def practice_code(code: str) -> str:
    """The code of the practice school of the institution with this code: each has one."""
    return f"drill-{code}"
