"""Logs without personal data: every line is one line, with the request's id, and known patterns masked."""

import logging
import os
import re
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler

from xiaodun.kit.requestid import current_request_id

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# Names of fields whose value a line must not show, as programs write them: name=…, "phone": "…", 姓名：….
_FIELDS = (
    r"name|guardian_name|pinyin|phone|mobile|address|id_number|document_number|student_number|birth_date"
    r"|temperature|symptoms|reason|password|pin|code|secret|token|session(?:id|_key)|csrf\w*|identity"
    r"|姓名|学生|家长|监护人|电话|手机号?|住址|身份证号?|学籍号|体温|症状|密码|口令"
)
_VALUE = r"""("[^"]*"|'[^']*'|\[[^\]]*\]|[^\s,;&)}\]]+)"""

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # ID number (GB 11643: 17 digits and a check character) before mobile number: the one may contain the
    # other. People write mobile numbers in groups of 3-4-4.
    (re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)"), "[masked]"),
    (re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"), "[masked]"),
    (re.compile(r"AGE-SECRET-KEY-1[A-Z0-9]+"), "[masked]"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), r"\1 [masked]"),
    # Links of slips and parents: whatever follows is the right itself.
    (re.compile(r"(?<=/)[A-Za-z0-9_-]{22,}(?=[/?\s]|$)"), "[masked]"),
    (
        re.compile(rf"""(?<![\w.])(["']?(?:{_FIELDS})["']?\s*[=:：]\s*){_VALUE}""", re.IGNORECASE),
        r"\1[masked]",
    ),
    (re.compile(r"(?<![\d.])(3[4-9]|4[0-3])\.\d{1,2}\s*(?:°C|℃|度|C\b)"), "[masked]"),
)


def mask(text: str) -> str:
    """Hide what names or describes a person, and what opens a door."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def clean(text: str) -> str:
    """Mask, and escape control characters, so that no input forges a line."""
    return _CONTROL.sub(lambda found: repr(found.group())[1:-1], mask(text))


class Formatter(logging.Formatter):
    """One line per record; a traceback follows with its own line breaks, masked too."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record)} {record.levelname} {record.name} {clean(record.getMessage())}"
        if current := current_request_id():
            line += f" [{current}]"
        if record.exc_info and record.exc_info[0] is not None:
            line += "\n" + mask(self.formatException(record.exc_info))
        return line


class PrivateRotatingFile(RotatingFileHandler):
    """A log that its owner alone may read, also after it was rotated."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding, errors=self.errors)
