"""GB 32100-2015 unified social credit code (统一社会信用代码), both check characters.

Clause 4: registering department, category, six digits of region, nine characters of organisation code (组织机构代码,
GB 11714 with its own check character), one check character (annex A). Letters are A-Z without I O S V Z.
The department's letter is not tied to a closed list: rural collectives (N), the army (A) and others (Y) are valid.
"""

import re
from dataclasses import dataclass, field

from idservice.numbers import regions
from idservice.numbers.fold import InvalidNumber, fold

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))

_INNER_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_INNER_CHECK_CHARACTERS = "0123456789X"

_LETTER = f"[{_ALPHABET}]"
_INNER_BODY = re.compile(f"{_LETTER}{{8}}")
_BODY = re.compile(f"{_LETTER}{{2}}[0-9]{{6}}{_LETTER}{{8}}[0-9X]")
_CODE = re.compile(f"{_BODY.pattern}{_LETTER}")

DEPARTMENTS = {
    "1": "机构编制",
    "2": "外交",
    "3": "司法行政",
    "4": "文化",
    "5": "民政",
    "6": "旅游",
    "7": "宗教",
    "8": "工会",
    "9": "市场监督管理",
    "A": "军队",
    "N": "农业农村",
    "Y": "其他",
}
"""Registering departments (登记管理部门) by the first character."""

CATEGORIES = {
    "11": "机关",
    "12": "事业单位",
    "13": "群众团体",
    "19": "其他",
    "51": "社会团体",
    "52": "民办非企业单位",
    "53": "基金会",
    "59": "其他",
    "91": "企业",
    "92": "个体工商户",
    "93": "农民专业合作社",
    "N1": "组级集体经济组织",
    "N2": "村级集体经济组织",
    "N3": "乡镇级集体经济组织",
}
"""Kinds of organisation (机构类别) by the first two characters, as far as they are known."""


@dataclass(frozen=True, slots=True)
class CreditCode:
    """What a valid code says; a sole trader's code leads to a person, so `repr` leaves the code out."""

    code: str = field(repr=False)
    department: str
    department_name: str | None
    category: str
    category_name: str | None
    region_code: str
    """Region of registration; 100000 stands for the nation."""
    region_name: str | None
    organisation_code: str = field(repr=False)
    warnings: tuple[str, ...]
    """`department_unknown` and `region_unknown`: our tables lag behind the registrars, so neither is a refusal."""


def normalise(text: str) -> str:
    """Fold what was typed. Raises `InvalidNumber("length")` above 64 characters, and nothing else."""
    return fold(text)


def check_character(body: str) -> str:
    """Return the last character of a code from its first 17 (GB 32100 annex A). Raises `InvalidNumber`.

    The inner check character must stand in `body` already: see `inner_check_character`.
    """
    if not _BODY.fullmatch(body):
        raise InvalidNumber("alphabet" if len(body) == 17 else "length")
    return _check_character(body)


def inner_check_character(body: str) -> str:
    """Return the ninth character of an organisation code from its first eight (GB 11714). Raises `InvalidNumber`."""
    if not _INNER_BODY.fullmatch(body):
        raise InvalidNumber("alphabet" if len(body) == 8 else "length")
    return _inner_check_character(body)


def check(text: str) -> str:
    """Return the normalised code, or raise `InvalidNumber` (length, alphabet, check_digit, inner_check_digit)."""
    code = fold(text)
    if not _CODE.fullmatch(code):
        raise InvalidNumber("alphabet" if len(code) == 18 else "length")
    if _check_character(code[:17]) != code[17]:
        raise InvalidNumber("check_digit")
    if _inner_check_character(code[8:16]) != code[16]:
        raise InvalidNumber("inner_check_digit")
    return code


def is_valid(text: str) -> bool:
    """Say whether `check` would return."""
    try:
        check(text)
    except InvalidNumber:
        return False
    return True


def parts(text: str) -> CreditCode:
    """Return what a valid code says; raises as `check` does."""
    code = check(text)
    department_name = DEPARTMENTS.get(code[0])
    region_code = code[2:8]
    region_name = "全国" if region_code == "100000" else regions.name(region_code)
    known = {"department_unknown": department_name, "region_unknown": region_name}
    return CreditCode(
        code=code,
        department=code[0],
        department_name=department_name,
        category=code[1],
        category_name=CATEGORIES.get(code[:2]),
        region_code=region_code,
        region_name=region_name,
        organisation_code=code[8:17],
        warnings=tuple(warning for warning, found in known.items() if found is None),
    )


def mask(text: str) -> str:
    """Show the first eight and last two characters, `91371600********4L`; never raises.

    Who registered it and where is no secret; the organisation code is the identity and stays hidden. What does not have
    the shape of a code is hidden whole behind 18 stars.
    """
    try:
        code = fold(text)
    except InvalidNumber:
        code = ""
    return f"{code[:8]}{'*' * 8}{code[-2:]}" if _CODE.fullmatch(code) else "*" * 18


def _check_character(body: str) -> str:
    total = sum(_VALUES[character] * weight for character, weight in zip(body, _WEIGHTS, strict=True))
    return _ALPHABET[-total % 31]


def _inner_check_character(body: str) -> str:
    # GB 11714 counts letters on from A = 10 without the gaps of GB 32100, which is just base 36.
    total = sum(int(character, 36) * weight for character, weight in zip(body, _INNER_WEIGHTS, strict=True))
    return _INNER_CHECK_CHARACTERS[-total % 11]
