"""The tablet at the gate: made by a code, worked by guards with their own PINs."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import staff
from xiaodun.accounts import cookies
from xiaodun.accounts.models import RoleAssignment, Shift, User
from xiaodun.accounts.selectors import guards_of, shift_at, slip_of
from xiaodun.accounts.services import end_role
from xiaodun.accounts.services.gate import (
    CODE_LASTS,
    SHIFT_LASTS,
    announce_tablet,
    begin_shift,
    end_shift,
    enrol_tablet,
    revoke_tablet,
    set_guard_pin,
)
from xiaodun.accounts.services.slips import issue_slips
from xiaodun.kit.errors import Refusal

PIN, OTHER_PIN = "738205", "402917"
HERE = "192.0.2.1"


@pytest.fixture
def tablet(cast, set_clock):
    set_clock(cast.at)
    announced = announce_tablet(by=cast.clerk, unit=cast.school, name="East gate", at=cast.at)
    return enrol_tablet(code=announced.code, address=HERE, at=cast.at)


def give_pin(cast, tablet, guard, pin):
    (slip,) = issue_slips(by=cast.clerk, unit=cast.school, users=[guard], at=cast.at)
    return set_guard_pin(slip=slip_of(slip.code, cast.at), tablet=tablet.tablet, pin=pin, at=cast.at)


def test_a_code_makes_one_tablet_within_the_hour(cast):
    announced = announce_tablet(by=cast.clerk, unit=cast.school, name="East gate", at=cast.at)
    late = announce_tablet(by=cast.clerk, unit=cast.school, name="West gate", at=cast.at)
    assert enrol_tablet(code=late.code, address=HERE, at=cast.at + CODE_LASTS) is None
    assert enrol_tablet(code="2222-2222-2222", address=HERE, at=cast.at) is None
    assert enrol_tablet(code=announced.code.lower(), address=HERE, at=cast.at) is not None
    assert enrol_tablet(code=announced.code, address=HERE, at=cast.at) is None


def test_a_guard_chooses_a_pin_with_a_slip_and_nobody_else_does(cast, tablet):
    give_pin(cast, tablet, cast.guard, PIN)
    with pytest.raises(Refusal, match="not-a-guard-here"):
        give_pin(cast, tablet, cast.teacher, PIN)
    with pytest.raises(Refusal, match="pin-too-weak"):
        give_pin(cast, tablet, cast.guard, "111111")


def test_the_guard_on_duty_is_recorded_from_the_pin_to_the_hand_over(cast, tablet):
    second = staff("second_guard", "许师傅", "guard", cast.school)
    give_pin(cast, tablet, cast.guard, PIN)
    give_pin(cast, tablet, second, OTHER_PIN)
    noon = cast.at + timedelta(hours=5)
    assert begin_shift(tablet=tablet.tablet, guard=cast.guard, pin=PIN, address=HERE, at=cast.at)
    assert shift_at(tablet.tablet, noon).guard == cast.guard
    assert begin_shift(tablet=tablet.tablet, guard=second, pin=PIN, address=HERE, at=noon) is None
    assert begin_shift(tablet=tablet.tablet, guard=second, pin=OTHER_PIN, address=HERE, at=noon)
    assert shift_at(tablet.tablet, noon).guard == second
    end_shift(by=second, tablet=tablet.tablet, at=noon + timedelta(hours=1))
    assert shift_at(tablet.tablet, noon + timedelta(hours=1)) is None
    assert list(Shift.objects.order_by("pk").values_list("guard", "started_at", "ended_at")) == [
        (cast.guard.pk, cast.at, noon),
        (second.pk, noon, noon + timedelta(hours=1)),
    ]


def test_a_shift_is_over_after_twelve_hours_and_its_record_says_when(cast, tablet):
    give_pin(cast, tablet, cast.guard, PIN)
    begin_shift(tablet=tablet.tablet, guard=cast.guard, pin=PIN, address=HERE, at=cast.at)
    assert shift_at(tablet.tablet, cast.at + SHIFT_LASTS) is None
    begin_shift(tablet=tablet.tablet, guard=cast.guard, pin=PIN, address=HERE, at=cast.at + timedelta(days=1))
    assert Shift.objects.earliest("pk").ended_at == cast.at + SHIFT_LASTS


def test_five_wrong_pins_lock_the_guard_until_a_new_slip_and_no_colleague(cast, tablet):
    second = staff("second_guard", "许师傅", "guard", cast.school)
    give_pin(cast, tablet, cast.guard, PIN)
    give_pin(cast, tablet, second, OTHER_PIN)
    for _ in range(5):
        assert (
            begin_shift(tablet=tablet.tablet, guard=cast.guard, pin="000001", address=HERE, at=cast.at)
            is None
        )
    assert begin_shift(tablet=tablet.tablet, guard=cast.guard, pin=PIN, address=HERE, at=cast.at) is None
    assert begin_shift(tablet=tablet.tablet, guard=second, pin=OTHER_PIN, address=HERE, at=cast.at)
    give_pin(cast, tablet, cast.guard, PIN)
    assert begin_shift(tablet=tablet.tablet, guard=cast.guard, pin=PIN, address=HERE, at=cast.at)


def test_a_guard_who_leaves_is_off_duty_at_once(cast, tablet):
    give_pin(cast, tablet, cast.guard, PIN)
    begin_shift(tablet=tablet.tablet, guard=cast.guard, pin=PIN, address=HERE, at=cast.at)
    role = RoleAssignment.objects.get(user=cast.guard)
    end_role(by=cast.officer, assignment=role, last_day=cast.day - timedelta(days=1), at=cast.at)
    assert shift_at(tablet.tablet, cast.at) is None
    assert guards_of(cast.school, cast.day) == []
    assert Shift.objects.get().ended_at == cast.at


def test_a_tablet_that_was_taken_back_shows_nothing(cast, tablet):
    give_pin(cast, tablet, cast.guard, PIN)
    begin_shift(tablet=tablet.tablet, guard=cast.guard, pin=PIN, address=HERE, at=cast.at)
    client = Client()
    client.cookies[cookies.TABLET] = tablet.secret
    assert cast.guard.name in client.get(reverse("accounts:gate")).content.decode()
    revoke_tablet(by=cast.clerk, tablet=tablet.tablet, at=cast.at)
    assert cast.guard.name not in client.get(reverse("accounts:gate")).content.decode()
    assert Shift.objects.get().ended_at == cast.at


def test_a_tablet_opens_no_page_of_a_user(cast, tablet):
    client = Client()
    client.cookies[cookies.TABLET] = tablet.secret
    give_pin(cast, tablet, cast.guard, PIN)
    client.post(reverse("accounts:gate"), {"guard": cast.guard.pk, "pin": PIN})
    for name in ("desks:today", "desks:files", "desks:inbox", "accounts:schools"):
        assert client.get(reverse(name)).status_code == 302
    assert client.get(reverse("desks:class_check", args=[cast.class_a.pk])).status_code == 302


def _wrong_slip(client):
    return client.post(reverse("accounts:activate"), {"code": "2222-2222-2222"})


def _wrong_tablet(client):
    return client.post(reverse("accounts:gate"), {"code": "2222-2222-2222"})


def _wrong_slip_at_the_gate(client):
    data = {"code": "2222-2222-2222", "pin": PIN, "again": PIN}
    return client.post(reverse("accounts:guard_pin"), data)


def _wrong_pin_at_the_gate(client):
    return client.post(reverse("accounts:gate"), {"guard": User.objects.get(username="guard").pk, "pin": PIN})


@pytest.mark.parametrize(
    ("guess", "is_at_a_tablet"),
    [
        (_wrong_slip, False),
        (_wrong_tablet, False),
        (_wrong_slip_at_the_gate, True),
        (_wrong_pin_at_the_gate, True),
    ],
)
def test_an_address_that_guesses_is_told_when_to_try_again_and_others_go_on(
    cast, tablet, settings, set_clock, guess, is_at_a_tablet
):
    settings.SIGN_IN_ADDRESS_FAILURES = 3
    guesser, elsewhere = Client(REMOTE_ADDR="203.0.113.7"), Client(REMOTE_ADDR="203.0.113.8")
    if is_at_a_tablet:
        for client in (guesser, elsewhere):
            client.cookies[cookies.TABLET] = tablet.secret
    assert [guess(guesser).status_code for _ in range(4)] == [422, 422, 422, 429]
    answer = guess(guesser)
    assert answer["Retry-After"] == str(5 * 60)
    assert "请等待 5 分钟后再试" in answer.content.decode()
    assert guess(elsewhere).status_code == 422
    set_clock(cast.at + timedelta(minutes=6))
    assert guess(guesser).status_code == 422


def test_during_the_pause_a_right_code_gets_the_answer_of_a_wrong_one(cast, tablet, settings):
    settings.SIGN_IN_ADDRESS_FAILURES = 1
    (slip,) = issue_slips(by=cast.clerk, unit=cast.school, users=[cast.teacher], at=cast.at)
    assert _wrong_slip(Client()).status_code == 422
    address = reverse("accounts:activate")
    texts = []
    for code in (slip.code, "2222-2222-2222"):
        answer = Client().post(address, {"code": code})
        assert answer.status_code == 429
        texts.append(re.findall(r'<p class="x-field-error">.*?</p>', answer.content.decode(), re.DOTALL))
    assert texts[0] == texts[1] != []


def test_guesses_at_codes_keep_nobody_from_signing_in(cast, settings):
    settings.SIGN_IN_ADDRESS_FAILURES = 1
    for _ in range(2):
        _wrong_slip(Client())
    wrong = {"username": "teacher", "password": "wrong"}
    assert Client().post(reverse("accounts:sign_in"), wrong).status_code == 422
