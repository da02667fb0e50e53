"""Reads of illness files, scoped to the reader."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.http import Http404

from xiaodun.absence.models import Episode
from xiaodun.accounts.choices import Right
from xiaodun.accounts.policies import Scope
from xiaodun.people.models import Enrolment


def _enrolled(scope: Scope, right: Right) -> Q:
    """Files whose person belongs, on the first or any later day of the file, to a unit of the reader's.

    A running file follows the person: a new school sees it before its own first check. An ended one stays
    with the units of its days.
    """
    return (
        scope.q(right, "person__enrolments__group__")
        & (Q(state=Episode.State.RUNNING) | Q(person__enrolments__valid_from__lte=F("last_day")))
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


def cases_with_onset(
    *, group_ids: Iterable[int], start: date, end: date
) -> list[tuple[int, int, date, list[str]]]:
    """``(group, person, onset, symptoms)`` of every illness with onset from ``start`` to ``end``, inclusive.

    A case counts in the groups to which the person belonged on the day of onset; where that was none (ill
    since before the first day of school, or before the move), on the day of its first finding. One query.
    """
    on_onset = Enrolment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=OuterRef("onset")),
        person=OuterRef("person"),
        valid_from__lte=OuterRef("onset"),
    )
    rows = (
        Episode.objects.filter(onset__range=(start, end))
        .exclude(state=Episode.State.VOID)
        .annotate(counted_on=Case(When(Exists(on_onset), then=F("onset")), default=F("first_day")))
        .filter(
            Q(person__enrolments__valid_to__isnull=True)
            | Q(person__enrolments__valid_to__gte=F("counted_on")),
            person__enrolments__group_id__in=list(group_ids),
            person__enrolments__valid_from__lte=F("counted_on"),
        )
        .values_list("person__enrolments__group_id", "person_id", "onset", "symptoms")
        .distinct()
    )
    return list(rows)


def onsets_of(person_ids: Iterable[int], *, since: date) -> list[date]:
    """The onset days of these persons' illnesses that a change of enrolment from ``since`` on may move."""
    found = Episode.objects.filter(person_id__in=list(person_ids), first_day__gte=since)
    return list(found.exclude(state=Episode.State.VOID).values_list("onset", flat=True).distinct())
