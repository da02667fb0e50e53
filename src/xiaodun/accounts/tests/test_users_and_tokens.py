"""Users and machine tokens."""

import hashlib
from datetime import timedelta

import pytest

from xiaodun.accounts import selectors, services
from xiaodun.accounts.choices import Right
from xiaodun.accounts.models import ApiToken, User
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations.tests.cast import AT, make_district

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(days=30)


@pytest.fixture
def officer():
    return services.create_user(by=None, username="officer", name="张主任", at=AT)


def test_a_user_has_no_right_and_without_a_password_no_way_in(officer):
    assert not officer.has_usable_password()
    assert selectors.scope_of(officer, AT.date()).grants == ()


def test_user_names_are_unique_whatever_the_width_of_their_letters(officer):
    with pytest.raises(Refusal, match="username-taken"):
        services.create_user(by=None, username=" ｏｆｆｉｃｅｒ", name="李", at=AT)


@pytest.mark.parametrize("password", ["short", "password1234"])
def test_a_weak_password_is_refused_with_every_reason(password):
    with pytest.raises(Refusal, match="password-too-weak") as refused:
        services.create_user(by=None, username="u", name="用户", password=password, at=AT)
    assert refused.value.errors
    assert not User.objects.exists()


def test_passwords_are_kept_as_argon2(officer):
    user = services.create_user(by=None, username="u", name="用户", password="correct horse 7 staple", at=AT)
    assert user.password.startswith("argon2$argon2id$")
    assert "horse" not in str(list(AuditEntry.objects.values()))


def test_an_unknown_language_is_refused(officer):
    assert services.set_language(by=officer, language="en", at=AT).language == "en"
    with pytest.raises(Refusal, match="language-unknown"):
        services.set_language(by=officer, language="xx", at=AT)


def test_only_the_hash_of_a_token_is_kept_and_its_secret_opens_it(officer):
    tree = make_district()
    token, secret = services.make_api_token(
        by=officer, name="考勤机", unit=tree.school, scopes=["checks:write"], expires_at=LATER, at=AT
    )
    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert len(secret) >= 43 + len("xiaodun_")
    assert secret not in str(list(ApiToken.objects.values())) + str(list(AuditEntry.objects.values()))
    found = selectors.authenticate_token(secret, AT)
    assert found == token
    assert selectors.authenticate_token(secret + "x", AT) is None
    assert selectors.authenticate_token(token.digest, AT) is None


def test_a_token_ends_with_its_time_or_when_it_is_revoked(officer):
    tree = make_district()
    given = {"by": officer, "name": "机", "unit": tree.school, "scopes": ["checks:write"], "at": AT}
    token, secret = services.make_api_token(expires_at=LATER, **given)
    assert selectors.authenticate_token(secret, LATER - timedelta(microseconds=1))
    assert selectors.authenticate_token(secret, LATER) is None
    services.revoke_api_token(by=officer, token=token, at=AT)
    services.revoke_api_token(by=officer, token=token, at=LATER)
    assert selectors.authenticate_token(secret, AT) is None
    token.refresh_from_db()
    assert token.revoked_at == AT
    assert AuditEntry.objects.filter(action="accounts.revoke_api_token").count() == 1


def test_a_token_may_what_its_scopes_say_on_its_unit_only(officer, django_assert_num_queries):
    tree = make_district()
    _token, secret = services.make_api_token(
        by=officer,
        name="机",
        unit=tree.school,
        scopes=["checks:write", "figures:read"],
        expires_at=LATER,
        at=AT,
    )
    with django_assert_num_queries(1):
        scope = selectors.scope_of_token(selectors.authenticate_token(secret, AT))
    assert scope.may(Right.SUBMIT_CHECK, tree.class_1)
    assert scope.may(Right.SEE_COUNTS, tree.class_1)
    assert not scope.may(Right.SEE_CHILDREN, tree.class_1)
    assert not scope.may(Right.SUBMIT_CHECK, tree.lesson)
    assert (scope.user, scope.roles()) == (None, ())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scopes": []}, "token-scope-unknown"),
        ({"scopes": ["everything"]}, "token-scope-unknown"),
        ({"expires_at": AT}, "token-expired-from-the-start"),
        ({"name": " "}, "name-missing"),
    ],
)
def test_a_malformed_token_is_refused(officer, changes, code):
    given = {"name": "机", "scopes": ["checks:write"], "expires_at": LATER} | changes
    with pytest.raises(Refusal, match=code):
        services.make_api_token(by=officer, unit=make_district().school, at=AT, **given)
    assert not ApiToken.objects.exists()
