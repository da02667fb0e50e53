"""The demonstration: an embedded database of invented people in one folder, on this machine only."""

from pathlib import Path

from xiaodun.config import env
from xiaodun.config.keys import load_or_make, load_or_make_identity
from xiaodun.config.settings.base import *  # noqa: F403
from xiaodun.config.settings.base import SQLITE_OPTIONS

MODE = "demo"
IS_DEMO = True
DEBUG = False

DATA_DIR = env.directory(
    "XIAODUN_DATA_DIR", "folder of database, queue and keys", Path("var/demo")
).absolute()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

_keys = load_or_make(DATA_DIR / "keys.json")
SECRET_KEY = _keys.secret_key
AUDIT_KEY = _keys.audit_key.encode()
INDEX_KEY = _keys.index_key.encode()
MASTER_KEYS = env.parse_key_ring("keys.json", _keys.master_keys)

# Anybody may sign in with any role, so nobody but this machine may reach it.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "district.sqlite3",
        "OPTIONS": SQLITE_OPTIONS,
        "CONN_MAX_AGE": None,
    }
}
HUEY = {
    "huey_class": "huey.SqliteHuey",
    "name": "xiaodun",
    "filename": str(DATA_DIR / "queue.sqlite3"),
    # A lost task loses nothing: the outbox rows are the truth and the minute tick sweeps them.
    "fsync": False,
    "results": False,
    "immediate": False,
}
BACKUP_DIR = DATA_DIR / "backups"
# An invented district may keep the identity of its backups beside them; a real one must not.
BACKUP_RECIPIENTS = [load_or_make_identity(DATA_DIR / "backup-identity.txt")]
BACKUP_DAYS = 30
FILES_DIR = DATA_DIR / "files"
PUBLIC_SETTINGS: dict[str, str] = {}
CERTIFICATE = CERTIFICATE_KEY = ""

OUTBOX_WAKER = "xiaodun.config.jobs.wake_up"
ROSTER_WAKER = "xiaodun.config.jobs.wake_rosters"

STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# Serves the files out of the package; a production collects and compresses them.
WHITENOISE_USE_FINDERS = True
