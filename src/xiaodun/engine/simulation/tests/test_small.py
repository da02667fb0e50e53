"""The small district: its shape, that a seed means one district, and that its truth is the whole truth."""

import doctest
import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from xiaodun.engine.calendar import SchoolCalendar, state_holidays
from xiaodun.engine.simulation import SYMPTOMS, small_district

PAGE = Path(__file__).parents[5] / "docs" / "engine" / "simulation.md"
SHANGHAI = ZoneInfo("Asia/Shanghai")

LAST_DAY = date(2020, 12, 16)  # a Wednesday
THREE_IN_A_DAY = (3, 1)
FIVE_IN_THREE = (5, 3)


@pytest.fixture(scope="module")
def calendar():
    return SchoolCalendar.from_state([state_holidays(2020)])


def make(calendar, seed=2020, last_day=LAST_DAY):
    days = calendar.school_days(last_day - timedelta(days=45), last_day)[-20:]
    return small_district(seed=seed, last_day=last_day, school_days=days)


@pytest.fixture(scope="module")
def district(calendar):
    return make(calendar)


def members(district):
    found = defaultdict(list)
    for enrolment in district.enrolments:
        found[enrolment.group].append(enrolment.person)
    return found


def checks_on(district, day):
    return {check.group: check for check in district.checks if check.day == day}


def test_there_is_one_institution_of_each_kind_with_forty_groups_in_all(district):
    assert [institution.kind for institution in district.institutions] == [
        "kindergarten", "primary", "junior", "senior", "college", "training",
    ]  # fmt: skip
    assert len(district.groups) == 40
    assert Counter(group.kind for group in district.groups) == {
        "class": 31, "dormitory": 4, "lesson": 3, "department": 2,
    }  # fmt: skip
    assert {institution.ownership for institution in district.institutions} == {"public", "private"}
    names = {group.name_zh for group in district.groups}
    assert {"中一班", "三(2)班", "八(1)班", "高一(3)班", "护理2001班", "1号公寓305室"} <= names


def test_names_and_codes_are_unique_where_they_must_be(district):
    units = [unit.code for unit in (*district.institutions, *district.grades, *district.groups)]
    assert len({*units, district.code}) == len(units) + 1
    for unique in ("key", "number"):
        values = [getattr(person, unique) for person in district.persons]
        assert len(set(values)) == len(values)
    name_of = {person.key: person.name for person in district.persons}
    for group in district.groups:
        if group.kind != "lesson" and group.kind != "dormitory":
            names = [name_of[person] for person in members(district)[group.code]]
            assert len(set(names)) == len(names)


def test_every_reference_leads_somewhere(district):
    persons = {person.key for person in district.persons}
    institutions = {institution.code for institution in district.institutions}
    grades = {grade.code: grade.institution for grade in district.grades}
    groups = {group.code for group in district.groups}
    assert set(grades.values()) <= institutions
    for group in district.groups:
        assert group.institution in institutions
        assert group.grade is None or grades[group.grade] == group.institution
        assert (group.grade is None) == (group.kind != "class")
    assert {enrolment.person for enrolment in district.enrolments} <= persons
    assert {enrolment.group for enrolment in district.enrolments} == groups
    assert {role.person for role in district.staff} <= persons
    assert {role.unit for role in district.staff} == {district.code, *institutions, *grades, *groups}
    for check in district.checks:
        assert {finding.person for finding in check.findings} <= set(members(district)[check.group])


def test_classes_have_realistic_sizes_and_rosters_are_numbered_from_one(district):
    numbers = defaultdict(list)
    for enrolment in district.enrolments:
        numbers[enrolment.group].append(enrolment.number)
        assert enrolment.since <= district.school_days[0]
    for group in district.groups:
        assert numbers[group.code] == list(range(1, len(numbers[group.code]) + 1))
        low, high = {"class": (25, 48), "dormitory": (6, 8), "lesson": (12, 24), "department": (10, 20)}[
            group.kind
        ]
        assert low <= len(numbers[group.code]) <= high


