"""Illness files (episodes): one thread per child from onset to being back, derived from what teachers tap."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from xiaodun.people.models import Person
from xiaodun.screening.models import Finding


class Episode(models.Model):
    """One illness of one person: opens with the first finding, runs until a check finds the person well.

    ``onset`` is the earliest first day that any of its findings names; ``symptoms`` is the union over them.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        ENDED = "ended", _("back at school")
        VOID = "void", _("withdrawn by a correction")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="episodes")
    state = models.CharField(max_length=8, choices=State)
    onset = models.DateField(db_index=True)
    first_day = models.DateField()
    last_day = models.DateField()
    # The day of the check that found the person well again.
    back_on = models.DateField(null=True)
    was_absent = models.BooleanField()
    symptoms = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(state="running"), name="one_running_file_a_person"
            ),
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")), name="file_days_in_order"
            ),
        ]
        indexes = [models.Index(fields=["person", "-onset"], name="episode_person_onset")]


class EpisodeDay(models.Model):
    """A finding that belongs to an episode. A finding is in one episode only."""

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="days")
    finding = models.OneToOneField(Finding, on_delete=models.CASCADE, related_name="episode_day")
    day = models.DateField()
    status = models.CharField(max_length=12)
    symptoms = models.JSONField(default=list)
