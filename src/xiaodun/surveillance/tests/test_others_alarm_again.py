"""Ruling out concerns the persons who were looked at; others who reach the threshold alarm again."""

import pytest

from xiaodun.accounts.choices import Role
from xiaodun.messages.models import Message
from xiaodun.screening.tests.cast import School, make_school, moment
from xiaodun.surveillance import services
from xiaodun.surveillance.models import Signal, SignalEvent

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

VOMITING = ["vomiting"]
DIARRHOEA = ["diarrhoea"]


@pytest.fixture
def school() -> School:
    return make_school()


def signal() -> Signal:
    return Signal.objects.get(rule__code="norm-2006-3-in-1-day")


def raised_and(school, outcome, cases=3) -> list:
    """``cases`` vomiting on Monday in the first class, all decided so at 09:00; returns the pupils."""
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    school.submit(room, 0, dict.fromkeys(pupils[:cases], VOMITING))
    for each in Signal.objects.all():
        services.decide(
            by=school.users[Role.SCHOOL_DOCTOR],
            signal=each,
            outcome=outcome,
            reason="前晚同在校外就餐",
            seen=each.peak_count,
            at=moment(0, 9),
        )
    return pupils


def test_three_other_children_the_next_day_alarm_again_with_a_clock_of_their_own(school):
    pupils = raised_and(school, Signal.State.RULED_OUT)
    school.submit(school.classes[0], 1, dict.fromkeys(pupils[3:6], VOMITING))
    found = signal()
    assert (found.state, found.peak_count) == (Signal.State.OPEN, 3)
    assert found.events.last().kind == SignalEvent.Kind.OTHERS
    assert (found.clock_from, found.decided_by, found.decision_reason) == (moment(1), None, "")
    told = Message.objects.filter(recipient=school.users[Role.SCHOOL_DOCTOR], subject=found.subject)
    assert told.count() == 2


@pytest.mark.parametrize("others", [1, 2])
def test_fewer_others_than_the_threshold_stay_silent_even_with_the_known_ones(school, others):
    pupils = raised_and(school, Signal.State.RULED_OUT)
    room = school.classes[0]
    known_again = dict.fromkeys(pupils[:3], VOMITING)
    school.submit(room, 1, {})
    school.submit(room, 2, known_again | dict.fromkeys(pupils[3 : 3 + others], VOMITING))
    ruled_out = Signal.objects.order_by("pk").first()
    assert ruled_out.state == Signal.State.RULED_OUT


def test_others_who_trickle_in_do_not_reach_the_threshold_of_a_day(school):
    pupils = raised_and(school, Signal.State.RULED_OUT)
    school.submit(school.classes[0], 1, dict.fromkeys(pupils[3:5], VOMITING))
    school.submit(school.classes[0], 2, dict.fromkeys(pupils[5:7], VOMITING))
    assert signal().state == Signal.State.RULED_OUT


def test_others_without_recorded_symptoms_count_as_they_do_for_any_alarm(school):
    pupils = raised_and(school, Signal.State.RULED_OUT)
    school.submit(school.classes[0], 1, {pupils[3]: VOMITING, pupils[4]: [], pupils[5]: []})
    assert signal().state == Signal.State.OPEN


def test_a_confirmed_signal_is_known_and_does_not_alarm_again_at_the_same_count(school):
    pupils = raised_and(school, Signal.State.CONFIRMED)
    school.submit(school.classes[0], 1, dict.fromkeys(pupils[3:6], VOMITING))
    assert signal().state == Signal.State.CONFIRMED


def test_once_ruled_out_too_the_others_are_known_as_well(school):
    pupils = raised_and(school, Signal.State.RULED_OUT)
    room = school.classes[0]
    school.submit(room, 1, dict.fromkeys(pupils[3:6], VOMITING))
    services.decide(
        by=school.users[Role.SCHOOL_DOCTOR],
        signal=signal(),
        outcome=Signal.State.RULED_OUT,
        reason="春游晕车",
        seen=3,
        at=moment(1, 9),
    )
    session = room.check_sessions.order_by("-day").first()
    school.correct(session.pk, dict.fromkeys(pupils[3:6], DIARRHOEA), at=moment(1, 10))
    assert signal().state == Signal.State.RULED_OUT


def test_a_signal_of_others_that_joins_a_ruled_out_one_is_not_silenced_by_it(school):
    """Two separate outbreaks, the first ruled out; a late check bridges them."""
    pupils = raised_and(school, Signal.State.RULED_OUT)
    room = school.classes[0]
    school.submit(room, 2, dict.fromkeys(pupils[3:6], VOMITING))
    of_the_rule = Signal.objects.filter(rule__code="norm-2006-3-in-1-day").order_by("pk")
    assert [each.state for each in of_the_rule] == [Signal.State.RULED_OUT, Signal.State.OPEN]
    school.submit(room, 1, dict.fromkeys(pupils[6:9], VOMITING), at=moment(2, 12))
    assert [each.state for each in of_the_rule.all()] == [Signal.State.OPEN, Signal.State.WITHDRAWN]


def test_the_outcome_does_not_depend_on_the_order_in_which_the_others_are_entered(school):
    pupils = raised_and(school, Signal.State.RULED_OUT)
    answer = school.submit(school.classes[0], 1, {pupils[3]: VOMITING})
    school.correct(answer["session"], dict.fromkeys(pupils[4:6], VOMITING), at=moment(1, 8))
    assert signal().state == Signal.State.RULED_OUT
    school.correct(answer["session"], dict.fromkeys(pupils[3:6], VOMITING), at=moment(1, 9))
    assert signal().state == Signal.State.OPEN