def test_some_pupils_hold_two_enrolments(district):
    kind_of = {group.code: group.kind for group in district.groups}
    kinds = defaultdict(list)
    for enrolment in district.enrolments:
        kinds[enrolment.person].append(kind_of[enrolment.group])
    assert Counter(tuple(value) for value in kinds.values() if len(value) > 1).keys() == {
        ("class", "dormitory"),
        ("class", "lesson"),
    }


def test_every_unit_has_its_staff(district):
    roles = Counter(role.role for role in district.staff)
    assert roles == {
        "class_teacher": 36,
        "dormitory_supervisor": 4,
        "grade_lead": len(district.grades),
        "school_doctor": 6,
        "principal": 6,
        "district_officer": 2,
    }
    assert len({role.person for role in district.staff}) == len(district.staff)
    person_of = {person.key: person for person in district.persons}
    assert {person_of[role.person].kind for role in district.staff} == {"staff"}


def test_pupils_have_the_age_of_their_grade(district):
    group_of = {group.code: group for group in district.groups}
    born = defaultdict(set)
    person_of = {person.key: person for person in district.persons}
    for enrolment in district.enrolments:
        if group_of[enrolment.group].kind == "class":
            born[group_of[enrolment.group].grade].add(person_of[enrolment.person].birth_year)
    assert born["k01-1"] == {2016, 2017}
    assert born["p01-1"] == {2013, 2014}
    assert born["s01-3"] == {2002, 2003}


def test_findings_are_well_formed_and_rare(district):
    size_of = {code: len(people) for code, people in members(district).items()}
    ill = possible = 0
    for check in district.checks:
        people = [finding.person for finding in check.findings]
        assert len(set(people)) == len(people)
        possible += size_of[check.group]
        for finding in check.findings:
            if finding.status in ("absent_ill", "symptoms", "recovered"):
                assert finding.onset is not None
                assert finding.onset <= check.day
                assert set(finding.symptoms) <= set(SYMPTOMS)
                assert list(finding.symptoms) == sorted(finding.symptoms, key=SYMPTOMS.index)
                ill += finding.status != "recovered"
            else:
                assert (finding.onset, finding.symptoms) == (None, ())
    assert 0.003 < ill / possible < 0.02
    statuses = Counter(finding.status for check in district.checks for finding in check.findings)
    assert statuses.keys() == {"absent_ill", "absent_other", "late", "symptoms", "recovered"}


def test_illnesses_begin_on_weekends_too(district):
    onsets = {f.onset for check in district.checks for f in check.findings if f.onset is not None}
    assert {onset.weekday() for onset in onsets} == set(range(7))


def test_on_the_last_day_three_groups_are_missing_two_late_and_the_others_on_time(district):
    last = checks_on(district, LAST_DAY)
    truth = district.truth
    assert {group.code for group in district.groups} - last.keys() == set(truth.missing_on_last_day)
    assert len(truth.missing_on_last_day) == 3
    assert len(truth.late_on_last_day) == 2
    for group, check in last.items():
        local = check.tapped_at.astimezone(SHANGHAI)
        assert local.date() == LAST_DAY
        assert check.received_at == check.tapped_at
        if group in truth.late_on_last_day:
            assert local.time() > time(8, 20)
        else:
            assert time(7, 20) <= local.time() <= time(7, 58)


def test_on_other_days_a_few_checks_are_missing_late_or_sent_late(district):
    before = [check for check in district.checks if check.day != LAST_DAY]
    assert 0 < 40 * 19 - len(before) < 40
    assert any(check.tapped_at.astimezone(SHANGHAI).time() > time(8, 20) for check in before)
    assert any(check.received_at > check.tapped_at for check in before)
    assert all(check.received_at >= check.tapped_at for check in before)
    assert all(check.tapped_at.utcoffset() == timedelta(0) for check in before)


LAST_DAYS = [LAST_DAY, date(2020, 12, 14), date(2020, 10, 9), date(2020, 11, 27)]


