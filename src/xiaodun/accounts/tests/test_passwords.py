"""Both profiles of passwords."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from xiaodun.accounts.models import FormerPassword
from xiaodun.accounts.services.passwords import set_password
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 7 staple"
CHANGE = "/account/password/"


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def teacher(cast, set_clock):
    set_clock(cast.at)
    return set_password(by=None, user=cast.teacher, password=PASSWORD, at=cast.at)


def is_taken(user, password, at) -> bool:
    try:
        set_password(by=user, user=user, password=password, at=at)
    except Refusal as refusal:
        return refusal.code != "password-too-weak"
    return True


@pytest.mark.parametrize("profile", ["asvs", "dengbao"])
@pytest.mark.parametrize("password", ["Short 7 st", "1qaz2wsx3edc", "Teacher of class 3", PASSWORD])
def test_both_profiles_refuse_short_common_and_like_ones_and_the_present_one(
    teacher, cast, settings, profile, password
):
    settings.PASSWORD_PROFILE = profile
    assert not is_taken(teacher, password, cast.at)


def test_asvs_asks_for_length_and_dengbao_for_composition(teacher, cast, settings):
    assert is_taken(teacher, "three quiet rivers bend", cast.at)
    settings.PASSWORD_PROFILE = "dengbao"
    assert not is_taken(teacher, "four quiet rivers bend", cast.at)
    assert is_taken(teacher, "four quiet Rivers bend", cast.at)


def test_dengbao_lets_none_of_the_last_five_return(teacher, cast, settings):
    settings.PASSWORD_PROFILE = "dengbao"
    for number in range(5):
        assert is_taken(teacher, f"Rivers bend {number} times", cast.at)
    assert not is_taken(teacher, PASSWORD, cast.at)
    assert is_taken(teacher, "Rivers bend 6 times", cast.at)
    assert is_taken(teacher, PASSWORD, cast.at)
    assert FormerPassword.objects.filter(user=teacher).count() == 5


def test_dengbao_leads_to_a_new_password_after_90_days_before_anything_else(
    teacher, cast, settings, set_clock
):
    settings.PASSWORD_PROFILE = "dengbao"
    set_clock(cast.at + timedelta(days=89))
    early = Client()
    early.post("/sign-in/", {"username": "teacher", "password": PASSWORD})
    assert early.get(reverse("desks:inbox")).status_code == 200
    set_clock(cast.at + timedelta(days=90))
    client = Client()
    client.post("/sign-in/", {"username": "teacher", "password": PASSWORD})
    assert client.get(reverse("desks:inbox")).url == CHANGE
    assert client.get(reverse("desks:inbox"), headers={"accept": "application/json"}).status_code == 403
    form = {"present": PASSWORD, "password": "Rivers bend 9 times", "again": "Rivers bend 9 times"}
    assert client.post(CHANGE, form | {"again": "Rivers bend"}).status_code == 422
    assert client.post(CHANGE, form | {"present": "wrong"}).status_code == 422
    assert client.post(CHANGE, form | {"password": PASSWORD, "again": PASSWORD}).status_code == 422
    assert client.post(CHANGE, form).status_code == 302
    assert client.get(reverse("desks:inbox")).status_code == 200


def test_asvs_never_forces_a_change(teacher, cast, set_clock):
    set_clock(cast.at + timedelta(days=2000))
    client = Client()
    client.post("/sign-in/", {"username": "teacher", "password": PASSWORD})
    assert client.get(reverse("desks:inbox")).status_code == 200


def test_a_new_password_ends_all_other_sessions_and_keeps_this_one_under_a_new_key(teacher):
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.post("/sign-in/", {"username": "teacher", "password": PASSWORD})
    before = here.session.session_key
    form = {"present": PASSWORD, "password": "three quiet rivers", "again": "three quiet rivers"}
    assert here.post(CHANGE, form).status_code == 302
    assert here.get(reverse("desks:inbox")).status_code == 200
    assert here.session.session_key != before
    assert elsewhere.get(reverse("desks:inbox")).status_code == 302
    assert AuditEntry.objects.filter(action="accounts.set_password").count() == 2
