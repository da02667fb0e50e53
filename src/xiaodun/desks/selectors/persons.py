"""Find a person: by number, name, pinyin or initials, within the reader's own scope."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.absence.models import Episode
from xiaodun.absence.selectors import files_visible_to
from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.desks.selectors.keys import key_in
from xiaodun.desks.selectors.reveals import openable_among
from xiaodun.desks.services import log_search
from xiaodun.kit import clock
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import institutions_of
from xiaodun.people.selectors import found_by, groups_of, persons_visible_to

PAGE = 30


@dataclass(frozen=True, slots=True)
class Found:
    """One person found: where they belong within the reader's scope, and the page to go on from."""

    name: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What was looked for and who was found; ``after`` is the key from which the next page goes on."""

    title: str
    words: str
    rows: list[Found]
    after: int | None


def search_page(scope: Scope, words: str, after: str, *, by: User, at: datetime) -> SearchPage:
    """The reader's persons who begin with ``words``, by key. The look is logged, its words hashed."""
    title = _("Find a person")
    words = words.strip()[:40]
    if not words:
        return SearchPage(title, "", [], None)
    day = clock.local_day(at)
    found = persons_visible_to(scope, day).filter(found_by(words)).order_by("pk")
    if (key := key_in(after)) is not None:
        found = found.filter(pk__gt=key)
    persons = list(found[: PAGE + 1])
    more, persons = len(persons) > PAGE, persons[:PAGE]
    ids = [person.pk for person in persons]
    groups = {
        pk: [group for group in units if scope.may(Right.SEE_ROSTER, group)]
        for pk, units in groups_of(ids, day).items()
    }
    files = dict(
        files_visible_to(scope)
        .filter(person__in=ids, state=Episode.State.RUNNING)
        .values_list("person_id", "pk")
    )
    openable = openable_among(scope, ids, False, day)
    rows = []
    for person in persons:
        mine = groups[person.pk]
        where = _(", ").join(group.label for group in mine) or _("from a later day")
        rows.append(
            Found(
                name=person.name,
                text=f"{person.number} · {where}",
                url=_url(person.pk, mine, scope, files)
                or (reverse("desks:reveal", args=[person.pk]) if person.pk in openable else ""),
            )
        )
    _log(words, groups, by=by, at=at)
    return SearchPage(title, words, rows, persons[-1].pk if more else None)


def _url(person_id: int, groups: list[Unit], scope: Scope, files: dict[int, int]) -> str:
    """A running file first, for whoever looks after the ill; else the lists; else the class's check."""
    if person_id in files:
        return reverse("desks:file", args=[files[person_id]])
    if scope.has(Right.MANAGE_PEOPLE):
        return reverse("desks:clerk_person", args=[person_id])
    checked = next((group for group in groups if scope.may(Right.SUBMIT_CHECK, group)), None)
    return reverse("desks:class_check", args=[checked.pk]) if checked else ""


def _log(words: str, groups: dict[int, list[Unit]], *, by: User, at: datetime) -> None:
    """One entry for each institution whose persons were shown, one without any where nobody was."""
    first = {pk: units[0] for pk, units in groups.items() if units}
    institutions = institutions_of(first.values())
    shown: dict[Unit, list[int]] = defaultdict(list)
    for pk, group in first.items():
        shown[institutions[group.pk] or group].append(pk)
    log_search(by=by, words=words, shown=dict(shown), at=at)
