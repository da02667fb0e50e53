"""What was done to the system itself, and what came of it."""

from django.db import models

from xiaodun.accounts.models import User
from xiaodun.operations.choices import RunKind, RunState
from xiaodun.organisations.models import Unit


class Run(models.Model):
    """One piece of work on the system, whoever began it. ``facts`` and ``said`` name no person."""

    kind = models.CharField(max_length=16, choices=RunKind)
    state = models.CharField(max_length=8, choices=RunState, default=RunState.WAITING)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Per cent done.
    progress = models.PositiveSmallIntegerField(default=0)
    # Of a failure: its code and its text.
    code = models.CharField(max_length=32, blank=True)
    said = models.CharField(max_length=500, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["kind", "-id"], name="run_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LegalHold(models.Model):
    """Nothing of a unit and all below it expires until a day, by two persons and for a named ground."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    until = models.DateField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True) | ~models.Q(confirmed_by=models.F("asked_by")),
                name="hold_of_two_persons",
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit} until {self.until}"

    @property
    def dialog(self) -> str:
        """The id of the question before lifting it."""
        return f"lift-{self.pk}"
