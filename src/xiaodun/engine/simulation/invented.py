"""Names that nobody is likely to bear: usual surnames with given names from words that parents do not use.

The given name joins a plant or a mineral with a thing of the field, the water or the study (苇檐, 榛埂). Both
tables were put together for this purpose; a bearer of such a name would be chance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xiaodun.engine.simulation.streams import draw_index

__all__ = ["GIVEN_NAMES", "SURNAMES", "draw_names", "name_text"]

_BY_FREQUENCY = (
    ("王李张刘陈", 7.0),
    ("杨赵黄周吴徐孙胡朱高林何郭马", 2.5),
    ("罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈彭吕苏卢蒋蔡贾丁魏薛叶阎", 1.2),
    ("余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史", 0.5),
    ("曾单解仇", 0.3),
)
_COMPOUND = ("欧阳", "上官", "司马")
SURNAMES: tuple[str, ...] = (*(each for row, _ in _BY_FREQUENCY for each in row), *_COMPOUND)
_WEIGHTS = (*(weight for row, weight in _BY_FREQUENCY for _ in row), *(0.3 for _ in _COMPOUND))

_FIRST = "".join(
    (
        "苇稷檀槿芥蕨菘藜桕楸椴柘榛栎枳荇蒲荻蓼茴薏菽黍苋茭芡莼藕蕹荸",
        "菱榆槭桤枫楝栾椿樟杉桧柏橡榕砾砂砺硝矾釉陶铅锡汞硫磷钙",
    )
)
_SECOND = "".join(
    (
        "檐笺瓯篱陂渡埙槛汀栈垄埂畦橹盏犁耙镰筐箩筛臼碓磨碾井闸堰渠堤",
        "埠桥亭廊轩窗阶瓦椽梁橱案凳屏帘席毡笠蓑屐杖壶钵瓮缸罐盆",
    )
)
GIVEN_NAMES = len(_FIRST) * len(_SECOND)


def draw_names(
    u_surname: npt.NDArray[np.float64], u_given: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Numbers of surnames, by their frequency, and of given names, all equally likely."""
    return draw_index(u_surname, _WEIGHTS), (u_given * GIVEN_NAMES).astype(np.int64)


def name_text(surname: int, given: int) -> str:
    """The name that the two numbers stand for."""
    first, second = divmod(int(given), len(_SECOND))
    return SURNAMES[surname] + _FIRST[first] + _SECOND[second]
