"""Rules as dated data, and the signals that they raise."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Person


class Rule(models.Model):
    """“N similar cases in a group within D consecutive calendar days” in one version, with its source."""

    code = models.CharField(max_length=48)
    version = models.PositiveSmallIntegerField()
    set_code = models.CharField(max_length=48, db_index=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    group_kinds = models.JSONField()
    min_cases = models.PositiveSmallIntegerField()
    window_days = models.PositiveSmallIntegerField()
    # symptom code -> list of symptom groups: what counts as "similar" under this rule.
    similarity = models.JSONField()
    level = models.CharField(max_length=24)
    report_within_minutes = models.PositiveIntegerField()
    ladder = models.CharField(max_length=48)
    source = models.CharField(max_length=300)
    source_mark = models.CharField(max_length=4)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    recorded_at = models.DateTimeField()
    approved_by = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="one_rule_a_version")]


class Signal(models.Model):
    """An alarm of one rule for one symptom group in one unit; lives while its windows overlap or touch."""

    class State(models.TextChoices):
        OPEN = "open", _("waiting for acknowledgment")
        ACKNOWLEDGED = "acknowledged", _("acknowledged, to be decided")
        CONFIRMED = "confirmed", _("confirmed")
        RULED_OUT = "ruled_out", _("ruled out")
        WITHDRAWN = "withdrawn", _("withdrawn by a correction")

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="signals")
    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="signals")
    symptom_group = models.CharField(max_length=32)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    # [{"start", "end", "count", "unknown"}], in order of end.
    windows = models.JSONField()
    first_start = models.DateField()
    last_end = models.DateField()
    peak_count = models.PositiveSmallIntegerField()
    raised_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    # The count that was acknowledged; a higher one alarms again.
    acknowledged_count = models.PositiveSmallIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decision_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["unit", "last_end"], name="signal_unit_end"),
            models.Index(fields=["state", "deadline_at"], name="signal_state_deadline"),
        ]

    @property
    def subject(self) -> str:
        """The name under which ladders and messages know this signal."""
        return f"signal:{self.pk}"


class SignalCase(models.Model):
    """A person counted by a signal, with the onset that counts."""

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="cases")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    onset = models.DateField()
    is_unknown = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["signal", "person", "onset"], name="one_case_a_person")
        ]


class SignalEvent(models.Model):
    """The visible history of a signal."""

    class Kind(models.TextChoices):
        RAISED = "raised", _("raised")
        GREW = "grew", _("count rose")
        CHANGED = "changed", _("changed by a correction or transfer")
        REALARMED = "realarmed", _("alarmed again: more cases than acknowledged")
        MERGED = "merged", _("joined with another signal")
        WITHDRAWN = "withdrawn", _("withdrawn: the cases no longer reach the threshold")
        ACKNOWLEDGED = "acknowledged", _("acknowledged")
        CONFIRMED = "confirmed", _("confirmed")
        RULED_OUT = "ruled_out", _("ruled out")

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    count = models.PositiveSmallIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["at", "id"]