@pytest.mark.parametrize(("seed", "last_day"), [(seed, LAST_DAYS[seed % 4]) for seed in range(8)])
def test_what_teachers_tapped_holds_the_planted_clusters_and_no_other(calendar, seed, last_day):
    """Even under a rule that takes all symptoms for similar, whatever the weekday of the last day."""
    district = make(calendar, seed, last_day)
    groups_of = defaultdict(list)
    for enrolment in district.enrolments:
        groups_of[enrolment.person].append(enrolment.group)
    onsets = defaultdict(set)
    for check in district.checks:
        for finding in check.findings:
            if finding.onset is not None:
                for group in groups_of[finding.person]:
                    onsets[group].add((finding.person, finding.onset))

    def raised(rule):
        """Who is counted in any window that holds, by group: the rule in its plainest form."""
        cases, span = rule
        found = {}
        for group, known in onsets.items():
            for _, end in known:
                inside = {person for person, onset in known if 0 <= (end - onset).days < span}
                if len(inside) >= cases:
                    found[group] = found.get(group, set()) | inside
        return found

    planted = {cluster.name: cluster for cluster in district.truth.clusters}
    gastro, fever, dormitory = planted["gastroenteritis"], planted["fever"], planted["dormitory"]
    assert raised(THREE_IN_A_DAY) == {
        gastro.group: {person for person, onset in gastro.cases if onset == last_day},
        dormitory.group: {person for person, _ in dormitory.cases},
    }
    assert raised(FIVE_IN_THREE) == {fever.group: {person for person, _ in fever.cases}}
    assert gastro.cases[-1][1] == last_day
    assert len(fever.cases) == 5
    assert (fever.cases[-1][1] - fever.cases[0][1]).days == 2
    assert timedelta(days=5) <= last_day - fever.cases[-1][1] <= timedelta(days=16)
    classes = [groups_of[person][0] for person, _ in dormitory.cases]
    assert len(set(classes)) == 3


def digest(district):
    return hashlib.sha256(repr(district).encode()).hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(calendar, district):
    assert digest(make(calendar)) == digest(district)
    assert digest(make(calendar, seed=2021)) != digest(district)


def test_the_same_seed_gives_the_same_bytes_in_another_process(district):
    script = (
        "import hashlib; from datetime import date; from xiaodun.engine.simulation import small_district;"
        f"days = [date.fromordinal(n) for n in {[day.toordinal() for day in district.school_days]}];"
        "d = small_district(seed=2020, last_day=days[-1], school_days=days);"
        "print(hashlib.sha256(repr(d).encode()).hexdigest())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONHASHSEED": "7", "TZ": "America/New_York"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == digest(district)


def test_in_spring_the_school_year_is_that_of_the_autumn_before():
    calendar = SchoolCalendar.from_state([state_holidays(2021)])
    district = make(calendar, last_day=date(2021, 4, 2))
    assert {grade.entry_year for grade in district.grades if grade.code == "p01-1"} == {2020}
    assert {enrolment.since for enrolment in district.enrolments} == {date(2020, 9, 1)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "from 0"),
        ({"last_day": date(2020, 12, 17)}, "not 2020-12-17"),
        ({"school_days": [date(2020, 12, day) for day in range(3, 17)]}, "at least 15"),
        ({"school_days": [date(2020, 12, 1), *(date(2020, 12, day) for day in range(1, 17))]}, "ascend"),
    ],
)
def test_arguments_without_sense_are_refused(changes, message):
    arguments = {
        "seed": 1,
        "last_day": LAST_DAY,
        "school_days": [date(2020, 12, day) for day in range(1, 17)],
    }
    with pytest.raises(ValueError, match=message):
        small_district(**arguments | changes)


def test_taps_carry_aware_moments(district):
    assert all(isinstance(check.tapped_at, datetime) and check.tapped_at.tzinfo for check in district.checks)


def test_the_page_of_this_room_runs():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, tried > 0) == (0, True)


def test_whoever_is_at_school_with_symptoms_has_a_symptom(district):
    at_school = [f for check in district.checks for f in check.findings if f.status == "symptoms"]
    assert at_school
    assert all(finding.symptoms for finding in at_school)
