"""Enrolled phones: opened by a PIN, good for the own class check, lost at once."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.test import Client
from django.urls import reverse

from tests.factories import BEFORE, TERM
from xiaodun.accounts import cookies
from xiaodun.accounts.choices import RevokedFor
from xiaodun.accounts.models import ActivationSlip, ApiToken, Device, RoleAssignment, UserSession
from xiaodun.accounts.services import (
    assign_role,
    deactivate_user,
    end_role,
    make_api_token,
)
from xiaodun.accounts.services.devices import DEVICE_LASTS, enrol_device, revoke_devices, try_pin
from xiaodun.accounts.services.gate import announce_tablet
from xiaodun.accounts.services.slips import issue_slips
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry

PIN = "738205"


@pytest.fixture
def enrolled(cast, set_clock):
    set_clock(cast.at)
    return enrol_device(by=cast.teacher, name="Android", pin=PIN, at=cast.at)


def phone(enrolled) -> Client:
    """The teacher's phone the next morning: its cookie and no session."""
    client = Client()
    client.cookies[cookies.DEVICE] = enrolled.secret
    return client


def unlocked(enrolled) -> Client:
    client = phone(enrolled)
    assert client.post(reverse("accounts:unlock"), {"pin": PIN}).status_code == 302
    return client


def test_a_teacher_enrols_the_phone_after_signing_in_and_only_digests_stay(cast, set_clock):
    set_clock(cast.at)
    client = Client()
    client.force_login(cast.teacher)
    answer = client.post(reverse("accounts:devices"), {"name": "Mate", "pin": PIN, "again": PIN})
    assert answer.status_code == 302
    cookie = answer.cookies[cookies.DEVICE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    device = Device.objects.get()
    assert device.user == cast.teacher
    assert device.expires_at - device.enrolled_at == DEVICE_LASTS
    assert identify_hasher(device.pin).algorithm == "argon2"
    assert cookie.value not in (device.digest, device.pin)


@pytest.mark.parametrize("pin", ["12345", "123456", "654321", "111111", "121212", "abcdef", "12 3456"])
def test_a_pin_that_a_finder_tries_first_is_refused(cast, pin):
    with pytest.raises(Refusal, match="pin-too-weak"):
        enrol_device(by=cast.teacher, name="Android", pin=pin, at=cast.at)


def test_whoever_checks_no_class_of_their_own_enrols_no_phone(cast):
    for user in (cast.doctor, cast.principal, cast.officer, cast.clerk):
        with pytest.raises(Refusal, match="device-without-group"):
            enrol_device(by=user, name="Android", pin=PIN, at=cast.at)


def test_with_the_pin_the_phone_opens_the_check_of_the_own_class_and_nothing_more(cast, enrolled):
    client = unlocked(enrolled)
    own, other = cast.class_a.pk, cast.class_b.pk
    assert client.get(reverse("desks:class_check", args=[own])).status_code == 200
    assert client.get(reverse("desks:class_roster", args=[own])).status_code == 200
    assert client.get(reverse("desks:class_check", args=[other])).status_code == 404
    for name in ("desks:today", "desks:files", "desks:inbox", "desks:signals", "accounts:devices"):
        answer = client.get(reverse(name))
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("accounts:sign_in"))
    assert UserSession.objects.get().level == "device"


def test_a_doctor_who_also_teaches_opens_only_the_own_class_by_phone(cast, set_clock):
    set_clock(cast.at)
    assign_role(
        by=None, user=cast.doctor, role="class_teacher", unit=cast.class_d, valid_from=TERM[0], at=BEFORE
    )
    client = unlocked(enrol_device(by=cast.doctor, name="Android", pin=PIN, at=cast.at))
    assert client.get(reverse("desks:class_check", args=[cast.class_d.pk])).status_code == 200
    assert client.get(reverse("desks:class_check", args=[cast.class_a.pk])).status_code == 404


def test_the_fifth_wrong_pin_signs_the_phone_off_and_a_right_one_starts_the_count_anew(cast, enrolled):
    device = enrolled.device
    for _ in range(4):
        assert not try_pin(device=device, pin="000001", at=cast.at)
    assert try_pin(device=device, pin=PIN, at=cast.at)
    for _ in range(5):
        assert not try_pin(device=device, pin="000001", at=cast.at)
    assert not try_pin(device=device, pin=PIN, at=cast.at)
    device.refresh_from_db()
    assert device.revoked_for == RevokedFor.GUESSED
    assert AuditEntry.objects.filter(action="accounts.try_pin", facts={"right": False}).count() == 9


def test_a_phone_holds_for_ninety_days(cast, enrolled):
    assert try_pin(device=enrolled.device, pin=PIN, at=cast.at + DEVICE_LASTS - timedelta(seconds=1))
    assert not try_pin(device=enrolled.device, pin=PIN, at=cast.at + DEVICE_LASTS)


