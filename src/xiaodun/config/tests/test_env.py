"""Settings from the environment: what is missing, weak or open to others stops the start and names itself."""

import base64

import pytest

from xiaodun.config import env
from xiaodun.config.env import SettingError
from xiaodun.config.keys import load_or_make, new_keys

KEY = base64.b64encode(b"k" * 32).decode()


def test_a_missing_variable_is_named_with_its_meaning(monkeypatch):
    monkeypatch.delenv("XIAODUN_X", raising=False)
    with pytest.raises(SettingError, match=r"XIAODUN_X is not set\. It holds: the place\."):
        env.text("XIAODUN_X", "the place")
    monkeypatch.setenv("XIAODUN_X", "  ")
    with pytest.raises(SettingError, match="not set"):
        env.directory("XIAODUN_X", "the place")


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("False", False), ("", True)])
def test_a_flag_is_true_or_false(monkeypatch, text, expected):
    monkeypatch.setenv("XIAODUN_X", text)
    assert env.flag("XIAODUN_X", "a switch", default=True) is expected


@pytest.mark.parametrize("text", ["yes", "1", "on"])
def test_another_word_is_no_flag(monkeypatch, text):
    monkeypatch.setenv("XIAODUN_X", text)
    with pytest.raises(SettingError, match="true or false"):
        env.flag("XIAODUN_X", "a switch", default=False)


def test_a_number_is_a_whole_number(monkeypatch):
    monkeypatch.setenv("XIAODUN_X", "8.5")
    with pytest.raises(SettingError, match="whole number"):
        env.number("XIAODUN_X", "a count", default=1)


def test_a_secret_comes_from_a_file_that_others_cannot_read(monkeypatch, tmp_path):
    file = tmp_path / "secret"
    file.write_text("s" * 50 + "\n")
    file.chmod(0o600)
    monkeypatch.setenv("XIAODUN_X_FILE", str(file))
    assert env.secret("XIAODUN_X", "a secret", least=50) == "s" * 50
    file.chmod(0o644)
    with pytest.raises(SettingError, match=r"XIAODUN_X_FILE .* 0600"):
        env.secret("XIAODUN_X", "a secret", least=50)


def test_a_short_secret_is_refused(monkeypatch):
    monkeypatch.setenv("XIAODUN_X", "short")
    with pytest.raises(SettingError, match="xiaodun keys"):
        env.secret("XIAODUN_X", "a secret", least=50)


def test_a_key_ring_holds_numbered_keys(monkeypatch):
    monkeypatch.setenv("XIAODUN_X", f"1:{KEY}, 2:{KEY}")
    assert env.key_ring("XIAODUN_X", "keys") == {1: b"k" * 32, 2: b"k" * 32}


@pytest.mark.parametrize(
    ("ring", "said"),
    [
        (f"{KEY}", "NUMBER:BASE64"),
        (f"one:{KEY}", "NUMBER:BASE64"),
        (f"1:{KEY}!", "NUMBER:BASE64"),
        (f"0:{KEY}", "1 to 255"),
        (f"1:{KEY[:8]}", "32 bytes"),
        (f"1:{KEY},1:{KEY}", "twice"),
    ],
)
def test_a_malformed_key_ring_is_refused(ring, said):
    with pytest.raises(SettingError, match=said):
        env.parse_key_ring("XIAODUN_X", ring)


def test_new_keys_are_accepted_by_a_production_and_never_the_same():
    first, second = new_keys(), new_keys()
    assert first != second
    assert len(first.secret_key) >= 50
    assert len(first.audit_key) >= 43
    assert set(env.parse_key_ring("x", first.master_keys)) == {1}


def test_the_keys_of_a_demo_are_made_once_and_for_its_user_only(tmp_path):
    file = tmp_path / "keys.json"
    keys = load_or_make(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_or_make(file) == keys
    file.chmod(0o640)
    with pytest.raises(SettingError, match="0600"):
        load_or_make(file)


@pytest.mark.parametrize("content", ['{"secret_key": "x"}', "not json"])
def test_the_keys_of_another_version_say_what_to_delete(tmp_path, content):
    file = tmp_path / "keys.json"
    file.write_text(content, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(SettingError, match="delete its folder"):
        load_or_make(file)
