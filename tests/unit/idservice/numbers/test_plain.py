import sys
import unicodedata

import pytest

from idservice.numbers.plain import is_plain


def test_a_plain_text_shows_every_one_of_its_characters() -> None:
    """The quick answer for printable texts is the same as that of the rule, for every character there is."""
    unseen = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        is_noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
        assert is_plain(character) is (unicodedata.category(character) not in unseen and not is_noncharacter), hex(
            point
        )


@pytest.mark.parametrize("mark", "\u202a\u202e\u2066\u2069\u200b\u200f\ufeff\u00ad\u2028\n\0\ud800\ue000")
def test_a_mark_that_nobody_sees_is_not_plain(mark: str) -> None:
    assert not is_plain(f"市民{mark}之家")


@pytest.mark.parametrize("text", ["", "市民之家 (测试)", "王·小明", "𠮷野", "Zoë’s café", "葛\U000e0100城", "１２３"])
def test_what_people_write_is_plain(text: str) -> None:
    assert is_plain(text)
