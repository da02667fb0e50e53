"""Whoever looks at children leaves an entry: on a figure, masked or not, and on a class's roster."""

import pytest

from xiaodun.absence.models import Episode
from xiaodun.accounts.choices import Role
from xiaodun.desks.tests.cast import at, sign_in
from xiaodun.figures import registry
from xiaodun.figures.registry import FigureScope
from xiaodun.kit import audit
from xiaodun.kit.models import AuditEntry
from xiaodun.screening.choices import FindingStatus
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.tests.cast import day, make_school, moment

pytestmark = pytest.mark.django_db


def shown(action: str) -> list[list[int]]:
    return [entry.facts["persons"] for entry in AuditEntry.objects.filter(action=action).order_by("pk")]


@pytest.mark.parametrize("role", [Role.SCHOOL_DOCTOR, Role.PRINCIPAL])
def test_every_figure_about_children_logs_whom_it_showed_in_full_or_masked(role):
    school = make_school()
    room = school.classes[0]
    ill, away, unwell, *_ = school.pupils[room.pk]
    school.submit(
        room,
        0,
        {
            ill: ["fever"],
            away: FindingInput(0, FindingStatus.ABSENT_OTHER, ()),
            unwell: FindingInput(0, FindingStatus.SYMPTOMS, ("cough",)),
        },
    )
    client = sign_in(school.users[role])
    about_children = []
    with at(moment(0, 9, 0)):
        for figure in registry.definitions():
            rows = figure.rows(FigureScope([school.institution], day(0), moment(0, 9, 0)))
            if not any(column.cover for column in rows.columns):
                continue
            about_children.append(figure.code)
            assert client.get(f"/figures/{figure.code}/{school.institution.pk}/").status_code == 200
            (persons,) = shown(f"desks.figure.{figure.code}.read")
            assert len(rows.rows) == len(persons) > 0, figure.code
    assert {"screening.absent_ill", "absence.open_files"} <= set(about_children)
    assert shown("desks.figure.screening.absent_ill.read") == [[ill.pk]]


def test_each_load_of_a_roster_logs_one_entry_with_the_whole_class():
    school = make_school()
    room = school.classes[0]
    client = sign_in(school.users[Role.CLASS_TEACHER])
    with at(moment(0, 7, 30)):
        client.get(f"/groups/{room.pk}/check/")
        client.get(f"/groups/{room.pk}/check/roster.json")
    assert shown("desks.roster.read") == [sorted(person.pk for person in school.pupils[room.pk])]


def test_whoever_opens_one_child_s_file_leaves_an_entry_whose_object_is_the_child():
    school = make_school()
    room = school.classes[0]
    ill = school.pupils[room.pk][0]
    school.submit(room, 0, {ill: ["fever"]})
    file = Episode.objects.get()
    with at(moment(0, 9, 0)):
        assert sign_in(school.users[Role.SCHOOL_DOCTOR]).get(f"/files/{file.pk}/").status_code == 200
    entry = AuditEntry.objects.get(action="desks.file.read")
    assert (entry.object_type, entry.object_id) == ("people.person", str(ill.pk))
    assert entry.facts == {"persons": [ill.pk], "record": f"absence.episode:{file.pk}"}
    assert audit.verify().altered == ()
