import pytest

from seals.position import Box, Position, PositionError, around, corner

A4, SEAL = (210.0, 297.0), (42.0, 42.0)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(Position(), (143, 230)), (Position(x=0, y=0), (0, 0)), (Position(x=168, y=255), (168, 255))],
)
def test_the_corner_of_a_seal(wanted: Position, found: tuple[float, float]) -> None:
    assert corner(wanted, A4, SEAL) == found


@pytest.mark.parametrize(("wanted", "field"), [(Position(x=169, y=0), "x"), (Position(x=0, y=-1), "y")])
def test_a_corner_outside_is_named(wanted: Position, field: str) -> None:
    with pytest.raises(PositionError) as caught:
        corner(wanted, A4, SEAL)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("text", "found"),
    [(Box(100, 100, 20, 4), (89, 81)), (Box(0, 0, 10, 4), (0, 0)), (Box(205, 290, 10, 4), (168, 255))],
)
def test_around_a_text_and_moved_onto_the_page(text: Box, found: tuple[float, float]) -> None:
    assert around(text, A4, SEAL) == found


def test_a_page_smaller_than_the_seal_has_no_room() -> None:
    with pytest.raises(PositionError):
        around(Box(1, 1, 1, 1), (40, 40), SEAL)
