"""What a page that refreshes itself tells those who do not see it."""

from django.utils.translation import gettext as _


def news(*, signals: int, overdue: int) -> str:
    """The numbers that a reader waits for; said aloud when a refresh changes them."""
    return _("Waiting signals: %(signals)d. Overdue: %(overdue)d.") % {
        "signals": signals,
        "overdue": overdue,
    }
