"""Whether a number is known cannot be told by the clock: 2 x 1,000 requests in turn, Welch's t below 4.5 (AUTH-1).

The long tests measure; that the same work is done is tested, without a clock, beside each of the pages.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.factors import forget_factors
from tests.identity import ALICE, STRANGER, Browser, City, build_city

REQUESTS = 1000
MOST = 4.5


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    url = SqliteDatabases(tmp_path).fresh(migrate)
    built = build_city(tmp_path, url, sms_sender=f"file:{tmp_path / 'sms.jsonl'}")
    yield built
    built.house.database.engine.dispose()


def welch(first: list[float], second: list[float]) -> float:
    """Welch's t of the middle nine tenths: one pause of the machine must not hide a difference, nor make one."""
    one, two = (sorted(times)[len(times) // 20 : -len(times) // 20] for times in (first, second))
    spread = statistics.variance(one) / len(one) + statistics.variance(two) / len(two)
    return (statistics.fmean(one) - statistics.fmean(two)) / math.sqrt(spread)


def compare(ask: Callable[[str], None], known: str, unknown: str, each: Callable[[], None]) -> float:
    taken: dict[str, list[float]] = {known: [], unknown: []}
    for turn in range(REQUESTS):
        if turn % 4 == 0:
            each()
        for number in (known, unknown) if turn % 2 else (unknown, known):
            start = time.perf_counter()
            ask(number)
            taken[number].append(time.perf_counter() - start)
    return welch(taken[known], taken[unknown])


def posted(browser: Browser, page: str, action: str, **values: str) -> Callable[[str], None]:
    form = browser.open(page).form["values"]

    def ask(number: str) -> None:
        browser.client.post(action, data={**form, **values, "number": number})

    return ask


def test_welch_tells_a_difference_and_no_difference() -> None:
    even = [1 + (number % 7) / 100 for number in range(1000)]
    assert abs(welch(even, even[::-1])) < 0.1
    assert abs(welch(even, [value + 0.01 for value in even])) > MOST


@pytest.mark.soak
@pytest.mark.parametrize("secret", ["", "x", "wrong password", "x" * 4096], ids=["empty", "short", "wrong", "long"])
def test_login(city: City, secret: str) -> None:
    ask = posted(city.browser(), "/login", "/login", password=secret)
    t = compare(ask, ALICE, STRANGER, lambda: forget_factors(city))
    assert abs(t) < MOST, t


@pytest.mark.soak
def test_sms_of_a_recovery(city: City) -> None:
    ask = posted(city.browser(), "/recover", "/recover")
    t = compare(ask, ALICE, STRANGER, lambda: forget_factors(city))
    assert abs(t) < MOST, t


@pytest.mark.soak
def test_proof_of_a_recovery(city: City) -> None:
    browser, forms = city.browser(), {}

    def renew() -> None:
        forget_factors(city)
        for number in (ALICE, STRANGER):
            forms[number] = browser.submit(browser.open("/recover"), number=number).form["values"]

    def ask(number: str) -> None:
        browser.client.post("/recover/prove", data={**forms[number], "code": "000000", "name": "别人"})

    t = compare(ask, ALICE, STRANGER, renew)
    assert abs(t) < MOST, t
