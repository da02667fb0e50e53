"""Runs the contracts of `.importlinter` over a checkout: this one, or a copy that a test has changed."""

import os
import subprocess
import sys
from pathlib import Path


def run_contracts(root: Path) -> tuple[bool, str]:
    """Whether all contracts are kept, and the report of import-linter."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr
