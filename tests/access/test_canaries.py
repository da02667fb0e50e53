"""No sensitive field reaches anybody for whom the field matrix has less than the whole."""

import re

from tests.access.matrix import ROLES
from tests.architecture.source import none

TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def test_no_canary_is_in_an_answer_to_whoever_may_not_see_its_field(walked, capsys):
    _district, canaries, crawl = walked
    found = [
        f"{canary.field} in {answer}"
        for answer in crawl.answers
        for canary in canaries.planted
        if answer.actor not in canary.shown_to
        and (canary.text in answer.text or in_headers(answer, canary.text))
    ]
    with capsys.disabled():
        print(f"\ncanaries: {len(canaries.planted)} in {len(crawl.answers)} answers, found={len(found)}")
    none(found)


def in_headers(answer, text: str) -> bool:
    return any(text in value for value in answer.headers.values())


def test_no_canary_is_in_an_address_a_title_a_log_or_a_row_that_is_sent(walked):
    _district, canaries, crawl = walked
    found = []
    for canary in canaries.planted:
        found += [
            f"{canary.field} in the title or an address of {answer}"
            for answer in crawl.answers
            if canary.text in answer.url
            or canary.text in "".join(TITLE.findall(answer.text))
            or in_headers(answer, canary.text)
        ]
        found += [
            f"{canary.field} in {where}" for where, text in canaries.records.items() if canary.text in text
        ]
        if canary.text in crawl.logged:
            found.append(f"{canary.field} in the log")
    none(found)


def test_whoever_may_see_a_canary_that_pages_show_is_shown_it(walked):
    """Else the tests above would pass on empty pages."""
    _district, canaries, crawl = walked
    unseen = []
    for canary in canaries.planted:
        if canary.is_shown:
            seen_by = {answer.actor for answer in crawl.answers if canary.text in answer.text}
            unseen += [f"{canary.field} to {actor}" for actor in (canary.shown_to & set(ROLES)) - seen_by]
    # Clerks have no page of names yet.
    none([each for each in unseen if "school_clerk" not in each])
