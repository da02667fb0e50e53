"""Writes to persons and their enrolments, one module a matter. Doors judge the right before they call."""

from xiaodun.people.services.enrolments import (
    ANNOUNCED_TOGETHER,
    ENROLMENT_CHANGED,
    ENROLMENTS_LOADED,
    EnrolmentRow,
    enrol,
    enrol_many,
    leave_group,
    move_transfer,
    transfer,
)
from xiaodun.people.services.persons import PersonRow, register_person, register_persons

__all__ = [
    "ANNOUNCED_TOGETHER",
    "ENROLMENTS_LOADED",
    "ENROLMENT_CHANGED",
    "EnrolmentRow",
    "PersonRow",
    "enrol",
    "enrol_many",
    "leave_group",
    "move_transfer",
    "register_person",
    "register_persons",
    "transfer",
]
