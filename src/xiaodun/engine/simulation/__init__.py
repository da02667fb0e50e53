"""Synthetic districts from a seed: units, people, checks and the truth behind them. Nobody is real."""

from xiaodun.engine.simulation.district import (
    Check,
    District,
    Enrolment,
    Finding,
    Grade,
    Group,
    Institution,
    Person,
    PlantedCluster,
    StaffRole,
    Truth,
)
from xiaodun.engine.simulation.illness import SYMPTOMS
from xiaodun.engine.simulation.small import small_district

__all__ = [
    "SYMPTOMS",
    "Check",
    "District",
    "Enrolment",
    "Finding",
    "Grade",
    "Group",
    "Institution",
    "Person",
    "PlantedCluster",
    "StaffRole",
    "Truth",
    "small_district",
]
