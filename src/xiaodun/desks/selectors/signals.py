"""Signals: the list and one signal with all that a decision needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.desks.selectors.keys import key_in
from xiaodun.desks.selectors.live import news
from xiaodun.desks.selectors.reveals import openable_among
from xiaodun.desks.services import log_read
from xiaodun.kit import clock
from xiaodun.kit.templatetags.kit import local_date, near_time
from xiaodun.ladders.selectors import NextStep, Notice
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import ancestors_of, institution_of
from xiaodun.people.selectors import head_counts
from xiaodun.screening.choices import Symptom
from xiaodun.surveillance.choices import Channel, Recipient, SymptomGroup
from xiaodun.surveillance.models import Rule, Signal, SignalEvent, SignalReport
from xiaodun.surveillance.selectors import (
    OWES_REPORT,
    WAITING,
    CaseRow,
    cases_of,
    events_of,
    may_decide,
    may_report,
    newest_event,
    next_told_about,
    person_counts,
    persons_untold,
    recipients_left,
    reports_of,
    siblings_of,
    signals_visible_to,
    told_about,
)

STATE_TAGS = {
    Signal.State.OPEN: "now",
    Signal.State.ACKNOWLEDGED: "due",
    Signal.State.CONFIRMED: "done",
    Signal.State.RULED_OUT: "na",
    Signal.State.WITHDRAWN: "na",
}
# Past signals on one page of the list.
PAGE = 50
# Filters of the list: address value -> which signals.
FILTERS = {
    "": Q(state__in=WAITING),
    "report": OWES_REPORT,
    "confirmed": Q(state=Signal.State.CONFIRMED),
    "ruled_out": Q(state=Signal.State.RULED_OUT),
    "withdrawn": Q(state=Signal.State.WITHDRAWN),
}
# Filters whose signals wait for somebody: shown all, the earliest deadline first.
WORK = {"", "report"}
_EVENT_ICONS = {
    SignalEvent.Kind.RAISED: "bell-ringing",
    SignalEvent.Kind.REALARMED: "bell-ringing",
    SignalEvent.Kind.OTHERS: "bell-ringing",
    SignalEvent.Kind.GREW: "trending-up",
}
# The lines of a history with which a signal waits again after somebody had seen to it.
_ALARMED_AGAIN = {SignalEvent.Kind.REALARMED, SignalEvent.Kind.OTHERS, SignalEvent.Kind.JOINED}


def symptom_words(signal: Signal) -> str:
    """The symptom group of a signal in words."""
    return str(SymptomGroup(signal.symptom_group).label)


def unit_words(unit: Unit, chain: Sequence[Unit]) -> str:
    """A group with the institution that it belongs to; ``chain`` are its ancestors from the root."""
    institutions = [ancestor for ancestor in chain if ancestor.kind == "institution"]
    return f"{institutions[0].label} {unit.label}" if institutions else unit.label


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A signal in a list or as a decision: what, where, since when, how long is left."""

    signal: Signal
    where: str
    title: str
    text: str
    tag: str
    url: str

    @property
    def deadline(self) -> datetime | None:
        """When its report is due, while it may be owed."""
        return self.signal.deadline_at if self.signal.clock_runs else None

    def is_late(self, at: datetime) -> bool:
        """Whether the report that may be owed should have been made by now."""
        return self.deadline is not None and self.deadline <= at


@dataclass(frozen=True, slots=True)
class SignalListPage:
    """The list with its filters; ``rows`` are those of the chosen filter."""

    title: str
    rows: list[SignalRow]
    filters: list[dict[str, object]]
    is_work: bool
    chosen: str
    next_url: str
    overdue: int

    @property
    def is_live(self) -> bool:
        """Whether the page refreshes itself: what is past stands still."""
        return self.is_work

    @property
    def news(self) -> str:
        """What a refresh says aloud."""
        return news(signals=len(self.rows), overdue=self.overdue)


