"""Illness files: the working list and one child's thread."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.absence.models import Episode, EpisodeDay
from xiaodun.absence.selectors import files_visible_to
from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import User
from xiaodun.accounts.policies import Scope
from xiaodun.desks.selectors.keys import key_in
from xiaodun.desks.services import log_child_read, log_read
from xiaodun.kit import clock
from xiaodun.kit.templatetags.kit import local_date
from xiaodun.organisations.choices import GroupKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import institutions_of, valid_on
from xiaodun.people.models import Enrolment
from xiaodun.people.selectors import groups_of
from xiaodun.screening.choices import CheckKind, FindingStatus, Symptom

PAGE = 50


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as far as its reader may see it.

    The unit in whose class the person is today sees all of it. Any other (the class before a transfer, a
    training body beside a school, a dormitory room) sees what its own checks found: ``rows``, and onset,
    symptoms and absence as these rows alone say them. ``groups``: the person's groups within the reader's
    scope.
    """

    episode: Episode
    rows: list[EpisodeDay]
    onset: date
    symptoms: list[str]
    was_absent: bool
    groups: list[Unit]


def seen_by(scope: Scope, today: date) -> Q:
    """The files of which the reader sees anything: see :class:`SeenFile`."""
    own = EpisodeDay.objects.filter(
        scope.q(Right.SEE_CHILDREN, "finding__session__group__"), episode=OuterRef("pk")
    )
    in_class = Enrolment.objects.filter(
        valid_on(today),
        scope.q(Right.SEE_CHILDREN, "group__"),
        group__group_kind=GroupKind.CLASS,
        person=OuterRef("person"),
    )
    return Q(Exists(own)) | Q(Exists(in_class))


def as_seen(episodes: Sequence[Episode], scope: Scope, today: date) -> list[SeenFile]:
    """The files narrowed to what the reader may see of each. Two queries.

    ``episodes`` bring their days with findings, sessions and groups.
    """
    persons = [episode.person_id for episode in episodes]
    now = groups_of(persons, today)
    since = min((episode.onset for episode in episodes), default=today)
    ever: dict[int, list[Unit]] = defaultdict(list)
    stays = Enrolment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=since), valid_from__lte=today, person__in=persons
    )
    for stay in stays.select_related("group").order_by("valid_from", "group__path"):
        ever[stay.person_id].append(stay.group)
    return [
        _as_seen(
            episode,
            scope,
            now=now[episode.person_id],
            before=ever[episode.person_id],
        )
        for episode in episodes
    ]


def _as_seen(episode: Episode, scope: Scope, *, now: Sequence[Unit], before: Sequence[Unit]) -> SeenFile:
    mine = [group for group in now if scope.may(Right.SEE_CHILDREN, group)]
    groups = mine or [group for group in before if scope.may(Right.SEE_CHILDREN, group)]
    rows = sorted(episode.days.all(), key=lambda row: row.finding.session.tapped_at)
    if any(group.group_kind == GroupKind.CLASS for group in mine):
        return SeenFile(episode, rows, episode.onset, episode.symptoms, episode.was_absent, groups)
    rows = [row for row in rows if scope.may(Right.SEE_CHILDREN, row.finding.session.group)]
    said = {code for row in rows for code in row.symptoms}
    return SeenFile(
        episode=episode,
        rows=rows,
        onset=min((row.finding.onset or row.day for row in rows), default=episode.onset),
        symptoms=[code for code in Symptom.values if code in said],
        was_absent=any(row.status == FindingStatus.ABSENT_ILL for row in rows),
        groups=groups,
    )


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file in the list."""

    onset: date
    groups: str
    name: str
    symptoms: str
    day_n: int
    url: str
    tag: str
    tag_label: str
    back_on: date | None


@dataclass(frozen=True, slots=True)
class FileListPage:
    """Files under one filter, longest running first; ``next_url`` leads on by key.

    ``back_on``: the one day of return to which the list keeps, if the address names one.
    """

    title: str
    rows: list[FileRow]
    filters: list[dict[str, object]]
    next_url: str
    back_on: date | None


def symptom_words(codes: list[str]) -> str:
    """Symptom codes in words; unknown symptoms say so."""
    return _(", ").join(str(Symptom(code).label) for code in codes) or _("symptoms not recorded")


def file_list(scope: Scope, query: Mapping[str, str], *, by: User, at: datetime) -> FileListPage:
    """The files of the reader's children: running ones, or those that ended. The look is logged."""
    day = clock.local_day(at)
    ended = query.get("state") == "ended"
    back_on = _day_in(query.get("back", "")) if ended else None
    files = files_visible_to(scope).filter(seen_by(scope, day))
    page = (
        files.filter(state=Episode.State.ENDED if ended else Episode.State.RUNNING)
        .order_by("-pk" if ended else "pk")
        .prefetch_related("days__finding__session__group")
    )
    if back_on is not None:
        page = page.filter(back_on=back_on)
    if (key := key_in(query.get("after", ""))) is not None:
        page = page.filter(**({"pk__lt": key} if ended else {"pk__gt": key}))
    shown = list(page[: PAGE + 1])
    more, shown = len(shown) > PAGE, shown[:PAGE]
    seen = as_seen(shown, scope, day)
    _log_list(seen, by=by, at=at)
    base = reverse("desks:files")
    state = "?state=ended&" if ended else "?"
    if back_on is not None:
        state += f"back={back_on.isoformat()}&"
    filters: list[dict[str, object]] = [
        {
            "label": _("Running"),
            "url": base,
            "active": not ended,
            "count": files.filter(state=Episode.State.RUNNING).count(),
        },
        {
            "label": _("Back at school"),
            "url": f"{base}?state=ended",
            "active": ended and back_on is None,
            "count": files.filter(state=Episode.State.ENDED).count(),
        },
    ]
    if back_on is not None:
        filters.append(
            {
                "label": _("Back on %(day)s") % {"day": local_date(back_on)},
                "url": f"{base}?state=ended&back={back_on.isoformat()}",
                "active": True,
                "count": files.filter(state=Episode.State.ENDED, back_on=back_on).count(),
            }
        )
    next_url = f"{base}{state}after={shown[-1].pk}" if more else ""
    rows = [_row(file, at=at) for file in seen]
    return FileListPage(
        title=_("Illness files"), rows=rows, filters=filters, next_url=next_url, back_on=back_on
    )


