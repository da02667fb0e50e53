"""The class page: shell, roster, and what became of a check."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.absence.models import Episode, EpisodeDay
from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.desks.selectors.figures import figure_url
from xiaodun.desks.selectors.files import SeenFile, as_seen, seen_by
from xiaodun.desks.selectors.signals import SignalRow, as_rows
from xiaodun.desks.services import log_read
from xiaodun.duties.selectors import obligation_of, obligations
from xiaodun.engine.calendar import NoSchoolDayError, SchoolCalendar, UnconfirmedYearError
from xiaodun.engine.compliance import Value
from xiaodun.kit import clock
from xiaodun.kit.templatetags.kit import local_date, local_time, weekday
from xiaodun.leave.choices import LeaveKind
from xiaodun.leave.selectors import leaves_on
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import institution_of, school_calendar
from xiaodun.people.selectors import roster
from xiaodun.screening.choices import ILLNESS, CheckKind, FindingStatus, Symptom
from xiaodun.screening.models import CheckSession, Finding
from xiaodun.screening.selectors import finding_history, findings_in_force, session_of
from xiaodun.screening.services import DUTY_OF_KIND
from xiaodun.surveillance.models import Signal
from xiaodun.surveillance.selectors import WAITING, signals_visible_to

SYMPTOM_ICONS = {
    Symptom.FEVER: "temperature",
    Symptom.COUGH: "lungs",
    Symptom.SORE_THROAT: "microphone-2",
    Symptom.HEADACHE: "mood-wrrr",
    Symptom.DIZZINESS: "spiral",
    Symptom.VOMITING: "mood-sick",
    Symptom.DIARRHOEA: "toilet-paper",
    Symptom.ABDOMINAL_PAIN: "body-scan",
    Symptom.RASH: "grain",
    Symptom.FATIGUE: "battery-1",
    Symptom.PAROTID_SWELLING: "mood-sad",
    Symptom.CONJUNCTIVAL_CONGESTION: "eye",
    Symptom.JAUNDICE: "droplet",
    Symptom.OTHER: "dots",
}


# Findings with which a file stays open, or that end it by themselves.
_STAYS = {*ILLNESS, FindingStatus.ABSENT_OTHER}


def check_url(group: Unit, day: date) -> str:
    """Where the check of a group on a day is made; reminders lead there."""
    return f"{reverse('desks:class_check', args=[group.pk])}?day={day.isoformat()}"


@dataclass(frozen=True, slots=True)
class CheckShell:
    """What the class page may show before any name: the group, the day, and where to fetch the rest."""

    title: str
    group: Unit
    kind_label: str
    day: date
    roster_url: str
    submit_url: str


def check_shell(group: Unit, kind: CheckKind, day: date, *, at: datetime) -> CheckShell:
    """The class page without its children."""
    query = "" if day == clock.local_day(at) else f"?day={day.isoformat()}"
    return CheckShell(
        title=f"{group.label} · {kind.label}",
        group=group,
        kind_label=str(kind.label),
        day=day,
        roster_url=reverse("desks:class_roster", args=[group.pk]) + query,
        submit_url=reverse("desks:class_submit", args=[group.pk]),
    )


def check_roster(
    group: Unit, kind: CheckKind, day: date, scope: Scope, *, by: User, at: datetime
) -> dict[str, Any]:
    """Everything that the class page shows, as JSON-ready data; see ``frontend/js/class_check.js``.

    The look at the class is logged.
    """
    rows = roster(group, day)
    ids = [row.person.pk for row in rows]
    log_read(by=by, page="roster", unit=group, person_ids=ids, at=at)
    session = session_of(group, kind, day)
    findings = {f.person_id: f for f in findings_in_force(session)} if session else {}
    files = _files_on(group, ids, day, scope, today=clock.local_day(at))
    leaves = {} if session else leaves_on(ids, day)
    calendar = school_calendar(group)
    obligation = obligation_of(group, DUTY_OF_KIND[kind], day, at=at)
    return {
        "group": {"id": group.pk, "name": group.label},
        "kind": str(kind),
        "kind_label": str(kind.label),
        "day": day.isoformat(),
        "day_label": f"{local_date(day)} {weekday(day, 'short')}",
        "server_now": at.isoformat(),
        "demo_clock": clock.is_shifted(),
        "deadline": obligation.deadline.isoformat() if obligation else None,
        "deadline_label": local_time(obligation.deadline) if obligation else "",
        "session": _session_data(session),
        "school_days_since": _onset_days(day, calendar),
        "pupils": [
            {
                "id": row.person.pk,
                "number": f"{row.number:02d}" if row.number is not None else "",
                "name": row.person.name,
                "initials": row.person.initials,
                "pinyin": row.person.pinyin,
                "preset": _preset(leaves.get(row.person.pk)),
                "finding": _finding_data(findings.get(row.person.pk)),
                "file": _file_data(files.get(row.person.pk), day),
            }
            for row in rows
        ],
        "symptoms": [
            {"code": code, "label": str(label), "icon": SYMPTOM_ICONS[Symptom(code)]}
            for code, label in Symptom.choices
        ],
    }


def _files_on(
    group: Unit, person_ids: list[int], day: date, scope: Scope, *, today: date
) -> dict[int, SeenFile]:
    """The file of each of these persons that ran on ``day``, as far as the reader may see it.

    Whoever has left the group since then is left out: what became of them is no longer the group's to know.
    """
    here = set(person_ids)
    if day != today:
        here &= {row.person.pk for row in roster(group, today)}
    running = (
        Episode.objects.filter(
            Q(back_on__isnull=True) | Q(back_on__gt=day),
            seen_by(scope, today),
            person__in=here,
            first_day__lte=day,
            state__in=[Episode.State.RUNNING, Episode.State.ENDED],
        )
        .order_by("first_day")
        .prefetch_related("days__finding__session__group")
    )
    return {file.episode.person_id: file for file in as_seen(list(running), scope, today)}


def _onset_days(day: date, calendar: SchoolCalendar) -> list[str]:
    """The days that an illness found on ``day`` may have begun without a check noticing, newest first.

    Only ``day`` itself where no school day before it is known.
    """
    try:
        last_school_day = calendar.previous_school_day(day)
    except (NoSchoolDayError, UnconfirmedYearError):
        last_school_day = day
    return [(day - timedelta(days=back)).isoformat() for back in range((day - last_school_day).days + 1)]


def _session_data(session: CheckSession | None) -> dict[str, Any] | None:
    if session is None:
        return None
    return {
        "id": session.pk,
        "version": session.version,
        "at": local_time(session.received_at),
        "by": session.submitted_by.name if session.submitted_by else session.source,
        "submit_url": reverse("desks:check_correct", args=[session.pk]),
    }


def _preset(leave: Any) -> dict[str, str] | None:
    """An announced leave is filled in already; the teacher only confirms by submitting."""
    if leave is None:
        return None
    status = FindingStatus.ABSENT_ILL if leave.kind == LeaveKind.ILLNESS else FindingStatus.ABSENT_OTHER
    return {"status": str(status), "label": str(status.label)}


def _finding_data(finding: Finding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    return {
        "status": finding.status,
        "symptoms": finding.symptoms,
        "onset": finding.onset.isoformat() if finding.onset else None,
    }


def _file_data(file: SeenFile | None, day: date) -> dict[str, Any] | None:
    if file is None:
        return None
    return {
        "since": file.onset.isoformat(),
        "day_n": (day - file.onset).days + 1,
        "symptoms": file.symptoms,
    }


@dataclass(frozen=True, slots=True)
class NextStep:
    """What follows from one exception, and who does it."""

    number: str
    name: str
    what: str
    text: str
    icon: str
    whose: str
    url: str


@dataclass(frozen=True, slots=True)
class Correction:
    """One replaced finding: what stood, what stands, who changed it when."""

    name: str
    before: str
    after: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BackLine:
    """A pupil whose file ends with a check; ``url``: the file."""

    number: str
    name: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class CheckDonePage:
    """Finished? What was sent, what follows, what was corrected, how far the institution is."""

    title: str
    session: CheckSession
    was_late: bool
    minutes_early: int | None
    steps: list[NextStep]
    corrections: list[Correction]
    signals: list[SignalRow]
    # How many of them the reader can acknowledge, and where.
    to_acknowledge: int
    acknowledge_url: str
    # Whose illness files end with this check: ill before, well today.
    back: list[BackLine]
    # Where the numbers open that are registered figures: "absent_ill", "absent_other", "symptomatic".
    figure_urls: dict[str, str]
    may_correct: bool
    correct_url: str
    progress_done: int
    progress_owed: int


def check_done_page(session: CheckSession, scope: Scope, *, by: User, at: datetime) -> CheckDonePage:
    """The page after a submit; also the record of a check that anybody entitled may read later, logged."""
    group = session.group
    obligation = obligation_of(group, DUTY_OF_KIND[CheckKind(session.kind)], session.day, at=at)
    findings = findings_in_force(session)
    back = _back_with(session, findings, scope, today=clock.local_day(at))
    seen = [*(f.person_id for f in findings), *(file.episode.person_id for file in back)]
    log_read(by=by, page="check", unit=group, person_ids=seen, at=at)
    numbers = {row.person.pk: row.number for row in roster(group, session.day)}
    days = EpisodeDay.objects.filter(finding__in=findings).select_related("episode")
    files = {row.finding_id: row.episode for row in days}
    institution = institution_of(group)
    done, owed = _progress(institution, session, at=at)
    early = obligation.deadline - session.tapped_at if obligation else None
    signals = as_rows(list(signals_visible_to(scope).filter(unit=group, state__in=WAITING)), scope)
    unseen = [row for row in signals if row.signal.state == Signal.State.OPEN]
    return CheckDonePage(
        title=_("%(kind)s submitted") % {"kind": CheckKind(session.kind).label},
        session=session,
        was_late=bool(obligation and obligation.value == "late"),
        minutes_early=int(early.total_seconds() // 60)
        if early is not None and early > timedelta(0)
        else None,
        steps=[_next_step(f, numbers.get(f.person_id), files.get(f.pk)) for f in findings],
        corrections=_corrections(session),
        signals=signals,
        to_acknowledge=len(unseen),
        acknowledge_url=unseen[0].url if len(unseen) == 1 else reverse("desks:signals"),
        back=[_back_line(file, numbers.get(file.episode.person_id)) for file in back],
        figure_urls={
            name: figure_url(f"screening.{name}", group, session.day, today=clock.local_day(at))
            for name in ("absent_ill", "absent_other", "symptomatic")
            if getattr(session, name)
        },
        may_correct=scope.may(Right.SUBMIT_CHECK, group),
        correct_url=reverse("desks:class_check", args=[group.pk])
        + ("" if session.day == clock.local_day(at) else f"?day={session.day.isoformat()}"),
        progress_done=done,
        progress_owed=owed,
    )


def _back_with(
    session: CheckSession, findings: list[Finding], scope: Scope, *, today: date
) -> list[SeenFile]:
    """The files that this check ends, derived already or within seconds: ill before its day, well on it."""
    ill = {finding.person_id for finding in findings if finding.status in _STAYS}
    well = {row.person.pk for row in roster(session.group, session.day)} - ill
    ending = (
        Episode.objects.filter(
            Q(back_on=session.day) | Q(back_on__isnull=True, state=Episode.State.RUNNING),
            seen_by(scope, today),
            person__in=well,
            last_day__lt=session.day,
        )
        .exclude(state=Episode.State.VOID)
        .order_by("person__number")
        .prefetch_related("days__finding__session__group")
        .select_related("person")
    )
    return as_seen(list(ending), scope, today)


def _back_line(file: SeenFile, number: int | None) -> BackLine:
    return BackLine(
        number=f"{number:02d}" if number is not None else "",
        name=file.episode.person.name,
        text=_("Ill since %(day)s; the file ends today: back at school.") % {"day": local_date(file.onset)},
        url=reverse("desks:file", args=[file.episode.pk]),
    )


def _progress(institution: Unit | None, session: CheckSession, *, at: datetime) -> tuple[int, int]:
    """How many groups of the institution have been checked on that day, of how many that owe it."""
    if institution is None:
        return 0, 0
    code = DUTY_OF_KIND[CheckKind(session.kind)]
    owed = [
        each
        for each in obligations([institution], session.day, at)
        if each.duty.code == code and each.is_owed
    ]
    return sum(each.value in {Value.DONE, Value.LATE} for each in owed), len(owed)


def finding_words(finding: Finding) -> str:
    """One finding in words: status and symptoms."""
    words = [
        str(FindingStatus(finding.status).label),
        *(str(Symptom(code).label) for code in finding.symptoms),
    ]
    return _(", ").join(words)


def _next_step(finding: Finding, number: int | None, episode: Episode | None) -> NextStep:
    status = FindingStatus(finding.status)
    url = "" if episode is None else reverse("desks:file", args=[episode.pk])
    if episode is not None and episode.state == Episode.State.ENDED:
        text, whose = episode.get_state_display().capitalize(), _("Nothing to do")
    elif episode is not None:
        text = _("A file is running since %(day)s; the school doctor follows it up.") % {
            "day": local_date(episode.onset)
        }
        whose = _("School doctor")
    elif status == FindingStatus.RECOVERED:
        text, whose = _("Counted on the day it began. Nothing to do."), _("Nothing to do")
    elif status in ILLNESS:
        text, whose = _("A file opens by itself within seconds."), _("School doctor")
    elif status == FindingStatus.ABSENT_OTHER:
        text, whose = _("Not an illness. Nothing to do."), _("Nothing to do")
    else:
        text, whose = _("Arrived late. Nothing to do."), _("Nothing to do")
    icons = {
        FindingStatus.ABSENT_ILL: "bed",
        FindingStatus.ABSENT_OTHER: "briefcase",
        FindingStatus.LATE: "alarm",
        FindingStatus.SYMPTOMS: "stethoscope",
        FindingStatus.RECOVERED: "heart-check",
    }
    return NextStep(
        number=f"{number:02d}" if number is not None else "",
        name=finding.person.name,
        what=finding_words(finding),
        text=text,
        icon=icons[status],
        whose=whose,
        url=url,
    )


def _corrections(session: CheckSession) -> list[Correction]:
    revisions = {revision.version: revision for revision in session.revisions.select_related("by")}
    if not revisions:
        return []
    by_person: dict[int, list[Finding]] = {}
    for finding in finding_history(session):
        by_person.setdefault(finding.person_id, []).append(finding)
    present = _("present and well")
    found: list[tuple[int, Correction]] = []
    for history in by_person.values():
        for version, revision in revisions.items():
            before = next((f for f in history if f.replaced_in == version), None)
            after = next((f for f in history if f.since_version == version), None)
            if before is None and after is None:
                continue
            found.append(
                (
                    version,
                    Correction(
                        name=history[0].person.name,
                        before=finding_words(before) if before else present,
                        after=finding_words(after) if after else present,
                        by=revision.by.name if revision.by else session.source,
                        at=revision.at,
                    ),
                )
            )
    return [correction for _version, correction in sorted(found, key=lambda pair: pair[0])]
