"""Masked names and telephone numbers (姓名、手机号脱敏): what a page shows of a person who has not agreed to more.

Names of organisations are public and are not masked.
"""

import re

from idservice.numbers.fold import InvalidNumber, fold

# Two-character surnames (复姓), simplified and traditional. Those that also read as a surname with a given name,
# such as 贺兰, are left out: to keep one character too few is the safe mistake.
_SURNAMES = """
欧阳 司马 诸葛 上官 东方 皇甫 尉迟 公孙 慕容 令狐 长孙 宇文 司徒 司空 夏侯 端木 南宫 独孤 轩辕 呼延 申屠 太史 钟离 闻人
赫连 澹台 宗政 濮阳 淳于 公羊 公冶 太叔 仲孙 鲜于 闾丘 亓官 司寇 颛孙 壤驷 漆雕 乐正 宰父 谷梁 拓跋 夹谷 段干 百里 东郭
羊舌 梁丘 左丘 西门 第五 万俟 巫马 公西 公良 微生 完颜 纳兰 达奚 褚师 哥舒 豆卢
歐陽 司馬 諸葛 東方 尉遲 公孫 長孫 獨孤 軒轅 鍾離 聞人 赫連 濮陽 南宮 澹臺 鮮于 西門
"""
_COMPOUND_SURNAMES = frozenset(_SURNAMES.split())

_MOBILE = re.compile(r"(?:\+?86)?(1[0-9]{10})")


def mask_name(name: str) -> str:
    """Keep the surname and put one star for each further character: 王小明 -> 王**, 欧阳修文 -> 欧阳**; never raises.

    Of a name without a Chinese surname (SMITH JOHN, 买买提·艾力) the first character stays, and spaces, dots and
    hyphens keep their place. A single character is hidden, since it would be the whole name.
    """
    visible = "".join(character for character in name.strip() if character.isprintable())
    kept = 2 if len(visible) > 2 and visible[:2] in _COMPOUND_SURNAMES else 1
    if len(visible) <= kept:
        return "*" * len(visible)
    return visible[:kept] + "".join(character if character in " ·•-" else "*" for character in visible[kept:])


def mask_phone(text: str) -> str:
    """Show the first three and last four digits of a mainland mobile number, `138****1234`; never raises.

    A country code 86 is left out. Anything else is hidden whole behind eleven stars.
    """
    try:
        mobile = _MOBILE.fullmatch(fold(text))
    except InvalidNumber:
        mobile = None
    return f"{mobile[1][:3]}****{mobile[1][-4:]}" if mobile else "*" * 11
