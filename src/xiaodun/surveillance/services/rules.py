"""Rules as dated data: loaded from files, put in force by a named person."""

from datetime import date, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from xiaodun.accounts.models import User
from xiaodun.kit import audit, clock, yamldata
from xiaodun.kit.errors import Refusal
from xiaodun.ladders.selectors import in_force
from xiaodun.surveillance.choices import Level, Recipient, SymptomGroup
from xiaodun.surveillance.models import Rule

NORM_2006 = files("xiaodun.surveillance") / "data" / "norm-2006.yaml"


def activate_rule(*, by: User, rule: Rule, reason: str, at: datetime) -> Rule:
    """Put a rule in force. A row whose source is only remembered (mark M or M?) needs a written reason.

    Raises:
        Refusal: ``rule-source-unsure`` (422) when such a row comes without a reason, ``ladder-not-in-force``
            (422) when the rule names a ladder that is not in force.
    """
    if rule.source_mark in {"M", "M?"} and not reason.strip():
        raise Refusal(
            "rule-source-unsure",
            _("The source of this rule has not been read; activating it needs your reason."),
            status=422,
            facts={"source_mark": rule.source_mark, "source": rule.source},
            rule=f"{rule.code} v{rule.version}",
            lifts=_("Write why the rule is to hold, or have the source checked first."),
        )
    with transaction.atomic():
        rule = Rule.objects.select_for_update(no_key=True).get(pk=rule.pk)
        _refuse_missing_ladder(rule, at=at)
        rule.is_active = True
        rule.approved_by = by.name
        rule.save(update_fields=["is_active", "approved_by"])
        audit.record(
            by=by,
            action="surveillance.rule.activated",
            obj=rule,
            at=at,
            facts={"code": rule.code, "version": rule.version, "reason": reason.strip()},
        )
    return rule


def _refuse_missing_ladder(rule: Rule, *, at: datetime) -> None:
    """A rule whose ladder is not in force could tell nobody, and would hold up the others of its class."""
    for ladder in (rule.ladder, rule.report_ladder):
        if in_force(ladder, clock.local_day(at)):
            continue
        raise Refusal(
            "ladder-not-in-force",
            _("The ladder of this rule is not in force."),
            status=422,
            facts={"ladder": ladder},
            rule=f"{rule.code} v{rule.version}",
            lifts=_("Add the ladder, or name one that is in force."),
        )


class _RuleEntry(BaseModel):
    """One rule of a rule file. Numbers are the authority's; source and mark say where they were read."""

    model_config = ConfigDict(extra="forbid")

    code: str
    version: PositiveInt
    name: str
    name_en: str
    group_kinds: list[Literal["class", "dormitory"]]
    min_cases: PositiveInt
    window_days: PositiveInt
    level: Level
    report_within_minutes: PositiveInt
    report_to: list[Recipient] = Field(min_length=1)
    ladder: str
    report_ladder: str
    source: str = Field(min_length=1, max_length=300)
    source_en: str = Field(min_length=1, max_length=300)
    source_mark: Literal["V", "V2", "M", "M?", "P"]
    valid_from: date
    valid_to: date | None
    approved_by: str
    is_active: bool


class _RuleFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    set: str
    similarity: dict[str, list[SymptomGroup]]
    rules: list[_RuleEntry]


def load_rules(file: Path | Traversable, *, at: datetime) -> int:
    """Load a rule file; rows already known by code and version stay as they are. Returns how many were new.

    A changed number needs a new version: what a past day was judged by must stay readable.

    Raises:
        DataFileError: with file and line of every fault.
        Refusal: ``ladder-not-in-force`` when a rule names a ladder that is not in force.
    """
    content = yamldata.load(file, _RuleFile)
    with transaction.atomic():
        known = set(Rule.objects.filter(set_code=content.set).values_list("code", "version"))
        new = [
            Rule(
                set_code=content.set,
                similarity={code: list(groups) for code, groups in content.similarity.items()},
                recorded_at=at,
                **entry.model_dump(),
            )
            for entry in content.rules
            if (entry.code, entry.version) not in known
        ]
        for rule in new:
            _refuse_missing_ladder(rule, at=at)
            rule.save()
            audit.record(
                by=None,
                action="surveillance.rule.loaded",
                obj=rule,
                at=at,
                facts={"code": rule.code, "version": rule.version, "active": rule.is_active},
            )
    return len(new)
