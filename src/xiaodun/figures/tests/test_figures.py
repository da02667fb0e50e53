"""Figures: registered once, the same side by side as alone, opened down to rows that each reader may see."""

import pytest
from django.db.models import Count
from django.http import Http404
from django.utils.translation import ngettext_lazy

from xiaodun.accounts.selectors import scope_of
from xiaodun.figures import registry
from xiaodun.figures.registry import Column, Cover, Definition, Row, Rows, State, Value
from xiaodun.figures.selectors import rows, value, values
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Enrolment

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

CODE = "figures.tests"


def count(scope):
    found = Enrolment.objects.filter(scope.q("group__"), number__isnull=False)
    numbers = dict(found.values_list("group__path").annotate(persons=Count("pk")))
    return {pk: Value(number) for pk, number in scope.tally(numbers).items()}


def list_children(scope):
    found = Enrolment.objects.filter(scope.q("group__"), number__isnull=False)
    return Rows(
        columns=[
            Column("group", "Group"),
            Column("name", "Name", cover=Cover.NAME),
            Column("symptoms", "Symptoms", cover=Cover.CHILD),
            Column("symptom_group", "Symptom group"),
        ],
        rows=[
            Row(
                unit=each.group,
                cells={
                    "group": each.group.name,
                    "name": each.person.name,
                    "symptoms": "vomiting",
                    "symptom_group": "gastrointestinal",
                    "person": each.person_id,
                },
                url=f"/files/{each.person_id}/",
            )
            for each in found.select_related("group", "person").order_by("group__path", "number")
        ],
    )


@pytest.fixture
def figure():
    """A figure about children, forgotten after the test."""
    made = Definition(
        code=CODE,
        version=1,
        name="Persons",
        meaning="Persons with a number.",
        unit_word=ngettext_lazy("person", "persons"),
        source="Tests",
        compute=count,
        rows=list_children,
    )
    registry.register(made)
    yield made
    registry._definitions.pop(CODE)


def test_registering_a_code_twice_fails_at_start(figure):
    with pytest.raises(ValueError, match=CODE):
        registry.register(figure)


def test_an_unknown_figure_is_refused_as_not_found(cast):
    for ask in (
        lambda: value("figures.unknown", cast.district, cast.day, cast.at),
        lambda: rows("figures.unknown", cast.district, cast.day, cast.at, scope_of(cast.officer, cast.day)),
    ):
        with pytest.raises(Refusal) as refused:
            ask()
        assert (refused.value.code, refused.value.status) == ("figure-unknown", 404)
        assert refused.value.facts == {"figure": "figures.unknown"}


def test_values_side_by_side_are_the_values_alone_and_cost_the_same(cast, figure, django_assert_num_queries):
    units = [cast.class_a, cast.class_c, cast.room, cast.other_school]
    with django_assert_num_queries(1):
        side_by_side = values(CODE, units, cast.day, cast.at)
    assert side_by_side == {unit.pk: value(CODE, unit, cast.day, cast.at) for unit in units}
    assert [side_by_side[unit.pk].number for unit in units] == [5, 5, 0, 5]


def test_a_district_does_not_count_its_drills(cast, figure):
    assert value(CODE, cast.district, cast.day, cast.at).number == 25
    assert value(CODE, cast.drill, cast.day, cast.at).number == 5


def test_a_figure_that_leaves_out_a_unit_is_a_fault_not_a_nought(cast, figure):
    registry._definitions[CODE] = Definition(
        **{
            name: getattr(figure, name)
            for name in ("code", "version", "name", "meaning", "unit_word", "source")
        },
        compute=lambda scope: {},
        rows=list_children,
    )
    with pytest.raises(LookupError, match=str(cast.school.pk)):
        value(CODE, cast.school, cast.day, cast.at)


def test_who_sees_the_children_sees_the_rows_in_full(cast, figure):
    found = rows(CODE, cast.class_a, cast.day, cast.at, scope_of(cast.teacher, cast.day))
    assert [row.cells["name"] for row in found.rows] == [person.name for person in cast.pupils]
    assert {row.cells["symptoms"] for row in found.rows} == {"vomiting"}
    assert found.rows[0].url
    assert not found.is_masked


@pytest.mark.parametrize("role", ["principal", "officer"])
def test_who_sees_counts_gets_one_masked_row_a_child_with_the_symptom_group_only(cast, figure, role):
    found = rows(CODE, cast.school, cast.day, cast.at, scope_of(getattr(cast, role), cast.day))
    assert found.total == len(found.rows) == value(CODE, cast.school, cast.day, cast.at).number == 20
    assert [column.key for column in found.columns] == ["group", "name", "symptom_group"]
    first = found.rows[0]
    assert dict(first.cells) == {
        "group": "三(1)班",
        "name": "王*明",
        "symptoms": None,
        "symptom_group": "gastrointestinal",
    }
    assert first.url == ""
    assert found.is_masked


@pytest.mark.parametrize("role", ["teacher", "stranger", "trainer"])
def test_a_figure_of_a_unit_out_of_reach_is_not_found(cast, figure, role):
    with pytest.raises(Http404):
        rows(CODE, cast.school, cast.day, cast.at, scope_of(getattr(cast, role), cast.day))


def test_nobody_of_the_district_opens_a_figure_of_a_drill(cast, figure):
    with pytest.raises(Http404):
        rows(CODE, cast.drill_class, cast.day, cast.at, scope_of(cast.officer, cast.day))


def test_members_of_several_depths_each_get_their_own(cast):
    scope = registry.FigureScope([cast.school, cast.other_class], cast.day, cast.at)
    assert scope.member_of(cast.class_a.path) == cast.school.pk
    assert scope.member_of(cast.other_class.path) == cast.other_class.pk
    assert scope.member_of(cast.other_school.path) is None
    assert set(Unit.objects.filter(scope.q(), kind="group")) == {
        cast.class_a,
        cast.class_b,
        cast.class_c,
        cast.class_d,
        cast.room,
        cast.other_class,
    }
    with pytest.raises(ValueError, match="too many values"):
        _ = scope.unit


def test_all_registered_figures_answer_for_a_district_and_for_a_unit_that_has_nothing(cast):
    for definition in registry.definitions():
        found = values(definition.code, [cast.district, cast.drill], cast.day, cast.at)
        assert {unit.state for unit in found.values()} <= set(State)
