"""Obligations as dated data, the evidence that fulfils them, and excuses."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import Role
from xiaodun.accounts.models import User
from xiaodun.organisations.models import Unit


class Duty(models.Model):
    """One row of the playbook: who owes what, how often, by when, what proves it, and by which clause.

    The same duty of different institutions (``variant``) may have other times; evidence names its code.
    Times are civil times of China. The duty and its times may come from different sources.
    """

    class Cadence(models.TextChoices):
        SCHOOL_DAY = "school_day", _("every school day")

    code = models.CharField(max_length=48)
    variant = models.CharField(max_length=24)
    version = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    role = models.CharField(max_length=24, choices=Role)
    group_kinds = models.JSONField()
    institution_kinds = models.JSONField()
    cadence = models.CharField(max_length=16, choices=Cadence)
    remind_at = models.TimeField()
    deadline = models.TimeField()
    evidence = models.CharField(max_length=48)
    ladder = models.CharField(max_length=48)
    late_weight = models.DecimalField(max_digits=3, decimal_places=2)
    clock_tolerance_minutes = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=300)
    source_en = models.CharField(max_length=300)
    source_mark = models.CharField(max_length=4)
    times_source = models.CharField(max_length=300)
    times_source_en = models.CharField(max_length=300)
    times_mark = models.CharField(max_length=4)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "variant", "version"], name="one_duty_a_version"),
            models.CheckConstraint(
                condition=models.Q(remind_at__lt=models.F("deadline")), name="reminded_before_deadline"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.variant}) v{self.version}"

    @property
    def label(self) -> str:
        """The duty's name in the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name

    @property
    def rule(self) -> str:
        """The row by which a deadline is judged, for refusals and figures."""
        return str(self)


class Tightening(models.Model):
    """An earlier deadline that a unit sets for itself; a later one is refused."""

    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="+")
    duty_code = models.CharField(max_length=48)
    deadline = models.TimeField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "duty_code", "valid_from"], name="one_tightening_a_start")
        ]

    def __str__(self) -> str:
        return f"{self.duty_code} {self.deadline:%H:%M}"


class Evidence(models.Model):
    """The proof that a unit did its duty on a day: written by the domain's own write, never by a tick box."""

    duty_code = models.CharField(max_length=48)
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="evidence")
    day = models.DateField()
    tapped_at = models.DateTimeField()
    received_at = models.DateTimeField()
    clock_offset_ms = models.IntegerField(null=True)
    source = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["duty_code", "unit", "day"], name="one_evidence_a_day"),
        ]
        indexes = [models.Index(fields=["day", "duty_code"], name="evidence_day")]

    def __str__(self) -> str:
        return f"{self.duty_code} {self.day} {self.source}"


class Excuse(models.Model):
    """A named person's decision, with the reason, that a unit and all below did not owe a duty on a day."""

    duty_code = models.CharField(max_length=48)
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    reason = models.CharField(max_length=200)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["duty_code", "unit", "day"], name="one_excuse_a_day")]
        indexes = [models.Index(fields=["day", "duty_code"], name="excuse_day")]

    def __str__(self) -> str:
        return f"{self.duty_code} {self.day}"


class Chase(models.Model):
    """The system asked once for a missing proof: a reminder before the deadline or a ladder from it on.

    ``at`` is when the step fell due. ``closed_at``: the proof came, or nothing is owed any more.
    """

    class Step(models.TextChoices):
        REMINDER = "reminder", _("reminder")
        ESCALATION = "escalation", _("escalation")

    duty_code = models.CharField(max_length=48)
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    step = models.CharField(max_length=12, choices=Step)
    at = models.DateTimeField()
    # People reminded; of a ladder its notices tell.
    reached = models.PositiveSmallIntegerField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["duty_code", "unit", "day", "step"], name="one_chase_a_step"),
        ]
        indexes = [models.Index(fields=["day", "duty_code"], name="chase_day")]

    def __str__(self) -> str:
        return f"{self.duty_code} {self.day} {self.step}"
