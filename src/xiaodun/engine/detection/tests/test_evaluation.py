"""Measures of a detector on tables small enough to count."""

import math

import numpy as np
import pytest

from xiaodun.engine.detection import (
    confusion,
    false_positive_rate,
    lead_times,
    probability_of_detection,
    probability_of_detection_in_first_week,
)


def marks(*rows):
    return np.array([[cell == "x" for cell in row] for row in rows])


OUTBREAK = marks("..xx.", ".xx..", ".....", "...xx")
ALARMS = marks("..x.x", "..x..", "x....", ".....")


def test_every_time_falls_in_one_cell():
    table = confusion(ALARMS, OUTBREAK)
    assert (table.true_positive, table.false_positive, table.false_negative, table.true_negative) == (
        2,
        2,
        4,
        12,
    )
    assert table.sensitivity == 2 / 6
    assert table.specificity == 12 / 14
    assert table.positive_predictive_value == 0.5
    assert table.negative_predictive_value == 12 / 16
    assert table.f1 == pytest.approx(2 * (1 / 3) * 0.5 / (1 / 3 + 0.5))


def test_detection_counts_outbreaks_and_not_times():
    assert probability_of_detection(ALARMS, OUTBREAK) == 2 / 3
    assert probability_of_detection_in_first_week(ALARMS, OUTBREAK) == 1 / 3


def test_false_positives_are_counted_without_an_outbreak():
    assert false_positive_rate(ALARMS) == 4 / 20


def test_a_masked_alarm_is_no_alarm():
    alarms = np.ma.MaskedArray(ALARMS, mask=np.ones_like(ALARMS))
    assert confusion(alarms, OUTBREAK).true_positive == 0


def test_the_lead_is_positive_when_we_are_earlier():
    ours = marks("x.x..", ".x...", "xxxxx", "...x.", ".....")
    theirs = marks("...x.", "..x..", ".....", ".....", ".....")
    outbreak = marks("..xx.", ".xx..", ".....", "...xx", "...xx")
    assert lead_times(ours, theirs, outbreak).tolist()[:2] == [1, 1]
    assert lead_times(theirs, ours, outbreak).tolist()[:2] == [-1, -1]
    assert math.isnan(lead_times(ours, theirs, outbreak)[2])
    assert lead_times(ours, theirs, outbreak)[3] == math.inf
    assert lead_times(theirs, ours, outbreak)[3] == -math.inf
    assert math.isnan(lead_times(ours, theirs, outbreak)[4])


def test_a_rate_without_a_base_is_unknown():
    nothing = np.zeros((2, 3), dtype=bool)
    assert math.isnan(confusion(nothing, nothing).sensitivity)
    assert math.isnan(probability_of_detection(nothing, nothing))


def test_shapes_and_types_must_fit():
    with pytest.raises(ValueError, match="differ in shape"):
        confusion(ALARMS, OUTBREAK[:2])
    with pytest.raises(ValueError, match="boolean"):
        false_positive_rate(np.ones((2, 2)))
