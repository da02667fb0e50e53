"""Roles on units for a period, and what they let whom see and do."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser

from xiaodun.accounts import selectors, services
from xiaodun.accounts.choices import Right, Role
from xiaodun.accounts.models import RoleAssignment
from xiaodun.accounts.policies import ROLE_ORDER, ROLE_RIGHTS, ROLE_UNITS
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations import services as organisations
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.selectors import institutions_visible_to
from xiaodun.organisations.tests.cast import AT, FIRST_DAY, make_district

pytestmark = pytest.mark.django_db

DAY = date(2020, 11, 30)


@pytest.fixture
def tree():
    return make_district()


def make_user(name: str):
    return services.create_user(by=None, username=name, name=name, at=AT)


def give(user, role, unit, *, since=FIRST_DAY, until=None):
    return services.assign_role(
        by=None, user=user, role=role, unit=unit, valid_from=since, valid_to=until, at=AT
    )


def groups_with_children(scope):
    return Unit.objects.filter(scope.q(Right.SEE_CHILDREN), kind=UnitKind.GROUP).order_by("path")


def test_every_role_has_rights_units_and_a_place_in_the_order():
    assert set(ROLE_RIGHTS) == set(ROLE_UNITS) == set(ROLE_ORDER) == set(Role)


def test_a_teacher_sees_the_own_class_and_nothing_beside_it(tree, django_assert_num_queries):
    teacher = make_user("teacher")
    give(teacher, Role.CLASS_TEACHER, tree.class_1)
    with django_assert_num_queries(1):
        scope = selectors.scope_of(teacher, DAY)
        assert scope.may(Right.SUBMIT_CHECK, tree.class_1)
        assert not scope.may(Right.SUBMIT_CHECK, tree.class_2)
        assert not scope.may(Right.SUBMIT_CHECK, tree.school.path)
        assert not scope.may(Right.MANAGE_FILES, tree.class_1)
    assert list(groups_with_children(scope)) == [tree.class_1]


def test_a_doctor_sees_all_groups_of_the_school(tree):
    doctor = make_user("doctor")
    give(doctor, Role.SCHOOL_DOCTOR, tree.school)
    scope = selectors.scope_of(doctor, DAY)
    assert list(groups_with_children(scope)) == [tree.class_1, tree.class_2, tree.dormitory]
    assert list(institutions_visible_to(scope, Right.MANAGE_FILES)) == [tree.school]


def test_a_principal_and_an_officer_count_but_see_no_child(tree):
    for role, unit in ((Role.PRINCIPAL, tree.school), (Role.DISTRICT_OFFICER, tree.district)):
        user = make_user(role)
        give(user, role, unit)
        scope = selectors.scope_of(user, DAY)
        assert scope.may(Right.SEE_COUNTS, tree.class_1)
        assert not groups_with_children(scope).exists()


def test_a_clerk_keeps_the_rosters_of_the_school_and_sees_neither_findings_nor_counts(tree):
    clerk = make_user("clerk")
    give(clerk, Role.SCHOOL_CLERK, tree.school)
    scope = selectors.scope_of(clerk, DAY)
    assert scope.may(Right.SEE_ROSTER, tree.class_1)
    assert scope.may(Right.MANAGE_PEOPLE, tree.school)
    assert not scope.has(Right.SEE_CHILDREN)
    assert not scope.has(Right.SEE_COUNTS)


@pytest.mark.parametrize("role", [Role.SYSTEM_ADMINISTRATOR, Role.AUDITOR])
def test_who_runs_the_system_or_reads_its_log_sees_no_person_and_no_count(tree, role):
    user = make_user(role)
    give(user, role, tree.district)
    scope = selectors.scope_of(user, DAY)
    seeing = {Right.SEE_ROSTER, Right.SEE_CHILDREN, Right.SEE_COUNTS, Right.REVIEW_SIGNALS, Right.REVEAL}
    assert not any(scope.has(right) for right in seeing)


def test_a_supervisor_is_to_a_dormitory_room_what_a_teacher_is_to_a_class(tree):
    supervisor = make_user("supervisor")
    give(supervisor, Role.DORMITORY_SUPERVISOR, tree.dormitory)
    # Families are invited by the class, once.
    of_teacher = ROLE_RIGHTS[Role.CLASS_TEACHER] - {Right.INVITE_FAMILIES}
    assert ROLE_RIGHTS[Role.DORMITORY_SUPERVISOR] == of_teacher
    assert list(groups_with_children(selectors.scope_of(supervisor, DAY))) == [tree.dormitory]


def test_no_scope_on_a_district_reaches_the_drill_area_or_the_other_way_round(tree):
    drills = organisations.create_drill_area(by=None, code="DRILL", name="演练区", at=AT)
    copy = make_district("X", root=drills)
    officer, trainer = make_user("officer"), make_user("trainer")
    give(officer, Role.DISTRICT_OFFICER, tree.district)
    give(trainer, Role.DISTRICT_OFFICER, drills)
    real, drill = selectors.scope_of(officer, DAY), selectors.scope_of(trainer, DAY)
    for right in ROLE_RIGHTS[Role.DISTRICT_OFFICER]:
        seen = set(Unit.objects.filter(real.q(right)))
        assert copy.class_1 not in seen
        assert drills not in seen
        assert tree.class_1 in seen
        drilled = set(Unit.objects.filter(drill.q(right)))
        assert tree.class_1 not in drilled
        assert tree.district not in drilled
        assert copy.class_1 in drilled
        assert not any(real.may(right, unit) for unit in drilled)
        assert not any(drill.may(right, unit) for unit in seen)
    for role in Role:
        assert not selectors.holders_of(role, copy.class_1, DAY).users or role == Role.DISTRICT_OFFICER
    assert selectors.holders_of(Role.DISTRICT_OFFICER, copy.class_1, DAY).users == [trainer]


def test_a_role_holds_from_its_first_to_its_last_day(tree):
    teacher = make_user("teacher")
    give(teacher, Role.CLASS_TEACHER, tree.class_1, since=DAY, until=DAY + timedelta(days=1))
    held = [
        selectors.scope_of(teacher, DAY + timedelta(days=n)).has(Right.SUBMIT_CHECK) for n in (-1, 0, 1, 2)
    ]
    assert held == [False, True, True, False]


def test_an_ended_or_withdrawn_role_and_a_closed_account_open_nothing(tree):
    teacher = make_user("teacher")
    assignment = give(teacher, Role.CLASS_TEACHER, tree.class_1)
    services.end_role(by=None, assignment=assignment, last_day=DAY, at=AT)
    assert selectors.scope_of(teacher, DAY).grants
    assert not selectors.scope_of(teacher, DAY + timedelta(days=1)).grants
    assert services.end_role(by=None, assignment=assignment, last_day=date(2020, 8, 31), at=AT) is None
    assert not RoleAssignment.objects.exists()
    assert AuditEntry.objects.filter(action="accounts.end_role").count() == 2

    give(teacher, Role.CLASS_TEACHER, tree.class_1)
    teacher = services.deactivate_user(by=None, user=teacher, at=AT)
    assert not selectors.scope_of(teacher, DAY).grants


def test_a_visitor_has_no_scope_and_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        scope = selectors.scope_of(AnonymousUser(), DAY)
    assert (scope.grants, scope.roles(), scope.highest_role) == ((), (), None)
    assert not Unit.objects.filter(scope.q(Right.SEE_COUNTS)).exists()


def test_nested_grants_are_one_range_and_roles_are_shown_widest_first(tree):
    user = make_user("many")
    give(user, Role.CLASS_TEACHER, tree.class_1)
    give(user, Role.GRADE_LEAD, tree.grade)
    give(user, Role.SCHOOL_DOCTOR, tree.school)
    give(user, Role.CLASS_TEACHER, tree.lesson)
    scope = selectors.scope_of(user, DAY)
    assert scope.paths(Right.SEE_CHILDREN) == (tree.school.path, tree.lesson.path)
    assert scope.roles() == (Role.SCHOOL_DOCTOR, Role.GRADE_LEAD, Role.CLASS_TEACHER)
    assert scope.highest_role is Role.SCHOOL_DOCTOR
    assert [grant.unit_id for grant in scope.grants_for(Right.MANAGE_FILES)] == [tree.school.pk]


@pytest.mark.parametrize(
    ("role", "unit"),
    [
        (Role.CLASS_TEACHER, "school"),
        (Role.CLASS_TEACHER, "district"),
        (Role.GRADE_LEAD, "class_1"),
        (Role.SCHOOL_DOCTOR, "district"),
        (Role.PRINCIPAL, "grade"),
        (Role.DISTRICT_OFFICER, "school"),
        (Role.DORMITORY_SUPERVISOR, "class_1"),
        (Role.SCHOOL_CLERK, "district"),
        (Role.AUDITOR, "school"),
    ],
)
def test_a_role_is_held_only_on_a_unit_that_it_is_responsible_for(tree, role, unit):
    with pytest.raises(Refusal, match="role-does-not-fit-unit"):
        give(make_user("somebody"), role, getattr(tree, unit))


def test_a_role_is_not_held_twice_on_one_day(tree):
    teacher = make_user("teacher")
    give(teacher, Role.CLASS_TEACHER, tree.class_1, until=DAY)
    with pytest.raises(Refusal, match="role-already-held") as refused:
        give(teacher, Role.CLASS_TEACHER, tree.class_1, since=DAY)
    assert refused.value.facts == {"valid_from": "2020-09-01", "valid_to": "2020-11-30"}
    with pytest.raises(Refusal, match="role-ends-before-it-starts"):
        give(teacher, Role.CLASS_TEACHER, tree.class_2, until=date(2020, 8, 31))
    give(teacher, Role.CLASS_TEACHER, tree.class_1, since=DAY + timedelta(days=1))


def test_the_holders_of_a_role_are_those_of_the_nearest_unit_upwards(tree, django_assert_num_queries):
    officer, other_officer, lead = make_user("officer"), make_user("other"), make_user("lead")
    give(officer, Role.DISTRICT_OFFICER, tree.district)
    give(other_officer, Role.DISTRICT_OFFICER, tree.district)
    give(lead, Role.GRADE_LEAD, tree.grade)
    with django_assert_num_queries(1):
        users, unit = selectors.holders_of(Role.DISTRICT_OFFICER, tree.class_1, DAY)
    assert (users, unit) == ([officer, other_officer], tree.district)
    assert selectors.holders_of(Role.GRADE_LEAD, tree.class_1, DAY) == ([lead], tree.grade)
    assert selectors.holders_of(Role.GRADE_LEAD, tree.dormitory, DAY) == ([], None)
    services.deactivate_user(by=None, user=officer, at=AT)
    assert selectors.holders_of(Role.DISTRICT_OFFICER, tree.class_1, DAY).users == [other_officer]


def test_holders_for_many_units_take_one_query_and_equal_those_one_by_one(tree, django_assert_num_queries):
    near = services.create_user(by=None, username="near", name="近", at=AT)
    give(near, Role.CLASS_TEACHER, tree.class_1)
    give(near, Role.SCHOOL_DOCTOR, tree.training)
    give(make_user("doctor"), Role.SCHOOL_DOCTOR, tree.school)
    asked = [(role, unit) for role in Role for unit in Unit.objects.all()]
    with django_assert_num_queries(1):
        found = selectors.holders_of_each(asked, DAY)
    assert found == {(role, unit.pk): selectors.holders_of(role, unit, DAY) for role, unit in asked}


def test_a_demonstration_offers_one_user_a_role_and_nobody_of_the_drill_area(
    tree, django_assert_max_num_queries
):
    drills = organisations.create_drill_area(by=None, code="DRILL", name="演练区", at=AT)
    copy = make_district("X", root=drills)
    give(make_user("drill"), Role.PRINCIPAL, copy.school)
    first, second = make_user("first"), make_user("second")
    give(second, Role.CLASS_TEACHER, tree.class_2)
    give(first, Role.CLASS_TEACHER, tree.class_1)
    give(make_user("officer"), Role.DISTRICT_OFFICER, tree.district)
    with django_assert_max_num_queries(2):
        offered = selectors.demo_users(DAY)
    assert [(demo.role, demo.user.username, demo.unit) for demo in offered] == [
        (Role.DISTRICT_OFFICER, "officer", tree.district),
        (Role.CLASS_TEACHER, "first", tree.class_1),
    ]
