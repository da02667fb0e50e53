"""The rules, and the day before which a rule lets rows go."""

from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, model_validator

from xiaodun.kit import retention, yamldata


class Keep(BaseModel):
    """For how long: days, years, or whole school years after the end of the one in which a row falls."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int | None = None
    years: int | None = None
    school_years: int | None = None

    @model_validator(mode="after")
    def one_of_them(self) -> "Keep":
        if sum(value is not None for value in (self.days, self.years, self.school_years)) != 1:
            raise ValueError("exactly one of days, years and school_years")
        return self


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    version: int
    keep: Keep
    then: str
    then_en: str
    source: str
    mark: str
    valid_from: date
    valid_to: date | None = None

    def before(self, today: date, school_year_ends: tuple[int, int]) -> date:
        """Rows of days before this one have had their time."""
        if self.keep.days is not None:
            return today - timedelta(days=self.keep.days)
        if self.keep.years is not None:
            return _years_before(today, self.keep.years)
        month, day = school_year_ends
        years = self.keep.school_years or 0
        end = date(today.year - years, month, day)
        if _years_before(today, years) <= end:
            end = date(end.year - 1, month, day)
        return end + timedelta(days=1)


class RuleFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    # Month and day on which a school year ends.
    school_year_ends: tuple[int, int]
    rules: tuple[Rule, ...]


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)


@cache
def rule_file() -> RuleFile:
    """The file that the package carries."""
    return yamldata.load(files("xiaodun.operations") / "retention" / "data" / "retention.yaml", RuleFile)


def rules_on(day: date) -> list[tuple[retention.Kind, Rule, date]]:
    """The rules in force on a day: which rows, the rule, and the day before which they go."""
    file = rule_file()
    return [
        (kind, rule, rule.before(day, file.school_year_ends))
        for kind in retention.kinds()
        for rule in file.rules
        if rule.code == kind.code
        and rule.valid_from <= day
        and (rule.valid_to is None or day <= rule.valid_to)
    ]
