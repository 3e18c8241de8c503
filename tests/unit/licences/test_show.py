"""A show code as it arrives: by scanner, by hand, through an input method, or not at all."""

import random
import string

import pytest

from licences import show

CODE = "ABCDEFGH0123456789JKMNPQRS"
WIDE = CODE.translate({ord(c): ord(c) + 0xFEE0 for c in string.ascii_uppercase + string.digits})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(CODE, id="as it is"),
        pytest.param(f"  {CODE}\r\n", id="with the scanner's Enter"),
        pytest.param(f"\t{CODE}\t", id="with tabs"),
        pytest.param(CODE.lower(), id="Caps Lock"),
        pytest.param(WIDE, id="full width"),
        pytest.param(" ".join(show.groups(CODE)), id="typed in groups"),
        pytest.param(" ".join(show.groups(CODE)).lower(), id="typed in small groups"),
        pytest.param(f"]Q1{CODE}", id="with the scanner's symbology identifier"),
        pytest.param(f"code: {CODE} thanks", id="among words"),
    ],
)
def test_a_code_is_found(text: str) -> None:
    assert show.find_code(text) == CODE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(CODE[:-1], id="too short"),
        pytest.param(CODE + "0", id="too long"),
        pytest.param(CODE[:-1] + "U", id="a letter that is not used"),
        pytest.param(CODE[:5] + CODE[5].lower() + CODE[6:], id="one small letter"),
        pytest.param(CODE[:5] + WIDE[5] + CODE[6:], id="one wide letter"),
        pytest.param(CODE[:5] + " " + CODE[5:], id="cut in two"),
        pytest.param(CODE + "!", id="with a mark"),
        pytest.param("-" + CODE, id="with a dash"),
        pytest.param(CODE.replace("A", "\u0410"), id="a Cyrillic letter"),
    ],
)
def test_what_only_resembles_a_code_is_none(text: str) -> None:
    assert show.find_code(text) is None


def test_groups_hold_the_whole_code() -> None:
    assert "".join(show.groups(CODE)) == CODE
    assert {len(group) for group in show.groups(CODE)[:-1]} == {4}


def test_random_text_never_raises() -> None:
    rng = random.Random(36906)
    for _ in range(2_000):
        text = "".join(chr(rng.randrange(1, 0x3000)) for _ in range(rng.randrange(60)))
        show.find_code(text)
