import base64
import random

import pyotp
import pytest

from idservice.login import totp

# RFC 6238 appendix B, SHA-1: time, and the code of 8 digits of which 6 are used.
VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(("seconds", "code"), VECTORS.items())
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    assert totp.step_of(SECRET, code[2:], seconds=seconds) == seconds // 30


@pytest.mark.parametrize(("late", "is_good"), [(-61, False), (-30, True), (0, True), (30, True), (61, False)])
def test_one_step_of_grace_on_each_side(late: int, is_good: bool) -> None:
    code = pyotp.TOTP(SECRET).at(1_800_000_015)
    step = totp.step_of(SECRET, code, seconds=1_800_000_015 + late)
    assert step == (1_800_000_015 // 30 if is_good else None)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\n", "-12345", " 12345", "1e5000"])
def test_what_is_no_code(code: str) -> None:
    assert totp.step_of(SECRET, code, seconds=59) is None


def test_a_code_of_two_steps_is_the_newer_one() -> None:
    """Were a code to come twice in a row, counting the newer step leaves no second use."""
    chance = random.Random(7)
    for _ in range(200):
        seconds = chance.randrange(10**9, 2 * 10**9)
        code = pyotp.TOTP(SECRET).at(seconds)
        found = totp.step_of(SECRET, code, seconds=seconds)
        assert found is not None
        assert found >= seconds // 30
        assert pyotp.TOTP(SECRET).generate_otp(found) == code


def test_the_address_is_what_apps_read() -> None:
    read = pyotp.parse_uri(totp.address(SECRET, "王**"))
    assert (read.secret, read.issuer, read.name, read.digits) == (SECRET, "一号通行", "王**", 6)