def as_rows(signals: Sequence[Signal], scope: Scope) -> list[SignalRow]:
    """Signals as rows. Who works in one institution is not told its name at every line.

    At most two queries.
    """
    # Only over several windows may more persons fall ill than any one window counts.
    persons = person_counts([signal for signal in signals if len(signal.windows) > 1])
    chains = ancestors_of([signal.unit for signal in signals]) if sees_several_institutions(scope) else {}
    rows = []
    for signal in signals:
        where = unit_words(signal.unit, chains.get(signal.unit_id, []))
        cases = cases_words(signal, persons.get(signal.pk, signal.peak_count))
        rows.append(
            SignalRow(
                signal=signal,
                where=where,
                title=f"{where} · {symptom_words(signal)} · {cases}",
                text=f"{signal.rule.label} · {span_words(signal.first_start, signal.last_end)}",
                tag=STATE_TAGS[Signal.State(signal.state)],
                url=reverse("desks:signal", args=[signal.pk]),
            )
        )
    return rows


def sees_several_institutions(scope: Scope) -> bool:
    """Whether the reader's units lie in more than one institution."""
    depth = 2 * Unit.steplen  # the root is a district, its children are institutions
    institutions = {grant.unit_path[:depth] for grant in scope.grants}
    return len(institutions) > 1 or any(len(path) < depth for path in institutions)


def case_words(count: int) -> str:
    """A number of cases in words."""
    return ngettext("%(count)d case", "%(count)d cases", count) % {"count": count}


def cases_words(signal: Signal, persons: int) -> str:
    """How many fell ill: within the days that the rule looks at, and in all where that is more."""
    if persons <= signal.peak_count:
        return case_words(signal.peak_count)
    return _("%(peak)s, %(persons)d persons in all") % {"peak": peak_words(signal), "persons": persons}


def peak_words(signal: Signal) -> str:
    """The highest count of any window of the rule, in words."""
    days = signal.rule.window_days
    return ngettext("at most %(peak)d on one day", "at most %(peak)d within %(days)d days", days) % {
        "peak": signal.peak_count,
        "days": days,
    }


def span_words(start: date, end: date) -> str:
    """Days of onset in words."""
    if start == end:
        return _("onset %(day)s") % {"day": local_date(start)}
    return _("onset %(start)s to %(end)s") % {"start": local_date(start), "end": local_date(end)}


