"""Reads of announced absences."""

from collections.abc import Iterable
from datetime import date

from xiaodun.leave.models import Leave


def leaves_on(person_ids: Iterable[int], day: date) -> dict[int, Leave]:
    """The leave in force on ``day`` of each of these persons who has one (one query)."""
    found = Leave.objects.filter(
        person_id__in=list(person_ids), start__lte=day, end__gte=day, cancelled_at__isnull=True
    ).order_by("announced_at")
    return {leave.person_id: leave for leave in found}