def test_enrolling_the_same_phone_anew_ends_what_it_was_before(cast, enrolled):
    enrol_device(by=cast.teacher, name="Android", pin=PIN, replaced=enrolled.device, at=cast.at)
    enrolled.device.refresh_from_db()
    assert enrolled.device.revoked_for == RevokedFor.REPLACED


def test_a_lost_phone_is_taken_back_by_its_owner_or_the_office_and_its_session_ends(cast, enrolled):
    client = unlocked(enrolled)
    office = Client()
    office.force_login(cast.clerk)
    listed = office.get(reverse("accounts:equipment", args=[cast.school.pk])).content.decode()
    assert "赵老师" in listed
    office.post(reverse("accounts:revoke_staff_device", args=[cast.school.pk, enrolled.device.pk]))
    answer = client.get(reverse("desks:class_check", args=[cast.class_a.pk]))
    assert answer.status_code == 302
    assert phone(enrolled).post(reverse("accounts:unlock"), {"pin": PIN}).url == reverse("accounts:sign_in")


def test_taking_a_phone_or_a_tablet_back_asks_first(cast, enrolled):
    tablet = announce_tablet(by=cast.clerk, unit=cast.school, name="East gate", at=cast.at).tablet
    own, equipment = reverse("accounts:devices"), reverse("accounts:equipment", args=[cast.school.pk])
    for user, page, dialog, address in (
        (cast.teacher, own, f"device-{enrolled.device.pk}", f"/devices/{enrolled.device.pk}/revoke/"),
        (cast.clerk, equipment, f"device-{enrolled.device.pk}", f"/devices/{enrolled.device.pk}/revoke/"),
        (cast.clerk, equipment, f"tablet-{tablet.pk}", f"/tablets/{tablet.pk}/revoke/"),
    ):
        client = Client()
        client.force_login(user)
        text = client.get(page).content.decode()
        assert f'type="button" data-dialog="{dialog}"' in text
        dialogs = re.findall(r"<dialog.*?</dialog>", text, re.DOTALL)
        assert [f'id="{dialog}"' in each for each in dialogs if address in each] == [True]
        assert address not in re.sub(r"<dialog.*?</dialog>", "", text, flags=re.DOTALL)


def test_no_office_takes_back_the_phone_of_another_school(cast, set_clock):
    set_clock(cast.at)
    foreign = enrol_device(by=cast.stranger, name="Android", pin=PIN, at=cast.at).device
    office = Client()
    office.force_login(cast.clerk)
    office.post(reverse("accounts:revoke_staff_device", args=[cast.school.pk, foreign.pk]))
    foreign.refresh_from_db()
    assert foreign.revoked_at is None


def what_is_left(user) -> dict[str, int]:
    return {
        "devices": Device.objects.filter(user=user, revoked_at__isnull=True).count(),
        "slips": ActivationSlip.objects.filter(
            user=user, used_at__isnull=True, revoked_at__isnull=True
        ).count(),
        "sessions": UserSession.objects.filter(user=user).count(),
        "keys": ApiToken.objects.filter(made_by=user, revoked_at__isnull=True).count(),
    }


@pytest.mark.parametrize("how", ["closed", "transferred"])
def test_leavers_and_transfers_lose_everything_at_once(cast, enrolled, how):
    unlocked(enrolled)
    issue_slips(by=cast.clerk, unit=cast.school, users=[cast.teacher], at=cast.at)
    make_api_token(
        by=cast.teacher,
        name="class book",
        unit=cast.class_a,
        scopes=["checks:write"],
        expires_at=cast.at + timedelta(days=9),
        at=cast.at,
    )
    assert set(what_is_left(cast.teacher).values()) == {1}
    if how == "closed":
        deactivate_user(by=cast.officer, user=cast.teacher, at=cast.at)
    else:
        role = RoleAssignment.objects.get(user=cast.teacher)
        end_role(by=cast.officer, assignment=role, last_day=cast.day - timedelta(days=1), at=cast.at)
    assert set(what_is_left(cast.teacher).values()) == {0}


def test_a_role_that_ends_later_lets_the_phone_hold_to_its_last_day(cast, enrolled):
    role = RoleAssignment.objects.get(user=cast.teacher)
    end_role(by=cast.officer, assignment=role, last_day=cast.day, at=cast.at)
    assert try_pin(device=enrolled.device, pin=PIN, at=cast.at + timedelta(hours=8))
    assert not try_pin(device=enrolled.device, pin=PIN, at=cast.at + timedelta(hours=17))


def test_revoking_twice_keeps_the_first_moment(cast, enrolled):
    assert revoke_devices(by=None, devices=[enrolled.device], why=RevokedFor.LOST, at=cast.at) == 1
    assert revoke_devices(by=None, devices=[enrolled.device], why=RevokedFor.LEFT, at=cast.at) == 0
    enrolled.device.refresh_from_db()
    assert enrolled.device.revoked_for == RevokedFor.LOST
