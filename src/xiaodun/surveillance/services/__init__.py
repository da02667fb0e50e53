"""Writes to rules and signals."""

from xiaodun.surveillance.services.judging import (
    evaluate,
    evaluate_all,
    follow_enrolment,
    follow_enrolments,
    follow_episodes,
)
from xiaodun.surveillance.services.reviews import (
    acknowledge,
    decide,
    decide_each,
    record_report,
    record_report_each,
)
from xiaodun.surveillance.services.rules import NORM_2006, activate_rule, load_rules

__all__ = [
    "NORM_2006",
    "acknowledge",
    "activate_rule",
    "decide",
    "decide_each",
    "evaluate",
    "evaluate_all",
    "follow_enrolment",
    "follow_enrolments",
    "follow_episodes",
    "load_rules",
    "record_report",
    "record_report_each",
]
