"""Rights are read at every request, and a queued check is judged as of its tap and on arrival."""

import json
from datetime import timedelta
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.factories import BEFORE, Cast
from xiaodun.accounts.models import RoleAssignment
from xiaodun.accounts.services import assign_role, deactivate_user, end_role
from xiaodun.desks.tests.cast import sign_in
from xiaodun.organisations.models import Unit
from xiaodun.organisations.services import close_unit
from xiaodun.screening.models import CheckSession

A_DAY = timedelta(days=1)


def send(
    client: Client, group: Unit, cast: Cast, *, back: timedelta, offset: timedelta | None
) -> HttpResponse:
    """A healthy class, tapped that long ago on a clock that is that far off."""
    tapped_at = cast.at - back
    body = {
        "client_id": str(uuid4()),
        "day": (cast.day - back).isoformat(),
        "tapped_at": (tapped_at + (offset or timedelta(0))).isoformat(),
        "clock_offset_ms": None if offset is None else offset // timedelta(milliseconds=1),
        "findings": [],
    }
    url = reverse("desks:class_submit", args=[group.pk])
    return client.post(url, json.dumps(body), content_type="application/json")


def came_today(cast: Cast) -> Client:
    """The teacher of class_a has class_d from today on as well."""
    assign_role(
        by=None, user=cast.teacher, role="class_teacher", unit=cast.class_d, valid_from=cast.day, at=BEFORE
    )
    return sign_in(cast.teacher)


def test_a_check_tapped_before_the_group_was_ones_own_is_refused_though_it_is_by_now(cast, set_clock):
    client = came_today(cast)
    set_clock(cast.at)
    answer = send(client, cast.class_d, cast, back=A_DAY, offset=timedelta(0))
    assert (answer.status_code, answer.json()["code"]) == (403, "tap-not-entitled")
    assert not CheckSession.objects.exists()
    assert send(client, cast.class_d, cast, back=timedelta(0), offset=timedelta(0)).status_code == 201


def test_the_tap_is_judged_by_the_servers_clock_however_wrong_the_devices_is(cast, set_clock):
    client = came_today(cast)
    set_clock(cast.at)
    slow = send(client, cast.class_d, cast, back=timedelta(0), offset=-timedelta(hours=10))
    assert slow.status_code == 201
    fast = send(client, cast.class_d, cast, back=A_DAY, offset=A_DAY - timedelta(minutes=1))
    assert fast.json()["code"] == "tap-not-entitled"


def test_a_check_of_a_client_that_knows_no_offset_is_judged_by_its_arrival(cast, set_clock):
    client = came_today(cast)
    set_clock(cast.at)
    assert send(client, cast.class_d, cast, back=A_DAY, offset=None).status_code == 201


def test_an_ended_role_opens_nothing_at_the_next_request_of_a_running_session(cast, set_clock):
    set_clock(cast.at)
    client = sign_in(cast.teacher)
    url = reverse("desks:class_check", args=[cast.class_a.pk])
    assert client.get(url).status_code == 200
    assignment = RoleAssignment.objects.get(user=cast.teacher)
    end_role(by=cast.officer, assignment=assignment, last_day=cast.day - A_DAY, at=cast.at)
    assert client.get(url).status_code == 403
    # What was tapped while the role was held arrives too late: it stays with the device.
    answer = send(client, cast.class_a, cast, back=A_DAY, offset=timedelta(0))
    assert answer.status_code == 403
    assert not CheckSession.objects.exists()


def test_a_deactivated_user_is_nobody_at_the_next_request_of_a_running_session(cast, set_clock):
    set_clock(cast.at)
    client = sign_in(cast.teacher)
    url = reverse("desks:class_check", args=[cast.class_a.pk])
    assert client.get(url).status_code == 200
    deactivate_user(by=cast.officer, user=cast.teacher, at=cast.at)
    assert client.get(url).status_code == 302
    assert send(client, cast.class_a, cast, back=timedelta(0), offset=timedelta(0)).status_code == 401
    assert not CheckSession.objects.exists()


def test_a_closed_group_is_checked_for_the_days_on_which_it_was_open(cast, set_clock):
    set_clock(cast.at)
    close_unit(by=cast.officer, unit=cast.class_a, last_day=cast.day - A_DAY, at=cast.at)
    client = sign_in(cast.teacher)
    url = reverse("desks:class_check", args=[cast.class_a.pk])
    assert client.get(url).status_code == 404
    refused = send(client, cast.class_a, cast, back=timedelta(0), offset=timedelta(0))
    assert (refused.status_code, refused.json()["code"]) == (409, "group-closed")
    yesterday = (cast.day - A_DAY).isoformat()
    assert client.get(f"{url}?day={yesterday}").status_code == 200
    assert send(client, cast.class_a, cast, back=A_DAY, offset=timedelta(0)).status_code == 201
