"""What may stand on a seal (印文): names, special lines, numbers and codes, checked before anything is drawn."""

from __future__ import annotations

import re
import unicodedata

SHORTEST_NAME, LONGEST_NAME = 4, 40
LONGEST_SPECIAL = 12
CODE_LENGTHS = (13, 18)  # the code of the filing (印章防伪编码), the unified social credit code
_CODE = re.compile(r"[0-9A-Z]+")


class PictureError(ValueError):
    """A text that cannot be set on a seal."""


def check_name(name: str) -> str:
    """Return the name of a unit; raise PictureError unless it has 4 to 40 characters that can stand on a seal."""
    return check_text(name, SHORTEST_NAME, LONGEST_NAME)


def check_special(special: str) -> str:
    """Return the line of a special purpose, 2 to 12 characters, or raise PictureError."""
    return check_text(special, 2, LONGEST_SPECIAL)


def check_text(text: str, shortest: int, longest: int) -> str:
    """Return `text` if it has that many characters and each can stand by itself, else raise PictureError."""
    if not shortest <= len(text) <= longest:
        raise PictureError(f"{shortest} to {longest} characters fit, not {len(text)}")
    # Marks would be turned apart from their letter; spaces and controls leave holes.
    if any(unicodedata.category(character)[0] in "MZC" for character in text):
        raise PictureError("spaces, combining marks and control characters cannot stand on a seal")
    return text


def check_code(code: str, lengths: tuple[int, ...]) -> str:
    """Return a code of one of these lengths, digits and capitals, or raise PictureError."""
    if len(code) not in lengths or not _CODE.fullmatch(code):
        raise PictureError(f"a code has {' or '.join(map(str, lengths))} digits and capital letters")
    return code


def numbered(number: int) -> str:
    """Return the number of one of several seals of a purpose as it stands on the seal, or raise PictureError."""
    if not 1 <= number <= 99:
        raise PictureError("seals of a purpose are numbered 1 to 99")
    return f"({number})"
