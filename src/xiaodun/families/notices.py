"""The notice to families (PIPL 17, 30, 31): what is kept, why, how long, who reads it; dated, by version."""

from datetime import date
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from xiaodun.kit import yamldata


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Strict):
    """The notice in one language, one paragraph a question."""

    what: str
    why: str
    how_long: str
    who: str
    rights: str


class Notice(_Strict):
    """One version of the notice. A changed word is a new version, which is acknowledged anew."""

    code: str
    version: int
    valid_from: date
    valid_to: date | None = None
    source: str
    source_mark: str
    zh: Words
    en: Words

    def words(self, language: str) -> Words:
        """The notice in the reader's language."""
        return self.en if language.startswith("en") else self.zh


class _File(_Strict):
    notices: tuple[Notice, ...]


@cache
def _notices() -> tuple[Notice, ...]:
    return yamldata.load(files("xiaodun.families") / "data" / "notice.yaml", _File).notices


def notice_on(day: date) -> Notice:
    """The version in force on ``day``: the newest whose time it is."""
    in_force = [
        notice
        for notice in _notices()
        if notice.valid_from <= day and (notice.valid_to is None or day <= notice.valid_to)
    ]
    return max(in_force, key=lambda notice: (notice.valid_from, notice.version))