def signal_list(scope: Scope, *, chosen: str, before: str, at: datetime) -> SignalListPage:
    """The signals of the reader's units under one filter; an unknown filter means the waiting ones.

    Those that wait for somebody are shown all, the earliest deadline first; past ones by pages, the latest
    first, ``before`` being the id of the last one seen.
    """
    chosen = chosen if chosen in FILTERS else ""
    mine = signals_visible_to(scope)
    counts = mine.order_by().aggregate(
        **{f"under_{value}": Count("pk", filter=wanted) for value, wanted in FILTERS.items()}
    )
    found = mine.filter(FILTERS[chosen])
    base = reverse("desks:signals")
    next_url = ""
    if chosen not in WORK:
        found = found.order_by("-pk")
        if (key := key_in(before)) is not None:
            found = found.filter(pk__lt=key)
        shown = list(found[: PAGE + 1])
        if len(shown) > PAGE:
            shown = shown[:PAGE]
            next_url = f"{base}?state={chosen}&before={shown[-1].pk}"
    else:
        shown = list(found)
    labels = {
        "": _("Waiting"),
        "report": _("To be reported"),
        "confirmed": Signal.State.CONFIRMED.label,
        "ruled_out": Signal.State.RULED_OUT.label,
        "withdrawn": _("Withdrawn"),
    }
    filters: list[dict[str, object]] = [
        {
            "label": labels[value],
            "url": f"{base}?state={value}" if value else base,
            "active": value == chosen,
            "count": counts[f"under_{value}"],
        }
        for value in FILTERS
    ]
    rows = as_rows(shown, scope)
    return SignalListPage(
        title=_("Signals"),
        rows=rows,
        filters=filters,
        is_work=chosen in WORK,
        chosen=chosen,
        next_url=next_url,
        overdue=sum(row.is_late(at) for row in rows) if chosen in WORK else 0,
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """One calendar day of the onset curve; ``share`` is its height in percent of the tallest."""

    day: date
    count: int
    share: int
    in_window: bool


@dataclass(frozen=True, slots=True)
class Why:
    """A rule with what it counted: its window, its threshold and its value, and whether it alarmed."""

    signal: Signal
    rule: Rule
    name: str
    window: str
    threshold: int
    value: int
    is_this: bool


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One counted person as this reader may see them, symptoms in words."""

    number: str
    name: str
    onset: date
    symptoms: str
    reveal_url: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """What happened to a signal: raised, decided, reported."""

    at: datetime
    title: str
    text: str
    icon: str


@dataclass(frozen=True, slots=True)
class SignalPage:
    """Everything on one signal."""

    title: str
    signal: Signal
    seen: int
    where: str
    symptoms: str
    cases_words: str
    peak_words: str
    tag: str
    persons: int
    names_gone: bool
    head_count: int
    attack_rate: str
    first_onset: date
    days_since_first: int
    unknown: int
    why: list[Why]
    cases: list[CaseLine]
    is_masked: bool
    is_own_school: bool
    may_open: bool
    curve: list[Bar]
    history: list[HistoryLine]
    alarmed_again_at: datetime | None
    siblings: list[Signal]
    still_to_tell: list[Recipient]
    unreported: int
    told: list[Notice]
    next_told: NextStep | None
    report_hours: int
    may_acknowledge: bool
    may_decide: bool
    may_report: bool
    is_waiting: bool
    institution_url: str
    crumbs: list[dict[str, str]]


def signal_page(signal: Signal, scope: Scope, *, by: User, at: datetime) -> SignalPage:
    """One signal: why it alarmed, who is counted, the curve, who was told, and what the reader may do.

    A look at children in full is logged.
    """
    unit = signal.unit
    # Before the cases: what is shown is then at least as new as the line of which it is posted.
    seen_line = newest_event(signal)
    cases = cases_of(signal, scope)
    seen = [case.person_id for case in cases] if scope.may(Right.SEE_CHILDREN, unit) else []
    log_read(by=by, page="signal", unit=unit, person_ids=seen, at=at)
    openable = openable_among(
        scope, [case.person_id for case in cases], signal.state in WAITING, clock.local_day(at)
    )
    size = sum(head_counts(Q(pk=unit.pk), signal.last_end).values())
    institution = institution_of(unit)
    chain = ancestors_of([unit])[unit.pk]
    related = [
        other
        for other in signals_visible_to(scope).filter(
            unit=unit,
            symptom_group=signal.symptom_group,
            # Of this outbreak: their days overlap or touch this one's.
            first_start__lte=signal.last_end + timedelta(days=1),
            last_end__gte=signal.first_start - timedelta(days=1),
        )
        if other.state != Signal.State.WITHDRAWN or other.pk == signal.pk
    ]
    where = unit_words(unit, chain)
    # Not from the rows: masked names of different children may be alike.
    named = person_counts([signal]).get(signal.pk, 0)
    # A living signal names at least as many as its highest window counts, until their time is over.
    names_gone = signal.state != Signal.State.WITHDRAWN and named < signal.peak_count
    persons = signal.peak_count if names_gone else named
    events, reports = events_of(signal), reports_of(signal)
    decides, reports_it = may_decide(scope, signal), may_report(scope, signal)
    return SignalPage(
        title=f"{where} · {symptom_words(signal)}",
        signal=signal,
        seen=seen_line,
        where=where,
        symptoms=symptom_words(signal),
        cases_words=cases_words(signal, persons),
        peak_words=peak_words(signal) if persons > signal.peak_count else "",
        persons=persons,
        names_gone=names_gone,
        tag=STATE_TAGS[Signal.State(signal.state)],
        head_count=size,
        attack_rate=f"{100 * persons / size:.1f}%" if size and not names_gone else "",
        first_onset=min((case.onset for case in cases), default=signal.first_start),
        days_since_first=(signal.last_end - signal.first_start).days + 1,
        unknown=sum(case.is_unknown for case in cases),
        why=[_why(other, signal) for other in related],
        cases=[_line(case, case.person_id in openable) for case in cases],
        is_masked=not scope.may(Right.SEE_CHILDREN, unit),
        is_own_school=not sees_several_institutions(scope),
        may_open=bool(openable),
        curve=_curve(signal, [case.onset for case in cases], today=clock.local_day(at)),
        history=_history(events, reports),
        alarmed_again_at=max((event.at for event in events if event.kind in _ALARMED_AGAIN), default=None),
        siblings=siblings_of(scope, signal) if decides or reports_it else [],
        still_to_tell=recipients_left(signal) if signal.owes_report else [],
        unreported=persons_untold(signal, persons) if signal.reported_at is not None else 0,
        told=told_about(signal),
        next_told=next_told_about(signal),
        report_hours=signal.rule.report_within_minutes // 60,
        may_acknowledge=signal.state == Signal.State.OPEN,
        may_decide=decides,
        may_report=reports_it and signal.state == Signal.State.CONFIRMED,
        is_waiting=signal.state in WAITING,
        institution_url=reverse("desks:institution", args=[institution.pk])
        if institution is not None
        and (scope.may(Right.SEE_COUNTS, institution) or scope.may(Right.SEE_CHILDREN, institution))
        else "",
        crumbs=[{"label": _("Signals"), "url": reverse("desks:signals")}],
    )


def _history(events: Sequence[SignalEvent], reports: Sequence[SignalReport]) -> list[HistoryLine]:
    lines = [
        HistoryLine(
            at=event.at,
            title=str(SignalEvent.Kind(event.kind).label),
            text=_joined(case_words(event.count), event.by.name if event.by else "", event.note),
            icon=_EVENT_ICONS.get(SignalEvent.Kind(event.kind), "user-check" if event.by else "history"),
        )
        for event in events
    ]
    lines += [
        HistoryLine(
            at=report.at,
            title=_("reported: %(to_whom)s") % {"to_whom": Recipient(report.to_whom).label},
            text=_joined(
                f"{near_time(report.reported_at, report.at)} {Channel(report.how).label}",
                case_words(report.count),
                report.reference,
                _("recorded by %(name)s") % {"name": report.by.name},
            ),
            icon="phone",
        )
        for report in reports
    ]
    return sorted(lines, key=lambda line: line.at)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _line(case: CaseRow, may_open: bool) -> CaseLine:
    words = _(", ").join(str(Symptom(code).label) for code in case.symptoms)
    url = reverse("desks:reveal", args=[case.person_id]) if may_open else ""
    return CaseLine(case.number, case.name, case.onset, words or _("symptoms not recorded"), url)


def _why(other: Signal, this: Signal) -> Why:
    best = max(other.windows, key=lambda window: (window["count"], window["end"]))
    start, end = date.fromisoformat(best["start"]), date.fromisoformat(best["end"])
    return Why(
        signal=other,
        rule=other.rule,
        name=other.rule.label,
        window=local_date(start) if start == end else f"{local_date(start)} – {local_date(end)}",
        threshold=other.rule.min_cases,
        value=best["count"],
        is_this=other.pk == this.pk,
    )


def _curve(signal: Signal, onsets: list[date], *, today: date) -> list[Bar]:
    """Onsets by calendar day, weekends included, from two days before the first window to one after the last.

    A day that has not come is not shown: its nought would say that nobody fell ill.
    """
    start = signal.first_start - timedelta(days=2)
    end = max(signal.last_end, min(signal.last_end + timedelta(days=1), today))
    counts = {start + timedelta(days=n): 0 for n in range((end - start).days + 1)}
    for onset in onsets:
        if onset in counts:
            counts[onset] += 1
    tallest = max(counts.values(), default=0) or 1
    spans = [(date.fromisoformat(w["start"]), date.fromisoformat(w["end"])) for w in signal.windows]
    return [
        Bar(
            day=day,
            count=count,
            share=round(100 * count / tallest),
            in_window=any(start <= day <= end for start, end in spans),
        )
        for day, count in counts.items()
    ]