def _day_in(text: str) -> date | None:
    """The day that an address names, none where it names none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _row(file: SeenFile, *, at: datetime) -> FileRow:
    episode = file.episode
    running = episode.state == Episode.State.RUNNING
    return FileRow(
        onset=file.onset,
        groups=_(", ").join(group.label for group in file.groups),
        name=episode.person.name,
        symptoms=symptom_words(file.symptoms),
        day_n=((episode.back_on or clock.local_day(at)) - file.onset).days + 1,
        url=reverse("desks:file", args=[episode.pk]),
        tag="due" if running else "done",
        tag_label=(_("absent") if file.was_absent else _("at school")) if running else _("back at school"),
        back_on=episode.back_on,
    )


def _log_list(shown: Sequence[SeenFile], *, by: User, at: datetime) -> None:
    """One entry for each institution whose children the list showed."""
    institutions = institutions_of([file.groups[0] for file in shown])
    persons: dict[Unit, list[int]] = defaultdict(list)
    for file in shown:
        group = file.groups[0]
        persons[institutions[group.pk] or group].append(file.episode.person_id)
    for unit, ids in persons.items():
        log_read(by=by, page="files", unit=unit, person_ids=ids, at=at)


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
    onset: date
    symptoms: str
    day_n: int
    entries: list[ThreadEntry]
    crumbs: list[dict[str, str]]


def file_page(episode: Episode, scope: Scope, *, by: User, at: datetime) -> FilePage:
    """Every tap that made this file and that the reader may see, in order. The look is logged.

    Raises:
        Http404: when the reader may see nothing of it, exactly as for an unknown file.
    """
    day = clock.local_day(at)
    (file,) = as_seen([episode], scope, day)
    # A withdrawn file has no rows left: whoever could see it still reads that it was withdrawn.
    seen = (
        episode.state == Episode.State.VOID
        or Episode.objects.filter(seen_by(scope, day), pk=episode.pk).exists()
    )
    if not (seen and file.groups):
        raise Http404
    entries = [
        ThreadEntry(
            at=row.finding.session.tapped_at,
            title=f"{CheckKind(row.finding.session.kind).label} · {FindingStatus(row.status).label}",
            text=f"{row.finding.session.group.label} · {symptom_words(row.symptoms)}",
            state="due" if row.status == FindingStatus.ABSENT_ILL else "na",
            icon="bed" if row.status == FindingStatus.ABSENT_ILL else "stethoscope",
        )
        for row in file.rows
    ]
    log_child_read(by=by, page="file", unit=file.groups[0], person=episode.person, record=episode, at=at)
    return FilePage(
        title=episode.person.name,
        episode=episode,
        groups=_(", ").join(group.label for group in file.groups),
        onset=file.onset,
        symptoms=symptom_words(file.symptoms),
        day_n=((episode.back_on or day) - file.onset).days + 1,
        entries=entries,
        crumbs=[{"label": _("Illness files"), "url": reverse("desks:files")}],
    )
