"""Making a backup of the running installation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, BinaryIO

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS

from xiaodun import __version__
from xiaodun.kit import tombstones
from xiaodun.kit.models import Installation
from xiaodun.operations.backup import container, databases, folder, keys, manifest
from xiaodun.operations.backup.container import Recipient

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup. ``expired``: names of the old ones that were deleted."""

    file: Path
    bytes: int
    sha256: str
    manifest: manifest.Manifest
    expired: list[str]


class _Watched:
    """A stream that tells how much of it was read."""

    def __init__(self, stream: BinaryIO | IO[bytes], size: int, progress: Progress) -> None:
        self._stream, self._size, self._progress = stream, max(size, 1), progress
        self._read = 0

    def read(self, length: int) -> bytes:
        chunk = self._stream.read(length)
        self._read += len(chunk)
        self._progress(min(self._read / self._size, 0.99))
        return chunk


def make_backup(
    *, to: Path | None = None, also_for: Iterable[Recipient] = (), progress: Progress, at: datetime
) -> Made:
    """Back up database, uploaded files and settings into ``to``, by default ``settings.BACKUP_DIR``.

    ``also_for``: further public keys, beside the configured ones. The file has its name only when it is whole
    and on the disk. Raises ``BackupError``.
    """
    recipients = [*keys.recipients(), *also_for]
    target = to or settings.BACKUP_DIR
    written: list[manifest.Manifest] = []

    def fill(packer: container.Packer) -> None:
        with databases.snapshot(DEFAULT_DB_ALIAS, target) as taken:
            packer.add(manifest.DATABASE, _Watched(taken.content, taken.size, progress))
        for name, path in _uploaded():
            with path.open("rb") as stream:
                packer.add(name, stream)
        installation = Installation.objects.get()
        made = manifest.Manifest(
            format=manifest.FORMAT,
            version=__version__,
            made_at=at.isoformat(),
            kind=taken.kind,
            schema=taken.schema,
            tables=taken.tables,
            head=taken.head,
            members=container.as_json(packer.members),
            marks=keys.marks(),
            settings=settings.PUBLIC_SETTINGS,
            installation={"kind": installation.kind, "made_at": installation.made_at.isoformat()},
        ).sealed()
        packer.finish(manifest.NAME, made.as_json())
        written.append(made)

    with folder.alone_in(target):
        file = target / folder.name_of(at)
        with folder.whole_file(file) as stream:
            sums = container.write(stream, recipients, fill)
        tombstones.export(target / tombstones.FILE)
        expired = folder.expire(target, kept=timedelta(days=settings.BACKUP_DAYS), at=at)
    progress(1.0)
    return Made(file, sums.bytes, sums.sha256, written[0], expired)


def _uploaded() -> Iterable[tuple[str, Path]]:
    root: Path = settings.FILES_DIR
    for path in sorted(root.rglob("*")) if root.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            yield manifest.FILES + path.relative_to(root).as_posix(), path
