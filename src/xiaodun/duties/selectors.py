"""Reads of duties: what is owed, what became of it, and the share that was met.

Everything here is judged from rows at reading time; nothing is stored as "late". The number of queries
depends neither on the number of groups nor on the number of days.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from django.db.models import Q, QuerySet

from xiaodun.accounts.choices import Right
from xiaodun.accounts.policies import Scope
from xiaodun.duties.models import Chase, Duty, Evidence, Excuse, Tightening
from xiaodun.engine.calendar import DayKind, SchoolCalendar
from xiaodun.engine.compliance import Judgement, NotOwed, Score, Value, judge, score
from xiaodun.figures.registry import Asked
from xiaodun.kit import clock
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import (
    institutions_of,
    paths_upwards,
    school_calendars,
    under,
    valid_on,
)
from xiaodun.people.models import Enrolment

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """One duty of one group on one day, as known at the moment asked about.

    ``day_kind``: what the group's calendar says of the day; with ``UNCONFIRMED_YEAR`` nothing is owed because
    nobody can say. ``deadline`` and ``remind_at`` have the group's own tightening in them. ``chased``: what
    the system has asked, in order.
    """

    duty: Duty
    unit: Unit
    institution: Unit
    day: date
    day_kind: DayKind
    not_owed: NotOwed | None
    deadline: datetime
    remind_at: datetime
    evidence: Evidence | None
    excuse: Excuse | None
    chased: tuple[Chase, ...]
    judgement: Judgement

    @property
    def value(self) -> Value:
        """Done, late, missing, not applicable, excused, or not yet due."""
        return self.judgement.value

    @property
    def sent_late(self) -> bool:
        """Done in time, but the phone could send it only after the deadline."""
        return self.judgement.sent_late

    @property
    def is_owed(self) -> bool:
        """Whether it counts: neither not applicable nor excused."""
        return self.value not in {Value.NOT_APPLICABLE, Value.EXCUSED}

    @property
    def proved_at(self) -> datetime | None:
        """The moment that counts: the tap if the device's clock is trusted, else the arrival; none so far."""
        if self.evidence is None:
            return None
        offset = _offset(self.evidence)
        trusted = offset is not None and abs(offset) < _tolerance(self.duty)
        return self.evidence.tapped_at if trusted else self.evidence.received_at

    def late_by(self, at: datetime) -> timedelta | None:
        """How long after the deadline it came, or has been missing at ``at``; none unless late or missing."""
        if self.value == Value.LATE and self.proved_at is not None:
            return self.proved_at - self.deadline
        return at - self.deadline if self.value == Value.MISSING else None


def obligations(units: Iterable[Unit], day: date, at: datetime) -> list[Obligation]:
    """What the groups at and below ``units`` owe on ``day`` as known at ``at``, in tree order.

    Groups that owe nothing that day are there with the reason; groups without any duty are not. Eleven
    queries for one group as for a whole district.
    """
    return list(_obligations(_groups_of(units), day, day, at))


def obligations_of(asked: Asked, day: date, at: datetime) -> list[Obligation]:
    """As :func:`obligations` for the units of a page, read once for its lists and all of its figures."""
    return asked.once(("duties.obligations", day), lambda units: obligations(units, day, at))


def obligation_of(group: Unit, duty_code: str, day: date, *, at: datetime) -> Obligation | None:
    """One duty of one group; none where the playbook does not ask it of such a group."""
    return next((each for each in obligations([group], day, at) if each.duty.code == duty_code), None)


def all_obligations(day: date, at: datetime) -> list[Obligation]:
    """As :func:`obligations` for every group there is, drills included: what the chaser goes through."""
    return list(_obligations(Q(), day, day, at))


def first_reminder(day: date) -> datetime | None:
    """The earliest moment at which anybody may be reminded on ``day``; none when the playbook asks nothing.

    Two queries, so that a tick outside of the hours of duty costs no more.
    """
    duties = list(_in_force(day))
    tightened: dict[str, time] = {}
    for code, deadline in Tightening.objects.filter(valid_on(day)).values_list("duty_code", "deadline"):
        tightened[code] = min(deadline, tightened.get(code, deadline))
    return min(
        (
            clock.local_moment(day, min(duty.deadline, tightened.get(duty.code, duty.deadline)))
            - _notice(duty, day)
            for duty in duties
        ),
        default=None,
    )


@dataclass(frozen=True)
class DutyDay:
    """The duties of one reader's units on one day, by what became of them."""

    all: Sequence[Obligation]

    def _with(self, *values: Value) -> list[Obligation]:
        return [each for each in self.all if each.value in values]

    @cached_property
    def overdue(self) -> list[Obligation]:
        """Missing after the deadline, the longest overdue first."""
        return sorted(self._with(Value.MISSING), key=lambda each: (each.deadline, each.unit.path))

    @cached_property
    def due(self) -> list[Obligation]:
        """Not in yet and not yet due, the earliest deadline first."""
        return sorted(self._with(Value.DUE), key=lambda each: (each.deadline, each.unit.path))

    @cached_property
    def done(self) -> list[Obligation]:
        """In, in time or late, the latest first."""
        return sorted(
            self._with(Value.DONE, Value.LATE),
            key=lambda each: (each.proved_at or each.deadline, each.unit.path),
            reverse=True,
        )


