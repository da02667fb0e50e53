"""Invented Chinese names, put together at random from common surnames and given-name characters."""

from __future__ import annotations

from typing import Literal

from xiaodun.engine.simulation.dice import Dice

__all__ = ["draw_name"]

# Rough frequencies: enough for a roster to look like one. The last row holds surnames that are read otherwise
# than the character usually is (单 曾 解 仇) and compound ones: search and sorting must get them right.
_SURNAMES: tuple[tuple[str, float], ...] = (
    *((surname, 7.0) for surname in "王李张刘陈"),
    *((surname, 2.5) for surname in "杨赵黄周吴徐孙胡朱高林何郭马"),
    *((surname, 1.2) for surname in "罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈彭吕苏卢蒋蔡贾丁魏薛叶阎"),
    *((surname, 0.5) for surname in "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史"),
    *((surname, 0.3) for surname in ("曾", "单", "解", "仇", "欧阳", "上官", "司马")),
)
_GIVEN: dict[Literal["M", "F"], str] = {
    "M": "浩宇轩泽睿晨航凯俊杰博文昊天志远嘉铭子涵一诺奕辰瑞霖启明景逸承恩思源家乐柏安亦凡",
    "F": "雨萱诗涵梓欣怡可馨语桐思彤佳琪梦瑶雅静若曦婉清芷兰艺晴心妍书瑾乐瑶念安知夏予希",
}
_TWO_CHARACTERS = 0.82


def draw_name(dice: Dice, sex: Literal["M", "F"]) -> str:
    """A name of a surname and one or two given characters."""
    surname = dice.pick_weighted(_SURNAMES)
    given = dice.pick(_GIVEN[sex])
    if dice.happens(_TWO_CHARACTERS):
        given += dice.pick(_GIVEN[sex])
    return surname + given
