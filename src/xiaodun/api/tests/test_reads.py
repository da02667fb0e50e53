"""What machines may read, and what they are told when they may not."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from xiaodun.api.tests.conftest import Api
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import under


def test_the_groups_of_the_tokens_unit_are_listed_page_by_page(api, cast):
    expected = sorted(
        Unit.objects.filter(under(cast.school.path), kind="group").values_list("code", flat=True)
    )
    codes, after = [], ""
    while after is not None:
        page = api.get("groups", after=after, limit=2).json()
        assert len(page["items"]) <= 2
        codes += [item["code"] for item in page["items"]]
        after = page["next"]
    assert codes == expected


def test_a_group_comes_with_its_institution(api, cast):
    group = next(item for item in api.get("groups").json()["items"] if item["code"] == cast.class_a.code)
    assert group["institution"]["code"] == cast.school.code
    assert (group["kind"], group["name"], group["id"]) == ("class", cast.class_a.name, cast.class_a.pk)


def test_the_roster_names_members_with_the_numbers_to_send_back(api, cast):
    roster = api.get(f"groups/{cast.class_a.code}/roster", day=cast.day.isoformat()).json()
    assert [member["person"] for member in roster["members"]] == [pupil.number for pupil in cast.pupils]
    assert [member["name"] for member in roster["members"]] == [pupil.name for pupil in cast.pupils]


def test_reading_a_roster_is_kept_in_the_audit_with_the_persons_shown(api, cast):
    api.get(f"groups/{cast.class_a.code}/roster", day=cast.day.isoformat())
    entry = AuditEntry.objects.get(action="api.roster.read")
    assert entry.facts["persons"] == [pupil.pk for pupil in cast.pupils]
    assert entry.unit_path == cast.class_a.path


def test_a_foreign_roster_is_answered_exactly_as_an_unknown_one(api, cast):
    answers = [
        api.get(f"groups/{code}/roster", day=cast.day.isoformat())
        for code in (cast.other_class.code, cast.drill_class.code, cast.school.code, "none", "%00")
    ]
    assert {answer.status_code for answer in answers} == {404}
    bodies = [answer.json() | {"request_id": ""} for answer in answers]
    assert all(body == bodies[0] for body in bodies)


def test_signals_are_listed_in_counts_without_any_person(cluster, api, cast):
    answer = api.get("signals")
    (signal,) = answer.json()["items"]
    assert (signal["unit"]["code"], signal["count"]) == (cast.class_a.code, 3)
    assert signal["symptom_group"] == "gastrointestinal"
    assert signal["windows"] == [
        {"start": cast.day.isoformat(), "end": cast.day.isoformat(), "count": 3, "unknown": 0}
    ]
    assert not any(pupil.name in answer.content.decode() for pupil in cast.pupils)


def test_signals_of_another_school_do_not_exist(cluster, cast, token):
    assert Api(token(cast.other_school)).get("signals").json() == {"items": [], "next": None}
    assert len(Api(token(cast.district)).get("signals").json()["items"]) == 1


@pytest.mark.parametrize(
    ("path", "scopes"),
    [("signals", ["checks:write"]), ("groups/x/roster?day=2020-12-16", ["checks:write", "figures:read"])],
)
def test_each_read_needs_its_scope(cast, token, set_clock, path, scopes):
    set_clock(cast.at)
    answer = Api(token(scopes=scopes)).get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "token-scope-missing")


@pytest.mark.parametrize("secret", [None, "", "xiaodun_wrong", "a b"])
def test_without_a_valid_token_the_answer_is_a_problem(cast, secret):
    answer = Api(secret).get("groups")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "token-invalid"


def test_a_signed_in_user_opens_nothing_here(client, cast):
    client.force_login(cast.officer)
    assert client.get("/api/v1/groups").status_code == 401


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 201}, {"limit": "many"}, {"colour": "red"}, {"after": "\x00"}],
)
def test_a_query_that_is_not_described_is_refused(api, query):
    answer = api.get("groups", **query)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == list(query)


def test_unknown_addresses_and_methods_are_problems_too(api):
    lost, wrong = api.get("nothing/here"), api.put("groups")
    assert (lost.status_code, lost.json()["code"]) == (404, "not-found")
    assert (wrong.status_code, wrong.json()["code"], wrong["Allow"]) == (405, "method-not-allowed", "GET")
    assert {lost["Content-Type"], wrong["Content-Type"]} == {"application/problem+json"}


def test_an_error_of_ours_is_a_problem_without_its_inside(api, monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise RuntimeError("the inside")

    monkeypatch.setattr("xiaodun.api.selectors.groups_of_token", fail)
    answer = api.get("groups")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert "the inside" not in answer.content.decode()


def test_the_cost_of_a_page_does_not_depend_on_how_much_it_shows(api, cast):
    def statements(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            api.get("groups", limit=limit)
        return len(captured)

    assert statements(1) == statements(5) <= 4


def test_problems_speak_the_callers_language(cast):
    client = Api(None)._client
    said = [
        client.get("/api/v1/groups", headers={"accept-language": language}).json()["detail"]
        for language in ("zh-hans", "en")
    ]
    assert said == ["需要有效的访问令牌。", "A valid token is needed."]


def test_a_token_of_a_class_reaches_that_class_only(cast, token, check, set_clock):
    set_clock(cast.at + timedelta(minutes=1))
    api = Api(token(cast.class_a))
    assert [item["code"] for item in api.get("groups").json()["items"]] == [cast.class_a.code]
    results = api.post("checks", {"checks": [check(cast.class_a), check(cast.class_b)]}).json()["results"]
    assert [result["outcome"] for result in results] == ["stored", "refused"]
