"""The fact of a check: one row a group session, one row an exception; a correction keeps what it replaces."""

from django.db import models

from xiaodun.accounts.models import User
from xiaodun.kit.fields import EncryptedText
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Person
from xiaodun.screening.choices import CheckKind, FindingStatus


class CheckSession(models.Model):
    """A group was checked on a day. Holds no child: counts only, so it may be kept longer than findings.

    ``tapped_at`` is the submitter's own clock as sent; ``clock_offset_ms`` is that clock minus the server's.
    """

    group = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="check_sessions")
    day = models.DateField()
    kind = models.CharField(max_length=12, choices=CheckKind)
    version = models.PositiveSmallIntegerField(default=1)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    tapped_at = models.DateTimeField()
    received_at = models.DateTimeField()
    clock_offset_ms = models.IntegerField(null=True)
    source = models.CharField(max_length=64)
    expected = models.PositiveSmallIntegerField()
    absent_ill = models.PositiveSmallIntegerField()
    absent_other = models.PositiveSmallIntegerField()
    late = models.PositiveSmallIntegerField()
    symptomatic = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "day", "kind"], name="one_session_a_day_and_kind")
        ]
        indexes = [models.Index(fields=["day", "kind"], name="session_day")]

    @property
    def present(self) -> int:
        return self.expected - self.absent_ill - self.absent_other


class CheckRevision(models.Model):
    """A correction of a session: who, when, why; the findings it replaced keep its number."""

    session = models.ForeignKey(CheckSession, on_delete=models.CASCADE, related_name="revisions")
    version = models.PositiveSmallIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    reason = EncryptedText(default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "version"], name="one_revision_a_version")]


class Finding(models.Model):
    """One exception of one person in one session. In force while ``replaced_in`` is null."""

    session = models.ForeignKey(CheckSession, on_delete=models.CASCADE, related_name="findings")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="findings")
    day = models.DateField()
    status = models.CharField(max_length=12, choices=FindingStatus)
    # The first day of illness where it is known to differ from the day of the check.
    onset = models.DateField(null=True)
    symptoms = models.JSONField(default=list)
    since_version = models.PositiveSmallIntegerField(default=1)
    replaced_in = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "person"],
                condition=models.Q(replaced_in__isnull=True),
                name="one_finding_a_person_in_force",
            ),
            models.CheckConstraint(
                condition=models.Q(onset__isnull=True) | models.Q(onset__lte=models.F("day")),
                name="onset_not_after_check",
            ),
        ]
        indexes = [models.Index(fields=["person", "day"], name="finding_person_day")]
