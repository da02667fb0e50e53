"""Writes to users, roles, machine tokens and sessions. Doors judge the right before they call."""

from xiaodun.accounts.services.tokens import make_api_token, revoke_api_token
from xiaodun.accounts.services.users import (
    assign_role,
    create_user,
    deactivate_user,
    end_role,
    reopen_role,
    set_language,
)

__all__ = [
    "assign_role",
    "create_user",
    "deactivate_user",
    "end_role",
    "make_api_token",
    "reopen_role",
    "revoke_api_token",
    "set_language",
]
