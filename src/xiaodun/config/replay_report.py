"""The result of a replay as a report for people."""

from collections.abc import Mapping, Sequence
from typing import Any

_ROLE_WORDS = {
    "class_teacher": "class teacher",
    "dormitory_supervisor": "dormitory supervisor",
    "grade_lead": "grade lead",
    "school_doctor": "school doctor",
    "school_reporter": "school reporter",
    "school_clerk": "school clerk",
    "guard": "guard",
    "principal": "principal",
    "district_officer": "district officer",
    "system_administrator": "system administrator",
    "auditor": "auditor",
}


def as_text(result: Mapping[str, Any]) -> str:
    """What happened, the signals in the order in which they were raised, and the classes without one."""
    summary, signals = result["summary"], result["signals"]
    return "\n".join([*_head(summary), "", *_body(signals), *_foot(summary)]) + "\n"


def _head(summary: Mapping[str, Any]) -> list[str]:
    schools = _counted(summary["schools"], "school", "schools")
    classes = _counted(summary["classes"], "class", "classes")
    cases = _counted(summary["cases"], "case", "cases")
    first = summary["first_school_day"]
    days = _counted(summary["school_days"], "school day", "school days")
    lines = [
        f"Replay under the rules {summary['rules']}",
        f"{cases} among {summary['enrolled']} persons in {classes} of {schools}",
        f"onsets {summary['first_onset']} to {summary['last_onset']}",
        f"{summary['checks']} checks on {days}, {first} to {summary['last_school_day']}",
    ]
    if summary["diagnoses"]:
        lines.append("Diagnoses: " + ", ".join(f"{word} {n}" for word, n in summary["diagnoses"].items()))
    if years := summary["assumed_years"]:
        lines.append(
            f"The State's days off of {', '.join(map(str, years))} are not known: Monday to Friday but for "
            f"the days that the law names. Give the days with --calendar."
        )
    return lines


def _body(signals: Sequence[Mapping[str, Any]]) -> list[str]:
    if not signals:
        return ["No signal: no rule's number of cases was reached in any class."]
    lines = [_counted(len(signals), "signal", "signals")]
    day = ""
    for signal in signals:
        if signal["raised_on"] != day:
            day = signal["raised_on"]
            lines += ["", day]
        lines += _signal(signal)
    return lines


def _signal(signal: Mapping[str, Any]) -> list[str]:
    place = " / ".join(part for part in (signal["school"], signal["grade"], signal["unit"]) if part)
    days = _counted(signal["window_days"], "day", "days")
    group = signal["symptom_group"].replace("_", " ")
    rule = f"rule “{signal['min_cases']} in {days}” ({signal['rule']} v{signal['rule_version']})"
    unknown = max(window["unknown"] for window in signal["windows"])
    lines = [
        f"  {place}: {group}, {rule}",
        f"      windows {_windows(signal['windows'])}",
        f"      peak {signal['count']}, {_counted(len(signal['persons']), 'person', 'persons')} in all"
        + (f", up to {unknown} with unknown symptoms" if unknown else "")
        + f"; to be reported by {_moment(signal['deadline'])}",
    ]
    if signal["told"]:
        told = ", ".join(_ROLE_WORDS[notice["role"]] for notice in signal["told"])
        lines.append(f"      told at {_moment(signal['told'][0]['at'])}: {told}")
    if signal["climbed"]:
        climbed = ", ".join(
            f"{_ROLE_WORDS[notice['role']]} at {_moment(notice['at'])}" for notice in signal["climbed"]
        )
        lines.append(f"      unanswered, climbed to: {climbed}")
    return lines


def _windows(windows: Sequence[Mapping[str, Any]]) -> str:
    def one(window: Mapping[str, Any]) -> str:
        span = window["end"] if window["start"] == window["end"] else f"{window['start']}…{window['end'][5:]}"
        return f"{span} ({window['count']})"

    return ", ".join(one(window) for window in windows)


def _foot(summary: Mapping[str, Any]) -> list[str]:
    classes = _counted(summary["classes"], "class", "classes")
    lines = ["", f"{summary['classes_with_signal']} of {classes} had a signal."]
    if summary["withdrawn"]:
        lines.append(f"Signals that joined another one and are not listed: {summary['withdrawn']}.")
    return lines


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _moment(iso: str) -> str:
    """``2001-01-17T07:40+08:00`` as ``2001-01-17 07:40``."""
    return iso[:16].replace("T", " ")
