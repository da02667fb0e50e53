"""A new database for a stream: PostgreSQL where the tests have one, else a file."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

VARIABLE = "XIAODUN_TEST_DATABASE_URL"


@contextmanager
def new_database(folder: Path) -> Iterator[str]:
    """The address of an empty database, removed afterwards."""
    cluster = os.environ.get(VARIABLE)
    if not cluster:
        yield f"sqlite:///{folder / 'district.sqlite3'}"
        return
    name = sql.Identifier(f"xd_kills_{secrets.token_hex(6)}")
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield urlsplit(cluster)._replace(path="/" + name.as_string(connection).strip('"')).geturl()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
