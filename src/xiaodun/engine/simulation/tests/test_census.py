"""The people of a district: the bulletin's numbers, homes, rooms, lessons; a seed means one district."""

import hashlib
from collections import Counter

import numpy as np
import pytest

from xiaodun.engine.simulation import GroupKind, Kind, build_census, bulletin_district, city, name_text
from xiaodun.engine.simulation.invented import GIVEN_NAMES, SURNAMES

SCHOOLS = {Kind.PRIMARY, Kind.NINE_YEAR, Kind.JUNIOR, Kind.SENIOR}


def only(*codes, district=0):
    return [plan for plan in bulletin_district(district) if plan.code in codes]


@pytest.fixture(scope="module")
def district():
    return build_census(seed=1, school_year=2020)


def fingerprint(census):
    parts = (census.institutions, census.grades, census.groups, census.persons)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def people_of(census, code, district=0):
    """What an institution draws by itself: everything but ties to others and row numbers."""
    row = next(n for n, plan in enumerate(census.plans) if (plan.district, plan.code) == (district, code))
    persons = census.persons[census.persons["institution"] == row]
    first_group = census.institutions[row]["first_group"]
    rooms = np.where(persons["room"] >= 0, persons["room"] - first_group, -1)
    own = [persons[name] for name in ("is_staff", "sex", "born", "surname", "given", "number")]
    return np.column_stack([*own, persons["group"] - first_group, rooms])


def test_the_district_has_the_institutions_and_machines_of_the_bulletin(district):
    kinds = Counter(Kind(kind) for kind in district.institutions["kind"])
    assert sum(kinds[kind] for kind in SCHOOLS) == 14
    assert (kinds[Kind.KINDERGARTEN], kinds[Kind.TRAINING], kinds[Kind.COLLEGE]) == (36, 33, 5)
    counted = district.institutions[np.isin(district.institutions["kind"], [*SCHOOLS, Kind.KINDERGARTEN])]
    assert counted["is_public"].sum() == 18
    assert district.institutions["machines"].sum() == counted["machines"][counted["is_public"]].sum() == 44


def test_it_has_some_sixty_five_thousand_people_of_plausible_ages(district):
    assert 64_000 < len(district.persons) < 66_000
    pupils = district.persons[~district.persons["is_staff"]]
    ages = district.grades["age"][district.groups["grade"][pupils["group"]]]
    assert set((2020 - pupils["born"]) - ages) == {0, 1}
    assert 0.5 < (pupils["sex"] == 0).mean() < 0.56


def test_every_group_has_the_members_that_its_size_says(district):
    persons, groups = district.persons, district.groups
    for field, kinds in (
        ("group", (GroupKind.CLASS, GroupKind.DEPARTMENT)),
        ("room", (GroupKind.DORMITORY,)),
        ("lesson", (GroupKind.LESSON,)),
    ):
        members = persons[field][persons[field] >= 0]
        of_kind = np.isin(groups["kind"], kinds)
        assert set(groups["kind"][members]) == set(kinds)
        assert (np.bincount(members, minlength=len(groups))[of_kind] == groups["size"][of_kind]).all()
    sizes = groups[groups["kind"] == GroupKind.CLASS]
    for institution, plan in enumerate(district.plans):
        own = sizes["size"][sizes["institution"] == institution]
        assert all(plan.class_size[0] <= size <= plan.class_size[1] for size in own)


def test_numbers_in_a_roster_run_from_one_and_names_differ(district):
    persons = district.persons
    for group in range(0, len(district.groups), 97):
        members = persons[persons["group"] == group]
        assert list(members["number"]) == list(range(1, len(members) + 1))
    named = np.unique(persons[["group", "surname", "given"]])
    assert len(named) == len(persons)