def duties_of(scope: Scope, day: date, at: datetime) -> DutyDay:
    """The duties of every group on which the reader submits, sees children or sees counts."""
    groups = (
        scope.q(Right.SUBMIT_CHECK) | scope.q(Right.SEE_CHILDREN) | scope.q(Right.SEE_COUNTS)
        if scope.grants
        else Q(pk__in=())
    )
    return DutyDay(list(_obligations(groups, day, day, at)))


@dataclass(frozen=True, slots=True)
class Compliance:
    """What became of the duties of a period. One score for each duty and weight of a late fulfilment."""

    scores: Mapping[tuple[str, Decimal], Score]

    def _sum(self, name: str) -> int:
        return sum(getattr(each, name) for each in self.scores.values())

    @property
    def done(self) -> int:
        return self._sum("done")

    @property
    def sent_late(self) -> int:
        return self._sum("sent_late")

    @property
    def late(self) -> int:
        return self._sum("late")

    @property
    def missing(self) -> int:
        return self._sum("missing")

    @property
    def not_applicable(self) -> int:
        return self._sum("not_applicable")

    @property
    def excused(self) -> int:
        return self._sum("excused")

    @property
    def owed(self) -> int:
        """The denominator: what is not applicable, excused or not yet due is not in it."""
        return self._sum("owed")

    @property
    def rate(self) -> float | None:
        """The share met, 0 to 1, late ones by their weight; none when nothing was owed, which is not a zero.

        Rounded once, so that equal shares rank equal.
        """
        if not self.owed:
            return None
        met = sum(each.done + Fraction(each.late_weight) * each.late for each in self.scores.values())
        return float(Fraction(met) / self.owed)


def compliance(unit: Unit, start: date, end: date, at: datetime) -> Compliance:
    """The compliance of a group or of all groups below a unit from ``start`` to ``end``, both included."""
    return compliances([unit], start, end, at)[unit.pk]


def compliances(units: Iterable[Unit], start: date, end: date, at: datetime) -> dict[int, Compliance]:
    """As :func:`compliance` for many units by their ids, none within another, in as many queries."""
    asked = list(units)
    by_path = {unit.path: unit.pk for unit in asked}
    judged: dict[int, dict[tuple[str, Decimal], list[Judgement]]] = {unit.pk: {} for unit in asked}
    for each in _obligations(_groups_of(asked), start, end, at):
        pk = next(by_path[path] for path in paths_upwards(each.unit.path) if path in by_path)
        judged[pk].setdefault((each.duty.code, each.duty.late_weight), []).append(each.judgement)
    return {
        pk: Compliance({key: score(found, late_weight=key[1]) for key, found in parts.items()})
        for pk, parts in judged.items()
    }


# --- loading ---


def _in_force(day: date) -> QuerySet[Duty]:
    return Duty.objects.filter(valid_on(day)).order_by("code", "variant", "version")


def _groups_of(units: Iterable[Unit]) -> Q:
    asked = list(units)
    # Groups by id: as ranges they would make a condition as deep as they are many.
    groups = Q(pk__in=[unit.pk for unit in asked if unit.kind == UnitKind.GROUP])
    for unit in asked:
        if unit.kind != UnitKind.GROUP:
            groups |= under(unit.path)
    return groups


def _obligations(groups_q: Q, start: date, end: date, at: datetime) -> Iterator[Obligation]:
    duties = list(
        Duty.objects.filter(valid_from__lte=end)
        .filter(Q(valid_to__isnull=True) | Q(valid_to__gte=start))
        .order_by("code", "variant", "version")
    )
    groups_set = Unit.objects.filter(groups_q, kind=UnitKind.GROUP).filter(
        Q(last_day__isnull=True) | Q(last_day__gte=start)
    )
    groups = list(groups_set.order_by("path")) if duties else []
    if not groups:
        return
    codes = {duty.code for duty in duties}
    institutions = institutions_of(groups)
    calendars = school_calendars(groups)
    facts = _Facts(groups_set, codes, start, end, at)
    for offset in range((end - start).days + 1):
        day = start + offset * _DAY
        for group in groups:
            institution = institutions[group.pk]
            if institution is None or (group.last_day is not None and group.last_day < day):
                continue
            for duty in duties:
                if _asks(duty, group, institution, day):
                    yield _judged(duty, group, institution, day, calendars[group.pk], facts, at)


def _asks(duty: Duty, group: Unit, institution: Unit, day: date) -> bool:
    return (
        group.group_kind in duty.group_kinds
        and institution.institution_kind in duty.institution_kinds
        and duty.valid_from <= day
        and (duty.valid_to is None or day <= duty.valid_to)
    )


