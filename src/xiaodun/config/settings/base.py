"""What demo, test, replay and production have in common. Nothing here is unsafe in production."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

PACKAGE = Path(__file__).resolve().parents[2]

# The floors from the ground up; the order in which migrations and ready() run.
DOMAIN_APPS = [
    "xiaodun.kit",
    "xiaodun.organisations",
    "xiaodun.accounts",
    "xiaodun.people",
    "xiaodun.families",
    "xiaodun.messages",
    "xiaodun.ladders",
    "xiaodun.figures",
    "xiaodun.duties",
    "xiaodun.leave",
    "xiaodun.screening",
    "xiaodun.absence",
    "xiaodun.surveillance",
    "xiaodun.desks",
    "xiaodun.api",
    "xiaodun.operations",
]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "huey.contrib.djhuey",
    "ninja",
    "treebeard",
    *DOMAIN_APPS,
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "xiaodun.kit.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "xiaodun.accounts.middleware.SessionMiddleware",
    "xiaodun.accounts.middleware.ScopeMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "xiaodun.kit.middleware.RefusalMiddleware",
    "xiaodun.kit.middleware.NoStoreMiddleware",
]

ROOT_URLCONF = "xiaodun.config.urls"
WSGI_APPLICATION = "xiaodun.config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "desks:today"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "xiaodun.kit.context_processors.page",
                "xiaodun.desks.context_processors.navigation",
            ],
        },
    }
]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "name"]},
    },
    {"NAME": "xiaodun.accounts.passwords.ProfileValidator"},
]
# "asvs" or "dengbao", see accounts.passwords.
PASSWORD_PROFILE = "asvs"  # noqa: S105 - the name of a profile

# Failures at one account (from browsers that it does not know) or from one known browser, and the pause.
SIGN_IN_FAILURES = 5
SIGN_IN_WINDOW = timedelta(minutes=5)
SIGN_IN_PAUSE = timedelta(minutes=15)
# Failures from one address within the window. A school of 200 staff stands behind one: on the first day each
# may mistype once and still nobody is kept out. Browsers that are known are never kept out by it.
SIGN_IN_ADDRESS_FAILURES = 300
SIGN_IN_ADDRESS_PAUSE = timedelta(minutes=5)
# After the password, how long the second factor may take.
SIGN_IN_PENDING = timedelta(minutes=10)
KNOWN_BROWSER_AGE = timedelta(days=180)
RECOVERY_CODES = 10
# As long as an activation slip.
ISSUED_CODE_AGE = timedelta(hours=72)
# Sign-in by an account elsewhere: none, unless a production names its keys. Only these servers are asked.
SIGN_IN_PROVIDERS: dict[str, dict[str, str]] = {}
SIGN_IN_VENDORS = ["https://qyapi.weixin.qq.com", "https://api.dingtalk.com"]
# What authenticator apps and passkeys call this system.
SITE_NAME = "Xiaodun"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "static"]

# The reverse proxy whose word about the client is believed; none unless a production names one.
TRUSTED_PROXY = ""

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# A session ends after the longest time in any case, and earlier when nobody used it. The guard's station and
# the teacher's enrolled device, which open little, may rest for a shift.
SESSION_LONGEST = timedelta(hours=12)
SESSION_IDLE = timedelta(minutes=30)
SESSION_IDLE_DEVICE = timedelta(hours=12)
SESSION_SEEN_EVERY = timedelta(minutes=1)
SESSION_COOKIE_AGE = int(SESSION_LONGEST.total_seconds())
# How long a factor counts as just shown, for acts that ask for it again.
FRESH_FACTOR = timedelta(minutes=5)
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "xiaodun.kit.views.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

TASKS = {
    "default": {"BACKEND": "huey.contrib.djhuey.tasks_backend.HueyBackend", "ENQUEUE_ON_COMMIT": True},
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"masked": {"()": "xiaodun.kit.logs.Formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "masked"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # Django mails errors to administrators on its own; here everything goes one way, masked.
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "xiaodun": {"level": "INFO"},
    },
}

SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: an acknowledged check must survive a power cut (WAL with NORMAL may lose the last commits).
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}
