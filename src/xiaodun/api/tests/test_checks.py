"""Checks sent by machines, in batches."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from xiaodun.accounts.models import ApiToken
from xiaodun.accounts.services import revoke_api_token
from xiaodun.api.tests.conftest import Api
from xiaodun.kit.models import AuditEntry
from xiaodun.people.services import transfer
from xiaodun.screening.models import CheckSession, Finding
from xiaodun.surveillance.models import Signal


def outcomes(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [result["outcome"] for result in answer.json()["results"]]


def test_a_check_is_stored_with_its_findings_in_the_name_of_the_token(api, cast, check):
    ill = {"person": cast.pupils[0].number, "status": "absent_ill", "symptoms": ["vomiting", "fever"]}
    answer = api.post("checks", {"checks": [check(cast.class_a, ill)]})
    body = answer.json()
    session = CheckSession.objects.get()
    assert (body["stored"], body["repeated"], body["refused"]) == (1, 0, 0)
    assert body["results"][0]["session"] == session.pk
    assert (session.group, session.expected, session.absent_ill) == (cast.class_a, 5, 1)
    assert session.source.startswith("api:")
    assert Finding.objects.get().symptoms == ["fever", "vomiting"]
    assert AuditEntry.objects.filter(
        action="screening.check.submitted", actor__startswith="apitoken:"
    ).exists()


def test_a_group_may_be_named_by_code_or_id(api, cast, check):
    batch = [check(cast.class_a), check(cast.class_b, group=cast.class_b.pk)]
    assert outcomes(api.post("checks", {"checks": batch})) == ["stored", "stored"]


def test_a_batch_may_be_sent_again_and_is_stored_once(api, cast, check):
    batch = {"checks": [check(cast.class_a), check(cast.class_b)]}
    first, second = api.post("checks", batch), api.post("checks", batch)
    assert outcomes(first) == ["stored", "stored"]
    assert outcomes(second) == ["repeated", "repeated"]
    assert [result["session"] for result in second.json()["results"]] == [
        result["session"] for result in first.json()["results"]
    ]
    assert CheckSession.objects.count() == 2


def test_a_check_that_stands_twice_in_a_batch_is_stored_once(api, cast, check):
    one = check(cast.class_a)
    assert outcomes(api.post("checks", {"checks": [one, one]})) == ["stored", "repeated"]


def test_the_same_id_with_other_content_is_refused(api, cast, check):
    one = check(cast.class_a)
    api.post("checks", {"checks": [one]})
    late = {"person": cast.pupils[0].number, "status": "late"}
    (result,) = api.post("checks", {"checks": [one | {"findings": [late]}]}).json()["results"]
    assert (result["outcome"], result["problem"]["code"]) == ("refused", "receipt-mismatch")


def test_a_repeat_is_recognised_after_a_transfer_entered_for_that_day(api, cast, check):
    pupil = cast.pupils[0]
    batch = {"checks": [check(cast.class_a, {"person": pupil.number, "status": "late"})]}
    assert outcomes(api.post("checks", batch)) == ["stored"]
    transfer(by=None, person=pupil, from_group=cast.class_a, to_group=cast.class_b, on=cast.day, at=cast.at)
    assert outcomes(api.post("checks", batch)) == ["repeated"]
    for number in ("no-such-number", cast.pupils[1].number):
        batch["checks"][0]["findings"][0]["person"] = number
        (result,) = api.post("checks", batch).json()["results"]
        assert result["problem"]["code"] == "receipt-mismatch"


def test_a_check_of_another_age_is_refused_alone_by_its_field(api, cast, check):
    batch = [
        check(cast.class_a, tapped_at="2001-01-01T00:00:00+08:00"),
        check(cast.class_b, tapped_at="2098-12-31T00:00:00+08:00"),
        check(cast.class_c),
    ]
    answer = api.post("checks", {"checks": batch})
    assert outcomes(answer) == ["refused", "refused", "stored"]
    (problem, other) = (result["problem"] for result in answer.json()["results"][:2])
    assert problem["code"] == other["code"] == "check-tap-impossible"
    assert problem["errors"][0]["field"] == "tapped_at"


def test_each_check_of_a_mixed_batch_is_answered_on_its_own(api, cast, check):
    stranger = {"person": "no-such-number", "status": "late"}
    batch = [
        check(cast.class_a),
        check(cast.class_b, stranger),
        check(cast.other_class),
        check(cast.class_c, day="soon"),
        check(cast.class_c, colour="red"),
        check(cast.class_d, {"person": "x", "status": "cheerful"}),
        "not a check",
        check(cast.class_b),
        check(cast.class_a),
        check(cast.class_c, day=(cast.day + timedelta(days=1)).isoformat()),
    ]
    results = api.post("checks", {"checks": batch}).json()["results"]
    assert [result["outcome"] for result in results] == [
        "stored",
        *["refused"] * 6,
        "stored",
        *["refused"] * 2,
    ]
    assert [result["index"] for result in results] == list(range(10))
    assert results[3]["client_id"] == batch[3]["client_id"]
    assert results[6]["client_id"] is None
    problems = [result["problem"] for result in results if result["problem"]]
    assert [(problem["status"], problem["code"]) for problem in problems] == [
        (422, "check-invalid"),
        (404, "not-found"),
        (422, "request-malformed"),
        (422, "request-malformed"),
        (422, "request-malformed"),
        (422, "request-malformed"),
        (409, "check-already-submitted"),
        (422, "check-future-day"),
    ]
    places = [[error["where"] for error in problem["errors"]] for problem in problems]
    assert places == [["findings[0]"], [], ["day"], ["colour"], ["findings[0].status"], [""], [], []]
    assert all(error["remedy"] for problem in problems for error in problem["errors"])


def test_a_foreign_group_is_answered_exactly_as_an_unknown_one(api, cast, check):
    batch = [check(cast.other_class), check(cast.drill_class), check(group="none"), check(group=2**70)]
    problems = [result["problem"] for result in api.post("checks", {"checks": batch}).json()["results"]]
    assert len({str(problem) for problem in problems}) == 1
    assert problems[0]["status"] == 404


def test_a_person_of_another_class_is_answered_as_an_unknown_one(api, cast, check):
    elsewhere = cast.members[cast.class_b.pk][0]
    batch = [
        check(cast.class_a, {"person": number, "status": "late"}) for number in (elsewhere.number, "nobody")
    ]
    results = api.post("checks", {"checks": batch}).json()["results"]
    assert results[0]["problem"] == results[1]["problem"]


def test_three_similar_cases_sent_by_a_machine_raise_a_signal(cluster, cast):
    assert Signal.objects.filter(unit=cast.class_a).exists()


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ("{", 400, []),
        ("[]", 422, [""]),
        ({"checks": []}, 422, ["checks"]),
        ({"checks": [], "more": 1}, 422, ["checks", "more"]),
        ({"checks": [{}] * 501}, 422, ["checks"]),
    ],
)
def test_a_batch_that_cannot_be_read_is_a_problem_as_a_whole(api, body, status, where):
    answer = api.post("checks", body)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["where"] for error in answer.json()["errors"]] == where


def test_without_the_scope_nothing_can_be_sent(cast, token, check, set_clock):
    set_clock(cast.at)
    answer = Api(token(scopes=["figures:read"])).post("checks", {"checks": [check(cast.class_a)]})
    assert (answer.status_code, answer.json()["code"]) == (403, "token-scope-missing")
    assert answer.json()["facts"] == {"needed": "checks:write", "has": ["figures:read"]}


def test_no_token_opens_after_it_expired_or_was_revoked(cast, token, set_clock):
    brief, lasting = token(lasts=timedelta(hours=1)), token()
    set_clock(cast.at + timedelta(hours=2))
    assert Api(brief).get("groups").status_code == 401
    assert Api(lasting).get("groups").status_code == 200
    revoke_api_token(by=cast.officer, token=ApiToken.objects.order_by("-pk")[0], at=cast.at)
    assert Api(lasting).get("groups").status_code == 401


def test_statements_of_a_check_do_not_depend_on_the_size_of_the_group(api, cast, check):
    def statements(group) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert outcomes(api.post("checks", {"checks": [check(group)]})) == ["stored"]
        return len(captured)

    api.get("groups")
    assert statements(cast.class_a) == statements(cast.class_b)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("group", "a\u0000b"),
        ("group", True),
        ("group", None),
        ("tapped_at", "0001-01-01T00:00:00+08:00"),
        ("tapped_at", "9999-12-31T23:59:59-08:00"),
        ("tapped_at", "2020-12-16T07:42:00"),
        ("clock_offset_ms", 2**40),
        ("client_id", "one"),
        ("kind", "midnight"),
        ("findings", [{"person": "\ud800", "status": "late"}]),
        ("findings", [{"person": "a", "status": "late", "symptoms": ["melancholy"]}]),
        ("findings", {"person": "a"}),
    ],
)
def test_values_that_no_database_takes_are_refused_by_the_field(api, cast, check, field, value):
    (result,) = api.post("checks", {"checks": [check(cast.class_a, **{field: value})]}).json()["results"]
    assert (result["outcome"], result["problem"]["code"]) == ("refused", "request-malformed")
    assert all(error["where"].startswith(field) for error in result["problem"]["errors"])


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "9999-12-31"])
def test_a_check_of_an_impossible_day_is_refused(api, cast, check, day):
    ill = {"person": cast.pupils[0].number, "status": "recovered", "onset": "0001-01-01"}
    results = api.post("checks", {"checks": [check(day=day), check(cast.class_b, ill, day=day)]}).json()
    assert results["refused"] == 2
