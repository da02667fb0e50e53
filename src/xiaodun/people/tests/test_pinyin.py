"""Readings of names: surnames read as surnames, and every reading that somebody may type."""

import pytest

from xiaodun.people.pinyin import COMPOUND_SURNAMES, SURNAMES, initials_of, pinyin_of, search_words_of
from xiaodun.people.policies import mask_name


@pytest.mark.parametrize(
    ("name", "pinyin", "initials"),
    [
        ("王小明", "wang xiao ming", "wxm"),
        ("单伟", "shan/dan wei", "sw/dw"),
        ("曾静", "zeng/ceng jing", "zj/cj"),
        ("仇英", "qiu/chou ying", "qy/cy"),
        ("查明", "zha/cha ming", "zm/cm"),
        ("解冰", "xie/jie bing", "xb/jb"),
        ("区静", "ou/qu jing", "oj/qj"),
        ("盖云", "ge/gai yun", "gy"),
        ("翟明", "zhai/di ming", "zm/dm"),
        ("谌红", "chen/shen hong", "ch/sh"),
        ("欧阳雪", "ou yang xue", "oyx"),
        ("单于兰", "chan/dan yu lan", "cyl/dyl"),
        ("尉迟英", "yu/wei chi ying", "ycy/wcy"),
        ("吕梅", "lv mei", "lm"),
        ("买买提·艾力", "mai mai ti ai li", "mmtal"),
        ("Anna Li", "anna li", "al"),
        ("", "", ""),
    ],
)
def test_a_name_has_its_surname_read_as_a_surname_first(name, pinyin, initials):
    assert (pinyin_of(name), initials_of(name)) == (pinyin, initials)


def test_a_given_name_is_not_read_as_a_surname():
    assert pinyin_of("王解") == "wang jie"


def test_a_search_may_begin_with_either_reading_or_its_initials():
    assert search_words_of("单伟") == ("shanwei", "danwei", "sw", "dw")


def test_every_listed_surname_adds_a_reading_to_the_one_that_is_found_anyway():
    for surname, readings in SURNAMES.items():
        assert "/" in pinyin_of(surname), surname
        assert pinyin_of(surname).split("/")[: len(readings)] == list(readings)
    for surname, readings in COMPOUND_SURNAMES.items():
        assert [each.split("/")[0] for each in pinyin_of(surname + "英").split()[:2]] == list(readings)


@pytest.mark.parametrize(
    ("name", "masked"),
    [("王明", "王*"), ("王小明", "王*明"), ("欧阳小明", "欧**明"), ("王", "王*"), ("", "*")],
)
def test_a_masked_name_keeps_its_ends_only(name, masked):
    assert mask_name(name) == masked
