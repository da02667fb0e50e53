"""What a submit costs the database, from the first byte of the request to its answer."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from xiaodun.accounts.choices import Role
from xiaodun.desks.tests.cast import at
from xiaodun.people.models import Person
from xiaodun.screening.tests.cast import School, day, make_school, moment

LAST = 210


def post(client: Client, school: School, pupils: list[Person], offset: int) -> list[str]:
    body: dict[str, Any] = {
        "client_id": str(uuid4()),
        "day": day(offset).isoformat(),
        "tapped_at": moment(offset).isoformat(),
        "clock_offset_ms": 0,
        "base_version": 0,
        "findings": [
            {"person": person.pk, "status": "absent_ill", "symptoms": ["fever"], "onset": None}
            for person in pupils
        ],
    }
    with at(moment(offset)), CaptureQueriesContext(connection) as captured:
        answer = client.post(
            reverse("desks:class_submit", args=[school.classes[0].pk]),
            data=json.dumps(body),
            content_type="application/json",
        )
    assert answer.status_code == 201, answer.content
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_submit_takes_at_most_20_statements_in_its_request_whatever_the_class_and_the_history():
    school = make_school(classes=1, size=60)
    pupils = school.pupils[school.classes[0].pk]
    client = Client()
    client.force_login(school.users[Role.CLASS_TEACHER])
    five = post(client, school, pupils[:5], 0)
    sixty = post(client, school, pupils, 1)
    for offset in range(2, 202):
        school.submit(school.classes[0], offset, {pupils[0]: ["fever"]}, drain=False)
    later = post(client, school, pupils[:5], LAST)
    assert len(five) <= 20, "\n".join(five)
    assert len(five) == len(sixty) == len(later)
