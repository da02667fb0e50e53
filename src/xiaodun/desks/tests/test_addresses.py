"""What stands in an address: a day, a key; nonsense is not found or left out, never a server error."""

import pytest

from xiaodun.accounts.choices import Role
from xiaodun.desks.tests.cast import at, sign_in
from xiaodun.screening.tests.cast import School, make_school, moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def school() -> School:
    return make_school()


@pytest.mark.parametrize("text", ["0001-01-01", "1999-12-31", "2021-12-16", "9999-12-31", "2020-13-01", "x"])
def test_a_day_of_which_no_record_can_exist_is_not_found(school, text):
    officer, teacher = (sign_in(school.users[role]) for role in (Role.DISTRICT_OFFICER, Role.CLASS_TEACHER))
    room = school.classes[0]
    with at(moment(0, 9, 0)):
        answers = [
            officer.get(f"/board/?day={text}"),
            officer.get(f"/institutions/{school.institution.pk}/?day={text}"),
            officer.get(f"/figures/screening.absent_ill/{school.institution.pk}/?day={text}"),
            teacher.get(f"/groups/{room.pk}/check/?day={text}"),
            teacher.get(f"/groups/{room.pk}/check/roster.json?day={text}"),
        ]
    assert [answer.status_code for answer in answers] == [404] * 5


@pytest.mark.parametrize("text", ["2000-01-01", "2021-12-15", "2021-03-01"])
def test_an_early_or_late_day_opens_every_page(school, text):
    officer = sign_in(school.users[Role.DISTRICT_OFFICER])
    with at(moment(0, 9, 0)):
        for url in (
            "/board/",
            f"/institutions/{school.institution.pk}/",
            f"/figures/screening.absent_ill/{school.institution.pk}/",
        ):
            assert officer.get(f"{url}?day={text}").status_code == 200, url


def test_a_year_that_nobody_confirmed_opens_as_well(school):
    # Without terms every day is asked of the State's calendar.
    school.district.terms.all().delete()
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        page = client.get(f"/institutions/{school.institution.pk}/?day=2019-05-06")
        roster = client.get(f"/groups/{school.classes[0].pk}/check/roster.json?day=2019-05-06")
    assert page.status_code == 200
    assert roster.json()["school_days_since"] == ["2019-05-06"]


def test_a_roster_without_a_school_day_before_it_offers_the_day_itself(school):
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 9, 0)):
        roster = client.get(f"/groups/{school.classes[0].pk}/check/roster.json?day=2020-09-01").json()
    assert roster["school_days_since"] == ["2020-09-01"]


@pytest.mark.parametrize("text", ["²", "٣", "-1", "x", "9" * 30])
def test_a_key_that_is_none_begins_the_list_at_its_start(school, text):
    client = sign_in(school.users[Role.SCHOOL_DOCTOR])
    with at(moment(0, 9, 0)):
        for url in (
            f"/files/?after={text}",
            f"/signals/?state=withdrawn&before={text}",
            f"/messages/?before={text}",
        ):
            assert client.get(url).status_code == 200, url
