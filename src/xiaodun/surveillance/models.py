"""Rules as dated data, and the signals that they raise."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Person
from xiaodun.surveillance.choices import Channel, Recipient, SourceMark


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
    # Who must be told within that time; the clock runs until all of them have been.
    report_to = models.JSONField()
    ladder = models.CharField(max_length=48)
    # Climbed from the confirmation until the report is on record.
    report_ladder = models.CharField(max_length=48)
    source = models.CharField(max_length=300)
    source_en = models.CharField(max_length=300)
    source_mark = models.CharField(max_length=4)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    recorded_at = models.DateTimeField()
    approved_by = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="one_rule_a_version")]

    @property
    def label(self) -> str:
        """The rule's name in the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name

    @property
    def source_label(self) -> str:
        """Where the rule was read, in the reader's language."""
        return self.source_en if (get_language() or "").startswith("en") else self.source

    @property
    def source_mark_label(self) -> str:
        """How well the source is known, in words."""
        return str(SourceMark(self.source_mark).label)


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
    # Since when and until when the report is owed. Ruling out stops this clock; later cases start another.
    clock_from = models.DateTimeField()
    deadline_at = models.DateTimeField()
    # When the last of those whom the rule names had been told; none while the report is owed.
    reported_at = models.DateTimeField(null=True)
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
        constraints = [
            models.CheckConstraint(
                condition=models.Q(clock_from__lte=models.F("deadline_at")), name="clock_before_deadline"
            )
        ]

    @property
    def subject(self) -> str:
        """The name under which ladders and messages know this signal."""
        return f"signal:{self.pk}"

    @property
    def report_subject(self) -> str:
        """The name under which the report owed after a confirmation climbs."""
        return f"signal-report:{self.pk}"

    @property
    def is_decided(self) -> bool:
        """Whether a decision stands; one on a signal that was withdrawn since is history."""
        return self.state in {self.State.CONFIRMED, self.State.RULED_OUT}

    @property
    def clock_runs(self) -> bool:
        """Whether a report may still be owed by the deadline: neither closed nor on record already."""
        is_closed = self.state in {self.State.RULED_OUT, self.State.WITHDRAWN}
        return not is_closed and self.reported_at is None

    @property
    def owes_report(self) -> bool:
        """Whether it was confirmed and somebody whom the rule names has not been told yet."""
        return self.state == self.State.CONFIRMED and self.reported_at is None

    @property
    def was_reported_late(self) -> bool:
        """Whether the report was complete only after its deadline."""
        return self.reported_at is not None and self.reported_at > self.deadline_at


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


class RuledOutPerson(models.Model):
    """A person among the cases when the signal was ruled out: they alone do not alarm again."""

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="ruled_out_persons")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    # Their rows are kept no longer than those of the cases.
    ruled_out_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["signal", "person"], name="ruled_out_once_a_person")]


class SignalReport(models.Model):
    """That somebody outside of the school was told of a signal: the record of a report, not the report."""

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="reports")
    to_whom = models.CharField(max_length=24, choices=Recipient)
    how = models.CharField(max_length=16, choices=Channel)
    # Number of the report, or the post that answered; names no child.
    reference = models.CharField(max_length=80, blank=True)
    reported_at = models.DateTimeField()
    # The persons of whom was told.
    count = models.PositiveSmallIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]


class SignalEvent(models.Model):
    """The visible history of a signal."""

    class Kind(models.TextChoices):
        RAISED = "raised", _("raised")
        GREW = "grew", _("count rose")
        CHANGED = "changed", _("changed by a correction or transfer")
        REALARMED = "realarmed", _("alarmed again: more cases than acknowledged")
        OTHERS = "others", _("alarmed again: other persons reach the threshold by themselves")
        JOINED = "joined", _("alarmed again: a signal that nobody had seen joined it")
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
