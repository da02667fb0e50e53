"""The audit log as its readers may see it: newest first, by key, narrowed by what stands in the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.desks.selectors.keys import key_in
from xiaodun.kit import clock
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import within
from xiaodun.people.models import Person
from xiaodun.people.policies import mask_name
from xiaodun.people.selectors import groups_of

PAGE = 50
# Rows looked at for one page of a person's log; the next page goes on from there.
LOOKED_AT = 5_000
FILTERS = ("actor", "action", "day", "unit", "person")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One row of the log, with the links that narrow the list to its like."""

    at: datetime
    actor: str
    actor_url: str
    action: str
    action_url: str
    unit: str
    unit_url: str
    about: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page. ``chosen``: the filters in force in words, each with the link that drops it."""

    title: str
    lines: list[LogLine]
    chosen: list[tuple[str, str]]
    day: date | None
    kept: list[tuple[str, str]]
    next_url: str
    first_url: str


def audit_page(scope: Scope, query: Mapping[str, str], *, at: datetime) -> LogPage:
    """The log of the reader's units under the filters of the address.

    Raises:
        Http404: when a filter names a unit or person out of reach, exactly as for an unknown one.
    """
    chosen = {name: query[name] for name in FILTERS if query.get(name)}
    rows = _visible_to(scope)
    words: list[tuple[str, str]] = []
    day = None
    if "actor" in chosen:
        user = User.objects.filter(pk=_key(chosen["actor"])).first()
        if user is None:
            raise Http404
        rows = rows.filter(actor_id=user.pk, actor=f"user:{user.pk}")
        words.append((_("by %(name)s") % {"name": user.name}, _url(chosen, without="actor")))
    if "action" in chosen:
        rows = rows.filter(action=chosen["action"][:64])
        words.append((chosen["action"], _url(chosen, without="action")))
    if "unit" in chosen:
        unit = Unit.objects.filter(scope.q(Right.READ_AUDIT), pk=_key(chosen["unit"])).first()
        if unit is None:
            raise Http404
        rows = rows.filter(within("unit_path", unit.path))
        words.append((unit.label, _url(chosen, without="unit")))
    if "day" in chosen:
        day = _day(chosen["day"])
        rows = rows.filter(at__range=clock.local_span(day))
    person = None
    if "person" in chosen:
        person = person_in_reach(scope, Q(pk=_key(chosen["person"])), at=at)
        words.append((_("about %(name)s") % {"name": mask_name(person.name)}, _url(chosen, without="person")))
    before = key_in(query.get("before", ""))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    shown, next_key = _page_of(rows, person)
    return LogPage(
        title=_("Audit log"),
        lines=_lines(shown, chosen),
        chosen=words,
        day=day,
        kept=[(name, value) for name, value in chosen.items() if name != "day"],
        next_url=_url(chosen | {"before": str(next_key)}) if next_key else "",
        first_url=_url(chosen) if before is not None else "",
    )


def person_in_reach(scope: Scope, which: Q, *, at: datetime) -> Person:
    """The person whose group today lies within the reader's part of the log; else ``Http404``."""
    person = Person.objects.filter(which).first()
    groups = groups_of([person.pk], clock.local_day(at))[person.pk] if person else []
    if person is None or not any(scope.may(Right.READ_AUDIT, group) for group in groups):
        raise Http404
    return person


def _visible_to(scope: Scope) -> QuerySet[AuditEntry]:
    """Rows of the reader's units; what belongs to no unit (sign-ins, accounts) is the district's to read."""
    found = Q(pk__in=())
    for path in scope.paths(Right.READ_AUDIT):
        found |= within("unit_path", path)
    if any(grant.unit_kind == UnitKind.DISTRICT for grant in scope.grants_for(Right.READ_AUDIT)):
        found |= Q(unit_path="")
    return AuditEntry.objects.filter(found).order_by("-pk")


def _page_of(rows: QuerySet[AuditEntry], person: Person | None) -> tuple[list[AuditEntry], int | None]:
    """One page and the key from which the next one goes on."""
    if person is None:
        found = list(rows[: PAGE + 1])
        return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None
    # Ids of persons stand inside of a row's facts, which no index of both databases reads.
    shown: list[AuditEntry] = []
    last = None
    for looked_at, row in enumerate(rows[:LOOKED_AT].iterator(chunk_size=500), start=1):
        last = row.pk
        if _is_about(row, person):
            shown.append(row)
        if len(shown) == PAGE or looked_at == LOOKED_AT:
            return shown, last
    return shown, None


def _is_about(row: AuditEntry, person: Person) -> bool:
    if (row.object_type, row.object_id) == (Person._meta.label_lower, str(person.pk)):
        return True
    return person.pk in row.facts.get("persons", ()) or str(person.pk) in row.sealed


def _lines(rows: list[AuditEntry], chosen: dict[str, str]) -> list[LogLine]:
    users = User.objects.in_bulk({row.actor_id for row in rows if row.actor.startswith("user:")})
    units = {unit.path: unit for unit in Unit.objects.filter(path__in={row.unit_path for row in rows})}
    lines = []
    for row in rows:
        user = users.get(row.actor_id) if row.actor_id and row.actor.startswith("user:") else None
        unit = units.get(row.unit_path)
        lines.append(
            LogLine(
                at=row.at,
                actor=user.name if user else row.actor,
                actor_url=_url(chosen | {"actor": str(user.pk)}) if user else "",
                action=row.action,
                action_url=_url(chosen | {"action": row.action}),
                unit=unit.label if unit else "",
                unit_url=_url(chosen | {"unit": str(unit.pk)}) if unit else "",
                about=f"{row.object_type} {row.object_id}",
                facts=[(name, _short(value)) for name, value in row.facts.items()],
            )
        )
    return lines


def _short(value: Any) -> str:
    """A fact in a line; a long list of ids by its number."""
    if isinstance(value, list) and len(value) > 5:
        return _("%(count)d of them") % {"count": len(value)}
    text = ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _key(text: str) -> int:
    key = key_in(text)
    if key is None:
        raise Http404
    return key


def _day(text: str) -> date:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year < 2100:
        raise Http404
    return day


def _url(query: Mapping[str, str], *, without: str = "") -> str:
    kept = {name: value for name, value in query.items() if name != without}
    return reverse("desks:audit_log") + (f"?{urlencode(kept)}" if kept else "")
