"""Keeping the numbers of days whose rows are about to go."""

from datetime import date, datetime

from xiaodun.figures.models import FrozenFigure
from xiaodun.figures.registry import FigureScope, definitions
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit


def freeze(*, days: set[date], at: datetime) -> int:
    """Keep every figure of district and institutions for these days; a number kept before stays as it is.

    Returns how many were kept. Figures of groups go with their rows: they are hardly more than the rows.
    """
    institutions = list(Unit.objects.filter(kind=UnitKind.INSTITUTION))
    roots = list(Unit.objects.filter(kind__in=[UnitKind.DISTRICT, UnitKind.DRILL]))
    kept = 0
    for day in sorted(days):
        for definition in definitions():
            values = dict(definition.compute(FigureScope(institutions, day, at)))
            for root in roots:
                values |= definition.compute(FigureScope([root], day, at))
            rows = [
                FrozenFigure(
                    code=definition.code,
                    version=definition.version,
                    unit_id=unit_id,
                    day=day,
                    number=value.number,
                    of=value.of,
                    frozen_at=at,
                )
                for unit_id, value in values.items()
                if value.number is not None
            ]
            kept += len(FrozenFigure.objects.bulk_create(rows, ignore_conflicts=True))
    return kept
