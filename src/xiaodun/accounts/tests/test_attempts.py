"""Throttling: guesses are paused, honest people are not."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client

from xiaodun.accounts import services
from xiaodun.accounts.known_browsers import KnownBrowser
from xiaodun.accounts.models import AttemptCount, User
from xiaodun.accounts.services.attempts import Origin, forget_attempts, lift_pause, prove_password
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 7 staple"
START = datetime(2026, 9, 7, 0, 0, tzinfo=UTC)
STRANGER = Origin(KnownBrowser(), "203.0.113.7")
SIGN_IN = "/sign-in/"


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    """What is held here is the counting; Argon2 takes a second for each of hundreds of attempts."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def owner():
    return services.create_user(by=None, username="t1", name="王老师", password=PASSWORD, at=START)


def try_as(username, password, origin=STRANGER, **later) -> str:
    """ "in", or the code of the refusal."""
    try:
        prove_password(username=username, password=password, origin=origin, at=START + timedelta(**later))
    except Refusal as refusal:
        return refusal.code
    return "in"


def test_five_failures_pause_strangers_for_a_quarter_of_an_hour(owner):
    assert [try_as("t1", "wrong", seconds=n) for n in range(5)] == ["sign-in-failed"] * 5
    assert try_as("t1", PASSWORD, minutes=1) == "sign-in-paused"
    assert try_as("t1", PASSWORD, minutes=15) == "sign-in-paused"
    assert try_as("t1", PASSWORD, minutes=15, seconds=4) == "in"
    assert not AttemptCount.objects.filter(key=f"account:{owner.pk}").exists()


def test_failures_far_apart_pause_nobody_and_a_success_forgets_them(owner):
    assert [try_as("t1", "wrong", minutes=2 * n) for n in range(12)] == ["sign-in-failed"] * 12
    for n in range(4):
        try_as("t1", "wrong", hours=1, seconds=n)
    assert try_as("t1", PASSWORD, hours=1, seconds=5) == "in"
    assert [try_as("t1", "wrong", hours=1, seconds=6 + n) for n in range(5)] == ["sign-in-failed"] * 5


def test_a_name_that_nobody_has_is_paused_like_any_other_and_is_not_kept(owner):
    answers = [[try_as(name, "wrong", seconds=n) for n in range(6)] for name in ("t1", "nobody")]
    assert answers[0] == answers[1] == ["sign-in-failed"] * 5 + ["sign-in-paused"]
    assert "nobody" not in str(list(AttemptCount.objects.values()))


def test_the_attacked_owner_goes_on_from_a_known_browser_which_has_a_count_of_its_own(owner):
    for n in range(9):
        try_as("t1", "wrong", seconds=n)
    known = Origin(KnownBrowser({str(owner.pk): "office-pc"}), "203.0.113.7")
    assert try_as("t1", PASSWORD, known, seconds=10) == "in"
    assert try_as("t1", PASSWORD, seconds=11) == "sign-in-paused"
    assert [try_as("t1", "wrong", known, seconds=20 + n) for n in range(6)][-1] == "sign-in-paused"


def test_guesses_over_many_names_pause_strangers_of_an_address_and_no_known_browser(owner, settings):
    settings.SIGN_IN_ADDRESS_FAILURES = 20
    for n in range(20):
        assert try_as(f"t{n + 100}", "spring2026", seconds=n) == "sign-in-failed"
    assert try_as("t1", PASSWORD, seconds=30) == "sign-in-paused"
    elsewhere = Origin(KnownBrowser(), "203.0.113.8")
    assert try_as("t1", PASSWORD, elsewhere, seconds=31) == "in"
    known = Origin(KnownBrowser({str(owner.pk): "office-pc"}), "203.0.113.7")
    assert try_as("t1", PASSWORD, known, seconds=32) == "in"
    assert try_as("t1", PASSWORD, minutes=6) == "in"


