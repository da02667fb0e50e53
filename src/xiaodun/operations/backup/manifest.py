"""What a backup says of itself: version, schema, rows a table, head of the audit, sums, keys needed."""

import hmac
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from xiaodun.operations.backup import keys
from xiaodun.operations.backup.errors import DamagedError

FORMAT = 1
NAME = "manifest.json"
DATABASE = "database"
FILES = "files/"


@dataclass(frozen=True, slots=True)
class Manifest:
    """``kind``: sqlite or postgresql. ``tables``: rows by table. ``head``: the audit's, "" without a seal.

    ``marks``: of the keys that the database needs. ``installation``: the row that a restore writes last.
    ``settings``: what was set, without any secret. ``proof``: HMAC over all of it by whoever wrote it.
    """

    format: int
    version: str
    made_at: str
    kind: str
    schema: list[str]
    tables: dict[str, int]
    head: str
    members: list[dict[str, Any]]
    marks: dict[str, Any]
    settings: dict[str, str]
    installation: dict[str, str]
    proof: str = ""

    def sealed(self) -> "Manifest":
        return replace(self, proof=keys.seal(self._content()))

    def _content(self) -> str:
        fields = asdict(replace(self, proof=""))
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False).encode()

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.made_at)

    @property
    def rows(self) -> int:
        return sum(self.tables.values())

    def prove(self) -> None:
        """Raise unless this installation wrote it (its keys must be known to be the same)."""
        if not hmac.compare_digest(self.proof, keys.seal(self._content())):
            raise DamagedError("The manifest was not written by this installation.")


def parse(content: bytes) -> Manifest:
    try:
        manifest = Manifest(**json.loads(content))
    except (ValueError, TypeError):
        raise DamagedError("The manifest cannot be read.") from None
    if manifest.format != FORMAT:
        raise DamagedError(f"The backup has format {manifest.format}; this version reads format {FORMAT}.")
    return manifest
