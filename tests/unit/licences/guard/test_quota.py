"""Keys of counters, and when a day and a minute are over."""

from datetime import UTC, datetime, timedelta

from licences.guard import quota

EVENING = datetime(2026, 3, 1, 15, 59, 30, tzinfo=UTC)  # half a minute before midnight in the city


def test_a_day_is_the_city_s() -> None:
    before, after = (quota.of_operator("look_up", "o", EVENING + timedelta(seconds=s)) for s in (0, 31))
    assert (before.key[-8:], after.key[-8:]) == ("20260301", "20260302")
    assert quota.until_tomorrow(EVENING) == 31
    assert quota.until_next_minute(EVENING) == 30
    assert quota.until_next_minute(EVENING + timedelta(seconds=30)) == 60


def test_everybody_s_hours_lie_between_their_keys_and_nothing_else_does() -> None:
    first, last, this = quota.hours(EVENING, quota.HOURS_KEPT)
    inside = [quota.of_everybody(shard, EVENING - timedelta(hours=h)).key for shard in (0, 15) for h in (0, 1, 190)]
    outside = [
        quota.of_everybody(0, EVENING - timedelta(days=9)).key,
        quota.of_everybody(0, EVENING + timedelta(hours=1)).key,
        quota.of_operator("look_up", "all", EVENING).key,
        quota.of_subject("ff", EVENING).key,
    ]
    assert all(first <= key <= last for key in inside)
    assert not any(first <= key <= last for key in outside)
    start, length = quota.PLACE_OF_HOUR
    assert inside[0][start - 1 : start - 1 + length] == this == "2026030115"


def test_a_key_fits_its_column() -> None:
    keys = [quota.of_operator("look_up", "f" * 32, EVENING).key, quota.of_subject("f" * 64, EVENING).key]
    assert max(map(len, keys)) <= 128
