"""Logs hold no personal numbers and no forged lines."""

import logging
import sys

import pytest

from xiaodun.kit import logs
from xiaodun.kit.requestid import request_id


def formatted(message, *args, exc_info=None):
    record = logging.LogRecord("xiaodun.x", logging.ERROR, __file__, 1, message, args, exc_info)
    return logs.Formatter().format(record)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("phone 13800000000.", "phone [masked]."),
        ("id 11010119900307003X", "id [masked]"),
        ("id 110101199003070030", "id [masked]"),
        ("row 1380000000", "row 1380000000"),
        ("took 138000000001 ns", "took 138000000001 ns"),
        ("user\r\nERROR forged", "user\\r\\nERROR forged"),
    ],
)
def test_numbers_are_masked_and_lines_cannot_be_forged(text, expected):
    assert logs.clean(text) == expected


def test_a_line_carries_the_id_of_its_request():
    with request_id("abc"):
        assert formatted("lost %s", 3).endswith("ERROR xiaodun.x lost 3 [abc]")
    assert formatted("lost").endswith("ERROR xiaodun.x lost")


def test_a_traceback_is_masked_too():
    try:
        raise LookupError("13800000000")
    except LookupError:
        text = formatted("failed", exc_info=sys.exc_info())
    assert "LookupError: [masked]" in text
