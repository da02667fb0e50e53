"""What each kind of start accepts and refuses."""

import runpy

import pytest
from django.core.management import call_command
from django.db import connection

from xiaodun.config.env import SettingError
from xiaodun.config.keys import new_keys
from xiaodun.kit import checks
from xiaodun.kit.models import Installation


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """A complete environment of a production."""
    keys = new_keys()
    values = {
        "XIAODUN_DATA_DIR": str(tmp_path),
        "XIAODUN_DATABASE_URL": f"sqlite:///{tmp_path}/district.sqlite3",
        "XIAODUN_ALLOWED_HOSTS": "xd.example.org",
        "XIAODUN_SECRET_KEY": keys.secret_key,
        "XIAODUN_AUDIT_KEY": keys.audit_key,
        "XIAODUN_INDEX_KEY": keys.index_key,
        "XIAODUN_MASTER_KEYS": keys.master_keys,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def production():
    return runpy.run_module("xiaodun.config.settings.production")


def test_a_complete_environment_makes_a_hardened_production(environment):
    made = production()
    assert (made["MODE"], made["IS_DEMO"], made["DEBUG"]) == ("production", False, False)
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS"):
        assert made[name], name
    assert "synchronous=FULL" in made["DATABASES"]["default"]["OPTIONS"]["init_command"]
    assert made["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "Manifest" in made["STORAGES"]["staticfiles"]["BACKEND"]


def test_the_queue_has_a_file_of_its_own_or_lives_in_postgresql(environment):
    made = production()
    assert made["HUEY"]["huey_class"] == "huey.SqliteHuey"
    assert made["HUEY"]["filename"] != str(made["DATABASES"]["default"]["NAME"])
    environment.setenv("XIAODUN_DATABASE_URL", "postgresql://xd:p@db/xd")
    made = production()
    assert made["HUEY"]["huey_class"] == "huey.PostgresHuey"
    assert made["HUEY"]["create_tables"] is False
    assert "OPTIONS" not in made["DATABASES"]["default"] or not made["DATABASES"]["default"]["OPTIONS"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("XIAODUN_DEBUG", "true", "XIAODUN_DEBUG must not be true"),
        ("XIAODUN_DATA_DIR", "/no/such/folder", "names no folder"),
        ("XIAODUN_ALLOWED_HOSTS", "*", "is refused"),
        ("XIAODUN_ALLOWED_HOSTS", "", "XIAODUN_ALLOWED_HOSTS must list"),
        ("XIAODUN_DATABASE_URL", "mysql://x/y", "postgresql:// or sqlite://"),
        ("XIAODUN_DATABASE_URL", "", "XIAODUN_DATABASE_URL is not set"),
        ("XIAODUN_SECRET_KEY", "short", "shorter than 50"),
        ("XIAODUN_SECRET_KEY", "", "XIAODUN_SECRET_KEY is not set"),
        ("XIAODUN_AUDIT_KEY", "", "XIAODUN_AUDIT_KEY is not set"),
        ("XIAODUN_INDEX_KEY", "", "XIAODUN_INDEX_KEY is not set"),
        ("XIAODUN_INDEX_KEY", "short", "shorter than 43"),
        ("XIAODUN_MASTER_KEYS", "", "XIAODUN_MASTER_KEYS is not set"),
    ],
)
def test_a_production_refuses_what_is_missing_or_unsafe(environment, name, value, said):
    environment.setenv(name, value)
    with pytest.raises(SettingError, match=said):
        production()


def test_a_demo_needs_nothing_and_stays_on_this_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("XIAODUN_DATA_DIR", str(tmp_path / "demo"))
    made = runpy.run_module("xiaodun.config.settings.demo")
    assert (made["MODE"], made["IS_DEMO"], made["DEBUG"]) == ("demo", True, False)
    assert set(made["ALLOWED_HOSTS"]) == {"localhost", "127.0.0.1", "[::1]"}
    again = runpy.run_module("xiaodun.config.settings.demo")
    assert again["MASTER_KEYS"] == made["MASTER_KEYS"]
    assert again["AUDIT_KEY"] == made["AUDIT_KEY"]


def test_a_replay_needs_nothing_and_touches_no_file(monkeypatch):
    for name in ("XIAODUN_DATA_DIR", "XIAODUN_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    made = runpy.run_module("xiaodun.config.settings.replay")
    assert (made["MODE"], made["IS_DEMO"]) == ("replay", False)
    assert made["DATABASES"]["default"]["NAME"] == ":memory:"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mode", "kind", "refused"),
    [
        ("production", "demo", True),
        ("demo", "production", True),
        ("production", "replay", True),
        ("production", "production", False),
        ("demo", "demo", False),
        ("production", None, False),
    ],
)
def test_a_start_refuses_the_database_of_another_kind(settings, mode, kind, refused):
    settings.MODE = mode
    if kind:
        Installation.objects.create(id=1, kind=kind, made_at="2026-11-03T00:00Z")
    found = checks.database_is_of_this_kind(None, databases=["default"])
    assert [message.id for message in found] == (["xiaodun.E010"] if refused else [])


@pytest.mark.django_db
def test_the_database_of_the_tests_passes_its_own_checks():
    call_command("check", databases=["default"], fail_level="WARNING")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("pragma", "wrong", "right", "code"),
    [("synchronous", "NORMAL", "FULL", "xiaodun.E001"), ("foreign_keys", "OFF", "ON", "xiaodun.E003")],
)
def test_an_sqlite_that_could_lose_writes_is_refused(pragma, wrong, right, code):
    if connection.vendor == "postgresql":
        assert checks.sqlite_is_durable(None, databases=["default"]) == []
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}={wrong}")
    try:
        found = checks.sqlite_is_durable(None, databases=["default"])
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {pragma}={right}")
    assert [message.id for message in found] == [code]
    assert checks.sqlite_is_durable(None, databases=["default"]) == []
