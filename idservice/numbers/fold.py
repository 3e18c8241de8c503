"""Folding (折叠): what a person typed, pasted or scanned becomes the form a standard writes, or is refused.

Folding may only undo what a keyboard, an input method or a clipboard does to the same characters. It is therefore a
short closed table and not Unicode NFKC, which would also turn ① ² ½ 𝟏 or the long s into digits and letters nobody
wrote. Hyphens stay, and are refused later: no number here is written with one.
"""

from typing import Final

MESSAGES: Final = {
    "length": "位数不对 / wrong number of characters",
    "alphabet": "含有不该出现的字符 / contains a character that does not belong",
    "birth_date": "出生日期不存在或晚于今天 / the birth date does not exist or lies in the future",
    "check_digit": "校验码不符 / the check digit does not match",
    "inner_check_digit": "组织机构代码的校验码不符 / the organisation code's own check digit does not match",
    "form": "不是电子证照标识的格式 / not in the form of a licence identifier",
    "type_code": "证照类型代码不合规 / not a licence type code",
    "issuer_code": "颁发机构代码不合规 / not an issuer's credit code",
    "serial": "流水号不合规 / not a serial number",
    "version": "版本号不合规 / not a version number",
}
"""The closed list of reasons for which a number is refused, each with its sentence (zh-CN / English)."""


class InvalidNumber(ValueError):
    """A text that is not the number it should be.

    `code` is stable and one of `MESSAGES`. The text itself is never part of the message: messages reach logs and pages.
    """

    def __init__(self, code: str) -> None:
        super().__init__(MESSAGES[code])
        self.code = code

    def __reduce__(self) -> tuple[type["InvalidNumber"], tuple[str]]:
        """Pickle by the code: the default would hand the message to the constructor."""
        return InvalidNumber, (self.code,)


# Invisible marks that text from web pages and office files carries along. Those that reverse the reading order (U+200F,
# U+202B, U+202E, U+2067) are left in, and so refused: under them a person sees another number than we read.
_INVISIBLE = "\u200b\u200c\u200d\u200e\u202a\u202c\u202d\u2060\u2066\u2068\u2069\ufeff"
_SPACES = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_FULL_WIDTH = 0xFEE0  # distance from an ASCII character to its full-width form

_TABLE: Final[dict[int, str | None]] = {
    **{code: chr(code).upper() for code in range(ord("a"), ord("z") + 1)},
    **{code + _FULL_WIDTH: chr(code).upper() for code in range(ord("!"), ord("~") + 1) if chr(code).isalnum()},
    ord("．"): ".",  # both are what the full-stop key gives while a Chinese input method is on
    ord("。"): ".",
    **dict.fromkeys(map(ord, _SPACES + _INVISIBLE)),
}


def fold(text: str, *, limit: int = 64) -> str:
    """Return `text` in upper-case half-width form without spaces and invisible marks; folding twice changes nothing.

    The length is bounded before any work: raises `InvalidNumber("length")` if `text` has more than `limit` characters.
    """
    if len(text) > limit:
        raise InvalidNumber("length")
    if text.isascii() and text.isalnum():  # nearly every call: a clean number
        return text.upper()
    return text.translate(_TABLE)
