"""What may stand on a seal."""

import pytest

from seals.lettering import PictureError, check_code, check_name, check_special, numbered


@pytest.mark.parametrize(
    "name",
    [
        "",
        "三个字",
        "字" * 41,
        "演示 市局",
        "演示\n市局",
        "演示市局\u200b",
        "演示市e\u0301局",
        "演示\u3000市局",
        "演示\ud800市局",
    ],
)
def test_names_that_cannot_stand_on_a_seal(name: str) -> None:
    with pytest.raises(PictureError):
        check_name(name)


def test_names_that_can() -> None:
    assert check_name("示范市公安局（演示）") == "示范市公安局（演示）"
    assert check_special("业务专用章") == "业务专用章"
    assert numbered(99) == "(99)"


@pytest.mark.parametrize("code", ["", "1" * 12, "1" * 14, "1" * 17 + "x", "１" * 18, "1" * 18 + "\n"])
def test_codes_that_are_none(code: str) -> None:
    with pytest.raises(PictureError):
        check_code(code, (13, 18))
