"""Counters lose no look, however many come at once."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from idservice.call import Call, House
from licences.guard import counting, quota
from tests.builders import act, build_house, migrate
from tests.databases import Databases

NOW = datetime(2026, 11, 22, 3, 0, 59, tzinfo=UTC)
THREADS, EACH = 8, 5


@pytest.fixture
def house(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    url = databases.fresh(migrate)
    made = build_house(tmp_path_factory.mktemp("counting"), url)
    yield made
    made.database.engine.dispose()
    databases.drop(url)


def look(house: House, operator: str, now: datetime = NOW) -> dict[str, counting.Count]:
    """Count one look of an operator, whose subject and part of the hour everybody shares."""

    def deed(call: Call) -> dict[str, counting.Count]:
        own = quota.of_operator("look_up", operator, now)
        return counting.count(call, [own, quota.of_subject("one", now), quota.of_everybody(0, now)])

    return act(house, deed, now=now)


def test_looks_at_once_are_all_counted(house: House) -> None:
    faults: list[BaseException] = []

    def run(operator: str) -> None:
        try:
            for _ in range(EACH):
                look(house, operator)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=(f"o{place % 2}",)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert faults == []
    found = look(house, "o0")
    assert sorted(count.looks for count in found.values()) == [
        THREADS * EACH // 2 + 1,
        THREADS * EACH + 1,
        THREADS * EACH + 1,
    ]


def test_a_minute_begins_anew_and_the_day_goes_on(house: House) -> None:
    own = quota.of_operator("look_up", "fresh", NOW).key
    assert [look(house, "fresh")[own] for _ in range(2)] == [(1, 1), (2, 2)]
    assert look(house, "fresh", NOW + timedelta(seconds=1))[own] == (3, 1)
    assert look(house, "fresh", NOW + timedelta(seconds=2))[own] == (4, 2)
