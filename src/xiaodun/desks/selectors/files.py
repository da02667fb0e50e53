"""Illness files: the working list and one child's thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.absence.models import Episode
from xiaodun.absence.selectors import files_visible_to
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.desks.services import log_read
from xiaodun.kit import clock
from xiaodun.organisations.models import Unit
from xiaodun.people.selectors import groups_of
from xiaodun.screening.choices import CheckKind, FindingStatus, Symptom

PAGE = 50


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file in the list."""

    episode: Episode
    groups: str
    name: str
    symptoms: str
    day_n: int
    url: str
    tag: str
    tag_label: str


@dataclass(frozen=True, slots=True)
class FileListPage:
    """Files under one filter, longest running first; ``next_url`` leads on by key."""

    title: str
    rows: list[FileRow]
    filters: list[dict[str, object]]
    next_url: str


def symptom_words(codes: list[str]) -> str:
    """Symptom codes in words; unknown symptoms say so."""
    return _(", ").join(str(Symptom(code).label) for code in codes) or _("symptoms not recorded")


def file_list(scope: Scope, query: Mapping[str, str], *, by: User, at: datetime) -> FileListPage:
    """The files of the reader's children: running ones, or those that ended. The look is logged."""
    day = clock.local_day(at)
    ended = query.get("state") == "ended"
    files = files_visible_to(scope).filter(state=Episode.State.ENDED if ended else Episode.State.RUNNING)
    order = "-pk" if ended else "pk"
    after = query.get("after", "")
    page = files.order_by(order)
    if after.isdigit():
        page = page.filter(**({"pk__lt": int(after)} if ended else {"pk__gt": int(after)}))
    shown = list(page[: PAGE + 1])
    more, shown = len(shown) > PAGE, shown[:PAGE]
    groups = groups_of([episode.person_id for episode in shown], day)
    rows = [_row(episode, groups.get(episode.person_id, []), at=at) for episode in shown]
    _log(scope, shown, by=by, at=at)
    base = reverse("desks:files")
    state = "?state=ended&" if ended else "?"
    filters: list[dict[str, object]] = [
        {
            "label": _("Running"),
            "url": base,
            "active": not ended,
            "count": _count(scope, Episode.State.RUNNING),
        },
        {
            "label": _("Back at school"),
            "url": f"{base}?state=ended",
            "active": ended,
            "count": _count(scope, Episode.State.ENDED),
        },
    ]
    next_url = f"{base}{state}after={shown[-1].pk}" if more else ""
    return FileListPage(title=_("Illness files"), rows=rows, filters=filters, next_url=next_url)


def _count(scope: Scope, state: Episode.State) -> int:
    return files_visible_to(scope).filter(state=state).count()


def _row(episode: Episode, groups: list[Unit], *, at: datetime) -> FileRow:
    running = episode.state == Episode.State.RUNNING
    return FileRow(
        episode=episode,
        groups=_(", ").join(group.label for group in groups),
        name=episode.person.name,
        symptoms=symptom_words(episode.symptoms),
        day_n=((episode.back_on or clock.local_day(at)) - episode.onset).days + 1,
        url=reverse("desks:file", args=[episode.pk]),
        tag="due" if running else "done",
        tag_label=(_("absent") if episode.was_absent else _("at school")) if running else _("back at school"),
    )


def _log(scope: Scope, shown: list[Episode], *, by: User, at: datetime) -> None:
    unit = Unit.objects.get(pk=scope.grants[0].unit_id)
    log_read(by=by, page="files", unit=unit, person_ids=[episode.person_id for episode in shown], at=at)


@dataclass(frozen=True, slots=True)
class ThreadEntry:
    """One step of a child's thread."""

    at: datetime
    title: str
    text: str
    state: str
    icon: str


@dataclass(frozen=True, slots=True)
class FilePage:
    """One child's thread."""

    title: str
    episode: Episode
    groups: str
    symptoms: str
    day_n: int
    entries: list[ThreadEntry]
    crumbs: list[dict[str, str]]


def file_page(episode: Episode, scope: Scope, *, by: User, at: datetime) -> FilePage:
    """Every tap that made this file, in order, and how it stands. The look is logged."""
    day = clock.local_day(at)
    groups = groups_of([episode.person_id], day)[episode.person_id]
    entries = [
        ThreadEntry(
            at=row.finding.session.tapped_at,
            title=f"{CheckKind(row.finding.session.kind).label} · {FindingStatus(row.status).label}",
            text=f"{row.finding.session.group.label} · {symptom_words(row.symptoms)}",
            state="due" if row.status == FindingStatus.ABSENT_ILL else "na",
            icon="bed" if row.status == FindingStatus.ABSENT_ILL else "stethoscope",
        )
        for row in sorted(episode.days.all(), key=lambda row: row.finding.session.tapped_at)
    ]
    _log(scope, [episode], by=by, at=at)
    return FilePage(
        title=episode.person.name,
        episode=episode,
        groups=_(", ").join(group.label for group in groups),
        symptoms=symptom_words(episode.symptoms),
        day_n=((episode.back_on or day) - episode.onset).days + 1,
        entries=entries,
        crumbs=[{"label": _("Illness files"), "url": reverse("desks:files")}],
    )
