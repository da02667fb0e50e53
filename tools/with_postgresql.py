"""Run a command with XIAODUN_TEST_DATABASE_URL naming a throw-away PostgreSQL cluster.

``python tools/with_postgresql.py COMMAND …`` makes a cluster in a temporary folder, reachable by a socket
in that folder only, runs the command, and removes the cluster. As root it runs the server as the user
``postgres``, since PostgreSQL refuses to run as root. A cluster that XIAODUN_TEST_DATABASE_URL names
already is used as it is.

Exit code: the command's; 69 (EX_UNAVAILABLE) with one line on standard error if the programs are absent.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

UNAVAILABLE = 69
VARIABLE = "XIAODUN_TEST_DATABASE_URL"


def server_programs() -> Path | None:
    """The folder that holds initdb and pg_ctl: from PATH, else the newest of Debian's."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = shutil.which("initdb")
    folders = [*([Path(found).resolve().parent] if found else []), *reversed(debian)]
    return next((path for path in folders if (path / "initdb").exists() and (path / "pg_ctl").exists()), None)


def server_user() -> str | None:
    """Whose processes the server's are; None if root has no such user to use."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()).pw_name
    return next((entry.pw_name for entry in pwd.getpwall() if entry.pw_name == "postgres"), None)


def main(command: list[str]) -> int:
    if os.environ.get(VARIABLE):
        return subprocess.call(command)
    programs, user = server_programs(), server_user()
    if programs is None or user is None:
        missing = "initdb and pg_ctl" if programs is None else "the user postgres"
        print(f"PostgreSQL leg absent: no {missing} on this machine (Debian: postgresql).", file=sys.stderr)
        return UNAVAILABLE
    # Short, since a socket's address may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="xd-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, user)
    as_server = {"user": user if os.getuid() == 0 else None, "cwd": folder, "check": True}
    cluster = folder / "data"
    try:
        subprocess.run(
            [
                programs / "initdb",
                "-D",
                cluster,
                "-U",
                "xiaodun",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ],
            stdout=subprocess.DEVNULL,
            **as_server,
        )
        # Durability is of no use to a cluster that is thrown away.
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c jit=off"
        subprocess.run(
            [programs / "pg_ctl", "-D", cluster, "-o", options, "-l", folder / "log", "-w", "start"],
            stdout=subprocess.DEVNULL,
            **as_server,
        )
        try:
            url = f"postgresql://xiaodun@{quote(str(folder), safe='')}/postgres"
            return subprocess.call(command, env={**os.environ, VARIABLE: url})
        finally:
            subprocess.run(
                [programs / "pg_ctl", "-D", cluster, "-m", "immediate", "-w", "stop"],
                stdout=subprocess.DEVNULL,
                **as_server,
            )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
