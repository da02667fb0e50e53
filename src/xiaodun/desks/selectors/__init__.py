"""What each page joins from the apps below, one module a family of pages."""

from xiaodun.desks.selectors.audit_log import audit_page, person_in_reach
from xiaodun.desks.selectors.boards import board, institution_page
from xiaodun.desks.selectors.checks import check_done_page, check_roster, check_shell, check_url
from xiaodun.desks.selectors.figures import figure_page
from xiaodun.desks.selectors.files import file_list, file_page
from xiaodun.desks.selectors.inbox import inbox_page, message_target
from xiaodun.desks.selectors.keys import key_in
from xiaodun.desks.selectors.reveals import openable, reveal_page
from xiaodun.desks.selectors.signals import signal_list, signal_page
from xiaodun.desks.selectors.today import today_page

__all__ = [
    "audit_page",
    "board",
    "check_done_page",
    "check_roster",
    "check_shell",
    "check_url",
    "figure_page",
    "file_list",
    "file_page",
    "inbox_page",
    "institution_page",
    "key_in",
    "message_target",
    "openable",
    "person_in_reach",
    "reveal_page",
    "signal_list",
    "signal_page",
    "today_page",
]
