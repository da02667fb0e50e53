"""Every file of the corpus gets its expected answer, through the upload and the worker, within bounds."""

import resource

import pytest

from tests.data.rosters.corpus import CASES, Case
from xiaodun.kit.errors import Refusal
from xiaodun.people.imports.problems import Problem
from xiaodun.people.imports.worker import MEMORY_AT_MOST
from xiaodun.people.models import Enrolment, Guardian, Identity, Person
from xiaodun.people.selectors import report_of
from xiaodun.people.services.rosters import (
    apply_roster,
    approve_roster,
    hand_in_roster,
    read_roster,
    take_roster,
)

pytestmark = pytest.mark.django_db


def hand_in(cast, case):
    return hand_in_roster(
        by=cast.clerk,
        unit=cast.school,
        kind="pupils",
        file_name=case.file,
        content=case.make(),
        effective_on=cast.day,
        at=cast.at,
    )


def read(cast, case):
    hand_in(cast, case)
    return read_roster(roster=take_roster(at=cast.at), at=cast.at)


def on_record():
    return [model.objects.count() for model in (Person, Identity, Guardian, Enrolment)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_file_gets_its_answer(cast, case: Case):
    before = on_record()
    if case.refused == "file-empty":
        with pytest.raises(Refusal, match=case.refused):
            hand_in(cast, case)
        return
    roster = read(cast, case)
    report = report_of(roster)
    problems = [Problem(**each) for each in report["problems"]]
    assert report["refusal"] is None or report["refusal"]["code"] == case.refused, report["refusal"]
    assert bool(report["refusal"]) == bool(case.refused)
    assert sorted(f"{each.where}: {each.code}" for each in problems) == sorted(case.problems)
    assert all(str(each.message) and str(each.remedy) for each in problems)
    assert not report["questions"]
    for name, count in case.counts.items():
        assert roster.counts[name] == count, roster.counts
    assert on_record() == before
    if case.counts:
        assert roster.state == "ready"
        approve_roster(by=cast.clerk, roster=roster, at=cast.at)
        roster = apply_roster(roster=take_roster(at=cast.at), at=cast.at)
        assert roster.state == "done", report_of(roster)
        again = read(cast, case)
        assert (again.counts["new"], again.counts["moved"], again.counts["changed"]) == (0, 0, 0), (
            again.counts
        )


def test_the_corpus_is_of_the_promised_size_and_each_answer_is_said():
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)
    answered = [bool(case.counts) + bool(case.problems) + bool(case.refused) for case in CASES]
    assert answered == [1] * len(CASES)
    print(f"\nroster corpus: {len(CASES)} files, {sum(bool(case.refused) for case in CASES)} refused whole")


def test_no_file_took_more_memory_than_a_worker_may(cast):
    for case in CASES:
        if case.refused == "file-too-heavy":
            assert report_of(read(cast, case))["refusal"]["code"] == "file-too-heavy"
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MEMORY_AT_MOST
