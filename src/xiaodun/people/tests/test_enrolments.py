"""Enrolments, transfers and their corrections; rosters of any day."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from xiaodun.kit import outbox
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations import services as organisations
from xiaodun.organisations.selectors import under
from xiaodun.organisations.tests.cast import AT, FIRST_DAY, make_district
from xiaodun.people import selectors, services
from xiaodun.people.models import Enrolment
from xiaodun.people.tests.cast import make_class, make_pupil

DAY = date(2020, 11, 30)
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def tree(db):
    return make_district()


@pytest.fixture
def heard(monkeypatch):
    """What a subscriber is told about enrolments, in order."""
    told: list[tuple[str, dict]] = []
    monkeypatch.setattr(outbox, "_subscribers", {})
    for topic in (services.ENROLMENT_CHANGED, services.ENROLMENTS_LOADED):
        outbox.subscribe(topic, "test", lambda payload, *, at, topic=topic: told.append((topic, payload)))

    def listen():
        outbox.drain(now=AT)
        return told

    return listen


def names(rows):
    return [row.person.number for row in rows]


def test_a_roster_is_ordered_by_number_with_the_unnumbered_last_in_one_query(tree, django_assert_num_queries):
    make_class(tree.class_1, range(3), since=FIRST_DAY)
    for number, seat in ((7, 2), (6, None), (5, None)):
        services.enrol(
            by=None, person=make_pupil(number), group=tree.class_1, number=seat, valid_from=FIRST_DAY, at=AT
        )
    with django_assert_num_queries(1):
        rows = selectors.roster(tree.class_1, DAY)
        assert all(row.person.audit_key for row in rows)
    assert names(rows) == ["S0000", "S0001", "S0007", "S0002", "S0005", "S0006"]
    assert selectors.roster(tree.class_1, FIRST_DAY - timedelta(days=1)) == []


def test_class_and_dormitory_run_side_by_side(tree):
    pupil = make_pupil(1)
    for group in (tree.class_1, tree.dormitory, tree.lesson):
        services.enrol(by=None, person=pupil, group=group, valid_from=FIRST_DAY, at=AT)
    assert selectors.groups_of([pupil.pk], DAY) == {pupil.pk: [tree.class_1, tree.dormitory, tree.lesson]}


@pytest.mark.parametrize(
    ("start", "end"),
    [("2020-10-01", None), ("2020-09-01", "2020-10-01"), ("2020-10-31", "2020-12-31"), ("2020-08-01", None)],
)
def test_nobody_is_twice_in_one_group_on_one_day(tree, start, end):
    pupil = make_pupil(1)
    first = {"valid_from": date(2020, 10, 1), "valid_to": date(2020, 10, 31)}
    services.enrol(by=None, person=pupil, group=tree.class_1, at=AT, **first)
    with pytest.raises(Refusal) as refused:
        services.enrol(
            by=None, person=pupil, group=tree.class_1, at=AT,
            valid_from=date.fromisoformat(start), valid_to=end and date.fromisoformat(end),
        )  # fmt: skip
    assert (refused.value.code, refused.value.status) == ("enrolment-overlaps", 409)
    services.enrol(by=None, person=pupil, group=tree.class_1, at=AT, valid_from=date(2020, 11, 1))


def test_impossible_enrolments_are_refused(tree):
    organisations.close_unit(by=None, unit=tree.class_2, last_day=date(2020, 10, 31), at=AT)
    tree.class_2.refresh_from_db()
    pupil = make_pupil(1)
    for changes, code in (
        ({"group": tree.grade}, "not-a-group"),
        ({"valid_to": DAY - timedelta(days=1)}, "enrolment-ends-before-it-starts"),
        ({"group": tree.class_2}, "group-closed"),
        ({"number": 0}, "number-in-group-impossible"),
    ):
        given_ = {"group": tree.class_1, "valid_from": DAY} | changes
        with pytest.raises(Refusal, match=code):
            services.enrol(by=None, person=pupil, at=AT, **given_)
    assert not Enrolment.objects.exists()


def test_a_transfer_ends_the_old_the_day_before_and_tells_both_groups(tree, heard):
    (pupil,) = make_class(tree.class_1, range(1), since=FIRST_DAY)
    new = services.transfer(
        by=None, person=pupil, from_group=tree.class_1, to_group=tree.class_2, on=DAY, number=31, at=AT
    )
    assert (new.valid_from, new.valid_to, new.number) == (DAY, None, 31)
    assert names(selectors.roster(tree.class_1, DAY - timedelta(days=1))) == ["S0000"]
    assert selectors.roster(tree.class_1, DAY) == []
    assert names(selectors.roster(tree.class_2, DAY)) == ["S0000"]
    assert heard()[-1] == (
        "people.enrolment_changed",
        {"person": pupil.pk, "groups": [tree.class_1.pk, tree.class_2.pk], "since": "2020-11-30"},
    )
    assert AuditEntry.objects.filter(action="people.transfer", unit_path=tree.class_2.path).count() == 1


def test_a_transfer_dated_into_the_past_ends_when_the_old_enrolment_did(tree):
    (pupil,) = make_class(tree.class_1, range(1), since=FIRST_DAY)
    kwargs = {"by": None, "person": pupil, "at": AT}
    services.transfer(from_group=tree.class_1, to_group=tree.class_2, on=date(2020, 11, 1), **kwargs)
    services.transfer(from_group=tree.class_1, to_group=tree.lesson, on=date(2020, 10, 1), **kwargs)
    assert [selectors.groups_of([pupil.pk], date(2020, month, 15))[pupil.pk] for month in (9, 10, 11)] == [
        [tree.class_1],
        [tree.lesson],
        [tree.class_2],
    ]


def test_transfers_that_make_no_sense_are_refused(tree):
    (pupil,) = make_class(tree.class_1, range(1), since=FIRST_DAY)
    for from_group, to_group, on, code in (
        (tree.class_2, tree.class_1, DAY, "not-enrolled-on-that-day"),
        (tree.class_1, tree.class_2, FIRST_DAY - timedelta(days=1), "not-enrolled-on-that-day"),
        (tree.class_1, tree.class_1, DAY, "transfer-to-same-group"),
        (tree.class_1, tree.class_2, FIRST_DAY, "transfer-on-first-day"),
        (tree.class_1, tree.grade, DAY, "not-a-group"),
    ):
        with pytest.raises(Refusal, match=code):
            services.transfer(by=None, person=pupil, from_group=from_group, to_group=to_group, on=on, at=AT)
    assert Enrolment.objects.get().valid_to is None


@pytest.mark.parametrize("on", [date(2020, 11, 20), date(2020, 12, 10)])
def test_a_wrongly_dated_transfer_is_moved_and_the_earliest_changed_day_announced(tree, heard, on):
    (pupil,) = make_class(tree.class_1, range(1), since=FIRST_DAY)
    groups = {"from_group": tree.class_1, "to_group": tree.class_2}
    services.transfer(by=None, person=pupil, on=DAY, at=AT, **groups)
    services.move_transfer(by=None, person=pupil, was_on=DAY, on=on, at=AT, **groups)
    assert selectors.groups_of([pupil.pk], on - timedelta(days=1)) == {pupil.pk: [tree.class_1]}
    assert selectors.groups_of([pupil.pk], on) == {pupil.pk: [tree.class_2]}
    assert heard()[-1][1]["since"] == min(on, DAY).isoformat()
    assert AuditEntry.objects.get(action="people.move_transfer").facts["was_on"] == "2020-11-30"


def test_a_transfer_moves_neither_before_the_old_enrolment_nor_onto_another_one(tree):
    (pupil,) = make_class(tree.class_1, range(1), since=FIRST_DAY)
    groups = {"from_group": tree.class_1, "to_group": tree.class_2}
    services.enrol(
        by=None,
        person=pupil,
        group=tree.class_2,
        valid_from=date(2020, 9, 1),
        valid_to=date(2020, 9, 15),
        at=AT,
    )
    services.transfer(by=None, person=pupil, on=DAY, at=AT, **groups)
    before = list(Enrolment.objects.order_by("pk").values())
    for was_on, on, code in (
        (DAY, FIRST_DAY, "enrolment-ends-before-it-starts"),
        (DAY, date(2020, 9, 10), "enrolment-overlaps"),
        (NEXT, DAY, "transfer-unknown"),
    ):
        with pytest.raises(Refusal, match=code):
            services.move_transfer(by=None, person=pupil, was_on=was_on, on=on, at=AT, **groups)
    assert list(Enrolment.objects.order_by("pk").values()) == before


def test_who_leaves_is_gone_the_day_after_and_leaving_twice_changes_nothing(tree, heard):
    (pupil,) = make_class(tree.class_1, range(1), since=FIRST_DAY)
    for _time in range(2):
        services.leave_group(by=None, person=pupil, group=tree.class_1, last_day=DAY, at=AT)
    assert names(selectors.roster(tree.class_1, DAY)) == ["S0000"]
    assert selectors.roster(tree.class_1, NEXT) == []
    assert [payload["since"] for _topic, payload in heard()[1:]] == ["2020-12-01"]
    with pytest.raises(Refusal, match="not-enrolled-on-that-day"):
        services.leave_group(by=None, person=pupil, group=tree.class_1, last_day=NEXT, at=AT)


def test_a_batch_is_checked_against_what_is_there_and_against_itself(tree):
    pupils = make_class(tree.class_1, range(2), since=FIRST_DAY)
    row = services.EnrolmentRow
    rows = [
        row(pupils[0], tree.class_1, DAY),
        row(pupils[0], tree.class_2, DAY),
        row(pupils[0], tree.class_2, NEXT),
        row(pupils[1], tree.grade, DAY),
    ]
    with pytest.raises(Refusal) as refused:
        services.enrol_many(by=None, unit=tree.school, rows=rows, at=AT)
    assert [(error.person, error.field) for error in refused.value.errors] == [
        (pupils[0].pk, "valid_from"), (pupils[0].pk, "valid_from"), (pupils[1].pk, "group"),
    ]  # fmt: skip
    assert Enrolment.objects.count() == 2


def test_a_batch_is_announced_as_one(tree, heard):
    pupils = make_class(tree.class_1, range(3), since=FIRST_DAY)
    assert heard() == [
        (
            "people.enrolments_loaded",
            {"persons": [p.pk for p in pupils], "groups": [tree.class_1.pk], "since": "2020-09-01"},
        )
    ]


def test_counts_of_many_groups_take_one_query(tree, django_assert_num_queries):
    make_class(tree.class_1, range(3), since=FIRST_DAY)
    make_class(tree.class_2, range(3, 8), since=FIRST_DAY)
    with django_assert_num_queries(1):
        assert selectors.head_counts(under(tree.district.path), DAY) == {
            tree.class_1.pk: 3,
            tree.class_2.pk: 5,
        }
    assert selectors.head_counts(under(tree.class_1.path), DAY) == {tree.class_1.pk: 3}


def drill_refusal(act):
    with pytest.raises(Refusal) as refused:
        act()
    assert refused.value.lifts
    return refused.value.code, refused.value.status


def test_a_real_pupil_takes_no_part_in_a_drill_nor_the_other_way_round(tree):
    area = organisations.create_drill_area(by=None, code="DRILL", name="演练区", at=AT)
    drill = make_district("X", root=area)
    (real,) = make_class(tree.class_1, range(1), since=FIRST_DAY)
    (made_up,) = make_class(drill.class_1, range(1, 2), since=FIRST_DAY)
    apart = ("drill-and-real-mixed", 409)

    for person, group in ((real, drill.class_2), (made_up, tree.class_2)):
        given = {"by": None, "person": person, "at": AT}
        assert drill_refusal(lambda: services.enrol(**given, group=group, valid_from=NEXT)) == apart  # noqa: B023
    for person, old, new in (
        (real, tree.class_1, drill.class_1),
        (made_up, drill.class_1, tree.class_1),
    ):
        given = {"by": None, "person": person, "from_group": old, "to_group": new, "on": NEXT, "at": AT}
        assert drill_refusal(lambda: services.transfer(**given)) == apart  # noqa: B023
    # Nor after the real enrolment has ended, nor within one batch.
    services.leave_group(by=None, person=real, group=tree.class_1, last_day=DAY, at=AT)
    newcomer = make_pupil(7)
    rows = [
        services.EnrolmentRow(real, drill.class_1, NEXT),
        services.EnrolmentRow(newcomer, tree.class_1, NEXT),
        services.EnrolmentRow(newcomer, drill.class_1, NEXT),
    ]
    with pytest.raises(Refusal) as refused:
        services.enrol_many(by=None, unit=tree.district, rows=rows, at=AT)
    assert [error.person for error in refused.value.errors] == [real.pk, newcomer.pk]
    assert Enrolment.objects.count() == 2


def test_a_person_may_move_between_districts(tree):
    other = make_district("Y")
    (pupil,) = make_class(tree.class_1, range(1), since=FIRST_DAY)
    moved = services.transfer(
        by=None, person=pupil, from_group=tree.class_1, to_group=other.class_1, on=NEXT, at=AT
    )
    assert moved.group == other.class_1


SPAN = 20
day_numbers = st.integers(min_value=0, max_value=SPAN - 1)
steps = st.lists(
    st.tuples(
        st.sampled_from(["enrol", "transfer", "move", "leave"]),
        st.integers(0, 2),  # person
        st.integers(0, 2),  # group
        st.integers(0, 2),  # other group
        day_numbers,
        day_numbers,
        st.booleans(),
    ),
    max_size=25,
)


class RosterEqualsBruteForce(TestCase):
    """The roster of any group on any day is what a table of person, group and day says."""

    @hypothesis_settings(
        max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
    )
    @given(steps=steps)
    def test_roster_equals_brute_force_over_random_transfers(self, steps):
        tree = make_district()
        groups = [tree.class_1, tree.class_2, tree.dormitory]
        persons = [make_pupil(n) for n in range(3)]
        days = [FIRST_DAY + timedelta(days=n) for n in range(SPAN + 5)]
        # person → list of [group, first day, last day or None]: the truth, kept without any service.
        truth: dict[int, list[list]] = {0: [], 1: [], 2: []}

        for step, who, where, other, first, second, is_open in steps:
            person, group, target = persons[who], groups[where], groups[other]
            on, to = days[first], days[second]
            expected = _apply(truth[who], step, where, other, on, to, is_open)
            try:
                if step == "enrol":
                    services.enrol(
                        by=None,
                        person=person,
                        group=group,
                        valid_from=on,
                        valid_to=None if is_open else to,
                        at=AT,
                    )
                elif step == "transfer":
                    services.transfer(by=None, person=person, from_group=group, to_group=target, on=on, at=AT)
                elif step == "move":
                    services.move_transfer(
                        by=None, person=person, from_group=group, to_group=target, was_on=on, on=to, at=AT
                    )
                else:
                    services.leave_group(by=None, person=person, group=group, last_day=on, at=AT)
            except Refusal:
                assert expected is None
            else:
                assert expected is not None
                truth[who] = expected

        for day in days:
            for number, group in enumerate(groups):
                brute = {
                    persons[who].pk
                    for who, spells in truth.items()
                    for where, start, end in spells
                    if where == number and start <= day and (end is None or day <= end)
                }
                rows = selectors.roster(group, day)
                assert {row.person.pk for row in rows} == brute
                assert len(rows) == len(brute)


def _apply(spells, step, where, other, on, to, is_open):
    """The spells after ``step``, or none when it must be refused."""
    before = timedelta(days=1)
    spells = [list(spell) for spell in spells]
    if step == "enrol":
        spells.append([where, on, None if is_open else to])
    elif step == "move":
        old = [s for s in spells if s[0] == where and s[2] == on - before]
        new = [s for s in spells if s[0] == other and s[1] == on]
        if not old or not new:
            return None
        old[0][2], new[0][1] = to - before, to
    else:
        running = [s for s in spells if s[0] == where and s[1] <= on and (s[2] is None or on <= s[2])]
        if not running:
            return None
        if step == "leave":
            running[0][2] = on
        else:
            if where == other:
                return None
            spells.append([other, on, running[0][2]])
            running[0][2] = on - before
    if any(end is not None and end < start for _group, start, end in spells):
        return None
    days = [
        (group, start + timedelta(days=n))
        for group, start, end in spells
        for n in range(((end or date(2020, 12, 31)) - start).days + 1)
    ]
    return spells if len(days) == len(set(days)) else None
