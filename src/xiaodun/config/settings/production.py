"""A real district. Everything comes from the environment; what is missing or weak stops the start."""

from pathlib import Path

import dj_database_url

from xiaodun.config import env
from xiaodun.config.settings.base import *  # noqa: F403
from xiaodun.config.settings.base import LOGGING, SQLITE_OPTIONS

MODE = "production"
IS_DEMO = False
DEBUG = False
if env.flag("XIAODUN_DEBUG", "refused: error pages of a debugging server show personal data", default=False):
    raise env.SettingError("XIAODUN_DEBUG must not be true in production. Remove it.")

DATA_DIR = env.directory(
    "XIAODUN_DATA_DIR", "folder of collected assets, queue and embedded database"
).absolute()
if not DATA_DIR.is_dir():
    raise env.SettingError(
        "XIAODUN_DATA_DIR names no folder. Make it, mode 0700, owned by the service's user."
    )

SECRET_KEY = env.secret(
    "XIAODUN_SECRET_KEY", "signs sessions and forms; changing it signs everybody out", least=50
)
AUDIT_KEY = env.secret(
    "XIAODUN_AUDIT_KEY", "authenticates the audit; changing it makes every older row look altered", least=43
).encode()
INDEX_KEY = env.secret(
    "XIAODUN_INDEX_KEY",
    "makes ID numbers and phones findable; changing it hides every person on record from imports",
    least=43,
).encode()
MASTER_KEYS = env.key_ring(
    "XIAODUN_MASTER_KEYS", "numbered encryption keys, 1:BASE64,2:BASE64; the highest number encrypts"
)

ALLOWED_HOSTS = env.listing(
    "XIAODUN_ALLOWED_HOSTS", "names under which browsers reach the system, separated by commas", default=""
)
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise env.SettingError("XIAODUN_ALLOWED_HOSTS must list the public host names; * is refused.")

TRUSTED_PROXY = env.text(
    "XIAODUN_TRUSTED_PROXY",
    "address of the reverse proxy that ends HTTPS; only its X-Forwarded-Proto and -For are believed",
    default="127.0.0.1",
)

_log = env.text(
    "XIAODUN_LOG_FILE",
    "file of the log; - for standard error alone (a service manager keeps it)",
    default=str(DATA_DIR / "log" / "xiaodun.log"),
)
if _log != "-":
    Path(_log).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    LOGGING["handlers"]["file"] = {
        "class": "xiaodun.kit.logs.PrivateRotatingFile",
        "filename": _log,
        "maxBytes": 10 * 1024 * 1024,
        "backupCount": env.number("XIAODUN_LOG_FILES", "older log files of 10 MB that are kept", default=20),
        "encoding": "utf-8",
        "formatter": "masked",
    }
    LOGGING["root"]["handlers"].append("file")

BACKUP_DIR = env.directory(
    "XIAODUN_BACKUP_DIR",
    "folder of the encrypted backups, best on another disk or a mounted network store",
    DATA_DIR / "backups",
).absolute()
BACKUP_RECIPIENTS = env.listing(
    "XIAODUN_BACKUP_RECIPIENTS",
    "public keys (age1...) to which backups are encrypted, separated by commas",
    default="",
)
BACKUP_DAYS = env.number("XIAODUN_BACKUP_DAYS", "days after which a backup is deleted, 1 to 90", default=30)
if not 1 <= BACKUP_DAYS <= 90:
    raise env.SettingError(
        "XIAODUN_BACKUP_DAYS must be from 1 to 90: what was erased must not live on in backups."
    )
CERTIFICATE = env.text(
    "XIAODUN_CERTIFICATE",
    "file (PEM) of the certificate chain with which `xiaodun serve` itself speaks HTTPS",
    default="",
)
CERTIFICATE_KEY = env.text(
    "XIAODUN_CERTIFICATE_KEY", "file (PEM, mode 0600) of the certificate's key", default=""
)
# Uploads lie here under names of our own making; backups hold them.
FILES_DIR = DATA_DIR / "files"

_url = env.text(
    "XIAODUN_DATABASE_URL", "the database: postgresql://USER:PASSWORD@HOST/NAME or sqlite:////FOLDER/FILE"
)
_database = dj_database_url.parse(_url, conn_max_age=60, conn_health_checks=True)
_queue: dict[str, object] = {"name": "xiaodun", "results": False, "immediate": False}
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database |= {"OPTIONS": SQLITE_OPTIONS, "CONN_MAX_AGE": None}
    # A lost task loses nothing (the outbox rows are the truth), hence no fsync; never the file of the
    # database.
    HUEY = {
        **_queue,
        "huey_class": "huey.SqliteHuey",
        "filename": str(DATA_DIR / "queue.sqlite3"),
        "fsync": False,
    }
elif _database["ENGINE"] == "django.db.backends.postgresql":
    # The tables are made by `xiaodun migrate`, so that the serving role needs no right to make any.
    HUEY = {**_queue, "huey_class": "huey.PostgresHuey", "dsn": _url, "create_tables": False}
else:
    raise env.SettingError("XIAODUN_DATABASE_URL must begin with postgresql:// or sqlite://.")
DATABASES = {"default": _database}
OUTBOX_WAKER = "xiaodun.config.jobs.wake_up"
ROSTER_WAKER = "xiaodun.config.jobs.wake_rosters"

PASSWORD_PROFILE = env.text(
    "XIAODUN_PASSWORD_PROFILE",
    "asvs (length, no forced change) or dengbao (composition, change after 90 days, no re-use)",
    default="asvs",
)
if PASSWORD_PROFILE not in {"asvs", "dengbao"}:
    raise env.SettingError("XIAODUN_PASSWORD_PROFILE must be asvs or dengbao.")

SIGN_IN_PROVIDERS = {}
if _corp := env.text("XIAODUN_WECOM_CORP_ID", "corporation whose WeCom accounts may sign in", default=""):
    SIGN_IN_PROVIDERS["wecom"] = {
        "corp_id": _corp,
        "agent_id": env.text("XIAODUN_WECOM_AGENT_ID", "the application's AgentId in WeCom's console"),
        "secret": env.secret("XIAODUN_WECOM_SECRET", "the application's secret in WeCom's console", least=16),
    }
if _client := env.text("XIAODUN_DINGTALK_CLIENT_ID", "application for sign-in by DingTalk", default=""):
    SIGN_IN_PROVIDERS["dingtalk"] = {
        "client_id": _client,
        "secret": env.secret("XIAODUN_DINGTALK_SECRET", "the application's AppSecret", least=16),
    }

STATIC_ROOT = DATA_DIR / "static"
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = True
# A monitor on the machine itself asks without HTTPS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# The preload list is for public sites; a school's server is known to its district only.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

# What a backup tells of the settings: whoever rebuilds the machine needs them.
PUBLIC_SETTINGS = env.public_values()
