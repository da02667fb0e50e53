"""Search: by number, name, given name, pinyin and initials, over one's own scope, by an index."""

import pytest
from django.db import connection

from tests.factories import TERM
from xiaodun.accounts.selectors import scope_of
from xiaodun.people.models import Person, SearchKey
from xiaodun.people.selectors import found_by, persons_visible_to
from xiaodun.people.services import PersonRow, correct_person, leave_group, register_persons


def names(words: str, scope, day) -> list[str]:
    found = persons_visible_to(scope, day).filter(found_by(words)).order_by("pk")
    return list(found.values_list("name", flat=True))


@pytest.mark.parametrize(
    "words",
    ["单志远", "单", "志远", "志", "shanzhiyuan", "danzhi", "SZY", "dz", " s z y ", "P1-3-1-03", "ｓｚｙ"],
)
def test_a_pupil_is_found_by_any_beginning(cast, words):
    found = names(words, scope_of(cast.clerk, cast.day), cast.day)
    assert "单志远" in found, found
    assert set(found) <= {"单志远", "张欣怡"}


@pytest.mark.parametrize("words", ["", "  ", "·", "远", "zhiyuanshan", "%", "_", "P1-3-1-030"])
def test_what_nobody_begins_with_finds_nobody(cast, words):
    assert names(words, scope_of(cast.clerk, cast.day), cast.day) == []


def test_a_search_stays_within_the_readers_scope(cast):
    teacher, clerk = scope_of(cast.teacher, cast.day), scope_of(cast.clerk, cast.day)
    assert names("wxm", teacher, cast.day) == ["王小明"]
    assert len(names("wxm", clerk, cast.day)) == 4
    # Who reads masked names must not find them in full.
    assert names("wxm", scope_of(cast.officer, cast.day), cast.day) == []
    assert names("wxm", scope_of(cast.guard, cast.day), cast.day) == []


def test_who_has_left_is_found_no_longer(cast):
    pupil = cast.members[cast.class_b.pk][0]
    leave_group(by=cast.clerk, person=pupil, group=cast.class_b, last_day=TERM[0], at=cast.at)
    assert len(names("wxm", scope_of(cast.clerk, cast.day), cast.day)) == 3


def test_a_corrected_name_and_number_are_found_and_the_old_ones_not(cast):
    pupil = cast.pupils[0]
    scope = scope_of(cast.teacher, cast.day)
    correct_person(
        by=cast.clerk, unit=cast.school, person=pupil, name="解小明", number="N7", sex="M", at=cast.at
    )
    assert [names(words, scope, cast.day) for words in ("xxm", "jxm", "n7", "wxm", "P1-3-1-01")] == [
        ["解小明"],
        ["解小明"],
        ["解小明"],
        [],
        [],
    ]


@pytest.mark.postgresql
def test_an_index_leads_to_the_keys_on_both_databases(cast):
    rows = [PersonRow("pupil", f"{number:05d}", "王小明") for number in range(3_000)]
    register_persons(by=None, unit=cast.school, rows=rows, at=cast.at)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = Person.objects.filter(found_by("szy")).explain()
    if connection.vendor == "postgresql":
        assert "one_search_key" in plan, plan
        assert "Seq Scan on people_searchkey" not in plan
    else:
        assert "SEARCH U0 USING COVERING INDEX" in plan, plan
        assert "(key>? AND key<?)" in plan, plan


@pytest.mark.postgresql
def test_keys_are_ordered_by_bytes(cast):
    """Else a range of beginnings would miss some, on a database that sorts as a language does."""
    keys = list(SearchKey.objects.order_by("key").values_list("key", flat=True))
    assert keys == sorted(keys, key=str.encode)
