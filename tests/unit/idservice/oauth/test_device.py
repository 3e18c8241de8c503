import pytest

from idservice.oauth import device


@pytest.mark.parametrize(
    "text", ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "B-C-D-F-G-H-J-K", "BCDF—GHJK", "BCDF－GHJK", "BCDF\u3000GHJK"]
)
def test_a_code_is_read_however_it_is_written(text: str) -> None:
    assert device.fold(text) == "BCDFGHJK"


@pytest.mark.parametrize(
    "text",
    ["", "BCDF", "BCDFGHJKL", "BCDFGHJ1", "ABCDEFGH", "BCDF_GHJK", "ＢＣＤＦＧＨＪＫ", "ß" * 8, "B" * 9 + "-" * 90],
)
def test_what_is_no_code(text: str) -> None:
    assert device.fold(text) is None


def test_the_alphabet_is_that_of_rfc_8628_section_6_1() -> None:
    assert device.ALPHABET == "BCDFGHJKLMNPQRSTVWXZ"
    assert len(device.ALPHABET) ** device.LENGTH > 2.5e10
