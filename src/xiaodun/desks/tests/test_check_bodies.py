"""What a client may write with a check, and nothing else."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from xiaodun.desks.tests.cast import sign_in
from xiaodun.screening.models import CheckSession, Finding


def body(cast, **changes: Any) -> dict[str, Any]:
    finding = {
        "person": cast.pupils[0].pk,
        "status": "absent_ill",
        "symptoms": ["fever"],
        "onset": None,
    }
    return {
        "client_id": str(uuid4()),
        "day": cast.day.isoformat(),
        "tapped_at": cast.at.isoformat(),
        "clock_offset_ms": 0,
        "base_version": 0,
        "findings": [finding],
    } | changes


@pytest.mark.parametrize("model", [CheckSession, Finding])
def test_no_field_of_a_row_can_be_written_besides_those_that_the_class_page_sends(cast, set_clock, model):
    set_clock(cast.at)
    client = sign_in(cast.teacher)
    url = reverse("desks:class_submit", args=[cast.class_a.pk])
    sent = body(cast)
    mine = set(sent) if model is CheckSession else set(sent["findings"][0])
    names = {name for field in model._meta.fields for name in (field.name, field.attname)} - mine
    for name in sorted(names - {"reason"}):
        changed = body(cast)
        (changed if model is CheckSession else changed["findings"][0])[name] = 1
        answer = client.post(url, json.dumps(changed), content_type="application/json")
        assert answer.status_code == 422, name
        assert name in answer.json()["errors"][0]["where"]
    assert not CheckSession.objects.exists()
    assert client.post(url, json.dumps(sent), content_type="application/json").status_code == 201
