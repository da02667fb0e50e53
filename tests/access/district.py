"""The district of the access matrix and the smoke tests: who plays which role, which objects there are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from tests.access.matrix import ANONYMOUS, DOCTOR, LEAD, OFFICER, PRINCIPAL, TEACHER, TOKEN, Page
from tests.factories import TOP_OF_LADDERS, Cast, busy_morning, make_cast
from xiaodun.absence.models import Episode
from xiaodun.accounts.models import User
from xiaodun.accounts.services import make_api_token
from xiaodun.messages.models import Message
from xiaodun.organisations.selectors import institution_of
from xiaodun.surveillance.models import Signal

UNKNOWN = 99_999_999
FIGURE = "screening.absent_ill"


@dataclass(frozen=True)
class District:
    """The cast on a busy morning; ``now`` is after it.

    ``objects``: arguments of an address by kind of object and scope.
    """

    cast: Cast
    now: datetime
    users: dict[str, User]
    secret: str
    objects: dict[tuple[str, str], list]

    def url(self, page: Page, actor: str, scope: str) -> str:
        """The address of a page on the object that stands to ``actor`` as ``scope`` says."""
        if not page.about:
            return reverse(page.name) + page.query
        own_message = page.about == "message" and scope == "own"
        key = (page.about, f"own:{actor}" if own_message else scope)
        return reverse(page.name, args=self.objects[key]) + page.query


def make_district() -> District:
    """Build it: every class but class_d has been checked, has a signal, illness files and messages."""
    cast = make_cast()
    sessions = busy_morning(cast)
    users = {
        TEACHER: cast.teacher,
        LEAD: cast.grade_lead,
        DOCTOR: cast.doctor,
        PRINCIPAL: cast.principal,
        OFFICER: cast.officer,
    }
    _token, secret = make_api_token(
        by=cast.officer,
        name="school system",
        unit=cast.school,
        scopes=["checks:write", "rosters:read", "figures:read"],
        expires_at=cast.at + timedelta(days=30),
        at=cast.at,
    )
    groups = {
        "own": cast.class_a,
        "same_grade": cast.class_b,
        "same_school": cast.class_c,
        "other_school": cast.other_class,
        "drill": cast.drill_class,
    }
    objects: dict[tuple[str, str], list] = {}
    for scope, group in groups.items():
        objects["group", scope] = [group.pk]
        objects["group_code", scope] = [group.code]
        objects["session", scope] = [sessions[group.pk]]
        objects["signal", scope] = [Signal.objects.get(unit=group).pk]
        objects["file", scope] = [Episode.objects.filter(person__in=cast.members[group.pk]).first().pk]
        objects["figure", scope] = [FIGURE, group.pk]
        objects["institution", scope] = [institution_of(group).pk]
    for actor, user in users.items():
        objects["message", f"own:{actor}"] = [Message.objects.filter(recipient=user).first().pk]
    somebody = Message.objects.filter(recipient=cast.stranger).first().pk
    for actor in (ANONYMOUS, TOKEN):
        objects["message", f"own:{actor}"] = [somebody]
    objects["message", "other_school"] = [somebody]
    objects["message", "drill"] = [Message.objects.filter(recipient=cast.trainer).first().pk]
    for kind in ("group", "session", "signal", "file", "institution", "message"):
        objects[kind, "unknown"] = [UNKNOWN]
    objects["group_code", "unknown"] = ["X-0-0"]
    objects["figure", "unknown"] = [FIGURE, UNKNOWN]
    return District(cast, cast.at + TOP_OF_LADDERS + timedelta(minutes=1), users, secret, objects)
