"""What a check may say. Pure: facts in, row errors out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from xiaodun.kit.errors import RowError
from xiaodun.screening.choices import FindingStatus, Symptom

# Not a medical number: an onset of more than a year ago is a slip of the finger in the year.
OLDEST_ONSET = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class FindingInput:
    """One exception as typed: whom, what, which symptoms, since when if not the day of the check."""

    person_id: int
    status: str
    symptoms: tuple[str, ...] = ()
    onset: date | None = None

    def normalised(self) -> "FindingInput":
        """Symptoms without repetition in the vocabulary's order, so that equal findings compare equal."""
        wanted = set(self.symptoms)
        ordered = tuple(code for code in Symptom.values if code in wanted)
        return FindingInput(
            self.person_id, self.status, ordered + tuple(sorted(wanted - set(ordered))), self.onset
        )


def happened_at(tapped_at: datetime, received_at: datetime, clock_offset_ms: int | None) -> datetime:
    """When a check was made by the server's clock: the tap set right by the device's offset, or its arrival.

    Orders the checks of one day: a phone that runs three hours fast must not make its check the last word.
    """
    return received_at if clock_offset_ms is None else tapped_at - timedelta(milliseconds=clock_offset_ms)


def errors_in(findings: Sequence[FindingInput], *, roster: Collection[int], day: date) -> list[RowError]:
    """Everything wrong with the findings, each with its row and remedy; empty when all may be stored."""
    errors: list[RowError] = []
    seen: set[int] = set()
    for row, finding in enumerate(findings, start=1):
        where = _("row %(row)d") % {"row": row}

        def wrong(
            field: str, message: str, remedy: str, where: str = where, person: int = finding.person_id
        ) -> None:
            errors.append(RowError(where=where, message=message, remedy=remedy, person=person, field=field))

        if finding.person_id not in roster:
            wrong(
                "person",
                _("This person is not in the group on this day."),
                _("Reload the list of the group and choose again."),
            )
        if finding.person_id in seen:
            wrong("person", _("This person is listed twice."), _("Keep one entry for each person."))
        seen.add(finding.person_id)
        if finding.status not in FindingStatus.values:
            wrong("status", _("Unknown status."), _("Choose one of the offered statuses."))
            continue
        if unknown := [code for code in finding.symptoms if code not in Symptom.values]:
            wrong(
                "symptoms",
                _("Unknown symptom: %(codes)s.") % {"codes": ", ".join(unknown)},
                _("Choose from the symptom list."),
            )
        if finding.status in {FindingStatus.ABSENT_OTHER, FindingStatus.LATE}:
            if finding.symptoms or finding.onset:
                wrong(
                    "status",
                    _("Symptoms or an onset day do not go with this status."),
                    _("Choose an illness status, or remove the symptoms."),
                )
            continue
        if finding.status == FindingStatus.SYMPTOMS and not finding.symptoms:
            wrong("symptoms", _("No symptom is chosen."), _("Choose at least one symptom."))
        if finding.onset is not None and finding.onset > day:
            wrong(
                "onset",
                _("The illness starts after the day of the check."),
                _("Choose an earlier first day."),
            )
        if finding.onset is not None and finding.onset < day - OLDEST_ONSET:
            wrong("onset", _("The first day of illness is over a year ago."), _("Check the year."))
        if finding.status == FindingStatus.RECOVERED and (finding.onset is None or finding.onset >= day):
            wrong(
                "onset",
                _("A past illness needs its first day, before the day of the check."),
                _("Choose since when the person was ill."),
            )
    return errors
