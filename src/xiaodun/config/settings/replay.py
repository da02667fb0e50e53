"""A replay: a throw-away database in memory and keys that die with the process."""

import secrets
import tempfile
from pathlib import Path

from xiaodun.config.settings.base import *  # noqa: F403
from xiaodun.config.settings.base import SQLITE_OPTIONS

MODE = "replay"
IS_DEMO = False
DEBUG = False
SECRET_KEY = secrets.token_urlsafe(64)
AUDIT_KEY = secrets.token_bytes(32)
INDEX_KEY = secrets.token_bytes(32)
MASTER_KEYS = {1: secrets.token_bytes(32)}
ALLOWED_HOSTS: list[str] = []
DATA_DIR = Path(tempfile.gettempdir())

DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": SQLITE_OPTIONS}
}
# The replay itself drains the outbox and lets the clock run; no queue, no worker.
HUEY = {"huey_class": "huey.MemoryHuey", "name": "replay", "immediate": False}
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
