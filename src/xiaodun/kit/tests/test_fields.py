"""Encryption: bound to its column, readable under every configured key, never searchable by accident."""

import pytest
from django.db import connection, models

from xiaodun.kit import crypto
from xiaodun.kit.fields import EncryptedText


class Contact(models.Model):
    phone = EncryptedText(null=True)
    note = EncryptedText()

    class Meta:
        app_label = "kit_tests"
        managed = False


PHONE = Contact._meta.get_field("phone")
NOTE = Contact._meta.get_field("note")


def test_what_goes_in_comes_out_and_never_looks_the_same_twice():
    first, second = PHONE.get_prep_value("13800000000"), PHONE.get_prep_value("13800000000")
    assert first != second
    assert b"138" not in first
    assert PHONE.from_db_value(memoryview(first), None, connection) == "13800000000"
    assert PHONE.get_prep_value(None) is None
    assert PHONE.from_db_value(None, None, connection) is None


def test_a_value_moved_to_another_column_does_not_open():
    with pytest.raises(crypto.UnreadableError, match=r"kit_tests\.contact\.note"):
        NOTE.from_db_value(PHONE.get_prep_value("13800000000"), None, connection)


def test_looking_up_a_ciphertext_fails_loudly():
    with pytest.raises(TypeError, match="blind index"):
        Contact.objects.filter(phone="13800000000")
    assert "IS NULL" in str(Contact.objects.filter(phone__isnull=True).query)


def test_a_new_key_encrypts_and_the_old_one_still_opens(settings):
    old = PHONE.get_prep_value("13800000000")
    settings.MASTER_KEYS = {**settings.MASTER_KEYS, 2: b"2" * 32}
    new = PHONE.get_prep_value("13800000000")
    assert (old[0], new[0]) == (1, 2)
    assert PHONE.from_db_value(old, None, connection) == "13800000000"
    settings.MASTER_KEYS = {2: b"2" * 32}
    with pytest.raises(crypto.UnreadableError, match="number 1"):
        PHONE.from_db_value(old, None, connection)


@pytest.mark.parametrize("stored", [b"", b"\x01", b"\x01" + b"0" * 40])
def test_garbage_is_unreadable_not_a_crash(stored):
    with pytest.raises(crypto.UnreadableError):
        crypto.decrypt(stored, context="x")
