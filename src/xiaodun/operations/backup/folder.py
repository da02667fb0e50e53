"""The folder of backups: names, one writer at a time, whole files only, old ones expire."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from xiaodun.operations.backup.errors import BackupError, BusyError, disk_faults

_NAME = re.compile(r"xiaodun-(\d{8}T\d{6}Z)\.backup\.age")
_STAMP = "%Y%m%dT%H%M%SZ"


def name_of(at: datetime) -> str:
    return f"xiaodun-{at.astimezone(UTC):{_STAMP}}.backup.age"


def backups_in(folder: Path) -> list[tuple[datetime, Path]]:
    """The finished backups, oldest first."""
    found = []
    for path in folder.glob("xiaodun-*.backup.age"):
        if match := _NAME.fullmatch(path.name):
            found.append((datetime.strptime(match.group(1), _STAMP).replace(tzinfo=UTC), path))
    return sorted(found)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder; what a killed run left is swept. Raises ``BusyError`` while another run holds it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w", encoding="utf-8")
    except OSError as error:
        raise BackupError(f"{folder} cannot be written to ({error.strerror}).") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"Another backup runs into {folder}. Wait for its end.") from None
        for left in folder.glob(".*.part"):
            left.unlink(missing_ok=True)
        yield


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when it is complete and on the disk, and vanishes otherwise."""
    part = target.with_name(f".{target.name}.part")
    with disk_faults(target.parent):
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.rename(target)
            sync_folder(target.parent)
        finally:
            part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def expire(folder: Path, *, kept: timedelta, at: datetime) -> list[str]:
    """Delete backups older than ``kept``, never the newest; returns their names."""
    gone = [path for made, path in backups_in(folder)[:-1] if made < at - kept]
    for path in gone:
        path.unlink()
    return [path.name for path in gone]
