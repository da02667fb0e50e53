"""The property of the shorter test, held for many more seeds and a longer term."""

import random

import pytest

from xiaodun.screening.tests.cast import make_school
from xiaodun.surveillance.tests.test_same_on_write_and_in_batch import (
    brute_force_episodes,
    brute_force_signals,
    stored_episodes,
    stored_signals,
    storm,
)

pytestmark = [pytest.mark.django_db, pytest.mark.campaign]


@pytest.mark.parametrize("seed", range(100, 200))
def test_files_and_signals_equal_brute_force_after_a_storm_of_forty_days(seed):
    rng = random.Random(seed)
    storm(make_school(classes=3, size=12), rng, days=40)
    assert stored_episodes() == brute_force_episodes()
    assert stored_signals() == brute_force_signals()
