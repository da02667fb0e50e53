"""Logs hold nothing personal, no key and no forged line; the file is rotated and closed to others."""

import logging
import sys

import pytest

from xiaodun.kit import codes, logs
from xiaodun.kit.requestid import request_id


def formatted(message, *args, exc_info=None):
    record = logging.LogRecord("xiaodun.x", logging.ERROR, __file__, 1, message, args, exc_info)
    return logs.Formatter().format(record)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("phone 13800000000.", "phone [masked]."),
        ("call 138 0000 0000 or 138-0000-0000", "call [masked] or [masked]"),
        ("id 11010119900307003X", "id [masked]"),
        ("id 110101199003070030", "id [masked]"),
        ("row 1380000000", "row 1380000000"),
        ("took 138000000001 ns", "took 138000000001 ns"),
        ("user\r\nERROR forged", "user\\r\\nERROR forged"),
        ("name=王小明, row 3", "name=[masked], row 3"),
        (
            '{"name": "王小明", "temperature": 38.4, "row": 3}',
            '{"name": [masked], "temperature": [masked], "row": 3}',
        ),
        ("姓名：王小明 体温：38.4", "姓名：[masked] 体温：[masked]"),
        ("read 38.4℃ at the gate", "read [masked] at the gate"),
        ("version 36.6 of x", "version 36.6 of x"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [masked]"),
        ("sessionid=abc123; row 3", "sessionid=[masked]; row 3"),
        ("GET /l/Zm9vYmFyYmF6cXV4MTIzNA/", "GET /l/[masked]/"),
        ("AGE-SECRET-KEY-1ABC on disk", "[masked] on disk"),
        ("symptoms=['fever', 'rash'] day=3", "symptoms=[masked] day=3"),
        ("Outbox row 7 (signal.raised for desks) failed", "Outbox row 7 (signal.raised for desks) failed"),
    ],
)
def test_what_is_personal_or_opens_a_door_is_masked_and_lines_cannot_be_forged(text, expected):
    assert logs.clean(text) == expected


def test_a_line_carries_the_id_of_its_request():
    with request_id("abc"):
        assert formatted("lost %s", 3).endswith("ERROR xiaodun.x lost 3 [abc]")
    assert formatted("lost").endswith("ERROR xiaodun.x lost")


def test_a_traceback_is_masked_too():
    try:
        raise LookupError("13800000000 name='王小明'")
    except LookupError:
        text = formatted("failed", exc_info=sys.exc_info())
    assert "LookupError: [masked] name=[masked]" in text


def test_the_file_is_rotated_and_closed_to_others(tmp_path):
    handler = logs.PrivateRotatingFile(tmp_path / "x.log", maxBytes=200, backupCount=2, encoding="utf-8")
    handler.setFormatter(logs.Formatter())
    for number in range(20):
        handler.emit(logging.LogRecord("x", logging.ERROR, "", 1, "line %s", (number,), None))
    handler.close()
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["x.log", "x.log.1", "x.log.2"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_the_secret_in_an_address_does_not_reach_the_log():
    secret = codes.new_secret()
    for line in (f"Not Found: /child/{secret}/", f"Gone: /child/{secret}/phone/", f"GET /child/{secret}"):
        assert secret not in logs.clean(line)
    assert logs.clean("Not Found: /groups/12/check/") == "Not Found: /groups/12/check/"
