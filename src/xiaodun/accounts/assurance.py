"""What a session says of itself: how somebody signed in, when, and how long that holds.

It stands in Django's session, so that a request learns it without another query. Only
``services.sign_in`` writes it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from xiaodun.accounts.choices import Level

_KEY = "assurance"


@dataclass(frozen=True, slots=True)
class Assurance:
    """``proved_at``: when a factor (without one: the password) was last shown in this session."""

    level: Level
    started_at: datetime
    seen_at: datetime
    proved_at: datetime

    @classmethod
    def of(cls, session: SessionBase) -> "Assurance | None":
        """What ``session`` says; none if nobody signed in by ``services.sign_in``."""
        kept = session.get(_KEY)
        if kept is None:
            return None
        level, *moments = kept
        return cls(Level(level), *(datetime.fromtimestamp(moment, UTC) for moment in moments))

    def keep_in(self, session: SessionBase) -> None:
        """Write it down, in whole seconds."""
        moments = (self.started_at, self.seen_at, self.proved_at)
        session[_KEY] = [self.level.value, *(int(moment.timestamp()) for moment in moments)]

    def is_over(self, at: datetime) -> bool:
        """Whether the session has been idle, or has lasted, for too long; a demonstration's never is."""
        if self.level == Level.DEMO:
            return not settings.IS_DEMO
        idle = settings.SESSION_IDLE_DEVICE if self.level == Level.DEVICE else settings.SESSION_IDLE
        return at - self.seen_at >= idle or at - self.started_at >= settings.SESSION_LONGEST

    def is_stale(self, at: datetime) -> bool:
        """Whether a minute went by since the session was last marked as seen."""
        return self.level != Level.DEMO and at - self.seen_at >= settings.SESSION_SEEN_EVERY

    def is_fresh(self, at: datetime) -> bool:
        """Whether the factor was shown so lately that a delicate act may follow."""
        return self.level == Level.DEMO or at - self.proved_at < settings.FRESH_FACTOR
