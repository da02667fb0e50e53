"""What was done to the system itself, and what came of it."""

from django.db import models

from xiaodun.accounts.models import User
from xiaodun.operations.choices import RunKind, RunState


class Run(models.Model):
    """One backup or restore test. ``facts`` and ``said`` name no person."""

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
