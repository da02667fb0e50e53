"""What a database holds of a stream, read beside the server by plain SQL, on SQLite and PostgreSQL."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg

SESSIONS = """
    SELECT s.id, u.code, s.day, (SELECT count(*) FROM screening_finding f WHERE f.session_id = s.id)
    FROM screening_checksession s JOIN organisations_unit u ON u.id = s.group_id
"""
RECEIPTS = "SELECT client_id, count(*) FROM kit_receipt GROUP BY client_id"
SIGNALS = """
    SELECT u.code, s.id FROM surveillance_signal s JOIN organisations_unit u ON u.id = s.unit_id
"""
MESSAGES = """
    SELECT subject, recipient_id, count(*) FROM messages_message WHERE kind = 'signal'
    GROUP BY subject, recipient_id
"""
FILES = "SELECT person_id, onset, count(*) FROM absence_episode GROUP BY person_id, onset"


class Records:
    """Reads of one database; each opens a connection of its own, as a server may be down or starting."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _rows(self, sql: str) -> list[tuple]:
        with self._connection() as connection:
            return [tuple(row) for row in connection.execute(sql).fetchall()]

    @contextmanager
    def _connection(self) -> Iterator:
        if self.url.startswith("sqlite"):
            connection = sqlite3.connect(urlsplit(self.url).path[1:], timeout=20)
            try:
                yield connection
            finally:
                connection.close()
        else:
            with psycopg.connect(self.url, autocommit=True) as connection:
                yield connection

    def sessions(self) -> dict[int, tuple[str, str, int]]:
        """Class, day and number of findings of each stored check by its id."""
        return {pk: (code, str(day), found) for pk, code, day, found in self._rows(SESSIONS)}

    def receipts(self) -> dict[str, int]:
        """How many receipts there are of each client id."""
        return {str(client_id).replace("-", ""): count for client_id, count in self._rows(RECEIPTS)}

    def told(self) -> dict[str, list[int]]:
        """For each signal of a class, by the class's code, how many messages tell of it."""
        messages = Counter()
        for subject, _recipient, count in self._rows(MESSAGES):
            messages[subject] += count
        told: dict[str, list[int]] = {}
        for code, pk in self._rows(SIGNALS):
            told.setdefault(code, []).append(messages[f"signal:{pk}"])
        return told

    def doubled_files(self) -> int:
        """Persons who have more than one illness file with the same onset."""
        return sum(count > 1 for _person, _onset, count in self._rows(FILES))
