"""Second factors: each code opens once, secrets stand encrypted, the office answers for a lost phone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from xiaodun.accounts.choices import FactorKind, Level
from xiaodun.accounts.factors import totp
from xiaodun.accounts.models import Factor, UserSession
from xiaodun.accounts.services import factors
from xiaodun.accounts.services.passwords import set_password
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 7 staple"
HERE = "192.0.2.1"
# The appendix of RFC 6238, its secret in Base32.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def doctor(cast, set_clock):
    set_clock(cast.at)
    set_password(by=None, user=cast.doctor, password=PASSWORD, at=cast.at)
    cast.doctor.refresh_from_db()
    return cast.doctor


def code_at(secret: str, at: datetime) -> str:
    return totp.code_at(secret, int(at.timestamp())).decode()


def with_app(user, at) -> str:
    secret = totp.new_secret()
    factors.add_totp(by=user, secret=secret, code=code_at(secret, at), keep=None, at=at)
    return secret


def refused(user, code, at) -> str:
    with pytest.raises(Refusal) as refusal:
        factors.prove_code(user=user, code=code, address=HERE, at=at)
    return refusal.value.code


@pytest.mark.parametrize(("second", "code"), [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")])
def test_the_app_shows_what_the_rfc_says(second, code):
    at = datetime.fromtimestamp(second, UTC)
    assert totp.opens(RFC_SECRET, code, 0, at) == second // 30
    assert totp.opens(RFC_SECRET, code, second // 30, at) is None
    assert totp.opens(RFC_SECRET, code, 0, at + timedelta(seconds=90)) is None


def test_a_code_of_the_app_opens_once_and_none_before_it(doctor, cast):
    secret = with_app(doctor, cast.at)
    assert refused(doctor, code_at(secret, cast.at), cast.at) == "code-wrong"
    later = cast.at + timedelta(minutes=1)
    typed = code_at(secret, later)
    assert factors.prove_code(user=doctor, code=f" {typed[:3]} {typed[3:]}", address=HERE, at=later)
    assert refused(doctor, code_at(secret, later), later) == "code-wrong"
    assert refused(doctor, code_at(secret, later - timedelta(seconds=30)), later) == "code-wrong"


def test_guesses_at_the_codes_of_many_pause_their_address_and_no_other(doctor, cast, settings):
    settings.SIGN_IN_ADDRESS_FAILURES = 3
    code = factors.reissue_factor(by=cast.officer, user=doctor, at=cast.at)
    for user in (cast.teacher, cast.colleague, cast.clerk):
        assert refused(user, "2222-2222-2222", cast.at) == "code-wrong"
    assert refused(doctor, code, cast.at) == "sign-in-paused"
    assert factors.prove_code(user=doctor, code=code, address="192.0.2.2", at=cast.at).kind == "issued"


def test_five_wrong_codes_pause_the_factor(doctor, cast):
    secret = with_app(doctor, cast.at)
    later = cast.at + timedelta(minutes=1)
    assert [refused(doctor, "000000", later) for _n in range(5)] == ["code-wrong"] * 5
    assert refused(doctor, code_at(secret, later), later) == "sign-in-paused"
    after = later + timedelta(minutes=15)
    assert factors.prove_code(user=doctor, code=code_at(secret, after), address=HERE, at=after)


def test_recovery_codes_open_once_each_and_new_ones_void_the_old(doctor, cast):
    with pytest.raises(Refusal, match="factor-missing"):
        factors.make_recovery_codes(by=doctor, at=cast.at)
    with_app(doctor, cast.at)
    codes = factors.make_recovery_codes(by=doctor, at=cast.at)
    assert len(set(codes)) == 10
    typed = codes[0].lower().replace("-", " ")
    assert factors.prove_code(user=doctor, code=typed, address=HERE, at=cast.at).kind == "recovery"
    assert refused(doctor, codes[0], cast.at) == "code-wrong"
    new = factors.make_recovery_codes(by=doctor, at=cast.at)
    assert refused(doctor, codes[1], cast.at) == "code-wrong"
    assert factors.prove_code(user=doctor, code=new[1], address=HERE, at=cast.at)


def test_no_secret_and_no_code_stands_readable_in_the_database(doctor, cast):
    secret = with_app(doctor, cast.at)
    codes = factors.make_recovery_codes(by=doctor, at=cast.at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_factor")
        stored = b"".join(bytes(row[0]) for row in cursor.fetchall())
    for text in (secret, *codes, *(code.replace("-", "") for code in codes)):
        assert text.encode() not in stored
    assert "secret" not in str(list(AuditEntry.objects.values_list("facts", flat=True)))


def test_a_factor_of_another_or_an_unknown_one_cannot_be_removed(doctor, cast):
    client = Client()
    client.force_login(doctor)
    other = Factor.objects.create(user=cast.principal, kind="totp", secret=RFC_SECRET, made_at=cast.at)
    for pk in (other.pk, 99_999):
        assert client.post(reverse("accounts:remove_factor", args=[pk])).status_code == 404
    assert Factor.objects.filter(pk=other.pk).exists()


def test_with_the_last_factor_its_recovery_codes_go_and_other_sessions_end(doctor, cast):
    with_app(doctor, cast.at)
    factors.make_recovery_codes(by=doctor, at=cast.at)
    UserSession.objects.create(
        user=doctor, session_key="elsewhere", level=Level.MFA, started_at=cast.at, seen_at=cast.at
    )
    client = Client()
    client.force_login(doctor)
    app = doctor.factors.get(kind=FactorKind.TOTP)
    assert client.post(reverse("accounts:remove_factor", args=[app.pk])).status_code == 302
    assert not doctor.factors.exists()
    assert not UserSession.objects.exists()


def enter(client, user) -> str:
    """Where the password leads."""
    return client.post("/sign-in/", {"username": user.username, "password": PASSWORD}).url


def test_who_sees_more_than_one_class_is_led_to_enrolment_before_anything_else(doctor, cast):
    client = Client()
    enter(client, doctor)
    for page in ("desks:today", "desks:files", "accounts:security"):
        assert client.get(reverse(page)).url == reverse("accounts:enrol")
    assert client.get(reverse("desks:today"), headers={"accept": "application/json"}).status_code == 403
    assert client.get(reverse("accounts:enrol")).status_code == 200


def test_a_teacher_of_one_class_and_a_guard_need_none_and_a_teacher_of_two_does(cast, set_clock):
    set_clock(cast.at)
    from xiaodun.accounts.services import assign_role

    for user, needs in ((cast.teacher, False), (cast.guard, False), (cast.clerk, True), (cast.auditor, True)):
        set_password(by=None, user=user, password=PASSWORD, at=cast.at)
        client = Client()
        enter(client, user)
        assert client.get(reverse("desks:inbox")).status_code == (302 if needs else 200)
    assign_role(
        by=None, user=cast.teacher, role="class_teacher", unit=cast.class_b, valid_from=cast.day, at=cast.at
    )
    enter(client := Client(), cast.teacher)
    assert client.get(reverse("desks:inbox")).url == reverse("accounts:enrol")


def test_from_enrolment_to_the_next_sign_in(doctor, cast, set_clock):
    client = Client()
    enter(client, doctor)
    before = client.session.session_key
    page = client.get(reverse("accounts:enrol_app"))
    secret = page.context["secret"].replace(" ", "")
    assert page.context["qr"].startswith("data:image/svg+xml")
    assert secret not in str(client.session.items())
    assert client.post(reverse("accounts:enrol_app"), {"code": "000000"}).status_code == 422
    answer = client.post(reverse("accounts:enrol_app"), {"code": code_at(secret, cast.at)})
    assert answer.url == reverse("accounts:recovery_codes")
    assert client.session.session_key != before
    codes = client.post(reverse("accounts:recovery_codes")).context["codes"]
    assert client.get(reverse("desks:today")).status_code == 200
    assert codes[0] not in client.get(reverse("accounts:recovery_codes")).content.decode()

    set_clock(cast.at + timedelta(minutes=5))
    again = Client()
    assert enter(again, doctor) == reverse("accounts:challenge")
    assert again.get(reverse("desks:today")).status_code == 302
    assert again.post(reverse("accounts:challenge"), {"code": "000000"}).status_code == 422
    code = code_at(secret, cast.at + timedelta(minutes=5))
    assert again.post(reverse("accounts:challenge"), {"code": code}).url == reverse("desks:today")
    assert again.get(reverse("desks:today")).status_code == 200
    assert UserSession.objects.get(session_key=again.session.session_key).level == Level.MFA
    assert enter(third := Client(), doctor) == reverse("accounts:challenge")
    assert third.post(reverse("accounts:challenge"), {"code": codes[3]}).url == reverse("desks:today")


def test_the_second_step_needs_the_first_one_shown_lately(doctor, cast, set_clock):
    with_app(doctor, cast.at)
    client = Client()
    assert client.get(reverse("accounts:challenge")).url == "/sign-in/"
    enter(client, doctor)
    assert client.get(reverse("accounts:challenge")).status_code == 200
    set_password(by=None, user=doctor, password="another battery 9", at=cast.at)
    assert client.get(reverse("accounts:challenge")).url == "/sign-in/"
    set_password(by=None, user=doctor, password=PASSWORD, at=cast.at)
    enter(client, doctor)
    set_clock(cast.at + timedelta(minutes=11))
    assert client.get(reverse("accounts:challenge")).url == "/sign-in/"


def test_a_factor_confirms_where_a_password_would_for_others(doctor, cast, set_clock):
    secret = with_app(doctor, cast.at)
    client = Client()
    enter(client, doctor)
    later = cast.at + timedelta(minutes=1)
    set_clock(later)
    client.post(reverse("accounts:challenge"), {"code": code_at(secret, later)})
    later += timedelta(minutes=6)
    set_clock(later)
    assert client.post(reverse("accounts:recovery_codes")).url.startswith("/confirm/")
    assert client.post("/confirm/", {"password": PASSWORD, "next": "/account/"}).status_code == 422
    code = code_at(secret, later)
    assert client.post("/confirm/", {"code": code, "next": "/account/"}).url == "/account/"
    assert client.post(reverse("accounts:recovery_codes")).status_code == 200


def test_a_lost_phone_ends_all_and_a_code_in_person_leads_back_to_enrolment(doctor, cast, set_clock):
    secret = with_app(doctor, cast.at)
    clerk = Client()
    clerk.force_login(cast.clerk)
    code = clerk.post(reverse("accounts:reissue_factor", args=[doctor.pk])).context["code"]
    entry = AuditEntry.objects.get(action="accounts.reissue_factor")
    assert (entry.actor_id, entry.object_id) == (cast.clerk.pk, str(doctor.pk))
    client = Client()
    assert enter(client, doctor) == reverse("accounts:challenge")
    later = cast.at + timedelta(minutes=2)
    assert client.post(reverse("accounts:challenge"), {"code": code_at(secret, later)}).status_code == 422
    assert client.post(reverse("accounts:challenge"), {"code": code}).status_code == 302
    assert client.get(reverse("desks:today")).url == reverse("accounts:enrol")
    assert not doctor.factors.exists()


def test_the_code_of_the_office_has_its_time_and_nobody_gets_one_for_oneself(doctor, cast):
    code = factors.reissue_factor(by=cast.clerk, user=doctor, at=cast.at)
    assert refused(doctor, code, cast.at + timedelta(hours=72)) == "code-wrong"
    clerk = Client()
    clerk.force_login(cast.clerk)
    assert clerk.post(reverse("accounts:reissue_factor", args=[cast.clerk.pk])).status_code == 403


def test_a_clerk_gives_no_code_to_who_also_works_beyond_the_school(doctor, cast, set_clock):
    from xiaodun.accounts.services import assign_role

    assign_role(
        by=None, user=doctor, role="district_officer", unit=cast.district, valid_from=cast.day, at=cast.at
    )
    clerk = Client()
    clerk.force_login(cast.clerk)
    assert clerk.post(reverse("accounts:reissue_factor", args=[doctor.pk])).status_code == 404
    officer = Client()
    officer.force_login(cast.officer)
    assert officer.post(reverse("accounts:reissue_factor", args=[doctor.pk])).status_code == 200


def test_the_office_sees_who_is_paused(doctor, cast):
    for _n in range(6):
        Client().post("/sign-in/", {"username": doctor.username, "password": "wrong"})
    clerk = Client()
    clerk.force_login(cast.clerk)
    page = clerk.get(reverse("accounts:staff_sign_in")).context["page"]
    assert [row.user for row in page.paused] == [doctor]
    assert clerk.post(reverse("accounts:unpause", args=[doctor.pk])).status_code == 302
    assert enter(Client(), doctor) == reverse("desks:today")
