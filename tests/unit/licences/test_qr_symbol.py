"""QR symbols against `qrcode` as shipped: the same modules, so the same version, mask and error correction."""

import random

import pytest
import qrcode
from qrcode.constants import ERROR_CORRECT_M

from licences.qr_symbol import TooLongError, symbol

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def payload(rng: random.Random, number: int) -> str:
    length = rng.choice((rng.randrange(1, 60), rng.randrange(1, 420)))
    digits = "".join(rng.choices("0123456789", k=length))
    return (
        digits,
        "".join(rng.choices(ALPHANUMERIC, k=length)),
        "".join(chr(rng.randrange(32, 127)) for _ in range(length)),
        f"HTTPS://LICENCES.EXAMPLE.CN/V#{digits}",
        "".join(rng.choices("核验证照abc1", k=length)),
    )[number % 5]


def shipped(text: str) -> tuple[int, list[list[bool]]]:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M)
    code.add_data(text)
    code.make()
    return code.version, [[bool(module) for module in row] for row in code.modules]


def test_two_hundred_random_payloads_give_the_very_same_symbols() -> None:
    rng = random.Random(18004)
    for number in range(200):
        text = payload(rng, number)
        found = symbol(text)
        assert (found.version, [[module == "1" for module in row] for row in found.rows]) == shipped(text), text


@pytest.mark.parametrize("version", [1, 6, 7, 9, 10, 14, 21, 27, 32, 40])
def test_the_fullest_text_of_a_version(version: int) -> None:
    capacity = qrcode.util.BIT_LIMIT_TABLE[ERROR_CORRECT_M][version]
    text = "a" * ((capacity - 4 - (8 if version < 10 else 16)) // 8)
    assert symbol(text).version == version
    assert shipped(text)[1] == [[module == "1" for module in row] for row in symbol(text).rows]


def test_digits_in_an_address_are_a_segment_of_their_own() -> None:
    text = "HTTPS://LICENCES.EXAMPLE.CN/V#" + "1234567890" * 56
    assert symbol(text).version == 12
    plain = qrcode.QRCode(error_correction=ERROR_CORRECT_M)
    plain.add_data(text, optimize=0)
    assert plain.best_fit() == 19


def test_a_text_for_no_symbol_is_refused() -> None:
    with pytest.raises(TooLongError):
        symbol("a" * 2_332)
    assert symbol("a" * 2_331).version == 40
