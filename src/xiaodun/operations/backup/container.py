"""The file format: a gzipped tar encrypted to public keys (age), written and read as a stream.

Members are cut into parts, because a tar needs each size beforehand and a dump's is not known; the manifest
comes last, when all sums are known. Encryption and packing run in two threads joined by a pipe, so that no
clear text meets the disk. age authenticates every chunk: a file that was cut or altered does not open.
"""

import gzip
import hashlib
import io
import os
import tarfile
import threading
import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, TypeAlias

import pyrage

from xiaodun.operations.backup.errors import BackupError, DamagedError, WrongKeyError, is_no_space

PART = 4 * 1024 * 1024
Identity: TypeAlias = pyrage.x25519.Identity
Recipient: TypeAlias = pyrage.x25519.Recipient
Parts = Generator[tuple[str, bytes]]


class Readable(Protocol):
    def read(self, length: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside: its name, its length and its sum."""

    name: str
    bytes: int
    sha256: str


class Packer:
    """Puts members into the stream."""

    def __init__(self, sink: IO[bytes]) -> None:
        # The fastest level: a nightly backup must not compete with the morning for the processor.
        self._zip = gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1, mtime=0)
        self._tar = tarfile.open(fileobj=self._zip, mode="w|")  # noqa: SIM115  (closed by finish)
        self.members: list[Member] = []

    def add(self, name: str, stream: Readable) -> Member:
        """Read ``stream`` to its end into the member ``name``."""
        digest, length, part = hashlib.sha256(), 0, 0
        while chunk := stream.read(PART):
            digest.update(chunk)
            length += len(chunk)
            self._add_part(f"{name}/{part:08}", chunk)
            part += 1
        member = Member(name, length, digest.hexdigest())
        self.members.append(member)
        return member

    def finish(self, name: str, content: bytes) -> None:
        """The last member, and the end of the stream."""
        self._add_part(f"{name}/{0:08}", content)
        self._tar.close()
        self._zip.close()

    def _add_part(self, name: str, chunk: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(chunk), 0o600
        self._tar.addfile(info, io.BytesIO(chunk))


class _Output:
    """What the encryption writes to: counts, sums, and keeps the error that its caller words over."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.bytes = 0
        self.error: OSError | None = None

    def write(self, chunk: bytes) -> int:
        try:
            self._file.write(chunk)
        except OSError as error:
            self.error = error
            raise
        self.digest.update(chunk)
        self.bytes += len(chunk)
        return len(chunk)

    def flush(self) -> None:
        self._file.flush()


@dataclass(frozen=True, slots=True)
class Written:
    """The encrypted file: its length and its sum."""

    bytes: int
    sha256: str


def write(file: BinaryIO, recipients: Iterable[Recipient], fill: Callable[[Packer], None]) -> Written:
    """Encrypt to ``file`` whatever ``fill`` packs. Raises what ``fill`` raised, or the disk's ``OSError``."""
    reading, writing = os.pipe()
    output, faults = _Output(file), list[Exception]()

    def encrypt() -> None:
        try:
            with open(reading, "rb", buffering=0) as clear:
                pyrage.encrypt_io(clear, output, list(recipients))
        except Exception as error:
            faults.append(error)

    thread = threading.Thread(target=encrypt, name="backup-encryption")
    thread.start()
    try:
        # The encryption reads to the end of the pipe, so it must be closed whatever happens. When it stopped
        # reading, the packer meets a broken pipe: the fault that matters is the other thread's.
        with suppress(BrokenPipeError), open(writing, "wb") as sink:
            fill(Packer(sink))
    finally:
        thread.join()
    if output.error is not None:
        raise output.error
    if faults:
        raise faults[0]
    return Written(output.bytes, output.digest.hexdigest())


def read(file: Path, identities: Iterable[Identity]) -> Parts:
    """The parts of a backup in order, as (member, content); at the end everything was authenticated.

    Raises:
        WrongKeyError: no identity opens the file. DamagedError: it was cut off or altered, or is no backup.
    """
    reading, writing = os.pipe()
    faults = list[Exception]()
    stop = threading.Event()

    class Sink:
        def __init__(self) -> None:
            self._pipe = open(writing, "wb", buffering=0)  # noqa: SIM115  (closed by decrypt)

        def write(self, chunk: bytes) -> int:
            return int(self._pipe.write(chunk) or 0)

        def flush(self) -> None:
            pass

        def close(self) -> None:
            self._pipe.close()

    def decrypt() -> None:
        with closing(Sink()) as sink:
            try:
                with file.open("rb") as stored:
                    pyrage.decrypt_io(stored, sink, list(identities))
            except Exception as error:
                if not stop.is_set():
                    faults.append(error)

    thread = threading.Thread(target=decrypt, name="backup-decryption")
    thread.start()
    torn: Exception | None = None
    try:
        with open(reading, "rb") as clear:
            try:
                with tarfile.open(fileobj=clear, mode="r|gz") as tar:
                    for info in tar:
                        part = tar.extractfile(info)
                        if part is None:
                            raise DamagedError("The file holds something that no backup holds.")
                        yield info.name.rpartition("/")[0], part.read()
                # Whatever follows the end of the tar is authenticated as well.
                while clear.read(PART):
                    pass
            except (tarfile.TarError, EOFError, zlib.error) as error:
                torn = error
    finally:
        stop.set()
        thread.join()
    if faults:
        raise _translated(faults[0], file)
    if torn is not None:
        raise DamagedError(f"{file.name} is no backup of this system, or it is damaged.") from torn


def _translated(error: Exception, file: Path) -> Exception:
    if isinstance(error, pyrage.DecryptError) and "No matching keys" in str(error):
        return WrongKeyError(
            f"This identity does not open {file.name}. It was encrypted to another public key."
        )
    if isinstance(error, pyrage.DecryptError) or (isinstance(error, OSError) and error.errno is None):
        return DamagedError(f"{file.name} was cut off or altered. Take another copy.")
    if is_no_space(error) or isinstance(error, BackupError | OSError):
        return error
    return DamagedError(f"{file.name} cannot be read ({type(error).__name__}).")


def as_json(members: Iterable[Member]) -> list[dict[str, Any]]:
    return [asdict(member) for member in members]
