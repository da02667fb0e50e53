"""Ruling out concerns the persons who were looked at; others who reach the threshold alarm again."""

import pytest

from xiaodun.accounts.choices import Role
from xiaodun.figures import selectors as figures
from xiaodun.messages.models import Message
from xiaodun.screening.tests.cast import School, day, make_school, moment
from xiaodun.surveillance import services
from xiaodun.surveillance.models import Signal, SignalEvent
from xiaodun.surveillance.selectors import newest_event

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

VOMITING = ["vomiting"]


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
    decide_all(school, outcome, at=moment(0, 9))
    return pupils


def decide_all(school, outcome, *, at) -> None:
    for each in Signal.objects.filter(state=Signal.State.OPEN).order_by("pk"):
        services.decide(
            by=school.users[Role.SCHOOL_DOCTOR],
            signal=each,
            outcome=outcome,
            reason="前晚同在校外就餐",
            seen=newest_event(each),
            at=at,
        )


def session_of(school, offset) -> int:
    return school.classes[0].check_sessions.get(day=day(offset)).pk


def live_states() -> set[str]:
    """How all signals stand, of whatever rule, but for withdrawn ones."""
    return set(Signal.objects.exclude(state=Signal.State.WITHDRAWN).values_list("state", flat=True))


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
    pupils = raised_and(school, Signal.State.RULED_OUT, cases=4)
    now = pupils[: 4 - others] + pupils[4 : 4 + others]
    school.correct(session_of(school, 0), dict.fromkeys(now, VOMITING), at=moment(0, 10))
    assert {case.person for case in signal().cases.all()} == set(now)
    assert live_states() == {Signal.State.RULED_OUT}


def test_others_who_trickle_in_do_not_reach_the_threshold_of_a_day(school):
    """Six are ruled out, three a day; then it turns out that it was two others on each day."""
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    school.submit(room, 0, dict.fromkeys(pupils[:3], VOMITING))
    school.submit(room, 1, dict.fromkeys(pupils[3:6], VOMITING))
    decide_all(school, Signal.State.RULED_OUT, at=moment(1, 9))
    first, second = [pupils[0], *pupils[6:8]], [pupils[3], *pupils[8:10]]
    school.correct(session_of(school, 0), dict.fromkeys(first, VOMITING), at=moment(1, 10))
    school.correct(session_of(school, 1), dict.fromkeys(second, VOMITING), at=moment(1, 11))
    assert {case.person for case in signal().cases.all()} == {*first, *second}
    assert live_states() == {Signal.State.RULED_OUT}


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
    school.submit(school.classes[0], 1, dict.fromkeys(pupils[3:6], VOMITING))
    decide_all(school, Signal.State.RULED_OUT, at=moment(1, 9))
    school.correct(
        session_of(school, 1), {pupils[3]: VOMITING, pupils[4]: VOMITING, pupils[5]: []}, at=moment(1, 10)
    )
    assert signal().windows[-1]["unknown"] == 1
    assert live_states() == {Signal.State.RULED_OUT}


def test_a_signal_of_others_that_joins_a_ruled_out_one_is_not_silenced_by_it(school):
    """Two separate outbreaks, the first ruled out; a late check bridges them."""
    pupils = raised_and(school, Signal.State.RULED_OUT)
    room = school.classes[0]
    school.submit(room, 2, dict.fromkeys(pupils[3:6], VOMITING))
    of_the_rule = Signal.objects.filter(rule__code="norm-2006-3-in-1-day").order_by("pk")
    assert [each.state for each in of_the_rule] == [Signal.State.RULED_OUT, Signal.State.OPEN]
    school.submit(room, 1, dict.fromkeys(pupils[6:9], VOMITING), at=moment(2, 12))
    assert [each.state for each in of_the_rule.all()] == [Signal.State.OPEN, Signal.State.WITHDRAWN]


def test_an_open_signal_that_joins_a_confirmed_one_is_not_silenced_by_it(school):
    """Nobody has seen the second one; the first counts as many at its height."""
    pupils = raised_and(school, Signal.State.CONFIRMED)
    room = school.classes[0]
    school.submit(room, 2, dict.fromkeys(pupils[3:6], VOMITING))
    school.submit(room, 1, dict.fromkeys(pupils[6:9], VOMITING), at=moment(2, 12))
    survivor, joined = Signal.objects.filter(rule__code="norm-2006-3-in-1-day").order_by("pk")
    assert (survivor.state, survivor.peak_count) == (Signal.State.OPEN, 3)
    assert survivor.events.last().kind == SignalEvent.Kind.JOINED
    assert joined.state == Signal.State.WITHDRAWN
    told = Message.objects.filter(recipient=school.users[Role.SCHOOL_DOCTOR], subject=survivor.subject)
    assert told.count() == 2


def test_a_signal_that_somebody_has_decided_joins_a_confirmed_one_in_silence(school):
    pupils = raised_and(school, Signal.State.CONFIRMED)
    room = school.classes[0]
    school.submit(room, 2, dict.fromkeys(pupils[3:6], VOMITING))
    decide_all(school, Signal.State.CONFIRMED, at=moment(2, 9))
    school.submit(room, 1, dict.fromkeys(pupils[6:9], VOMITING), at=moment(2, 12))
    survivor = Signal.objects.filter(rule__code="norm-2006-3-in-1-day").order_by("pk").first()
    assert (survivor.state, len(survivor.windows)) == (Signal.State.CONFIRMED, 3)


def test_the_outcome_does_not_depend_on_the_order_in_which_the_others_are_entered(school):
    """One after another they take the place of those who were ruled out; the third reaches the threshold."""
    pupils = raised_and(school, Signal.State.RULED_OUT, cases=4)
    for others, state in [(1, "ruled_out"), (2, "ruled_out"), (3, "open")]:
        now = pupils[: 4 - others] + pupils[4 : 4 + others]
        school.correct(session_of(school, 0), dict.fromkeys(now, VOMITING), at=moment(0, 9 + others))
        assert live_states() == {state}


def test_the_new_clock_does_not_start_before_the_decision_that_closed_the_first(school):
    """Entered before the decision, judged after it: the clock of the others starts with the decision."""
    pupils = raised_and(school, Signal.State.RULED_OUT, cases=4)
    now = [pupils[0], *pupils[4:7]]
    school.correct(session_of(school, 0), dict.fromkeys(now, VOMITING), at=moment(0, 8))
    assert (signal().state, signal().clock_from) == (Signal.State.OPEN, moment(0, 9))
    assert signal().deadline_at == moment(1, 9)
    # Its turns are read in the order in which they were written: it waited at the end of that day.
    assert figures.value("surveillance.open_signals", school.institution, day(0), moment(1)).number == 1
