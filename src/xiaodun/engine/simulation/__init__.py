"""Synthetic districts from a seed: units, people, checks and the truth behind them. Nobody is real."""

from xiaodun.engine.simulation.cases import CASE, Setting
from xiaodun.engine.simulation.census import GROUP, INSTITUTION, PERSON, Census, GroupKind, build_census
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
from xiaodun.engine.simulation.invented import name_text
from xiaodun.engine.simulation.parameters import SYMPTOM_GROUPS, Disease, diseases
from xiaodun.engine.simulation.plan import InstitutionPlan, Kind, bulletin_district, city
from xiaodun.engine.simulation.small import small_district
from xiaodun.engine.simulation.term import OUTBREAK, WINDOW, Counts, Level, SimulatedTerm, simulate_term

__all__ = [
    "CASE",
    "GROUP",
    "INSTITUTION",
    "OUTBREAK",
    "PERSON",
    "SYMPTOMS",
    "SYMPTOM_GROUPS",
    "WINDOW",
    "Census",
    "Check",
    "Counts",
    "Disease",
    "District",
    "Enrolment",
    "Finding",
    "Grade",
    "Group",
    "GroupKind",
    "Institution",
    "InstitutionPlan",
    "Kind",
    "Level",
    "Person",
    "PlantedCluster",
    "Setting",
    "SimulatedTerm",
    "StaffRole",
    "Truth",
    "build_census",
    "bulletin_district",
    "city",
    "diseases",
    "name_text",
    "simulate_term",
    "small_district",
]
