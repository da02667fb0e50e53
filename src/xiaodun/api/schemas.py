"""What machines send and get. Unknown fields are refused, so that a misspelt one is noticed."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StrictInt,
    ValidationError,
    WrapValidator,
)

from xiaodun.screening.choices import CheckKind, FindingStatus, Symptom

# A school's morning with room to spare; a larger upload comes in parts, which is safe to do.
MOST_CHECKS = 500
MOST_FINDINGS = 500
LARGEST_PAGE = 200


# A moment of the year 1 cannot be brought into another time zone; one of the year 9000 is a slip.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _plausible(moment: datetime) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise ValueError("the moment lies outside of the years 2000 to 2099")
    return moment


def _plain(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise ValueError("there is a control character in it")
    return text


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
# Databases do not take every character that JSON can carry.
Plain = Annotated[str, AfterValidator(_plain)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FindingIn(Strict):
    """One exception: who is not named was present and well."""

    person: Plain = Field(min_length=1, max_length=32, description="The person's number, as in the roster.")
    status: FindingStatus
    symptoms: list[Symptom] = Field(default=[], max_length=len(Symptom))
    onset: date | None = Field(
        default=None, description="First day of illness where it is not the day of the check."
    )


class CheckIn(Strict):
    """One check of one group on one day."""

    client_id: UUID = Field(
        description="Made once by the sender; the same id with the same content is stored once."
    )
    group: Plain | StrictInt = Field(description="Code or id of the group.")
    day: date
    kind: CheckKind
    tapped_at: Moment = Field(description="When the check was made, by the sender's own clock.")
    clock_offset_ms: int | None = Field(
        default=None,
        ge=-(2**31),
        le=2**31 - 1,
        description="The sender's clock minus this server's. Without it the check counts from its arrival.",
    )
    findings: list[FindingIn] = Field(default=[], max_length=MOST_FINDINGS)


class Malformed(BaseModel):
    """A check that cannot be read; it is refused alone, the others of its batch are not."""

    raw: Any
    error: Any


def _keep_if_malformed(value: Any, read: ModelWrapValidatorHandler[CheckIn]) -> CheckIn | Malformed:
    try:
        return read(value)
    except ValidationError as error:
        return Malformed.model_construct(raw=value, error=error)


class CheckBatch(Strict):
    """Checks that are judged one by one. Sending a batch again is safe."""

    checks: list[Annotated[CheckIn, WrapValidator(_keep_if_malformed)]] = Field(
        min_length=1, max_length=MOST_CHECKS
    )


class ProblemError(BaseModel):
    """One thing wrong with one row or field."""

    where: str
    message: str
    remedy: str
    person: int | None
    field: str


class Problem(BaseModel):
    """Why something was refused (RFC 9457): code, facts used, rule, and what would change the answer."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    facts: dict[str, Any]
    rule: str
    lifts: str
    errors: list[ProblemError]
    request_id: str


class CheckResult(BaseModel):
    """What became of one check: stored now, stored before (repeated), or refused with the problem."""

    index: int = Field(description="Place in the batch, from 0.")
    client_id: str | None
    outcome: Literal["stored", "repeated", "refused"]
    session: int | None = None
    version: int | None = None
    problem: Problem | None = None


class CheckBatchResult(BaseModel):
    stored: int
    repeated: int
    refused: int
    results: list[CheckResult]


class Page(Strict):
    """A page by key: cost and content do not depend on how far one has read."""

    limit: int = Field(default=100, ge=1, le=LARGEST_PAGE)


class GroupPage(Page):
    after: Plain = Field(default="", max_length=32, description="`next` of the page before.")


class SignalPage(Page):
    after: int | None = Field(default=None, ge=0, description="`next` of the page before.")


class DayQuery(Strict):
    day: date


class UnitOut(BaseModel):
    code: str
    name: str
    name_en: str


class GroupOut(UnitOut):
    """A group on which checks hang. ``last_day``: closed after that day."""

    id: int
    kind: str
    institution: UnitOut | None
    first_day: date | None
    last_day: date | None


class Groups(BaseModel):
    items: list[GroupOut]
    next: str | None


class RosterMember(BaseModel):
    person: str = Field(description="The person's number, to be sent back in findings.")
    number: int | None = Field(description="The number within the group.")
    name: str


class Roster(BaseModel):
    group: str
    day: date
    members: list[RosterMember]


class WindowOut(BaseModel):
    """Days from ``start`` to ``end`` inclusive; ``unknown``: counted without known symptoms."""

    start: date
    end: date
    count: int
    unknown: int


class SignalOut(BaseModel):
    """A signal in counts; no person appears."""

    id: int
    unit: UnitOut
    rule: str
    rule_version: int
    symptom_group: str
    state: str
    count: int
    windows: list[WindowOut]
    raised_at: datetime
    deadline_at: datetime
    acknowledged_at: datetime | None
    decided_at: datetime | None


class Signals(BaseModel):
    items: list[SignalOut]
    next: int | None
