"""Announced absences 请销假: one row a leave, whoever announced it."""

from django.db import models

from xiaodun.accounts.models import User
from xiaodun.leave.choices import LeaveKind, LeaveSource
from xiaodun.people.models import Person


class Leave(models.Model):
    """A person is away from a day to a day, both inclusive; cancelling keeps the row."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="leaves")
    kind = models.CharField(max_length=8, choices=LeaveKind)
    source = models.CharField(max_length=8, choices=LeaveSource)
    start = models.DateField()
    end = models.DateField()
    announced_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    announced_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gte=models.F("start")), name="leave_ends_after_start"
            ),
        ]
        indexes = [models.Index(fields=["person", "end"], name="leave_person_end")]
