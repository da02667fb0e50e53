"""Comparing what two runs ask of the database, whatever the number of their rows."""

import re
from itertools import pairwise

from django.test.utils import CaptureQueriesContext

_VERB_AND_TABLE = re.compile(r'(UPDATE|(?:SELECT|INSERT|DELETE)\b.*?\b(?:FROM|INTO)) "(\w+)"', re.DOTALL)


def shapes(context: CaptureQueriesContext) -> list[str]:
    """The statements in order as verb and table, savepoints left out.

    A bulk INSERT counts once: SQLite takes it in batches of 999 parameters, PostgreSQL at once.
    """
    found = []
    for query in context.captured_queries:
        sql = query["sql"]
        if "SAVEPOINT" in sql:
            continue
        match = _VERB_AND_TABLE.match(sql)
        assert match, sql
        found.append(f"{match[1].split()[0]} {match[2]}")
    return [
        shape
        for before, shape in pairwise(["", *found])
        if not (shape == before and shape.startswith("INSERT"))
    ]
