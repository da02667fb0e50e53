"""The figure of illness files."""

from collections.abc import Mapping
from datetime import date

from django.db.models import F, Q
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from xiaodun.absence.models import Episode
from xiaodun.figures import registry
from xiaodun.figures.registry import Column, Cover, Definition, FigureScope, Row, Rows, State, Value
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Enrolment
from xiaodun.screening.choices import Symptom
from xiaodun.screening.figures import COUNTED


def _running(scope: FigureScope) -> list[tuple[Episode, Unit]]:
    """Files that run on the day, each once, with the group in which the person is on it."""
    day: date = scope.day
    rows = (
        Enrolment.objects.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gte=day),
            scope.q("group__"),
            Q(person__episodes__back_on__isnull=True) | Q(person__episodes__back_on__gt=day),
            valid_from__lte=day,
            group__group_kind__in=COUNTED,
            person__episodes__first_day__lte=day,
            person__episodes__state__in=[Episode.State.RUNNING, Episode.State.ENDED],
        )
        .annotate(episode_id=F("person__episodes"))
        .select_related("group")
        .order_by("group__path", "person__number")
    )
    found = list(rows)
    files = Episode.objects.select_related("person").in_bulk([row.episode_id for row in found])
    seen: set[tuple[int, int | None]] = set()
    pairs = []
    for row in found:
        # A child in a school and in a training body is one file in each, and one in what holds both.
        key = (row.episode_id, scope.member_of(row.group.path))
        if key not in seen:
            seen.add(key)
            pairs.append((files[row.episode_id], row.group))
    return pairs


def _open_files(scope: FigureScope) -> Mapping[int, Value]:
    numbers = dict.fromkeys((unit.pk for unit in scope.members), 0)
    for _episode, group in _running(scope):
        if (member := scope.member_of(group.path)) is not None:
            numbers[member] += 1
    return {pk: Value(number, state=State.DUE if number else State.ZERO) for pk, number in numbers.items()}


def _open_files_rows(scope: FigureScope) -> Rows:
    return Rows(
        columns=[
            Column("group", _("Group")),
            Column("name", _("Name"), cover=Cover.NAME),
            Column("symptoms", _("Symptoms"), cover=Cover.CHILD),
            Column("onset", _("Ill since"), kind="day", cover=Cover.CHILD),
            Column("days", _("Days"), kind="number"),
        ],
        rows=[
            Row(
                unit=group,
                cells={
                    "group": group.label,
                    "name": episode.person.name,
                    "symptoms": gettext(", ").join(str(Symptom(code).label) for code in episode.symptoms)
                    or None,
                    "onset": episode.onset,
                    "days": (scope.day - episode.onset).days + 1,
                },
                url=f"/files/{episode.pk}/",
                person_id=episode.person_id,
            )
            for episode, group in _running(scope)
        ],
    )


def register() -> None:
    """Make the figure known; called once at start."""
    registry.register(
        Definition(
            code="absence.open_files",
            version=1,
            name=_("Running illness files"),
            meaning=_(
                "Illness files that run on the day: opened by a check, not yet ended by a later check that "
                "found the person well. Persons at school with symptoms are included. A person with several "
                "enrolments counts once in a unit: whoever is in two institutions counts once in each and "
                "once in the district, so that institutions may add up to more than their district."
            ),
            unit_word=ngettext_lazy("file", "files"),
            source=_("Derived from morning checks"),
            compute=_open_files,
            rows=_open_files_rows,
        )
    )
