"""Writes of checks: submit once, correct with history."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import ApiToken, User
from xiaodun.duties.services import record_evidence
from xiaodun.kit import audit, clock, outbox, receipts
from xiaodun.kit.errors import Refusal, RowError
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Person
from xiaodun.people.selectors import roster
from xiaodun.screening.choices import CheckKind, FindingStatus
from xiaodun.screening.models import CheckRevision, CheckSession, Finding
from xiaodun.screening.policies import FindingInput, errors_in

CHECK_RECORDED = "screening.check_recorded"
# A device's clock may be wrong by months (a flat battery); what lies further off is no moment of a check.
FURTHEST_TAP = timedelta(days=366)
DUTY_OF_KIND = {CheckKind.MORNING: "morning-check"}


def submit_check(
    *,
    by: User | ApiToken | None,
    group: Unit,
    kind: CheckKind,
    day: date,
    findings: Sequence[FindingInput],
    tapped_at: datetime,
    received_at: datetime,
    clock_offset_ms: int | None,
    client_id: UUID,
    source: str,
) -> dict[str, Any]:
    """Record that a group was checked: who is not named in ``findings`` was present and well.

    Safe to repeat: the same ``source``, ``client_id`` and content give the first answer again.

    Args:
        tapped_at: the submitter's clock at the tap, as sent (corrected by nobody).
        clock_offset_ms: that clock minus the server's, in milliseconds; None when the client could not tell.

    Returns:
        ``{"session": id, "version": 1}``.

    Raises:
        Refusal: ``check-already-submitted`` (409, with whose and when), ``check-invalid`` (422, row by row),
            ``check-future-day``, ``check-tap-impossible`` (422), ``group-closed``, ``group-without-pupils``,
            ``receipt-mismatch`` (422).
    """
    findings = [finding.normalised() for finding in findings]
    payload = {
        "group": group.pk,
        "kind": str(kind),
        "day": day.isoformat(),
        "tapped_at": tapped_at.isoformat(),
        "findings": [_as_data(finding) for finding in findings],
    }
    if (answer := receipts.first_answer(source=source, client_id=client_id, payload=payload)) is not None:
        return answer
    if day > clock.local_day(received_at):
        raise Refusal(
            "check-future-day",
            _("A check of a day that has not come cannot be recorded."),
            status=422,
            facts={"day": day.isoformat()},
            lifts=_("Choose today or an earlier day."),
        )
    if group.last_day is not None and group.last_day < day:
        raise Refusal(
            "group-closed",
            _("The group was closed before this day."),
            facts={"day": day.isoformat(), "last_day": group.last_day.isoformat()},
            lifts=_("Check the groups to which its members belong now."),
        )
    _refuse_impossible_tap(tapped_at, received_at)
    try:
        with transaction.atomic():
            return _insert_check(
                by=by,
                group=group,
                kind=kind,
                day=day,
                findings=findings,
                tapped_at=tapped_at,
                received_at=received_at,
                clock_offset_ms=clock_offset_ms,
                client_id=client_id,
                source=source,
                payload=payload,
            )
    except (IntegrityError, receipts.AlreadyAnswered):
        # Somebody was faster: this client's own repeat, or a colleague for the same group and day.
        if (answer := receipts.first_answer(source=source, client_id=client_id, payload=payload)) is not None:
            return answer
        _refuse_second_submission(group=group, kind=kind, day=day)
        raise


def _insert_check(
    *,
    by: User | ApiToken | None,
    group: Unit,
    kind: CheckKind,
    day: date,
    findings: list[FindingInput],
    tapped_at: datetime,
    received_at: datetime,
    clock_offset_ms: int | None,
    client_id: UUID,
    source: str,
    payload: dict[str, Any],
) -> dict[str, Any]:
    _refuse_second_submission(group=group, kind=kind, day=day)
    members = {row.person.pk: row.person for row in roster(group, day)}
    if not members:
        raise Refusal(
            "group-without-pupils",
            _("Nobody belongs to this group on this day."),
            facts={"group": group.pk, "day": day.isoformat()},
            lifts=_("Enrol the members of the group first."),
        )
    _refuse_errors(findings, members=members, day=day)
    session = CheckSession.objects.create(
        group=group,
        day=day,
        kind=kind,
        submitted_by=by if isinstance(by, User) else None,
        tapped_at=tapped_at,
        received_at=received_at,
        clock_offset_ms=clock_offset_ms,
        source=source,
        expected=len(members),
        **_counts(findings),
    )
    Finding.objects.bulk_create(_as_row(finding, session=session, version=1) for finding in findings)
    record_evidence(
        duty_code=DUTY_OF_KIND[kind],
        unit=group,
        day=day,
        tapped_at=tapped_at,
        received_at=received_at,
        clock_offset_ms=clock_offset_ms,
        source=f"check:{session.pk}",
    )
    audit.record(
        by=by,
        action="screening.check.submitted",
        obj=session,
        at=received_at,
        unit=group,
        facts={
            "day": day.isoformat(),
            "kind": str(kind),
            "expected": len(members),
            "exceptions": len(findings),
        },
        subjects={members[finding.person_id]: {"new": _as_data(finding)} for finding in findings},
    )
    outbox.announce(CHECK_RECORDED, {"session": session.pk}, at=received_at)
    answer = {"session": session.pk, "version": 1}
    receipts.keep_answer(source=source, client_id=client_id, payload=payload, answer=answer, at=received_at)
    return answer


def correct_check(
    *,
    by: User | ApiToken | None,
    session: CheckSession,
    base_version: int,
    findings: Sequence[FindingInput],
    reason: str,
    at: datetime,
    client_id: UUID,
    source: str,
) -> dict[str, Any]:
    """Replace the findings of a session by what is true; what was replaced stays readable with who and when.

    Findings that did not change keep their row. A correction that changes nothing makes no version.

    Raises:
        Refusal: ``check-changed-meanwhile`` (409) when somebody corrected after ``base_version``,
            ``check-invalid`` (422), ``receipt-mismatch`` (422).
    """
    wanted = {finding.person_id: finding.normalised() for finding in findings}
    payload = {
        "session": session.pk,
        "base_version": base_version,
        "findings": [_as_data(finding.normalised()) for finding in findings],
        "reason": reason,
    }
    if (answer := receipts.first_answer(source=source, client_id=client_id, payload=payload)) is not None:
        return answer
    try:
        with transaction.atomic():
            session = CheckSession.objects.select_for_update(no_key=True).get(pk=session.pk)
            # This client's own repeat may have waited for the lock while the first was stored.
            answer = receipts.first_answer(source=source, client_id=client_id, payload=payload)
            if answer is not None:
                return answer
            if session.version != base_version:
                raise Refusal(
                    "check-changed-meanwhile",
                    _("Somebody has corrected this check meanwhile."),
                    facts={"version": session.version, "yours": base_version},
                    lifts=_("Reload the check; your entries stay on this page until then."),
                )
            members = {row.person.pk: row.person for row in roster(session.group, session.day)}
            in_force = {
                finding.person_id: finding
                for finding in session.findings.filter(replaced_in__isnull=True).select_related("person")
            }
            # A person who has left the group since keeps the finding of that day.
            members |= {person_id: finding.person for person_id, finding in in_force.items()}
            _refuse_errors(list(findings), members=members, day=session.day)
            old = {person_id: _as_input(finding) for person_id, finding in in_force.items()}
            changed = {pk for pk in old.keys() | wanted.keys() if old.get(pk) != wanted.get(pk)}
            if changed:
                _replace_findings(session, wanted=wanted, in_force=in_force, changed=changed)
                CheckRevision.objects.create(
                    session=session,
                    version=session.version,
                    by=by if isinstance(by, User) else None,
                    at=at,
                    reason=reason,
                )
                audit.record(
                    by=by,
                    action="screening.check.corrected",
                    obj=session,
                    at=at,
                    unit=session.group,
                    facts={"version": session.version, "persons": sorted(changed)},
                    # The reason is free text, which may say anything about them.
                    subjects={
                        members[pk]: {
                            "old": _data_or_none(old.get(pk)),
                            "new": _data_or_none(wanted.get(pk)),
                            "reason": reason,
                        }
                        for pk in sorted(changed)
                    },
                )
                outbox.announce(CHECK_RECORDED, {"session": session.pk}, at=at)
            answer = {"session": session.pk, "version": session.version}
            receipts.keep_answer(source=source, client_id=client_id, payload=payload, answer=answer, at=at)
    except receipts.AlreadyAnswered:
        first = receipts.first_answer(source=source, client_id=client_id, payload=payload)
        assert first is not None
        return first
    return answer


def _replace_findings(
    session: CheckSession,
    *,
    wanted: dict[int, FindingInput],
    in_force: dict[int, Finding],
    changed: Iterable[int],
) -> None:
    changed = set(changed)
    session.version += 1
    gone = [in_force[pk].pk for pk in changed if pk in in_force]
    Finding.objects.filter(pk__in=gone).update(replaced_in=session.version)
    Finding.objects.bulk_create(
        _as_row(wanted[pk], session=session, version=session.version)
        for pk in sorted(changed)
        if pk in wanted
    )
    for field, value in _counts(wanted.values()).items():
        setattr(session, field, value)
    session.save(update_fields=["version", "absent_ill", "absent_other", "late", "symptomatic"])


def _refuse_impossible_tap(tapped_at: datetime, received_at: datetime) -> None:
    # Without an offset it is no moment at all and compares with none.
    if tapped_at.tzinfo is None or not abs(tapped_at - received_at) <= FURTHEST_TAP:
        raise Refusal(
            "check-tap-impossible",
            _("The time at which the check says it was made is not within a year of now."),
            status=422,
            facts={"tapped_at": tapped_at.isoformat(), "received_at": received_at.isoformat()},
            errors=[
                RowError(
                    where="tapped_at",
                    message=_("This is not a moment within a year of now."),
                    remedy=_("Set the clock of the device and send again."),
                    field="tapped_at",
                )
            ],
            lifts=_("Set the clock of the device and send again."),
        )


def _refuse_second_submission(*, group: Unit, kind: CheckKind, day: date) -> None:
    other = (
        CheckSession.objects.select_related("submitted_by").filter(group=group, kind=kind, day=day).first()
    )
    if other is not None:
        raise Refusal(
            "check-already-submitted",
            _("This check has been submitted already."),
            facts={
                "session": other.pk,
                "version": other.version,
                "by": other.submitted_by.name if other.submitted_by else other.source,
                "at": other.received_at.isoformat(),
            },
            lifts=_("Open the submitted check and correct it."),
        )


def _refuse_errors(findings: Sequence[FindingInput], *, members: dict[int, Person], day: date) -> None:
    if errors := errors_in(findings, roster=members.keys(), day=day):
        raise Refusal(
            "check-invalid",
            _("The check could not be stored; nothing has been lost."),
            status=422,
            errors=errors,
            lifts=_("Correct the named rows and send again."),
        )


def _counts(findings: Iterable[FindingInput]) -> dict[str, int]:
    statuses = [finding.status for finding in findings]
    return {
        "absent_ill": statuses.count(FindingStatus.ABSENT_ILL),
        "absent_other": statuses.count(FindingStatus.ABSENT_OTHER),
        "late": statuses.count(FindingStatus.LATE),
        "symptomatic": statuses.count(FindingStatus.SYMPTOMS),
    }


def _as_row(finding: FindingInput, *, session: CheckSession, version: int) -> Finding:
    return Finding(
        session=session,
        person_id=finding.person_id,
        day=session.day,
        status=finding.status,
        onset=finding.onset,
        symptoms=list(finding.symptoms),
        since_version=version,
    )


def _as_input(finding: Finding) -> FindingInput:
    return FindingInput(finding.person_id, finding.status, tuple(finding.symptoms), finding.onset)


def _as_data(finding: FindingInput) -> dict[str, Any]:
    return {
        "person": finding.person_id,
        "status": str(finding.status),
        "symptoms": list(finding.symptoms),
        "onset": finding.onset.isoformat() if finding.onset else None,
    }


def _data_or_none(finding: FindingInput | None) -> dict[str, Any] | None:
    return None if finding is None else _as_data(finding)
