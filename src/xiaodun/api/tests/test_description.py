"""The description of the API is valid OpenAPI 3.1 and says what the server does."""

import json

import pytest
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator


@pytest.fixture
def description(db: None) -> dict:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return json.loads(answer.content)


def test_it_is_valid_openapi_3_1(description):
    assert description["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(description).validate()


def test_it_lists_the_operations_with_their_problems(description):
    listed = {
        (path, method): sorted(operation["responses"])
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }
    assert listed == {
        ("/api/v1/checks", "post"): ["200", "401", "403", "422"],
        ("/api/v1/groups", "get"): ["200", "401", "422"],
        ("/api/v1/groups/{code}/roster", "get"): ["200", "401", "403", "404", "422"],
        ("/api/v1/signals", "get"): ["200", "401", "403", "422"],
    }
    problem = description["paths"]["/api/v1/groups"]["get"]["responses"]["401"]["content"]
    assert list(problem) == ["application/problem+json"]


def test_it_describes_a_check_field_by_field_and_closes_it(description):
    check = description["components"]["schemas"]["CheckIn"]
    assert set(check["properties"]) == {
        "client_id",
        "group",
        "day",
        "kind",
        "tapped_at",
        "clock_offset_ms",
        "findings",
    }
    assert check["additionalProperties"] is False
    assert "Malformed" not in description["components"]["schemas"]


def test_it_asks_for_a_bearer_token(description):
    (scheme,) = description["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert all(
        operation["security"] for methods in description["paths"].values() for operation in methods.values()
    )
