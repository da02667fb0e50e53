"""Where uploaded lists lie, encrypted, and how far the work on one has come.

Progress stands in a file beside, not in the database: the transaction that applies a list shows nothing of
itself until it ends.
"""

import json
import os
from pathlib import Path

from django.conf import settings

from xiaodun.kit import crypto

_CONTEXT = "people.rosterimport.file"


def keep(token: str, content: bytes) -> None:
    """Keep the file under its generated name, readable by nobody without the master key."""
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(_file(token), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(crypto.encrypt(content, context=f"{_CONTEXT}.{token}"))


def fetch(token: str) -> bytes | None:
    """The file's content; none once it was deleted."""
    try:
        return crypto.decrypt(_file(token).read_bytes(), context=f"{_CONTEXT}.{token}")
    except FileNotFoundError:
        return None


def forget(token: str) -> None:
    """Delete the file and its progress; repeated, it does nothing."""
    _file(token).unlink(missing_ok=True)
    _progress_file(token).unlink(missing_ok=True)


def say_progress(token: str, step: str, done: int, of: int) -> None:
    """How far the work is: ``step`` is a code, see ``desks.selectors.rosters``."""
    target = _progress_file(token)
    draft = target.with_suffix(".new")
    draft.write_text(json.dumps({"step": step, "done": done, "of": of}), encoding="utf-8")
    draft.replace(target)


def progress(token: str) -> tuple[str, int, int]:
    """Step, how many are done and of how many; nothing said yet is an empty step."""
    try:
        content = json.loads(_progress_file(token).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "", 0, 0
    return content["step"], content["done"], content["of"]


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "rosters"


def _file(token: str) -> Path:
    return _folder() / f"{token}.roster"


def _progress_file(token: str) -> Path:
    return _folder() / f"{token}.progress"
