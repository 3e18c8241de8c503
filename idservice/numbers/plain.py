"""Plain text (可见文字): a reader sees every character of it, by general category (The Unicode Standard 4.5).

Marks that turn the reading order or take no room make a text look unlike what is stored: an app could bear another's
name on a page where people consent. Pure.
"""

from __future__ import annotations

import unicodedata

#: Control, format (reading order, zero width), surrogate, private use, line and paragraph separators. Unassigned
#: characters pass: new Han characters are in names.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def is_plain(text: str) -> bool:
    """Tell whether every character of `text` is one that a reader sees (or a plain space)."""
    if text.isprintable():  # then no character is of UNSEEN, unassigned or a noncharacter; much faster to ask
        return True
    return not any(unicodedata.category(character) in UNSEEN or _is_noncharacter(character) for character in text)


def _is_noncharacter(character: str) -> bool:
    point = ord(character)
    return point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
