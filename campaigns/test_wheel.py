"""The built wheel in a fresh environment without Node: a district starts and serves its assets."""

import contextlib
import http.client
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

UV = ROOT / ".boot" / "bin" / "uv"
HOST = "xiaodun.example.org"


def run(*command: object, **options) -> str:
    """What the command prints; a failure shows what it said."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.campaign
def test_the_wheel_serves_its_sign_in_page_and_assets_without_node(tmp_path: Path):
    run(UV, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "-o", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    venv = tmp_path / "venv"
    run(UV, "venv", "--python", sys.executable, venv)
    install = (UV, "pip", "install", "--python", venv / "bin" / "python")
    run(*install, "--require-hashes", "-r", ROOT / "requirements" / "run.txt")
    run(*install, "--no-deps", wheel)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    environment = {
        # Nothing but what was installed: no Node, wherever this machine may have one.
        "PATH": str(venv / "bin"),
        "HOME": str(data),
        "LANG": "C.UTF-8",
        "XIAODUN_DATA_DIR": str(data),
        "XIAODUN_DATABASE_URL": f"sqlite:///{data / 'district.sqlite3'}",
        "XIAODUN_ALLOWED_HOSTS": HOST,
    }
    xiaodun = venv / "bin" / "xiaodun"
    keys = run(xiaodun, "keys", env=environment, cwd=data)
    environment |= dict(line.split("=", 1) for line in keys.splitlines())
    assert shutil.which("node", path=environment["PATH"]) is None
    run(xiaodun, "migrate", env=environment, cwd=data)
    with subprocess.Popen(
        [xiaodun, "serve", "--port", "0"], env=environment, cwd=data, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            port = int(re.search(r":(\d+),", process.stdout.readline()).group(1))
            page = _get(port, "/sign-in/")
            assets = set(re.findall(r'(?:src|href|data-icons)="(/static/[^"#]+)', page))
            assert {Path(asset).suffix for asset in assets} >= {".css", ".js", ".svg"}
            for asset in assets:
                assert _get(port, asset), asset
        finally:
            process.terminate()
            process.wait(timeout=60)


def _get(port: int, path: str) -> str:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", path, headers={"Host": HOST, "X-Forwarded-Proto": "https"})
        answer = connection.getresponse()
        assert answer.status == 200, f"{path}: {answer.status}"
        return answer.read().decode()
