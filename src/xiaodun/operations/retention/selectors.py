"""Reads of rules, holds and reports, for those who answer for a district's data."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import get_language

from xiaodun.accounts.policies import Scope, keeps
from xiaodun.kit import clock
from xiaodun.operations.choices import RunKind, RunState
from xiaodun.operations.models import LegalHold, Run
from xiaodun.operations.retention.rules import Rule, rules_on
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import within

_REPORTS = 31


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule in the reader's words. ``before``: rows of days before this one are gone."""

    name: str | Promise
    rule: Rule
    then: str
    before: date


@dataclass(frozen=True, slots=True)
class RetentionPage:
    """What is kept for how long, what is held, and what was deleted."""

    lines: list[RuleLine]
    holds: list[LegalHold]
    reports: list[Run]


def units_held_by(scope: Scope) -> QuerySet[Unit]:
    """The districts and institutions for which the reader may ask for a hold."""
    found = Q(pk__in=())
    for path in keeps(scope):
        found |= within("path", path)
    kinds = [UnitKind.DISTRICT, UnitKind.INSTITUTION]
    units: QuerySet[Unit] = Unit.objects.filter(found, kind__in=kinds).order_by("path")
    return units


def holds_on(day: date) -> list[LegalHold]:
    """The holds in force: confirmed, not lifted, not past their end."""
    return list(
        LegalHold.objects.filter(confirmed_at__isnull=False, lifted_at__isnull=True, until__gte=day)
        .select_related("unit")
        .order_by("pk")
    )


def hold_visible_to(scope: Scope, hold_id: int) -> LegalHold:
    """Raises ``Http404`` for a foreign hold exactly as for an unknown one."""
    hold = LegalHold.objects.filter(pk=hold_id, unit__in=units_held_by(scope)).select_related("unit").first()
    if hold is None:
        raise Http404
    return hold


def report_visible_to(scope: Scope, run_id: int) -> Run:
    """A finished report; raises ``Http404``."""
    run = Run.objects.filter(pk=run_id, kind=RunKind.RETENTION, state=RunState.DONE).first()
    if run is None or not keeps(scope):
        raise Http404
    return run


def retention_page(scope: Scope, *, at: datetime) -> RetentionPage:
    """Rules of the day, holds within the reader's districts, the reports of a month."""
    is_english = (get_language() or "").startswith("en")
    return RetentionPage(
        lines=[
            RuleLine(kind.name, rule, rule.then_en if is_english else rule.then, before)
            for kind, rule, before in rules_on(clock.local_day(at))
        ],
        holds=list(
            LegalHold.objects.filter(unit__in=units_held_by(scope), lifted_at__isnull=True)
            .filter(until__gte=clock.local_day(at))
            .select_related("unit", "asked_by", "confirmed_by")
            .order_by("-pk")
        ),
        reports=list(
            Run.objects.filter(kind=RunKind.RETENTION, state=RunState.DONE).order_by("-pk")[:_REPORTS]
        ),
    )
