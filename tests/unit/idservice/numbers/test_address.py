import pytest

from idservice.numbers.address import mask_address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("203.0.113.9", "203.0.113.*"),
        ("127.0.0.1", "127.0.0.*"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002:*"),
        ("::ffff:203.0.113.9", "203.0.113.*"),
        ("", None),
        (None, None),
        ("unknown", None),
    ],
)
def test_an_address_is_shown_roughly(address: str | None, shown: str | None) -> None:
    assert mask_address(address) == shown
