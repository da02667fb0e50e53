"""The shorter test of kills, two hundred times."""

import pytest

from tests.durability.test_kills import run

pytestmark = [pytest.mark.campaign, pytest.mark.postgresql]


def test_nothing_acknowledged_is_lost_or_doubled_by_two_hundred_kills(tmp_path, capsys):
    run(tmp_path, capsys, kills=200, seed=2020, longest=2.0)
