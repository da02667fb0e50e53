"""Between password and second factor: who may go on, kept in a session in which nobody is signed in."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import constant_time_compare

from xiaodun.accounts.models import User

_KEY = "pending"


@dataclass(frozen=True, slots=True)
class Pending:
    """``user`` has shown the password and is led to ``onwards`` after the second factor."""

    user: User
    onwards: str

    def keep_in(self, session: SessionBase, at: datetime) -> None:
        """Under a new key: what an attacker planted before does not come along."""
        session.cycle_key()
        session[_KEY] = [
            self.user.pk, self.user.get_session_auth_hash(), int(at.timestamp()), self.onwards,
        ]  # fmt: skip

    @classmethod
    def of(cls, session: SessionBase, at: datetime) -> "Pending | None":
        """Who is between; none after some minutes, or after the password was changed."""
        if _KEY not in session:
            return None
        pk, digest, since, onwards = session[_KEY]
        if at - datetime.fromtimestamp(since, UTC) >= settings.SIGN_IN_PENDING:
            return None
        user = User.objects.filter(pk=pk, is_active=True).first()
        if user is None or not constant_time_compare(digest, user.get_session_auth_hash()):
            return None
        return cls(user, onwards)

    @staticmethod
    def forget(session: SessionBase) -> None:
        """The second factor was shown, or somebody else wants to sign in."""
        session.pop(_KEY, None)
