"""When an hour is not like the others."""

from licences.guard.baseline import FACTOR, FLOOR, threshold


def test_the_median_of_busy_hours_decides_and_one_wild_hour_does_not_move_it() -> None:
    busy = [1000, 1100, 900, 1050, 1_000_000]
    assert threshold(busy) == FACTOR * 1050


def test_a_quiet_city_is_not_stopped_by_its_first_busy_hour() -> None:
    assert threshold([3, 5, 2]) == FLOOR
    assert threshold([]) == threshold([1, 1]) == FACTOR * FLOOR
