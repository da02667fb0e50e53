"""The id of the request (or job) at hand, for the audit, the logs and the page that reports an error."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

_current: ContextVar[str] = ContextVar("xiaodun_request_id", default="")


def current_request_id() -> str:
    """The id, or "" outside of a request or job."""
    return _current.get()


@contextmanager
def request_id(value: str = "") -> Iterator[str]:
    """Run a request or a job under an id; a new one unless given."""
    value = value or str(uuid4())
    token = _current.set(value)
    try:
        yield value
    finally:
        _current.reset(token)
