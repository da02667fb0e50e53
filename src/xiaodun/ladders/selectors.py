"""Reads of ladders: whom a matter has been told to, when, and who comes next."""

from dataclasses import dataclass
from datetime import date, datetime

from xiaodun.accounts.choices import Role
from xiaodun.ladders.models import Ladder, LadderNotice, LadderRun, LadderStep
from xiaodun.messages.selectors import Delivery, deliveries
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import valid_on


@dataclass(frozen=True, slots=True)
class Notice:
    """One step that was taken. ``unit``: where the role is held, none if nobody holds it (``reached`` 0).

    ``run`` tells the runs of a re-alarmed matter apart. ``told``: the messages to the people reached, with
    what became of each.
    """

    run: int
    position: int
    role: Role
    unit: Unit | None
    at: datetime
    reached: int
    told: tuple[Delivery, ...]

    @property
    def read_at(self) -> datetime | None:
        """When the first of those reached read it; none while nobody has."""
        return min((delivery.read_at for delivery in self.told if delivery.read_at is not None), default=None)


@dataclass(frozen=True, slots=True)
class NextStep:
    """Who is told next, and when, if nobody acts before."""

    role: Role
    at: datetime


def in_force(code: str, day: date) -> bool:
    """Whether a version of the ladder holds on ``day``, so that something can climb it. One query."""
    return Ladder.objects.filter(valid_on(day), code=code).exists()


def history(subject: str) -> list[Notice]:
    """Every step taken for a matter, in order, over all its runs. Two queries."""
    notices = (
        LadderNotice.objects.filter(run__subject=subject)
        .select_related("unit")
        .order_by("run_id", "position")
    )
    sent = {(delivery.user_id, delivery.sent_at): delivery for delivery in deliveries(subject)}
    return [
        Notice(
            run=notice.run_id,
            position=notice.position,
            role=Role(notice.role),
            unit=notice.unit,
            at=notice.at,
            reached=notice.reached,
            told=tuple(sent[user_id, notice.at] for user_id in notice.told if (user_id, notice.at) in sent),
        )
        for notice in notices
    ]


def next_step(subject: str) -> NextStep | None:
    """The step that a climbing matter takes next; none when nothing climbs or nobody is left to be told."""
    run = LadderRun.objects.filter(subject=subject, next_at__isnull=False).order_by("next_at").first()
    if run is None or run.next_at is None:
        return None
    step = LadderStep.objects.get(ladder=run.ladder_id, position=run.next_position)
    return NextStep(Role(step.role), run.next_at)
