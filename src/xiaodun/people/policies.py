"""Masks of names, by what persons are found, and which handed-in lists wait for a worker."""

import unicodedata
from datetime import datetime, timedelta

from django.db.models import Q

from xiaodun.people.choices import RosterState
from xiaodun.people.pinyin import COMPOUND_SURNAMES, search_words_of


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