class _Facts:
    """The rows of a period by group and day, read once."""

    def __init__(self, groups: QuerySet[Unit], codes: set[str], start: date, end: date, at: datetime) -> None:
        span = (start, end)
        self.occupied: dict[int, list[tuple[date, date | None]]] = defaultdict(list)
        stays = (
            Enrolment.objects.filter(group__in=groups, valid_from__lte=end)
            .filter(Q(valid_to__isnull=True) | Q(valid_to__gte=start))
            .order_by()
        )
        for pk, since, until in stays.values_list("group_id", "valid_from", "valid_to").distinct():
            self.occupied[pk].append((since, until))
        self.evidence = {
            (each.duty_code, each.unit_id, each.day): each
            for each in Evidence.objects.filter(
                unit__in=groups, duty_code__in=codes, day__range=span, received_at__lte=at
            )
        }
        self.chases: dict[tuple[str, int, date], list[Chase]] = defaultdict(list)
        for chase in Chase.objects.filter(unit__in=groups, duty_code__in=codes, day__range=span).order_by(
            "at", "pk"
        ):
            self.chases[chase.duty_code, chase.unit_id, chase.day].append(chase)
        self.excuses = {
            (each.duty_code, each.unit.path, each.day): each
            for each in Excuse.objects.filter(
                duty_code__in=codes, day__range=span, decided_at__lte=at
            ).select_related("unit", "decided_by")
        }
        self.tightenings: dict[tuple[str, str], list[Tightening]] = defaultdict(list)
        for tightening in (
            Tightening.objects.filter(duty_code__in=codes, valid_from__lte=end)
            .filter(Q(valid_to__isnull=True) | Q(valid_to__gte=start))
            .select_related("unit")
        ):
            self.tightenings[tightening.duty_code, tightening.unit.path].append(tightening)

    def has_pupils(self, group: Unit, day: date) -> bool:
        return any(
            since <= day and (until is None or day <= until) for since, until in self.occupied[group.pk]
        )

    def excuse(self, code: str, unit: Unit, day: date) -> Excuse | None:
        if not self.excuses:  # most days; spares the way up the tree
            return None
        return next(
            (
                self.excuses[code, path, day]
                for path in paths_upwards(unit.path)
                if (code, path, day) in self.excuses
            ),
            None,
        )

    def deadline(self, duty: Duty, unit: Unit, day: date) -> time:
        if not self.tightenings:
            return duty.deadline
        return min(
            [
                duty.deadline,
                *(
                    each.deadline
                    for path in paths_upwards(unit.path)
                    for each in self.tightenings.get((duty.code, path), ())
                    if each.valid_from <= day and (each.valid_to is None or day <= each.valid_to)
                ),
            ]
        )


def _judged(
    duty: Duty,
    group: Unit,
    institution: Unit,
    day: date,
    calendar: SchoolCalendar,
    facts: _Facts,
    at: datetime,
) -> Obligation:
    key = (duty.code, group.pk, day)
    deadline = clock.local_moment(day, facts.deadline(duty, group, day))
    evidence, excuse = facts.evidence.get(key), facts.excuse(duty.code, group, day)
    day_kind = calendar.day_kind(day)
    not_owed = _not_owed(group, institution, day, day_kind, has_pupils=facts.has_pupils(group, day))
    return Obligation(
        duty=duty,
        unit=group,
        institution=institution,
        day=day,
        day_kind=day_kind,
        not_owed=not_owed,
        deadline=deadline,
        remind_at=deadline - _notice(duty, day),
        evidence=evidence,
        excuse=excuse,
        chased=tuple(facts.chases.get(key, ())),
        judgement=judge(
            not_owed=not_owed,
            excused=excuse is not None,
            deadline=deadline,
            proved_at=evidence.tapped_at if evidence else None,
            received_at=evidence.received_at if evidence else None,
            clock_offset=_offset(evidence) if evidence else None,
            offset_limit=_tolerance(duty),
            now=at,
        ),
    )


def _not_owed(
    group: Unit, institution: Unit, day: date, day_kind: DayKind, *, has_pupils: bool
) -> NotOwed | None:
    for unit in (institution, group):
        if unit.first_day is None or day < unit.first_day:
            return NotOwed.BEFORE_FIRST_DAY
        if unit.last_day is not None and unit.last_day < day:
            return NotOwed.CLOSED
    if day_kind is DayKind.CLOSED_BY_OVERRIDE:
        return NotOwed.CLOSED
    if not day_kind.is_school_day:
        return NotOwed.HOLIDAY
    return None if has_pupils else NotOwed.NO_PUPILS


def _notice(duty: Duty, day: date) -> timedelta:
    """How long before the deadline the reminder comes; a tightened deadline takes its reminder along."""
    return clock.local_moment(day, duty.deadline) - clock.local_moment(day, duty.remind_at)


def _offset(evidence: Evidence) -> timedelta | None:
    return None if evidence.clock_offset_ms is None else timedelta(milliseconds=evidence.clock_offset_ms)


def _tolerance(duty: Duty) -> timedelta:
    return timedelta(minutes=duty.clock_tolerance_minutes)
