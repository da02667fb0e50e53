"""Writes to persons, their identities, guardians and enrolments, one module a matter.

Doors judge the right before they call.
"""

from xiaodun.people.services.enrolments import (
    ANNOUNCED_TOGETHER,
    ENROLMENT_CHANGED,
    ENROLMENTS_LOADED,
    EnrolmentRow,
    MoveRow,
    enrol,
    enrol_many,
    leave_group,
    move_transfer,
    renumber_many,
    transfer,
    transfer_many,
    undo_leave,
    undo_transfer,
)
from xiaodun.people.services.erasure import erase_again, erase_person
from xiaodun.people.services.guardians import GuardianValues, set_guardians, set_guardians_of_many
from xiaodun.people.services.identities import IdentityValues, keep_identities, keep_identity
from xiaodun.people.services.persons import (
    PersonChange,
    PersonRow,
    correct_person,
    correct_persons,
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
    "MoveRow",
    "PersonChange",
    "PersonRow",
    "correct_person",
    "correct_persons",
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
    "renumber_many",
    "set_guardians",
    "set_guardians_of_many",
    "transfer",
    "transfer_many",
    "undo_leave",
    "undo_transfer",
]
