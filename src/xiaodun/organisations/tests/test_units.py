"""The unit tree: what may stand where, when it begins and ends, and who is above whom."""

from datetime import date

import pytest
from django.db import connection
from django.db.models import Q
from django.utils.translation import override

from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations import selectors, services
from xiaodun.organisations.models import Unit
from xiaodun.organisations.tests.cast import AT, FIRST_DAY, make_district

pytestmark = pytest.mark.django_db


def test_a_range_of_paths_holds_a_unit_and_all_below_it_and_nothing_else():
    tree = make_district()
    other = make_district("B")
    assert set(Unit.objects.filter(selectors.under(tree.school.path))) == {
        tree.school, tree.grade, tree.class_1, tree.class_2, tree.dormitory,
    }  # fmt: skip
    assert not Unit.objects.filter(selectors.under(tree.district.path), pk=other.school.pk).exists()
    assert Unit.objects.filter(selectors.within("path", other.district.path)).count() == 8


def test_ten_thousand_siblings_do_not_leave_the_range_of_their_parent():
    tree = make_district()
    last = Unit(kind="group", group_kind="class", code="last", name="末班", depth=4, numchild=0)
    last.path = Unit._get_path(tree.grade.path, 4, 36**4 - 1)
    last.save()
    assert last.path.endswith("ZZZZ")
    assert Unit.objects.filter(selectors.under(tree.grade.path), pk=last.pk).exists()


def test_units_stand_in_the_order_of_their_making():
    tree = make_district()
    assert list(selectors.groups_on(FIRST_DAY)) == [tree.class_1, tree.class_2, tree.dormitory, tree.lesson]


@pytest.mark.parametrize(
    ("parent", "kind"),
    [
        ("district", "grade"),
        ("district", "group"),
        ("grade", "institution"),
        ("class_1", "group"),
        ("school", "district"),
    ],
)
def test_a_unit_stands_only_below_a_kind_that_may_hold_it(parent, kind):
    tree = make_district()
    with pytest.raises(Refusal) as refused:
        services.create_unit(by=None, parent=getattr(tree, parent), kind=kind, code="X", name="X", at=AT)
    assert refused.value.code == "unit-kind-misplaced"
    assert refused.value.facts["kind"] == kind
    assert refused.value.lifts


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"institution_kind": ""}, "unit-subkind-wrong"),
        ({"institution_kind": "circus"}, "unit-subkind-wrong"),
        ({"group_kind": "class"}, "unit-subkind-wrong"),
        ({"teaching_weekdays": ""}, "weekdays-wrong"),
        ({"teaching_weekdays": "54321"}, "weekdays-wrong"),
        ({"teaching_weekdays": "08"}, "weekdays-wrong"),
        ({"code": "P1"}, "unit-code-taken"),
        ({"code": " "}, "code-missing"),
        ({"name": " "}, "name-missing"),
    ],
)
def test_a_malformed_institution_is_refused_and_leaves_nothing(changes, code):
    tree = make_district()
    before = Unit.objects.count(), AuditEntry.objects.count()
    given = {"kind": "institution", "institution_kind": "junior", "code": "J1", "name": "实验中学"} | changes
    with pytest.raises(Refusal) as refused:
        services.create_unit(by=None, parent=tree.district, at=AT, **given)
    assert refused.value.code == code
    assert (Unit.objects.count(), AuditEntry.objects.count()) == before


def test_a_city_holds_districts():
    city = services.create_district(by=None, code="4101", name="郑州市", at=AT)
    services.create_unit(by=None, parent=city, kind="district", code="410106", name="上街区", at=AT)
    assert list(selectors.ancestors_of(Unit.objects.filter(code="410106")).values()) == [[city]]


def test_every_new_unit_leaves_an_audit_row_on_its_path():
    tree = make_district()
    rows = AuditEntry.objects.filter(action="organisations.create_unit")
    assert set(rows.values_list("unit_path", flat=True)) == set(
        Unit.objects.filter(depth__gt=1).values_list("path", flat=True)
    )
    assert AuditEntry.objects.get(action="organisations.create_district").object_id == str(tree.district.pk)


def test_groups_begin_with_their_school_and_a_school_that_has_not_joined_owes_nothing():
    tree = make_district()
    assert tree.class_1.first_day == FIRST_DAY
    late = services.create_unit(
        by=None,
        parent=tree.district,
        kind="institution",
        institution_kind="junior",
        code="J1",
        name="实验中学",
        at=AT,
    )
    group = services.create_unit(
        by=None, parent=late, kind="group", group_kind="class", code="J1-1", name="七（1）班", at=AT
    )
    assert group not in selectors.groups_on(date(2020, 12, 1))

    services.join_unit(by=None, unit=late, first_day=date(2020, 12, 1), at=AT)
    assert group in selectors.groups_on(date(2020, 12, 1))
    assert group not in selectors.groups_on(date(2020, 11, 30))


def test_a_closed_school_closes_its_groups_but_not_before_their_own_earlier_day():
    tree = make_district()
    services.close_unit(by=None, unit=tree.class_1, last_day=date(2020, 10, 31), at=AT)
    services.close_unit(by=None, unit=tree.school, last_day=date(2020, 12, 31), at=AT)
    of_school = selectors.under(tree.school.path)
    assert list(selectors.groups_on(date(2020, 11, 1), of_school)) == [tree.class_2, tree.dormitory]
    assert not selectors.groups_on(date(2021, 1, 1), of_school)
    with pytest.raises(Refusal, match="closed-before-open"):
        services.close_unit(by=None, unit=tree.class_2, last_day=date(2020, 8, 31), at=AT)
    with pytest.raises(Refusal, match="closed-before-open"):
        services.join_unit(by=None, unit=tree.class_1, first_day=date(2020, 11, 1), at=AT)


def test_ancestors_and_institutions_of_many_units_take_one_query(django_assert_num_queries):
    tree = make_district()
    with django_assert_num_queries(1):
        above = selectors.ancestors_of([tree.class_1, tree.lesson, tree.district])
    assert above == {
        tree.class_1.pk: [tree.district, tree.school, tree.grade],
        tree.lesson.pk: [tree.district, tree.training],
        tree.district.pk: [],
    }
    with django_assert_num_queries(1):
        found = selectors.institutions_of([tree.class_1, tree.lesson, tree.school, tree.district])
    assert found == {
        tree.class_1.pk: tree.school, tree.lesson.pk: tree.training, tree.school.pk: tree.school,
        tree.district.pk: None,
    }  # fmt: skip
    with django_assert_num_queries(0):
        assert selectors.institution_of(tree.school) == tree.school


def test_a_range_is_searched_by_the_index_on_the_path():
    tree = make_district()
    if connection.vendor == "postgresql":
        # So small a table is read whole: what makes the index usable is its bytewise order.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT collation_name FROM information_schema.columns"
                " WHERE table_name = 'organisations_unit' AND column_name = 'path'"
            )
            assert cursor.fetchall() == [("C",)]
    else:
        plan = Unit.objects.filter(selectors.under(tree.school.path)).explain()
        assert "SEARCH organisations_unit USING INDEX" in plan


def test_names_follow_the_reader_and_fall_back_to_chinese():
    tree = make_district()
    with override("en"):
        assert (tree.school.label, tree.training.label) == ("Central Road Primary School", "启航培训")
    with override("zh-hans"):
        assert tree.school.label == "中心路小学"


def test_no_condition_means_every_group():
    make_district()
    assert selectors.groups_on(FIRST_DAY, Q()).count() == selectors.groups_on(FIRST_DAY).count() == 4
