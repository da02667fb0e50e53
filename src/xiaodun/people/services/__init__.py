"""Writes to persons, their identities, guardians and enrolments, one module a matter.

Doors judge the right before they call.
"""

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
    undo_leave,
    undo_transfer,
)
from xiaodun.people.services.erasure import erase_again, erase_person
from xiaodun.people.services.guardians import GuardianValues, set_guardians, set_guardians_of_many
from xiaodun.people.services.identities import IdentityValues, keep_identities, keep_identity
from xiaodun.people.services.persons import (
    PersonRow,
    correct_person,
    register_person,
    register_persons,
)

__all__ = [
    "ANNOUNCED_TOGETHER",
    "ENROLMENTS_LOADED",
    "ENROLMENT_CHANGED",
    "EnrolmentRow",
    "GuardianValues",
    "IdentityValues",
    "PersonRow",
    "correct_person",
    "enrol",
    "enrol_many",
    "erase_again",
    "erase_person",
    "keep_identities",
    "keep_identity",
    "leave_group",
    "move_transfer",
    "register_person",
    "register_persons",
    "set_guardians",
    "set_guardians_of_many",
    "transfer",
    "undo_leave",
    "undo_transfer",
]
