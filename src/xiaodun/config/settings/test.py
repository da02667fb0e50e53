"""Settings of the test suite: SQLite by default, PostgreSQL when XIAODUN_TEST_DATABASE_URL names one."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import dj_database_url

from xiaodun.config.settings.base import *  # noqa: F403
from xiaodun.config.settings.base import SQLITE_OPTIONS

MODE = "test"
IS_DEMO = True
DEBUG = False
SECRET_KEY = "only-for-tests-" * 4
AUDIT_KEY = b"only-for-tests-audit-key-32-bytes"
INDEX_KEY = b"only-for-tests-index-key-32-bytes"
MASTER_KEYS = {1: b"only-for-tests-master-32-bytes-k"}
ALLOWED_HOSTS = ["*"]
# One directory a process, so that several runs on one machine do not meet.
DATA_DIR = Path(tempfile.mkdtemp(prefix="xiaodun-test-"))
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)

BACKUP_DIR = DATA_DIR / "backups"
BACKUP_RECIPIENTS: list[str] = []
BACKUP_DAYS = 30
FILES_DIR = DATA_DIR / "files"
PUBLIC_SETTINGS: dict[str, str] = {}
CERTIFICATE = CERTIFICATE_KEY = ""

_url = os.environ.get("XIAODUN_TEST_DATABASE_URL", "")
if _url:
    DATABASES = {"default": dj_database_url.parse(_url)}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(DATA_DIR / "district.sqlite3"),
            "OPTIONS": SQLITE_OPTIONS,
            # A file, not memory: browser tests serve it from threads.
            "TEST": {"NAME": str(DATA_DIR / "test.sqlite3")},
        }
    }

HUEY = {"huey_class": "huey.MemoryHuey", "name": "test", "immediate": False}
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
