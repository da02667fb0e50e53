"""Ladders of escalation (dated data) and the runs that climb them."""

from django.db import models

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import User
from xiaodun.organisations.models import Unit


class Ladder(models.Model):
    """A named ladder in one version. Steps stand in ``LadderStep``."""

    code = models.CharField(max_length=48)
    version = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=300)
    source_en = models.CharField(max_length=300)
    source_mark = models.CharField(max_length=4)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="one_ladder_a_version")]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class LadderStep(models.Model):
    """Tell the holders of ``role`` on the unit or nearest above it, ``wait_minutes`` after the start."""

    ladder = models.ForeignKey(Ladder, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=24, choices=Role)
    wait_minutes = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["ladder", "position"], name="one_step_a_position")]

    def __str__(self) -> str:
        return f"{self.position}: {self.role} +{self.wait_minutes} min"


class LadderRun(models.Model):
    """One matter climbing one ladder until somebody acknowledges it or it is withdrawn.

    ``next_at`` is when the step at ``next_position`` falls due; null when none is left or the run has ended.
    """

    ladder = models.ForeignKey(Ladder, on_delete=models.PROTECT, related_name="runs")
    subject = models.CharField(max_length=96, db_index=True)
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="+")
    message_kind = models.CharField(max_length=48)
    facts = models.JSONField(default=dict)
    url = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    next_position = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="ladder_due", condition=models.Q(next_at__isnull=False))
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "ladder"],
                condition=models.Q(acknowledged_at__isnull=True, stopped_at__isnull=True),
                name="one_running_ladder_a_subject",
            ),
            models.CheckConstraint(
                condition=models.Q(next_at__isnull=True)
                | models.Q(acknowledged_at__isnull=True, stopped_at__isnull=True),
                name="ended_run_climbs_no_more",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.pk}"


class LadderNotice(models.Model):
    """What a run did: step, when it fell due, whom it reached (0: nobody has the role, the next follows)."""

    run = models.ForeignKey(LadderRun, on_delete=models.CASCADE, related_name="notices")
    position = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=24, choices=Role)
    # The unit on which the role is held; null when nobody holds it.
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField()
    reached = models.PositiveSmallIntegerField()
    # Ids of the users reached. Who was told by an earlier step of the same moment is not told twice.
    told = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="one_notice_a_step")]

    def __str__(self) -> str:
        return f"{self.run_id}.{self.position}: {self.role} {self.reached}"
