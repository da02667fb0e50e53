"""Reads of illness files, scoped to the reader."""

from collections.abc import Iterable
from datetime import date

from django.db.models import F, Q, QuerySet
from django.http import Http404

from xiaodun.absence.models import Episode
from xiaodun.accounts.choices import Right
from xiaodun.accounts.policies import Scope


def _enrolled(scope: Scope, right: Right) -> Q:
    """Files whose person belonged, on the first or any later day of the file, to a unit of the reader's.

    The file follows the person: a new school sees a running file; the old one keeps those of its own days.
    """
    return (
        scope.q(right, "person__enrolments__group__")
        & Q(person__enrolments__valid_from__lte=F("last_day"))
        & (Q(person__enrolments__valid_to__isnull=True) | Q(person__enrolments__valid_to__gte=F("onset")))
    )


def files_visible_to(scope: Scope, right: Right = Right.SEE_CHILDREN) -> QuerySet[Episode]:
    """Files (not withdrawn ones) of the persons whom this reader may see, latest onset first."""
    return (
        Episode.objects.filter(_enrolled(scope, right))
        .exclude(state=Episode.State.VOID)
        .select_related("person")
        .distinct()
        .order_by("-onset", "person__number")
    )


def file_visible_to(scope: Scope, episode_id: int) -> Episode:
    """One file with its days, withdrawn ones included so that a correction stays visible.

    Raises:
        Http404: for a foreign file exactly as for an unknown one.
    """
    episode = (
        Episode.objects.filter(_enrolled(scope, Right.SEE_CHILDREN), pk=episode_id)
        .select_related("person")
        .prefetch_related("days__finding__session__group")
        .distinct()
        .first()
    )
    if episode is None:
        raise Http404
    return episode


def running_for(person_ids: Iterable[int]) -> dict[int, Episode]:
    """The running file of each of these persons who has one (one query)."""
    running = Episode.objects.filter(person_id__in=list(person_ids), state=Episode.State.RUNNING)
    return {episode.person_id: episode for episode in running}


def cases_with_onset(
    *, group_ids: Iterable[int], start: date, end: date
) -> list[tuple[int, int, date, list[str]]]:
    """``(group, person, onset, symptoms)`` of every illness with onset from ``start`` to ``end``, inclusive.

    A case counts in the groups to which the person belonged on the day of onset. One query.
    """
    rows = (
        Episode.objects.filter(
            Q(person__enrolments__valid_to__isnull=True) | Q(person__enrolments__valid_to__gte=F("onset")),
            onset__range=(start, end),
            person__enrolments__group_id__in=list(group_ids),
            person__enrolments__valid_from__lte=F("onset"),
        )
        .exclude(state=Episode.State.VOID)
        .values_list("person__enrolments__group_id", "person_id", "onset", "symptoms")
        .distinct()
    )
    return list(rows)


def onsets_of(person_ids: Iterable[int], *, since: date) -> list[date]:
    """The onset days of these persons' illnesses on or after ``since``, each once (one query)."""
    found = Episode.objects.filter(person_id__in=list(person_ids), onset__gte=since)
    return list(found.exclude(state=Episode.State.VOID).values_list("onset", flat=True).distinct())
