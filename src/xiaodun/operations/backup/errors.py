"""Why a backup or a restore did not happen.

::

    Exception
     └─ BackupError
         ├─ SettingMissingError   no recipient, no folder
         ├─ BusyError             another backup runs
         ├─ NoSpaceError          disk full, quota or size limit
         ├─ WrongKeyError         the identity does not open the file, or the installation's keys are others
         ├─ DamagedError          cut off, altered, or it does not hold what its manifest says
         ├─ NotEmptyError         there is something where the backup should go
         └─ ToolError             pg_dump or pg_restore is absent, too old, or failed
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

# Disk full, quota reached, file larger than the process may write.
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class BackupError(Exception):
    """It was not done, and nothing half done was left. The text says what to do; it names no person."""

    code = "failed"
    exit_code = 1


class SettingMissingError(BackupError):
    code = "setting-missing"
    exit_code = 2


class BusyError(BackupError):
    code = "busy"


class NoSpaceError(BackupError):
    code = "no-space"


class WrongKeyError(BackupError):
    code = "wrong-key"
    exit_code = 2


class DamagedError(BackupError):
    code = "damaged"


class NotEmptyError(BackupError):
    code = "not-empty"
    exit_code = 2


class ToolError(BackupError):
    code = "tool"


def is_no_space(error: BaseException) -> bool:
    """Whether the operating system or SQLite says that nothing more can be written."""
    return (isinstance(error, OSError) and error.errno in _NO_SPACE) or "disk is full" in str(error)


@contextmanager
def disk_faults(where: object) -> Iterator[None]:
    """A full disk met inside becomes ``NoSpaceError``."""
    try:
        yield
    except BackupError:
        raise
    except Exception as error:
        if is_no_space(error):
            raise NoSpaceError(
                f"There is not enough space in {where}. Nothing was left behind. Free some and run it again."
            ) from error
        raise
