"""How illness episodes follow from what teachers tap."""

from datetime import date, timedelta
from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from xiaodun.absence.policies import DayRecord, DayState, derive_episodes

MONDAY = date(2020, 12, 14)


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


def record(
    offset: int, state: DayState, *, onset: int | None = None, symptoms: tuple[str, ...] = ()
) -> DayRecord:
    return DayRecord(
        day=day(offset),
        order=0,
        state=state,
        onset=None if onset is None else day(onset),
        symptoms=symptoms,
        finding_id=None if state is DayState.WELL else offset + 100,
    )


def test_an_illness_opens_a_file_and_the_first_well_check_ends_it():
    episodes = derive_episodes(
        [
            record(0, DayState.WELL),
            record(1, DayState.ABSENT_ILL),
            record(2, DayState.ABSENT_ILL),
            record(3, DayState.WELL),
        ]
    )
    assert [(e.onset, e.first_day, e.last_day, e.back_on) for e in episodes] == [
        (day(1), day(1), day(2), day(3))
    ]
    assert episodes[0].was_absent


def test_a_file_runs_on_over_days_without_a_check_and_days_away_for_another_reason():
    episodes = derive_episodes(
        [record(0, DayState.ABSENT_ILL), record(1, DayState.AWAY), record(4, DayState.ABSENT_ILL)]
    )
    assert len(episodes) == 1
    assert episodes[0].back_on is None


def test_an_illness_after_a_well_check_is_a_new_file():
    episodes = derive_episodes(
        [record(0, DayState.SYMPTOMS), record(1, DayState.WELL), record(2, DayState.SYMPTOMS)]
    )
    assert [e.onset for e in episodes] == [day(0), day(2)]
    assert not episodes[0].was_absent


def test_onset_is_the_earliest_first_day_named_and_symptoms_add_up():
    episodes = derive_episodes(
        [
            record(0, DayState.ABSENT_ILL, symptoms=("fever",)),
            record(1, DayState.ABSENT_ILL, onset=-2, symptoms=("cough", "fever")),
        ]
    )
    assert episodes[0].onset == day(-2)
    assert episodes[0].symptoms == ("cough", "fever")


def test_an_illness_over_before_the_check_is_a_file_that_has_ended():
    (episode,) = derive_episodes([record(0, DayState.RECOVERED, onset=-2)])
    assert (episode.onset, episode.back_on) == (day(-2), day(0))


def test_recovered_ends_the_running_file_and_does_not_open_a_second():
    (episode,) = derive_episodes([record(0, DayState.ABSENT_ILL), record(3, DayState.RECOVERED, onset=-1)])
    assert (episode.onset, episode.back_on) == (day(-1), day(3))


def test_the_order_in_which_checks_arrive_does_not_matter():
    records = [
        record(0, DayState.ABSENT_ILL),
        record(1, DayState.WELL),
        record(2, DayState.ABSENT_ILL, onset=1),
        record(3, DayState.AWAY),
    ]
    expected = derive_episodes(records)
    assert all(derive_episodes(order) == expected for order in permutations(records))


@given(st.lists(st.sampled_from([*DayState, None]), max_size=20))
def test_every_finding_of_illness_is_in_exactly_one_file_and_files_do_not_overlap(states):
    records = [
        record(offset, state, onset=offset - 1 if state is DayState.RECOVERED else None)
        for offset, state in enumerate(states)
        if state is not None
    ]
    episodes = derive_episodes(records)
    ill = [r for r in records if r.state not in {DayState.WELL, DayState.AWAY}]
    assert [r for e in episodes for r in e.records] == ill
    assert all(a.back_on is not None and a.back_on <= b.first_day for a, b in pairwise(episodes))
    assert all(e.back_on is not None for e in episodes[:-1])
