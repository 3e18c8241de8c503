"""An identifier is stored in 36 bytes and read again as it was, whatever it was."""

import random

import pytest

from idservice.numbers import credit_code
from licences import identifier
from licences.identifier_column import pack, span, unpack

ISSUER, TYPE = "113716001000300047", "11379900DM0001075P001"
OURS = identifier.build(TYPE, ISSUER, "65HISCE3R1IIGPUZ11QA", 1)
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def code(chance: random.Random) -> str:
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = "".join(chance.choices(letters, k=2)) + f"{chance.randrange(10**6):06d}"
    inner = "".join(chance.choices(letters, k=8))
    body += inner + credit_code.inner_check_character(inner)
    return body + credit_code.check_character(body)


def made(chance: random.Random) -> str:
    serial = "".join(chance.choices(LETTERS, k=chance.choice((1, 2, 3, 19, 20, 20, 20, 32))))
    return identifier.build(f"{code(chance)}{chance.randrange(1000):03d}", code(chance), serial, chance.randint(1, 999))


def test_one_of_ours_takes_36_bytes() -> None:
    assert len(pack(OURS)) == 36
    assert unpack(pack(OURS)) == OURS


def test_every_identifier_that_can_be_built_is_read_again() -> None:
    chance = random.Random(7)
    codes = {made(chance) for _ in range(2000)}
    packed = {pack(one): one for one in codes}
    assert len(packed) == len(codes)
    assert all(unpack(short) == one for short, one in packed.items())
    assert all(len(short) < len(one) / 2 + 6 for short, one in packed.items())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "\u00ff",
        OURS.lower(),
        OURS[:-1],
        OURS[:-1] + ("0" if OURS[-1] != "0" else "1"),  # another check character
        OURS.replace(ISSUER, "371600"),
        OURS.replace(ISSUER, "113716001000300048"),  # no credit code
        OURS.replace("DM0001075", "DM0001076"),
        OURS.replace(".001.", ".000."),
        OURS.replace(".001.", ".999."),
        OURS.replace("65HISCE3R1IIGPUZ11QA", "0"),
        OURS.replace("65HISCE3R1IIGPUZ11QA", "00"),
        OURS.replace("65HISCE3R1IIGPUZ11QA", "Z" * 64),
        OURS.replace("65HISCE3R1IIGPUZ11QA", "Z" * 65),
        OURS.replace("65HISCE3R1IIGPUZ11QA", "1_1"),
        OURS.replace("65HISCE3R1IIGPUZ11QA", "１"),
        f" {OURS}",
        f"{OURS}\n",
    ],
    ids=lambda text: ascii(text)[-24:],
)
def test_any_other_text_is_read_again_too(text: str) -> None:
    assert unpack(pack(text)) == text


def test_those_of_one_issuer_lie_together() -> None:
    chance = random.Random(11)
    codes = sorted({made(chance) for _ in range(200)} | {OURS}, key=pack)
    for one in (ISSUER, identifier.parts(codes[0]).issuer_code, identifier.parts(codes[-1]).issuer_code):
        bounds = span(one)
        assert bounds is not None
        within = [each for each in codes if bounds[0] <= pack(each) <= bounds[1]]
        assert within == [each for each in codes if identifier.parts(each).issuer_code == one]
    assert span("371600") is None


def test_versions_of_one_licence_stand_in_their_order() -> None:
    codes = [identifier.build(TYPE, ISSUER, "65HISCE3R1IIGPUZ11QA", version) for version in (1, 2, 10, 999)]
    assert sorted(codes, key=pack) == codes
