"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from xiaodun.kit import clock


def page(request: HttpRequest) -> dict[str, Any]:
    """``demo``: the data are invented; every page says so. ``now`` (UTC), ``today`` (in China)."""
    now = clock.now()
    return {
        "demo": settings.IS_DEMO,
        "now": now,
        "today": clock.local_day(now),
        "clock_is_shifted": clock.is_shifted(),
    }
