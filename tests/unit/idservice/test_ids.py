import re
from datetime import UTC, datetime, timedelta

from idservice.ids import random_id, secret_hash, timed_id

NOW = datetime(2026, 11, 22, 12, 0, 0, 999_000, tzinfo=UTC)


def test_identifiers_are_32_hexadecimal_characters_and_never_the_same() -> None:
    made = {random_id() for _ in range(1000)} | {timed_id(NOW) for _ in range(1000)}
    assert len(made) == 2000
    assert all(re.fullmatch("[0-9a-f]{32}", text) for text in made)


def test_timed_identifiers_sort_by_time() -> None:
    times = [NOW + timedelta(milliseconds=n) for n in (0, 1, 2, 1000, 10**9, 10**12)]
    made = [timed_id(at) for at in times]
    assert made == sorted(made)
    assert int(made[0][:12], 16) == 1795348800999


def test_a_secret_is_stored_as_its_sha256() -> None:
    assert secret_hash("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert secret_hash("口令") != secret_hash("口令 ")
