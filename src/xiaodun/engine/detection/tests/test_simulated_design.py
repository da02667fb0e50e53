"""On the simulated series the detectors alarm in the weeks in which R does, and the measures are R's."""

import functools

import numpy as np
import pytest

from xiaodun.engine.detection import (
    Cusum,
    EarsC1,
    EarsC2,
    EarsC3,
    Farrington,
    FarringtonFlexible,
    confusion,
    false_positive_rate,
    probability_of_detection,
    probability_of_detection_in_first_week,
)

from .reference_results import Simulated

HISTORY = Simulated.first - 1

METHODS = {
    "ears_c1_a001": EarsC1(alpha=0.001),
    "ears_c1_a01": EarsC1(alpha=0.01),
    "ears_c2_a001": EarsC2(alpha=0.001),
    "ears_c2_a01": EarsC2(alpha=0.01),
    "ears_c3_a01": EarsC3(alpha=0.01, form="r"),
    "ears_c3_a025": EarsC3(alpha=0.025, form="r"),
    "cusum_default": Cusum(baseline=HISTORY),
    "cusum_rossi": Cusum(transform="rossi", baseline=HISTORY),
    "farrington_original_a01": Farrington(alpha=0.01, dispersion="r"),
    "flex_default_delta_a01": FarringtonFlexible(alpha=0.01, dispersion="r"),
    "flex_noufaily_nbplugin_a01": FarringtonFlexible.noufaily(alpha=0.01),
}


@functools.cache
def simulated():
    return Simulated()


def alarms(detector, counts):
    """Alarms of the weeks under test; Farrington needs no more than six years before them."""
    data = simulated()
    if isinstance(detector, Cusum):
        return detector.detect(counts).alarm.filled(False)[:, data.tested]
    start = data.first - 1 - 5 * 52 - 3 if isinstance(detector, Farrington | FarringtonFlexible) else 0
    return detector.detect(counts[:, start:]).alarm.filled(False)[:, -(data.last - data.first + 1) :]


@pytest.mark.parametrize("method", METHODS)
def test_the_alarm_weeks_and_the_measures_are_those_of_r(method):
    data = simulated()
    found = alarms(METHODS[method], data.counts)
    clean = alarms(METHODS[method], data.without)
    weeks, clean_alarms = data.r_alarm_weeks(method)
    assert [(np.flatnonzero(row) + data.first).tolist() for row in found] == weeks
    assert clean.sum(axis=1).tolist() == clean_alarms

    table = confusion(found, data.outbreak)
    ours = {
        "FPR_clean": false_positive_rate(clean),
        "specificity": table.specificity,
        "POD": probability_of_detection(found, data.outbreak),
        "POD1week": probability_of_detection_in_first_week(found, data.outbreak),
        "sensitivity": table.sensitivity,
        "PPV": table.positive_predictive_value,
        "NPV": table.negative_predictive_value,
        "F1": table.f1,
    }
    for name, value in data.r_summary(method).items():
        assert ours[name] == pytest.approx(value, abs=6e-5), name


def test_the_cdc_form_of_c3_finds_outbreaks_in_their_first_week_where_r_does_not():
    data = simulated()
    cdc = alarms(EarsC3(), data.counts)
    as_r = alarms(EarsC3(form="r"), data.counts)
    assert probability_of_detection_in_first_week(as_r, data.outbreak) < 0.1
    assert probability_of_detection_in_first_week(cdc, data.outbreak) > 0.4
