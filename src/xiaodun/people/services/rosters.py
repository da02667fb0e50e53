"""Lists of people that somebody hands in: kept, read, looked at, applied in one transaction, forgotten.

A worker reads and applies; the states say whose turn it is. Until ``apply_roster`` nothing is written to any
person, and then all of the list or nothing.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import Actor, User
from xiaodun.accounts.selectors import scope_of
from xiaodun.kit import audit
from xiaodun.kit.clock import local_day
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.people.choices import RosterKind, RosterState
from xiaodun.people.imports import storage
from xiaodun.people.imports.applying import apply_pupils
from xiaodun.people.imports.opening import open_file, why
from xiaodun.people.imports.plan import Outcome, Plan, plan_pupils
from xiaodun.people.imports.problems import Problem
from xiaodun.people.imports.pupils import REQUIRED, listed, read_pupils
from xiaodun.people.imports.reading import FILE_AT_MOST, Workbook
from xiaodun.people.models import Enrolment, RosterImport
from xiaodun.people.policies import waits_for_worker
from xiaodun.people.selectors import report_of
from xiaodun.people.services.enrolments import leave_group

# Uploaded files are deleted after this time (security rule: import files 7 days).
FILES_KEPT = timedelta(days=7)
_EFFECTIVE_WITHIN = timedelta(days=366)
# What a report holds at most; its counts are complete.
PROBLEMS_SHOWN = 1_000
MISSING_SHOWN = 2_000
_SAMPLES = 3


@transaction.atomic
def hand_in_roster(
    *,
    by: User,
    unit: Unit,
    kind: str,
    file_name: str,
    content: bytes,
    effective_on: date,
    at: datetime,
) -> RosterImport:
    """Keep the file and have it read. Nothing is changed before somebody approved what it would change."""
    if not content or len(content) > FILE_AT_MOST:
        raise why("file-too-large" if content else "file-empty", {"at_most": FILE_AT_MOST})
    if abs(effective_on - local_day(at)) > _EFFECTIVE_WITHIN:
        raise Refusal(
            "day-too-far",
            _("The first day in the class lies more than a year away."),
            status=422,
            lifts=_("Choose the day from which the list holds."),
        )
    roster = RosterImport.objects.create(
        kind=RosterKind(kind),
        unit=unit,
        state=RosterState.WAITING,
        file_name=PurePath(file_name).name[-120:],
        token=secrets.token_hex(16),
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        effective_on=effective_on,
        uploaded_by=by,
        uploaded_at=at,
    )
    storage.keep(roster.token, content)
    _record(by, "hand_in_roster", roster, at, kind=kind, size=roster.size, digest=roster.digest)
    _wake()
    return roster


@transaction.atomic
def answer_roster(
    *, by: User, roster: RosterImport, answers: Mapping[str, str], at: datetime
) -> RosterImport:
    """Keep who is meant by rows that may mean a pupil on record, and read the list again."""
    roster = _locked(roster, RosterState.FAULTY)
    asked = {question["key"]: {"new", str(question["person"])} for question in report_of(roster)["questions"]}
    given = {key: answer for key, answer in answers.items() if answer in asked.get(key, ())}
    roster.answers = {**roster.answers, **given}
    roster.state = RosterState.WAITING
    roster.save(update_fields=["answers", "state"])
    _record(by, "answer_roster", roster, at, answered=len(given))
    _wake()
    return roster


@transaction.atomic
def approve_roster(*, by: User, roster: RosterImport, at: datetime) -> RosterImport:
    """Have the list applied as the preview showed it."""
    roster = _locked(roster, RosterState.READY)
    roster.state, roster.approved_by = RosterState.APPROVED, by
    roster.save(update_fields=["state", "approved_by"])
    _record(by, "approve_roster", roster, at, **roster.counts)
    _wake()
    return roster


@transaction.atomic
def record_marked_roster(*, by: User, roster: RosterImport, at: datetime) -> RosterImport:
    """Somebody takes the list with its faults marked home: it holds everybody whom the file held."""
    roster = _locked(roster, RosterState.FAULTY)
    _record(by, "record_marked_roster", roster, at)
    return roster


@transaction.atomic
def discard_roster(*, by: User, roster: RosterImport, at: datetime) -> RosterImport:
    """Apply nothing and delete the file at once."""
    roster = _locked(roster, RosterState.READY, RosterState.FAULTY, RosterState.UNREADABLE)
    roster.state, roster.finished_at, roster.file_deleted_at = RosterState.DISCARDED, at, at
    roster.save(update_fields=["state", "finished_at", "file_deleted_at"])
    _record(by, "discard_roster", roster, at)
    transaction.on_commit(lambda: storage.forget(roster.token))
    return roster


@transaction.atomic
def take_roster(*, at: datetime) -> RosterImport | None:
    """The next list that waits for a worker, marked as taken; none when nothing waits."""
    roster = (
        RosterImport.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .filter(waits_for_worker(at))
        .order_by("uploaded_at", "pk")
        .first()
    )
    if roster is None:
        return None
    applies = roster.state in {RosterState.APPROVED, RosterState.APPLYING}
    roster.state = RosterState.APPLYING if applies else RosterState.READING
    roster.taken_at = at
    roster.save(update_fields=["state", "taken_at"])
    return roster


def read_roster(*, roster: RosterImport, at: datetime) -> RosterImport:
    """Read the list and say what it would change. Outside of any transaction: reading takes a while."""
    try:
        plan, notes = _plan(roster)
    except Refusal as refusal:
        return _finish_reading(
            roster=roster,
            state=RosterState.UNREADABLE,
            report={"refusal": {"code": refusal.code, "facts": dict(refusal.facts)}},
            at=at,
        )
    state = RosterState.FAULTY if plan.problems or plan.questions else RosterState.READY
    return _finish_reading(
        roster=roster,
        state=state,
        report=_report(plan, notes),
        counts=plan.counts | {"problems": len(plan.problems), "questions": len(plan.questions)},
        plan_digest=plan.digest,
        at=at,
    )


@transaction.atomic
def _finish_reading(
    *,
    roster: RosterImport,
    state: str,
    report: Mapping[str, Any],
    at: datetime,
    counts: Mapping[str, int] | None = None,
    plan_digest: str = "",
) -> RosterImport:
    roster = RosterImport.objects.select_for_update(of=("self",), no_key=True).get(pk=roster.pk)
    if roster.state != RosterState.READING:
        return roster
    roster.state = state
    roster.report = json.dumps(report, ensure_ascii=False, default=str)
    roster.counts = dict(counts or {})
    roster.plan_digest = plan_digest
    roster.finished_at = at
    roster.save(update_fields=["state", "report", "counts", "plan_digest", "finished_at"])
    audit.record(
        by=None,
        action="people.read_roster",
        obj=roster,
        unit=Unit.objects.get(pk=roster.unit_id),
        at=at,
        facts={"state": state, **roster.counts},
    )
    return roster


def apply_roster(*, roster: RosterImport, at: datetime) -> RosterImport:
    """Apply an approved list, all of it or nothing, in one transaction.

    What changed since the preview is not applied unseen: the list is shown again instead.
    """
    by = roster.approved_by
    assert by is not None  # only an approved list comes here
    try:
        if not scope_of(by, local_day(at)).may(Right.MANAGE_PEOPLE, roster.unit):
            raise why("right-gone", {})
        return _apply(by=by, roster=roster, at=at)
    except Refusal as refusal:
        roster = _give_back(by=by, roster=roster, code=refusal.code, at=at)
        return read_roster(roster=roster, at=at) if roster.state == RosterState.READING else roster


@transaction.atomic
def _apply(*, by: User, roster: RosterImport, at: datetime) -> RosterImport:
    # Whoever applies a second list to the same unit waits here; the plan below already sees the first.
    unit = Unit.objects.select_for_update(no_key=True).get(pk=roster.unit_id)
    roster = RosterImport.objects.select_for_update(of=("self",), no_key=True).get(pk=roster.pk)
    if roster.state != RosterState.APPLYING:
        return roster
    plan, _notes = _plan(roster)
    if plan.problems or plan.questions or plan.digest != roster.plan_digest:
        raise Refusal("plan-changed", _("The persons on record have changed since the preview."))
    apply_pupils(
        plan,
        by=by,
        unit=unit,
        on=roster.effective_on,
        at=at,
        say=lambda step, done, of: storage.say_progress(roster.token, step, done, of),
    )
    roster.state, roster.finished_at = RosterState.DONE, at
    roster.save(update_fields=["state", "finished_at"])
    _record(by, "apply_roster", roster, at, **plan.counts)
    return roster


@transaction.atomic
def _give_back(*, by: User, roster: RosterImport, code: str, at: datetime) -> RosterImport:
    """Nothing was applied: the list is read anew, or ended if nobody may apply it."""
    roster = RosterImport.objects.select_for_update(of=("self",), no_key=True).get(pk=roster.pk)
    if code == "right-gone":
        roster.state, roster.finished_at = RosterState.UNREADABLE, at
        roster.report = json.dumps({"refusal": {"code": code, "facts": {}}})
    else:
        roster.state = RosterState.READING
    roster.save(update_fields=["state", "finished_at", "report"])
    _record(by, "give_back_roster", roster, at, code=code)
    return roster


@transaction.atomic
def confirm_leavers(
    *, by: User, roster: RosterImport, persons: Iterable[int], last_day: date, at: datetime
) -> int:
    """Those whom the list lacks and of whom the clerk says that they left; others stay where they are."""
    roster = RosterImport.objects.select_for_update(of=("self",), no_key=True).get(pk=roster.pk)
    listed_missing = {person: group for group, person in report_of(roster)["missing"]}
    left = 0
    for pk in sorted(set(persons) & set(listed_missing)):
        enrolment = (
            Enrolment.objects.filter(person=pk, group=listed_missing[pk], valid_from__lte=last_day)
            .filter(Q(valid_to__isnull=True) | Q(valid_to__gt=last_day))
            .select_related("person", "group")
            .first()
        )
        if enrolment is not None:
            leave_group(by=by, person=enrolment.person, group=enrolment.group, last_day=last_day, at=at)
            left += 1
    _record(by, "confirm_leavers", roster, at, left=left, last_day=last_day.isoformat())
    return left


@transaction.atomic
def purge_roster_files(*, at: datetime) -> int:
    """Delete uploaded files that have had their time; returns how many. Reports stay, without values."""
    old = list(
        RosterImport.objects.filter(uploaded_at__lt=at - FILES_KEPT, file_deleted_at__isnull=True)
        .select_for_update(of=("self",), no_key=True)
        .select_related("unit")
    )
    for roster in old:
        storage.forget(roster.token)
        if roster.state not in {RosterState.DONE, RosterState.DISCARDED}:
            roster.state = RosterState.DISCARDED
        roster.file_deleted_at, roster.report = at, None
        roster.save(update_fields=["state", "file_deleted_at", "report"])
        _record(None, "purge_roster_files", roster, at)
    return len(old)


def _plan(roster: RosterImport) -> tuple[Plan, dict[str, Any]]:
    storage.say_progress(roster.token, "open", 0, 3)
    content = storage.fetch(roster.token)
    if content is None:
        raise why("file-gone", {})
    book = open_file(roster.file_name, content)
    storage.say_progress(roster.token, "read", 1, 3)
    problems: list[Problem] = []
    listings = listed(book, roster.kind, REQUIRED)
    rows = read_pupils(listings, problems, on=local_day(roster.uploaded_at))
    if not rows:
        raise why("list-empty", {})
    storage.say_progress(roster.token, "compare", 2, 3)
    plan = plan_pupils(
        rows,
        problems,
        unit=roster.unit,
        may_see_all=roster.unit.kind in {UnitKind.DISTRICT, UnitKind.DRILL},
        answers=roster.answers,
        on=roster.effective_on,
    )
    return plan, _notes(book, [each.sheet.name for each in listings], listings)


def _notes(book: Workbook, read: Sequence[str], listings: Sequence[Any]) -> dict[str, Any]:
    unread = dict.fromkeys(word for each in listings for word in each.heading.unread)
    return {
        "hidden": book.hidden[:20],
        "without_heading": [sheet.name for sheet in book.sheets if sheet.name not in read][:20],
        "unread": list(unread)[:40],
    }


def _report(plan: Plan, notes: Mapping[str, Any]) -> dict[str, Any]:
    samples: list[dict[str, Any]] = []
    for outcome in Outcome:
        rows = [each for each in plan.planned if each.outcome is outcome][:_SAMPLES]
        samples += [
            {
                "key": each.row.key,
                "outcome": outcome.value,
                "name": each.row.name,
                "group": each.group.name,
                # Of another school nothing is said but that it is one.
                "from": each.from_group.name if each.from_group and not each.from_other_school else "",
                "from_other_school": each.from_other_school,
                "guardians": len(each.row.guardians),
            }
            for each in rows
        ]
    return {
        "problems": [problem.as_json() for problem in plan.problems[:PROBLEMS_SHOWN]],
        "questions": [asdict(question) for question in plan.questions[:PROBLEMS_SHOWN]],
        "missing": plan.missing[:MISSING_SHOWN],
        "samples": samples,
        "notes": dict(notes),
    }


def _locked(roster: RosterImport, *states: str) -> RosterImport:
    roster = (
        RosterImport.objects.select_for_update(of=("self",), no_key=True)
        .select_related("unit")
        .get(pk=roster.pk)
    )
    if roster.state not in states:
        raise Refusal(
            "roster-elsewhere",
            _("The list has gone on meanwhile."),
            facts={"state": roster.state},
            lifts=_("Open it again and look where it stands."),
        )
    return roster


def _record(by: Actor, verb: str, roster: RosterImport, at: datetime, **facts: object) -> None:
    audit.record(by=by, action=f"people.{verb}", obj=roster, unit=roster.unit, at=at, facts=facts)


def _wake() -> None:
    """Tell a worker after the commit; a lost wake-up is made up for by the next minute."""
    waker: str | None = getattr(settings, "ROSTER_WAKER", None)
    if waker:
        transaction.on_commit(import_string(waker), robust=True)