def test_an_ipv6_household_counts_as_one_address(owner, settings):
    settings.SIGN_IN_ADDRESS_FAILURES = 4
    for n in range(4):
        try_as(f"t{n + 100}", "wrong", Origin(KnownBrowser(), f"2001:db8:1:2::{n}"))
    assert try_as("t1", PASSWORD, Origin(KnownBrowser(), "2001:db8:1:2:ffff::1")) == "sign-in-paused"
    assert try_as("t1", PASSWORD, Origin(KnownBrowser(), "2001:db8:1:3::1")) == "in"


def test_the_office_lifts_a_pause_and_old_counts_are_swept(owner):
    for n in range(6):
        try_as("t1", "wrong", seconds=n)
    lift_pause(by=None, user=owner, at=START)
    assert try_as("t1", PASSWORD, seconds=10) == "in"
    assert AuditEntry.objects.filter(action="accounts.lift_pause").count() == 1
    forget_attempts(at=START + timedelta(days=2))
    assert not AttemptCount.objects.exists()


def test_the_page_says_how_long_to_wait(client, owner, set_clock):
    set_clock(START)
    for _n in range(5):
        assert client.post(SIGN_IN, {"username": "t1", "password": "wrong"}).status_code == 422
    answer = client.post(SIGN_IN, {"username": "t1", "password": PASSWORD})
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert "15" in answer.content.decode()


def test_a_sign_in_makes_the_browser_known_and_a_forged_cookie_does_not(client, owner, set_clock):
    set_clock(START)
    client.post(SIGN_IN, {"username": "t1", "password": PASSWORD})
    client.post("/sign-out/")
    stranger = Client()
    for _n in range(6):
        stranger.post(SIGN_IN, {"username": "t1", "password": "wrong"})
    stranger.cookies["known-browser"] = "e30:forged:signature"
    assert stranger.post(SIGN_IN, {"username": "t1", "password": PASSWORD}).status_code == 429
    assert client.post(SIGN_IN, {"username": "t1", "password": PASSWORD}).status_code == 302


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_guesses_sent_at_once_have_no_more_tries_than_those_sent_one_by_one(owner):
    start, outcomes = threading.Barrier(12), []

    def guess():
        start.wait()
        outcomes.append(try_as("t1", "wrong"))
        connection.close()

    threads = [threading.Thread(target=guess) for _n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["sign-in-failed"] * 5 + ["sign-in-paused"] * 7


@pytest.mark.postgresql
def test_200_honest_sign_ins_from_one_address_while_one_account_is_attacked(owner, set_clock, capsys):
    """Five minutes at 07:30 behind one address: no browser is known, and one in five mistypes."""
    hashed = make_password(PASSWORD)
    User.objects.bulk_create(
        User(username=f"s{n}", name=f"老师{n}", password=hashed, password_set_at=START) for n in range(200)
    )
    owners_pc = Client()
    set_clock(START - timedelta(days=1))
    assert owners_pc.post(SIGN_IN, {"username": "t1", "password": PASSWORD}).status_code == 302
    owners_pc.post("/sign-out/")
    attacker = Client()
    locked_out, mistyped, guesses, paused = [], 0, 0, 0
    for n in range(200):
        set_clock(START + timedelta(seconds=1.5 * n))
        answer = attacker.post(SIGN_IN, {"username": "t1", "password": f"guess {n}"})
        guesses, paused = guesses + 1, paused + (answer.status_code == 429)
        staff = Client()
        if n % 5 == 0:
            mistyped += 1
            assert staff.post(SIGN_IN, {"username": f"s{n}", "password": "Correct horse"}).status_code == 422
        answer = staff.post(SIGN_IN, {"username": f"s{n}", "password": PASSWORD})
        if answer.status_code != 302:
            locked_out.append((n, answer.status_code))
    answer = owners_pc.post(SIGN_IN, {"username": "t1", "password": PASSWORD})
    if answer.status_code != 302:
        locked_out.append(("owner", answer.status_code))
    with capsys.disabled():
        print(
            f"\nsign-in behind one address: 200 honest in 5 min, {mistyped} mistyped once, {guesses} guesses "
            f"at one account of which {paused} were paused; honest lock-outs={len(locked_out)}"
        )
    assert locked_out == []
    assert paused == guesses - 5
