"""Numbers that outlive their rows."""

from django.db import models

from xiaodun.organisations.models import Unit


class FrozenFigure(models.Model):
    """What a figure said when the rows behind it expired. ``of``: the denominator."""

    code = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField()
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    number = models.IntegerField()
    of = models.IntegerField(null=True)
    frozen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "unit", "day"], name="one_frozen_figure_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.day}"
