"""The five values at and around the deadline, and the rate that they make."""

import doctest
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaodun.engine.compliance import Judgement, NotOwed, Score, Value, judge, score

PAGE = Path(__file__).parents[5] / "docs" / "engine" / "compliance.md"

DEADLINE = datetime(2020, 11, 6, 0, 20, tzinfo=UTC)  # 08:20 in Zhengzhou
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LIMIT = 5 * MINUTE


def judged(**changes):
    """A check tapped and received ten minutes before the deadline, judged at noon, with the given changes."""
    facts = {
        "not_owed": None,
        "excused": False,
        "deadline": DEADLINE,
        "proved_at": DEADLINE - 10 * MINUTE,
        "received_at": DEADLINE - 10 * MINUTE,
        "clock_offset": timedelta(0),
        "offset_limit": LIMIT,
        "now": DEADLINE + timedelta(hours=4),
    }
    return judge(**facts | changes)


def tapped(tap, arrival, offset=timedelta(0)):
    """Tap and arrival in seconds after the deadline."""
    return judged(
        proved_at=DEADLINE + tap * SECOND, received_at=DEADLINE + arrival * SECOND, clock_offset=offset
    )


@pytest.mark.parametrize(
    ("tap", "arrival", "offset", "expected"),
    [
        (-600, -600, timedelta(0), Judgement(Value.DONE)),
        (-1, -1, timedelta(0), Judgement(Value.DONE)),
        (0, 0, timedelta(0), Judgement(Value.LATE)),
        (1, 1, timedelta(0), Judgement(Value.LATE)),
        # the phone was offline: the tap counts, the arrival is counted apart
        (-1, 0, timedelta(0), Judgement(Value.DONE, sent_late=True)),
        (-600, 7200, 4 * MINUTE, Judgement(Value.DONE, sent_late=True)),
        (-600, 7200, LIMIT - SECOND, Judgement(Value.DONE, sent_late=True)),
        (-600, 7200, -(LIMIT - SECOND), Judgement(Value.DONE, sent_late=True)),
        # its clock is wrong or unknown: the arrival counts
        (-600, 7200, LIMIT, Judgement(Value.LATE)),
        (-600, 7200, -LIMIT, Judgement(Value.LATE)),
        (-600, 7200, None, Judgement(Value.LATE)),
        (3600, -60, 61 * MINUTE, Judgement(Value.DONE)),
        (3600, -60, None, Judgement(Value.DONE)),
        # a clock within the limit is believed, also against the teacher
        (30, -30, MINUTE, Judgement(Value.LATE)),
    ],
)
def test_on_time_is_a_tap_before_the_deadline_by_a_trusted_clock(tap, arrival, offset, expected):
    assert tapped(tap, arrival, offset) == expected


@pytest.mark.parametrize(
    ("now", "value"),
    [(-SECOND, Value.DUE), (timedelta(0), Value.MISSING), (timedelta(days=30), Value.MISSING)],
)
def test_an_unproved_obligation_is_due_and_from_the_deadline_on_missing(now, value):
    assert judged(proved_at=None, received_at=None, clock_offset=None, now=DEADLINE + now) == Judgement(value)


def test_a_proof_that_is_still_in_the_phone_is_not_known():
    facts = {"proved_at": DEADLINE - MINUTE, "received_at": DEADLINE + 30 * MINUTE}
    assert judged(**facts, now=DEADLINE + 29 * MINUTE) == Judgement(Value.MISSING)
    assert judged(**facts, now=DEADLINE + 30 * MINUTE) == Judgement(Value.DONE, sent_late=True)


@pytest.mark.parametrize("reason", NotOwed)
@pytest.mark.parametrize("proof", [None, DEADLINE - MINUTE, DEADLINE + MINUTE])
@pytest.mark.parametrize("excused", [True, False])
def test_what_is_not_owed_is_not_applicable_whatever_was_done(reason, proof, excused):
    judgement = judged(not_owed=reason, proved_at=proof, received_at=proof, excused=excused)
    assert judgement == Judgement(Value.NOT_APPLICABLE)