def test_rooms_hold_boarders_of_one_sex_and_no_more_than_beds(district):
    boarders = district.persons[district.persons["room"] >= 0]
    assert not boarders["is_staff"].any()
    assert set(district.institutions["kind"][boarders["institution"]]) == {
        Kind.NINE_YEAR, Kind.JUNIOR, Kind.SENIOR, Kind.COLLEGE,
    }  # fmt: skip
    assert len(np.unique(boarders[["room", "sex"]])) == len(np.unique(boarders["room"]))
    rooms = district.groups[district.groups["kind"] == GroupKind.DORMITORY]
    beds = np.array([plan.room_size for plan in district.plans])[rooms["institution"]]
    assert (rooms["size"] >= 1).all()
    assert (rooms["size"] <= beds).all()
    mixed = district.groups["number"][boarders["group"]]
    classes = [len(set(mixed[boarders["room"] == room])) for room in np.unique(boarders["room"])[:50]]
    assert np.mean(classes) > 2


def test_homes_have_at_most_three_children_and_a_third_of_the_children_have_siblings(district):
    homes = district.persons["household"]
    assert (homes[district.persons["is_staff"]] == -1).all()
    found, children = np.unique(homes[homes >= 0], return_counts=True)
    assert children.max() == 3
    assert 0.3 < children[children > 1].sum() / children.sum() < 0.42
    schools_of = [set(district.persons["institution"][homes == home]) for home in found[children > 1][:200]]
    assert sum(len(schools) > 1 for schools in schools_of) > 150


def test_a_lesson_is_taken_besides_a_school_in_a_training_body(district):
    both = district.persons[district.persons["lesson"] >= 0]
    assert 1_500 < len(both) < 5_000
    assert set(district.institutions["kind"][both["institution"]]) == {
        Kind.PRIMARY,
        Kind.NINE_YEAR,
        Kind.JUNIOR,
    }
    bodies = district.groups["institution"][both["lesson"]]
    assert set(district.institutions["kind"][bodies]) == {Kind.TRAINING}


def test_names_come_from_the_invented_table_only(district):
    assert district.persons["surname"].max() < len(SURNAMES)
    assert district.persons["given"].max() < GIVEN_NAMES
    texts = {name_text(surname, given) for surname in (0, len(SURNAMES) - 1) for given in range(GIVEN_NAMES)}
    assert len(texts) == 2 * GIVEN_NAMES
    assert {len(text) for text in texts} == {3, 4}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(district):
    again = build_census(seed=1, school_year=2020)
    assert fingerprint(again) == fingerprint(district)
    plans = only("p07", "j03", "t02")
    one, other = (build_census(seed=seed, school_year=2020, plans=plans) for seed in (1, 2))
    assert fingerprint(one) != fingerprint(other)


def test_these_bytes_are_the_same_on_every_machine():
    census = build_census(seed=7, school_year=2020, plans=only("p07", "n02", "k05", "t02"))
    assert fingerprint(census) == "fb8619ff989963b42e2983ea011a480f2a45d0318b6bf4a06a262395ccd3fff3"


def test_a_schools_people_do_not_depend_on_what_is_built_with_it(district):
    alone = build_census(seed=1, school_year=2020, plans=only("s02"))
    among = build_census(
        seed=1, school_year=2020, plans=[*only("t01", "s02")[::-1], *only("s02", district=3)]
    )
    expected = people_of(district, "s02")
    assert (people_of(alone, "s02") == expected).all()
    assert (people_of(among, "s02") == expected).all()
    far = people_of(among, "s02", district=3)
    assert far.shape != expected.shape or (far != expected).any()


def test_a_city_has_as_many_people_as_asked_for_and_one_school_at_least():
    assert [plan.code for plan in city(1)] == ["p01"]
    census = build_census(seed=1, school_year=2020, plans=city(150_000))
    assert 150_000 * 0.97 < len(census.persons) < 150_000 * 1.1
    assert set(census.institutions["district"]) == {0, 1, 2}


def test_codes_name_every_group_of_a_district_once(district):
    codes = [district.group_code(group) for group in range(len(district.groups))]
    assert len(set(codes)) == len(codes)
    assert {"p01-1-1", "k36-3-2", "s01-d1", "t33-l1", "c01-staff1"} <= set(codes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed"),
        ({"plans": []}, "at least one"),
        ({"plans": only("p01") * 2}, "twice"),
    ],
)
def test_what_cannot_be_built_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_census(**{"seed": 1, "school_year": 2020, **arguments})


def test_districts_and_cities_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="numbered from 0"):
        bulletin_district(-1)
    with pytest.raises(ValueError, match="at least one person"):
        city(0)
