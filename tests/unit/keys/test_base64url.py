import random

import pytest

from keys.base64url import b64u, unb64u


@pytest.mark.parametrize(
    "text", ["A", "AAAAA", "AA==", "AA=", "AB", "AAB", "A A", "AA\n", "AA+A", "AA/A", "ＡA", "AA.A", "-", "=", "AAA\0"]
)
def test_refused(text):
    with pytest.raises(ValueError):
        unb64u(text)


def test_round_trip_of_every_length():
    source = random.Random(4648)
    for length in range(70):
        data = source.randbytes(length)
        assert unb64u(b64u(data)) == data


def test_every_text_has_one_meaning():
    """Of all two- and three-character endings exactly as many are accepted as there are byte strings."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    def accepted(text: str) -> bool:
        try:
            return b64u(unb64u(text)) == text
        except ValueError:
            return False

    assert sum(accepted(a + b) for a in alphabet for b in alphabet) == 256
    assert sum(accepted("AA" + b) for b in alphabet) == 16
