"""Whether a number is known cannot be told by the clock: 2 x 1,000 requests in turn, Welch's t below 4.5 (AUTH-1).

The long tests measure; that the same work is done is tested, without a clock, beside each of the pages. Measured are
the wall clock, which is what a visitor has, and the processor's time, on which others on the same machine have less
influence. The key derivation, whose tens of milliseconds would cover a difference, is left out but for one comparison.
The two take turns by chance, the first turns do not count, the garbage collector rests, and of both the fastest and
slowest twentieth are left out. Of three repetitions the one in the middle is judged.
"""

from __future__ import annotations

import gc
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from idservice.login import password
from idservice.oauth import initial_tokens
from tests.builders import act, migrate
from tests.databases import Databases
from tests.factors import forget_factors
from tests.grants import register_apps, start_ciba
from tests.identity import ALICE, PASSWORD, STRANGER, Browser, City, build_city
from tests.staff import Scim, staffed

REQUESTS, WARM_UP, REPETITIONS = 1000, 100, 3
MOST = 4.5
SECRETS = {"empty": "", "short": "x", "wrong": "wrong password", "long": "x" * 4096}
CLOCKS = (time.perf_counter_ns, time.thread_time_ns)

Ask = Callable[[str], Any]


@pytest.fixture
def city(tmp_path: Path, databases: Databases) -> Iterator[City]:
    url = databases.fresh(migrate)
    built = build_city(tmp_path, url, sms_sender=f"file:{tmp_path / 'sms.jsonl'}")
    act(built.house, lambda call: password.set_password(call, built.alice, PASSWORD))
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def welch(first: list[float], second: list[float]) -> float:
    """Welch's t of the middle nine tenths: one pause of the machine must not hide a difference, nor make one."""
    one, two = (sorted(times)[len(times) // 20 : -len(times) // 20] for times in (first, second))
    spread = statistics.variance(one) / len(one) + statistics.variance(two) / len(two)
    return (statistics.fmean(one) - statistics.fmean(two)) / math.sqrt(spread)


def measure(ask: Ask, known: str, unknown: str, each: Callable[[], None], chance: random.Random) -> tuple[float, ...]:
    """Return Welch's t by each of the clocks."""
    taken: dict[str, list[tuple[int, ...]]] = {known: [], unknown: []}
    gc.collect()
    gc.disable()
    try:
        for turn in range(WARM_UP + REQUESTS):
            if turn % 4 == 0:
                each()
            for number in chance.sample((known, unknown), 2):
                before = [clock() for clock in CLOCKS]
                ask(number)
                after = [clock() for clock in CLOCKS]
                taken[number].append(tuple(b - a for a, b in zip(before, after, strict=True)))
    finally:
        gc.enable()
    counted = {who: list(zip(*times[WARM_UP:], strict=True)) for who, times in taken.items()}
    return tuple(welch(list(one), list(two)) for one, two in zip(counted[known], counted[unknown], strict=True))


def tell_apart(
    ask: Ask, known: str, unknown: str, each: Callable[[], None] = lambda: None, *, repetitions: int = REPETITIONS
) -> float:
    """Return by how much the two are told apart: the greater of both clocks' middle repetition."""
    chance = random.Random(1)
    found = [measure(ask, known, unknown, each, chance) for _ in range(repetitions)]
    print(" ".join("/".join(f"{t:+.1f}" for t in one) for one in found))  # noqa: T201 - for `make soak ARGS=-s`
    return max(abs(statistics.median(by_clock)) for by_clock in zip(*found, strict=True))


def posted(browser: Browser, page: str, action: str, **values: str) -> Ask:
    form = browser.open(page).form["values"]

    def ask(number: str) -> None:
        browser.client.post(action, data={**form, **values, "number": number})

    return ask


@pytest.fixture
def no_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "_verify", lambda _known, _given: False)


def test_welch_tells_a_difference_and_no_difference() -> None:
    even = [1 + (number % 7) / 100 for number in range(1000)]
    assert abs(welch(even, even[::-1])) < 0.1
    assert abs(welch(even, [value + 0.01 for value in even])) > MOST


@pytest.mark.soak
def test_a_twentieth_more_work_is_told() -> None:
    """The measurement itself: what it is there to find, it finds."""

    def work(number: str) -> None:
        sum(range(20_000 + 1_000 * (number == ALICE)))

    assert tell_apart(work, ALICE, STRANGER) > MOST
    assert tell_apart(lambda _number: work(""), ALICE, STRANGER) < MOST


@pytest.mark.soak
def test_login_with_its_key_derivation(city: City) -> None:
    ask = posted(city.browser(), "/login", "/login", password=SECRETS["wrong"])
    assert tell_apart(ask, ALICE, STRANGER, lambda: forget_factors(city), repetitions=1) < MOST


@pytest.mark.soak
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_login(city: City, no_derivation: None, secret: str) -> None:
    ask = posted(city.browser(), "/login", "/login", password=secret)
    assert tell_apart(ask, ALICE, STRANGER, lambda: forget_factors(city)) < MOST


@pytest.mark.soak
def test_login_by_the_name_of_a_staff_account(city: City, no_derivation: None) -> None:
    """One that a directory has given to somebody, against one that it has not."""
    Scim(staffed(city)).linked("wang.fang")
    ask = posted(city.browser(), "/login", "/login", password=SECRETS["wrong"])
    assert tell_apart(ask, "wang.fang", "wang.fong", lambda: forget_factors(city)) < MOST


@pytest.mark.soak
def test_login_of_a_locked_account(city: City, no_derivation: None) -> None:
    ask = posted(city.browser(), "/login", "/login", password=SECRETS["wrong"])
    assert tell_apart(ask, ALICE, STRANGER) < MOST


@pytest.mark.soak
def test_sms_of_a_recovery(city: City) -> None:
    ask = posted(city.browser(), "/recover", "/recover")
    assert tell_apart(ask, ALICE, STRANGER, lambda: forget_factors(city)) < MOST


@pytest.mark.soak
@pytest.mark.parametrize("answer", SECRETS.values(), ids=SECRETS.keys())
def test_proof_of_a_recovery(city: City, answer: str) -> None:
    browser, forms = city.browser(), {}

    def renew() -> None:
        forget_factors(city)
        for number in (ALICE, STRANGER):
            forms[number] = browser.submit(browser.open("/recover"), number=number).form["values"]

    def ask(number: str) -> None:
        browser.client.post("/recover/prove", data={**forms[number], "code": answer, "name": "别人"})

    assert tell_apart(ask, ALICE, STRANGER, renew) < MOST


@pytest.mark.soak
def test_an_apps_request_to_a_person(city: City) -> None:
    """CIBA sends a person word by his number."""
    register_apps(city)
    assert tell_apart(lambda number: start_ciba(city, login_hint=number), ALICE, STRANGER) < MOST


@pytest.mark.soak
def test_registration_with_an_initial_token(city: City) -> None:
    """One that was good yesterday, against one that never was. Which clients there are is no secret."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    over = act(
        city.house,
        lambda call: initial_tokens.make(call, name="示范", scope="openid", uses=9, expires_at=yesterday),
        now=yesterday - timedelta(days=1),
    )
    client = city.app.test_client()

    def ask(sent: str) -> None:
        client.post("/oauth/register", headers={"Authorization": f"Bearer {sent}"})

    assert tell_apart(ask, over, over[::-1]) < MOST
