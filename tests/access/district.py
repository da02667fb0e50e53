"""The district of the access matrix and the smoke tests: who plays which role, which objects there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from tests.access.matrix import (
    ANONYMOUS,
    AUDITOR,
    CLERK,
    DOCTOR,
    GUARD,
    LEAD,
    OFFICER,
    PRINCIPAL,
    REPORTER,
    SUPERVISOR,
    SYSTEM,
    TEACHER,
    TOKEN,
    Page,
)
from tests.factories import TOP_OF_LADDERS, Cast, busy_morning, ill, make_cast, settle, submit
from xiaodun.absence.models import Episode
from xiaodun.accounts.models import User
from xiaodun.accounts.services import make_api_token
from xiaodun.messages.models import Message
from xiaodun.messages.services import send
from xiaodun.organisations.selectors import institution_of
from xiaodun.surveillance.models import Signal

UNKNOWN = 99_999_999
FIGURE = "screening.absent_ill"


@dataclass(frozen=True)
class District:
    """The cast on a busy morning; ``now`` is after it.

    ``objects``: arguments of an address by kind of object and scope, or where they differ scope:actor.
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
        of_actor = self.objects.get((page.about, f"{scope}:{actor}"))
        return reverse(page.name, args=of_actor or self.objects[page.about, scope]) + page.query


def _check_room(cast: Cast, sessions: dict[int, int]) -> None:
    """The supervisor finds the three who sleep in the room ill."""
    at = cast.at + timedelta(minutes=5)
    findings = [ill(person, "vomiting") for person in cast.pupils[::2]]
    sessions[cast.room.pk] = submit(cast.room, *findings, by=cast.supervisor, at=at)["session"]
    settle(at=at)


def _tell_everybody(cast: Cast, users: Iterable[User]) -> None:
    """A message to those whom no ladder tells."""
    for user in users:
        if not Message.objects.filter(recipient=user).exists():
            send(
                to=[user],
                kind="duty-missed",
                unit=cast.class_d,
                facts={
                    "unit": cast.class_d.name,
                    "unit_en": cast.class_d.name_en,
                    "duty": "晨检",
                    "duty_en": "Morning check",
                    "deadline": "08:20",
                },
                url=reverse("desks:today"),
                at=cast.at + TOP_OF_LADDERS,
            )


def make_district() -> District:
    """Build it: every class but class_d has been checked, has a signal, illness files and messages."""
    cast = make_cast()
    sessions = busy_morning(cast)
    _check_room(cast, sessions)
    users = {
        TEACHER: cast.teacher,
        SUPERVISOR: cast.supervisor,
        LEAD: cast.grade_lead,
        DOCTOR: cast.doctor,
        REPORTER: cast.reporter,
        PRINCIPAL: cast.principal,
        OFFICER: cast.officer,
        CLERK: cast.clerk,
        GUARD: cast.guard,
        SYSTEM: cast.system_administrator,
        AUDITOR: cast.auditor,
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
        f"own:{SUPERVISOR}": cast.room,
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
        objects["file", scope] = [Episode.objects.filter(days__finding__session__group=group).first().pk]
        objects["figure", scope] = [FIGURE, group.pk]
        objects["institution", scope] = [institution_of(group).pk]
    _tell_everybody(cast, users.values())
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
