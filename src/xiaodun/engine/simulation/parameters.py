"""The simulator's numbers, read from ``data/*.yaml`` where their sources stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from xiaodun.engine.simulation.streams import lognormal_days

__all__ = [
    "SYMPTOM_GROUPS",
    "Background",
    "CommonSource",
    "Community",
    "Disease",
    "Picture",
    "background",
    "diseases",
]

SYMPTOM_GROUPS = (
    "respiratory_fever",
    "gastrointestinal",
    "rash",
    "parotid",
    "conjunctivitis",
    "jaundice",
    "unknown",
)
"""Groups of like symptoms, in the order of the arrays' axis; illness without a grouped symptom is unknown."""

SETTINGS = ("class", "grade", "school", "room", "lesson", "household")

Days = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Picture:
    """Symptoms that come together, and the groups they belong to."""

    symptoms: tuple[str, ...]
    groups: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Community:
    """Infection from outside along a season; ``peak`` is (month, day) of the median season."""

    share: float
    peak: tuple[int, int]
    peak_spread_days: float
    width_days: float
    severity_dispersion: float


@dataclass(frozen=True, slots=True)
class CommonSource:
    """Meals that make people ill: events by institution and school week, share ill, share in one year."""

    rate: float
    attack: float
    one_grade: float


@dataclass(frozen=True, slots=True, eq=False)
class Disease:
    """One disease; see the head of ``data/diseases.yaml`` for the meaning of each number."""

    code: str
    number: int
    source: str
    source_mark: str
    incubation: Days
    illness: Days
    first_infectious_day: int
    infectious: Days
    symptomatic: float
    infectiousness_without_symptoms: float
    stays_home: float
    contacts: Mapping[str, float]
    susceptible: Mapping[str, float]
    class_shape: int
    introductions: float
    introduction_kinds: tuple[str, ...]
    community: Community | None
    common_source: CommonSource | None
    pictures: tuple[Picture, ...]
    published: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Illness and leave outside the outbreaks, and how checks are made; see ``data/background.yaml``."""

    hazard: Mapping[str, float]
    by_weekday: Days
    winter_amplitude: float
    winter_peak: tuple[int, int]
    school_shape: float
    class_shape: float
    class_week_shape: float
    stays_home: float
    illness_days: Days
    pictures: tuple[Picture, ...]
    leave: Mapping[str, Any]
    reporting: Mapping[str, Any]
    submission: Mapping[str, Any]


def _read(name: str) -> dict[str, Any]:
    text = files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def _pictures(rows: list[Any], similarity: Mapping[str, list[str]]) -> tuple[Picture, ...]:
    found = []
    for symptoms, weight in rows:
        named = {group for symptom in symptoms for group in similarity[symptom]}
        groups = tuple(group for group in SYMPTOM_GROUPS if group in named)
        found.append(Picture(tuple(symptoms), groups or ("unknown",), float(weight)))
    return tuple(found)


@cache
def diseases() -> Mapping[str, Disease]:
    """All diseases by code, in the order of the file."""
    content = _read("diseases.yaml")
    found = {}
    for row in content["diseases"]:
        weights = np.asarray(row["infectious"]["weights"], dtype=np.float64)
        introductions = row.get("introductions", {"rate": 0.0, "kinds": ()})
        community = row.get("community")
        source = row.get("common_source")
        found[row["code"]] = Disease(
            code=row["code"],
            number=row["number"],
            source=row["source"],
            source_mark=row["source_mark"],
            incubation=lognormal_days(**row["incubation"]),
            illness=lognormal_days(**row["illness"]),
            first_infectious_day=row["infectious"]["first_day"],
            infectious=weights / weights.sum(),
            symptomatic=row["symptomatic"],
            infectiousness_without_symptoms=row["infectiousness_without_symptoms"],
            stays_home=row["stays_home"],
            contacts={setting: float(row["contacts"][setting]) for setting in SETTINGS},
            susceptible=row["susceptible"],
            class_shape=row.get("class_shape", 0),
            introductions=introductions["rate"],
            introduction_kinds=tuple(introductions["kinds"]),
            community=community and Community(**{**community, "peak": tuple(community["peak"])}),
            common_source=source and CommonSource(**source),
            pictures=_pictures(row["pictures"], content["similarity"]),
            published=row["published"],
        )
    return found


@cache
def background() -> Background:
    """Illness and leave outside the outbreaks."""
    content = _read("background.yaml")
    days = np.asarray(content["illness_days"], dtype=np.float64)
    return Background(
        hazard=content["hazard"],
        by_weekday=np.asarray(content["by_weekday"], dtype=np.float64),
        winter_amplitude=content["winter"]["amplitude"],
        winter_peak=tuple(content["winter"]["peak"]),
        school_shape=content["spread"]["school_shape"],
        class_shape=content["spread"]["class_shape"],
        class_week_shape=content["spread"]["class_week_shape"],
        stays_home=content["stays_home"],
        illness_days=days / days.sum(),
        pictures=_pictures(content["pictures"], _read("diseases.yaml")["similarity"]),
        leave=content["leave"],
        reporting=content["reporting"],
        submission=content["submission"],
    )
