"""Logs without personal data: every line is one line, with the request's id, and known patterns masked."""

import logging
import re

from xiaodun.kit.requestid import current_request_id

# ID number (GB 11643: 17 digits and a check character) before mobile number, since the one may contain the
# other.
_PERSONAL = re.compile(r"(?<!\d)(\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def clean(text: str) -> str:
    """Mask ID and mobile numbers and escape control characters, so that no input forges a line."""
    return _CONTROL.sub(lambda found: repr(found.group())[1:-1], _PERSONAL.sub("[masked]", text))


class Formatter(logging.Formatter):
    """One line per record; a traceback follows with its own line breaks and masked numbers."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record)} {record.levelname} {record.name} {clean(record.getMessage())}"
        if current := current_request_id():
            line += f" [{current}]"
        if record.exc_info and record.exc_info[0] is not None:
            line += "\n" + _PERSONAL.sub("[masked]", self.formatException(record.exc_info))
        return line
