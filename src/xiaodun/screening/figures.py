"""The figures of checks: who was expected, who is missing ill or otherwise, who has symptoms at school."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from xiaodun.figures import registry
from xiaodun.figures.registry import Column, Cover, Definition, FigureScope, Row, Rows, State, Value
from xiaodun.organisations.choices import GroupKind
from xiaodun.organisations.models import Unit
from xiaodun.people.selectors import head_counts
from xiaodun.screening.choices import FindingStatus, Symptom
from xiaodun.screening.models import CheckSession, Finding

SOURCE = _("Morning checks as submitted (WS/T 772-2020), corrections included")
# A boarder is in a class and in a dormitory room: rooms are left out. Who is in a class and in a training
# lesson is expected at both and counts in both.
COUNTED = [GroupKind.CLASS, GroupKind.LESSON]


def _sums(scope: FigureScope, field: str) -> dict[int, Value]:
    """One column summed over the sessions of the day. No session at all: not reported, never 0."""
    rows = (
        CheckSession.objects.filter(scope.q("group__"), day=scope.day, group__group_kind__in=COUNTED)
        .values_list("group__path")
        .annotate(number=Sum(field))
    )
    numbers: dict[str, int] = dict(rows)
    tally = scope.tally(numbers)
    reported = {scope.member_of(path) for path in numbers}
    return {
        pk: Value(number, state=State.DUE if number else State.ZERO)
        if pk in reported
        else Value(None, state=State.NA)
        for pk, number in tally.items()
    }


def _absent_ill(scope: FigureScope) -> Mapping[int, Value]:
    return _sums(scope, "absent_ill")


def _absent_other(scope: FigureScope) -> Mapping[int, Value]:
    return {
        pk: Value(value.number, state=State.NA if value.number is None else State.ZERO)
        for pk, value in _sums(scope, "absent_other").items()
    }


def _symptomatic(scope: FigureScope) -> Mapping[int, Value]:
    return _sums(scope, "symptomatic")


def _findings(scope: FigureScope, status: FindingStatus) -> Rows:
    found = (
        Finding.objects.filter(
            scope.q("session__group__"),
            day=scope.day,
            status=status,
            replaced_in__isnull=True,
            session__group__group_kind__in=COUNTED,
        )
        .select_related("person", "session__group", "session__submitted_by")
        .prefetch_related("session__revisions__by")
        .order_by("session__group__path", "person__number")
    )
    return Rows(
        columns=[
            Column("group", _("Group")),
            Column("name", _("Name"), cover=Cover.NAME),
            Column("symptoms", _("Symptoms"), cover=Cover.CHILD),
            Column("onset", _("Ill since"), kind="day", cover=Cover.CHILD),
            Column("reported", _("Reported"), kind="moment"),
            Column("by", _("By")),
        ],
        rows=[
            Row(
                unit=finding.session.group,
                cells={
                    "group": finding.session.group.label,
                    "name": finding.person.name,
                    "symptoms": gettext(", ").join(str(Symptom(code).label) for code in finding.symptoms)
                    or None,
                    "onset": finding.onset or (finding.day if status != FindingStatus.ABSENT_OTHER else None),
                    **_reported(finding),
                },
                url=f"/checks/{finding.session_id}/",
                person_id=finding.person_id,
            )
            for finding in found
        ],
    )


def _reported(finding: Finding) -> dict[str, Any]:
    """When and by whom the finding was tapped; one from a correction, when and by whom that was."""
    session = finding.session
    for revision in session.revisions.all():
        if revision.version == finding.since_version:
            return {"reported": revision.at, "by": revision.by.name if revision.by else session.source}
    return {
        "reported": session.tapped_at,
        "by": session.submitted_by.name if session.submitted_by else session.source,
    }


def _absent_ill_rows(scope: FigureScope) -> Rows:
    return _findings(scope, FindingStatus.ABSENT_ILL)


def _absent_other_rows(scope: FigureScope) -> Rows:
    return _findings(scope, FindingStatus.ABSENT_OTHER)


def _symptomatic_rows(scope: FigureScope) -> Rows:
    return _findings(scope, FindingStatus.SYMPTOMS)


def _groups(scope: FigureScope) -> dict[int, Unit]:
    return {unit.pk: unit for unit in Unit.objects.filter(scope.q(), group_kind__in=COUNTED).order_by("path")}


def _expected(scope: FigureScope) -> Mapping[int, Value]:
    groups = _groups(scope)
    counts = head_counts(scope.q(), scope.day)
    tally = scope.tally({unit.path: counts.get(pk, 0) for pk, unit in groups.items()})
    return {pk: Value(number) for pk, number in tally.items()}


def _expected_rows(scope: FigureScope) -> Rows:
    groups = _groups(scope)
    counts = head_counts(scope.q(), scope.day)
    return Rows(
        columns=[Column("group", _("Group")), Column("persons", _("Persons"), kind="number")],
        rows=[
            Row(unit=unit, cells={"group": unit.label, "persons": counts[pk]}, counts=counts[pk])
            for pk, unit in groups.items()
            if counts.get(pk)
        ],
    )


def register() -> None:
    """Make the figures of checks known; called once at start."""
    registry.register(
        Definition(
            code="screening.expected",
            version=1,
            name=_("Expected"),
            meaning=_(
                "Attendances owed on the day in classes and training lessons: who is enrolled in both counts "
                "in both. Dormitory rooms are left out: their pupils are counted in their classes."
            ),
            unit_word=ngettext_lazy("attendance", "attendances"),
            group_word=ngettext_lazy("person", "persons"),
            source=_("Enrolments"),
            compute=_expected,
            rows=_expected_rows,
        )
    )
    registry.register(
        Definition(
            code="screening.absent_ill",
            version=1,
            name=_("Absent, ill"),
            meaning=_(
                "Absences because of illness that the day's morning checks found in classes and training "
                "lessons: who is missing in both counts in both. Groups that have not submitted are left "
                "out, not counted as nought."
            ),
            unit_word=ngettext_lazy("absence", "absences"),
            group_word=ngettext_lazy("person", "persons"),
            source=SOURCE,
            compute=_absent_ill,
            rows=_absent_ill_rows,
        )
    )
    registry.register(
        Definition(
            code="screening.absent_other",
            version=1,
            name=_("Absent, other reason"),
            meaning=_(
                "Absences for a reason other than illness that the day's morning checks found in classes and "
                "training lessons: who is missing in both counts in both."
            ),
            unit_word=ngettext_lazy("absence", "absences"),
            group_word=ngettext_lazy("person", "persons"),
            source=SOURCE,
            compute=_absent_other,
            rows=_absent_other_rows,
        )
    )
    registry.register(
        Definition(
            code="screening.symptomatic",
            version=1,
            name=_("At school with symptoms"),
            meaning=_(
                "Findings of somebody present with at least one symptom at the day's morning checks of "
                "classes and training lessons: who shows symptoms in both counts in both."
            ),
            unit_word=ngettext_lazy("finding", "findings"),
            group_word=ngettext_lazy("person", "persons"),
            source=SOURCE,
            compute=_symptomatic,
            rows=_symptomatic_rows,
        )
    )