@pytest.mark.parametrize("proof", [None, DEADLINE - MINUTE, DEADLINE + MINUTE])
@pytest.mark.parametrize("now", [DEADLINE - timedelta(hours=1), DEADLINE + timedelta(hours=1)])
def test_an_excuse_stands_whatever_was_proved(proof, now):
    assert judged(excused=True, proved_at=proof, received_at=proof, now=now) == Judgement(Value.EXCUSED)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"received_at": None}, "or neither"),
        ({"proved_at": None}, "or neither"),
        ({"now": datetime(2020, 11, 6, 12)}, "no time zone"),  # noqa: DTZ001 - the wrong value is the point
        ({"deadline": datetime(2020, 11, 6, 8)}, "no time zone"),  # noqa: DTZ001
        ({"offset_limit": timedelta(0)}, "must be positive"),
    ],
)
def test_facts_without_sense_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        judged(**changes)


moments = st.timedeltas(-timedelta(days=1), timedelta(days=1)).map(lambda delta: DEADLINE + delta)


@given(moments, moments, moments, st.none() | st.timedeltas(-2 * LIMIT, 2 * LIMIT))
def test_a_value_once_given_to_a_proof_does_not_change_with_time(tap, arrival, now, offset):
    facts = {"proved_at": tap, "received_at": arrival, "clock_offset": offset}
    later = judged(**facts, now=max(now, arrival) + timedelta(days=2))
    at_now = judged(**facts, now=now)
    assert at_now == later if arrival <= now else at_now.value in (Value.DUE, Value.MISSING)


def test_not_applicable_and_excused_leave_the_denominator_and_due_is_not_counted():
    result = score(
        [Value.DONE] * 6 + [Value.LATE] * 2 + [Value.MISSING] * 2
        + [Value.NOT_APPLICABLE] * 5 + [Value.EXCUSED] * 3 + [Value.DUE] * 7,
        late_weight=0.5,
    )  # fmt: skip
    assert result == Score(done=6, late=2, missing=2, not_applicable=5, excused=3, late_weight=0.5)
    assert (result.owed, result.rate) == (10, 0.7)


@pytest.mark.parametrize(
    ("weight", "rate"), [(0, 0.5), (Fraction(1, 2), 0.75), (Decimal("0.8"), 0.9), (1, 1.0)]
)
def test_the_weight_says_what_a_late_check_is_worth(weight, rate):
    assert score([Value.DONE, Value.LATE], late_weight=weight).rate == rate


def test_nothing_owed_has_no_rate_and_nothing_done_has_rate_zero():
    assert score([Value.EXCUSED, Value.DUE], late_weight=1).rate is None
    assert score([], late_weight=1).rate is None
    assert score([Value.MISSING], late_weight=1).rate == 0.0


def test_sent_late_is_counted_apart_and_costs_nothing():
    result = score([Judgement(Value.DONE, sent_late=True), Judgement(Value.DONE), Value.LATE], late_weight=0)
    assert (result.done, result.late, result.sent_late) == (2, 1, 1)
    assert result.rate == pytest.approx(2 / 3)


def test_equal_shares_have_equal_rates():
    weight = Decimal("0.7")
    small, large = (
        Score(done=n, late=n, missing=n, not_applicable=0, excused=0, late_weight=weight) for n in (1, 7_000)
    )
    assert small.rate == large.rate


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"done": -1}, "negative"),
        ({"late_weight": 1.01}, "0 to 1"),
        ({"late_weight": -0.5}, "0 to 1"),
        ({"sent_late": 2}, "only 1 done"),
    ],
)
def test_a_score_without_sense_is_refused(changes, message):
    counts = {"done": 1, "late": 0, "missing": 0, "not_applicable": 0, "excused": 0, "late_weight": 0}
    with pytest.raises(ValueError, match=message):
        Score(**counts | changes)


@given(st.lists(st.sampled_from(Value)), st.fractions(0, 1))
def test_a_rate_lies_between_nought_and_one_and_never_falls_when_a_missing_check_is_made_up(values, weight):
    rate = score(values, late_weight=weight).rate
    assert rate is None or 0 <= rate <= 1
    if Value.MISSING in values and rate is not None:
        made_up = list(values)
        made_up[made_up.index(Value.MISSING)] = Value.LATE
        assert score(made_up, late_weight=weight).rate >= rate


def test_the_page_of_this_room_runs():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, tried > 0) == (0, True)
