"""Comparing what two runs ask of the database, whatever the number of their rows."""

from itertools import pairwise

from django.test.utils import CaptureQueriesContext


def shapes(context: CaptureQueriesContext) -> list[str]:
    """The statements in order without rows, ids and savepoints.

    A bulk INSERT counts once: SQLite takes it in batches of 999 parameters, PostgreSQL at once.
    """
    found = [
        query["sql"].split(" VALUES ")[0].split(" IN (")[0][:160]
        for query in context.captured_queries
        if "SAVEPOINT" not in query["sql"]
    ]
    return [
        shape
        for before, shape in pairwise(["", *found])
        if not (shape == before and shape.startswith("INSERT INTO"))
    ]
