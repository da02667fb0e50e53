"""The tree of units and the days on which they teach."""

from django.db import models
from django.utils.translation import get_language
from treebeard.mp_tree import MP_Node

from xiaodun.organisations.choices import GroupKind, InstitutionKind, Stage, UnitKind


class Unit(MP_Node):  # type: ignore[misc]  # treebeard has no types
    """A district, institution, grade or group.

    Everything that happens hangs on a group. Drill and training data live under a root of their own (kind
    ``drill``), so that a role on the district cannot reach them: scopes are ranges of ``path``.
    """

    kind = models.CharField(max_length=16, choices=UnitKind)
    institution_kind = models.CharField(max_length=16, choices=InstitutionKind, blank=True)
    group_kind = models.CharField(max_length=16, choices=GroupKind, blank=True)
    # Of a class: stage and year in which its pupils entered it; the grade of each year follows (grades.py).
    stage = models.CharField(max_length=16, choices=Stage, blank=True)
    entry_year = models.PositiveSmallIntegerField(null=True)
    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True)
    is_public = models.BooleanField(null=True)
    # Of an institution's office, as families call it.
    phone = models.CharField(max_length=32, blank=True)
    # Weekdays of teaching, ISO numbers: "12345"; training bodies differ.
    teaching_weekdays = models.CharField(max_length=7, default="12345")
    # The first day on which duties are owed; a unit that has not joined has none and is grey, not red.
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)

    node_order_by: list[str] = []

    class Meta:
        indexes = [models.Index(fields=["kind", "path"], name="unit_kind_path")]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The name in the reader's language; Chinese where no English name was given."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


class StateYear(models.Model):
    """A year of the State calendar; an unconfirmed year is never guessed at."""

    year = models.PositiveSmallIntegerField(unique=True)
    is_confirmed = models.BooleanField()


class StateDay(models.Model):
    """A day off or a make-up working day (调休) of the State calendar."""

    # Every announced year has days, so that one query over days also tells which years are confirmed.
    year = models.ForeignKey(StateYear, on_delete=models.CASCADE, related_name="days")
    day = models.DateField(unique=True)
    is_working = models.BooleanField()
    name = models.CharField(max_length=60)


class Term(models.Model):
    """A term of a district, or of one institution where it differs."""

    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="terms")
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60, blank=True)
    start = models.DateField()
    end = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gte=models.F("start")), name="term_ends_after_start"
            ),
            models.UniqueConstraint(fields=["unit", "start"], name="one_term_a_start"),
        ]

    @property
    def label(self) -> str:
        """The name in the reader's language; Chinese where no English name was given."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


class DayOverride(models.Model):
    """A unit's own day, closed or opened against its calendar with a reason; it binds all below the unit."""

    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="day_overrides")
    day = models.DateField(db_index=True)
    is_open = models.BooleanField()
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "day"], name="one_override_a_day")]
