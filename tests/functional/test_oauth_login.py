"""Login against AUTH-1..4: alike for everybody, locked after five, open for the owner's own device, bounded work."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select, update

from idservice.call import Call
from idservice.login import attempt, device, password, session
from idservice.login.password import set_password
from idservice.models import AuditEntry, LoginSession, Password
from idservice.register import people
from tests.builders import act
from tests.databases import Databases, noting_statements
from tests.identity import AGENT, ALICE, COMPANY, PASSWORD, STRANGER, City, Flow, Page, build_city, citizen_number


def in_earnest(city: City) -> City:
    """Hash the passwords of a city as they are hashed outside: here their cost is part of the question."""

    def set_passwords(call: Call) -> None:
        for subject in (city.alice, city.agent):
            set_password(call, subject, PASSWORD)

    act(city.house, set_passwords)
    return city


@pytest.fixture(scope="module")
def city(city: City) -> City:
    return in_earnest(city)


@pytest.fixture
def derivations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the key derivations, by the length of what goes into them, and make them quick."""
    seen: list[int] = []

    def verify(known: str, secret: bytes) -> bool:
        assert known.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        seen.append(len(secret))
        return known != password.NOBODY and secret == PASSWORD.encode()

    monkeypatch.setattr(password, "_verify", verify)
    return seen


@pytest.fixture
def alice(city: City) -> Iterator[str]:
    yield city.alice
    stmt = update(Password).values(failures=0, locked_until=None)
    act(city.house, lambda call: call.session.execute(stmt) and None)


def row_of(city: City, subject: str) -> Password:
    return act(city.house, lambda call: call.session.get_one(Password, subject))


def text_of(page: Page) -> str:
    """Return the page without what differs from one showing to the next."""
    token = page.form["values"]["csrf_token"]
    return page.text.replace(token, "")


CASES = {
    "wrong": (ALICE, "wrong password"),
    "unknown": (STRANGER, PASSWORD),
    "not_a_number": ("hello", PASSWORD),
    "wrong_check_digit": (ALICE[:-1] + ("0" if ALICE[-1] != "0" else "1"), PASSWORD),
    "an_organisation": (COMPANY, PASSWORD),
    "empty": ("", ""),
    "empty_password": (ALICE, ""),
    "long_password": (ALICE, "x" * 100_000),
    "long_number": ("1" * 100_000, PASSWORD),
    "password_and_more": (ALICE, PASSWORD + "x"),
    "password_cut": (ALICE, PASSWORD[:-1]),
    "nul": (ALICE + "\0", PASSWORD + "\0"),
}


@pytest.mark.parametrize(("number", "secret"), CASES.values(), ids=CASES.keys())
def test_every_failure_looks_the_same_and_costs_one_derivation(
    city: City, alice: str, derivations: list[int], number: str, secret: str
) -> None:
    reference = city.browser().log_in(number=STRANGER, password="another wrong one")
    derivations.clear()
    page = city.browser().log_in(number=number, password=secret)
    assert (page.status, text_of(page)) == (400, text_of(reference))
    assert list(page.headers.keys()) == list(reference.headers.keys())
    assert len(derivations) == 1
    assert derivations[0] <= 1024
    assert number not in page.text or not number


def test_a_failure_asks_the_database_the_same_questions_whoever_it_was(
    city: City, alice: str, derivations: list[int]
) -> None:
    def statements(number: str, secret: str) -> list[str]:
        browser = city.browser()
        page = browser.open("/login")
        with noting_statements(city.house.database) as asked:
            browser.log_in(page, number=number, password=secret)
        return asked

    statements(STRANGER, "wrong password")  # what is made once is made now
    for turn in range(8):  # open, then locked
        wrong, unknown = statements(ALICE, "wrong password"), statements(STRANGER, "wrong password")
        assert wrong == unknown
        assert any(statement.startswith("UPDATE password") for statement in wrong), "the writer is heard too"
        assert turn < 5 or statements(ALICE, PASSWORD) == wrong, "nor does a lock tell that a guess was right"


def test_the_fifth_failure_locks_and_the_right_password_then_looks_wrong(
    city: City, alice: str, derivations: list[int]
) -> None:
    for count in range(1, 6):
        city.browser().log_in(password="wrong password")
        assert row_of(city, alice).failures == count
    locked = city.browser().log_in(password=PASSWORD)
    unknown = city.browser().log_in(number=STRANGER, password=PASSWORD)
    assert (locked.status, text_of(locked)) == (unknown.status, text_of(unknown))
    assert len(derivations) == 7
    assert row_of(city, alice).failures == 5, "a locked account is not locked for longer by knocking"
    act(city.house, lambda call: call.session.execute(update(Password).values(locked_until=datetime.now(UTC))) and None)
    assert city.browser().log_in(password=PASSWORD).status != 400
    assert row_of(city, alice).failures == 0


def test_each_further_failure_locks_for_longer(city: City, alice: str, derivations: list[int]) -> None:
    lasting = []
    for _ in range(8):
        act(city.house, lambda call: call.session.execute(update(Password).values(locked_until=None)) and None)
        before = datetime.now(UTC)
        city.browser().log_in(password="wrong password")
        until = row_of(city, alice).locked_until
        lasting.append(round((until - before).total_seconds() / 60) if until else 0)
    assert lasting == [0, 0, 0, 0, 1, 2, 4, 8]


def test_two_hundred_guesses_at_once_are_five_guesses(city: City, alice: str, derivations: list[int]) -> None:
    pages: list[int] = []
    browsers = [(browser := city.browser(), browser.open("/login")) for _ in range(24)]

    def guess(number: int) -> None:
        browser, page = browsers[number]
        pages.append(browser.log_in(page, password=PASSWORD if number == 23 else "wrong password").status)

    for number in range(8):
        guess(number)
    threads = [threading.Thread(target=guess, args=(number,)) for number in range(8, 24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert pages == [400] * 24, "the right one came too late"
    assert row_of(city, alice).failures == 5


def test_the_owner_gets_in_on_his_own_device_while_strangers_lock_him(
    city: City, alice: str, derivations: list[int]
) -> None:
    home = city.browser()
    home.log_in()
    for _ in range(6):
        city.browser().log_in(password="wrong password")
    assert row_of(city, alice).locked_until is not None
    assert city.browser().log_in().status == 400
    assert home.log_in(home.open("/login")).status != 400
    for _ in range(6):
        city.browser().log_in(password="wrong password")
    agents = city.browser()
    agents.log_in(number=AGENT)
    assert agents.log_in(number=ALICE).status == 400, "somebody else's device is not known"
    act(city.house, lambda call: set_password(call, alice, PASSWORD))
    for _ in range(6):
        city.browser().log_in(password="wrong password")
    assert home.log_in(home.open("/login")).status == 400, "a new password makes every device new"


def test_a_login_begins_a_new_session_and_ends_the_old_one(city: City, alice: str) -> None:
    browser = city.browser()
    browser.log_in()
    first = browser.client.get_cookie(session.COOKIE)
    browser.log_in(browser.open("/login"))
    second = browser.client.get_cookie(session.COOKIE)
    assert first.value != second.value
    assert (second.secure, second.http_only, second.same_site, second.path, second.domain) == (
        True,
        True,
        "Lax",
        "/",
        "localhost",
    )
    assert browser.client.get_cookie(device.COOKIE).secure
    assert alice not in str(browser.client._cookies)
    browser.client.set_cookie(session.COOKIE, first.value)
    assert "/login" in browser.open("/me/apps").url


@pytest.mark.parametrize("value", ["", "x", "é", "a" * 500, "../../x", "' OR 1=1 --", "\ud7ff"])
def test_a_malformed_session_cookie_is_nobody(city: City, value: str) -> None:
    browser = city.browser()
    browser.client.set_cookie(session.COOKIE, value)
    browser.client.set_cookie(device.COOKIE, value)
    assert "/login" in browser.open("/me/apps").url
    assert browser.log_in(number=STRANGER).status == 400


def test_an_idle_or_old_session_is_over(city: City, alice: str) -> None:
    browser = city.browser()
    browser.log_in()
    for column in ("seen_at", "expires_at"):
        past = datetime.now(UTC) - timedelta(days=1)
        assert "/login" not in browser.open("/me/apps").url
        act(
            city.house,
            lambda call, c=column, p=past: call.session.execute(update(LoginSession).values({c: p})) and None,
        )
        assert "/login" in browser.open("/me/apps").url
        browser.log_in(browser.open("/login"))


def test_numbers_are_folded_to_one_account(city: City, derivations: list[int]) -> None:
    number = next(n for n in (citizen_number(f"37160219900301{i:03d}") for i in range(200)) if n.endswith("X"))

    def enrol(call):
        set_password(call, people.enrol(call, number=number, name="赵一"), PASSWORD)

    act(city.house, enrol)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in number)
    for typed in (number, number.lower(), f" {number[:6]} {number[6:14]} {number[14:]} ", wide):
        assert city.browser().log_in(number=typed).status != 400


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "\\\\evil",
        "/a\\b",
        "/a\nb",
        " /me",
        "me",
        "/é",
        "",
    ],
)
def test_after_login_nobody_leaves_the_site(city: City, alice: str, derivations: list[int], to: str) -> None:
    browser = city.browser()
    page = browser.open("/login")
    sent = {**page.form["values"], "to": to, "number": ALICE, "password": PASSWORD}
    answer = browser.client.post("/login", data=sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")


def test_login_needs_its_csrf_token(city: City, derivations: list[int]) -> None:
    answer = city.app.test_client().post("/login", data={"number": ALICE, "password": PASSWORD})
    assert answer.status_code == 403
    assert derivations == []


def test_attempts_are_audited_without_the_number(city: City, alice: str, derivations: list[int]) -> None:
    city.browser().log_in(password="wrong password")
    city.browser().log_in()
    query = select(AuditEntry).where(AuditEntry.deed == "idservice:session:login")
    entries = act(city.house, lambda call: call.session.scalars(query).all())
    by_outcome = {entry.outcome: entry for entry in entries if alice in entry.facts}
    assert by_outcome["done"].actor == f"person:{alice}"
    assert by_outcome["refused"].actor == "nobody"
    assert not any(ALICE in entry.facts or STRANGER in entry.facts for entry in entries)


# --- bounded work, with the limits on


@pytest.fixture
def throttled(databases: Databases, tmp_path: Path) -> Iterator[City]:
    from tests.builders import migrate

    url = databases.fresh(migrate)
    built = in_earnest(build_city(tmp_path, url, unthrottled_loopback=False))
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def statuses(city: City, number: str, tries: int) -> list[int]:
    browser = city.browser()
    page = browser.open("/login")
    return [browser.submit(page, number=number, password="wrong password").status for _ in range(tries)]


def test_too_many_attempts_are_429_for_known_and_unknown_alike(throttled: City, derivations: list[int]) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False):  # a limit counts anew where its minute ends
        known, unknown = statuses(throttled, ALICE, 34), statuses(throttled, STRANGER, 34)
    assert known == unknown == [400] * 30 + [429] * 4
    assert len(derivations) == 60, "what is refused for its number costs no derivation"


def test_one_address_tries_many_numbers_slowly(
    throttled: City, derivations: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "ADDRESS_LIMIT", "60/minute")  # the real one is generous: offices share an address
    with time_machine.travel(datetime.now(UTC), tick=False):
        browser = throttled.browser()
        page = browser.open("/login")
        for serial in range(80):
            browser.submit(page, number=citizen_number(f"37160219700101{serial:03d}"), password=PASSWORD)
    assert len(derivations) == 60


def test_one_password_against_many_numbers_from_everywhere_is_slowed_for_all_but_known_devices(
    throttled: City, derivations: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "CITY_LIMIT", "40/hour")  # the real one is that of a city
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        home = throttled.browser()
        home.log_in()
        derivations.clear()
        clock.shift(timedelta(hours=2))  # the hour begins with whoever guesses
        answers = []
        for serial in range(70):
            browser = throttled.browser()
            browser.client.environ_base["REMOTE_ADDR"] = f"198.51.{serial // 200}.{serial % 200 + 1}"
            answers.append(browser.log_in(number=citizen_number(f"37160219700101{serial:03d}")).status)
        assert answers == [400] * 40 + [429] * 30
        assert len(derivations) == 40
        assert home.log_in(home.open("/login")).status != 429, "whose device is known is not in that queue"


def test_only_a_few_derivations_run_at_once_and_nobody_waits_for_ever(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, lock, release = 0, 0, threading.Lock(), threading.Event()

    def verify(_known: str, _secret: bytes) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        release.wait(timeout=60)
        with lock:
            running -= 1
        return False

    monkeypatch.setattr(password, "_verify", verify)
    monkeypatch.setattr(password, "WAIT_SECONDS", 0.2)
    got: list[int] = []
    browsers = [(browser := city.browser(), browser.open("/login")) for _ in range(8)]
    threads = [
        threading.Thread(target=lambda b=b, p=p: got.append(b.log_in(p, number=STRANGER).status)) for b, p in browsers
    ]
    for thread in threads:
        thread.start()
    for _ in range(1000):
        if len(got) == 6:
            break
        threading.Event().wait(0.05)
    release.set()
    for thread in threads:
        thread.join(timeout=60)
    assert most == city.house.settings.password_hashes_at_once == 2
    assert sorted(got) == [400, 400] + [503] * 6


def test_a_login_that_is_under_way_holds_no_transaction(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    database = city.house.database

    def verify(_known: str, _secret: bytes) -> bool:
        waiting = database._lent._waiting if database._lent is not None else []
        assert database.engine.pool.checkedout() == len(waiting)
        assert not any(pooled.driver_connection.in_transaction for pooled in waiting)
        return False

    monkeypatch.setattr(password, "_verify", verify)
    assert city.browser().log_in(number=STRANGER).status == 400


def test_an_app_behind_the_login_survives_a_wrong_password(city: City, alice: str, derivations: list[int]) -> None:
    browser, flow = city.browser(), Flow("other")
    wrong = browser.log_in(browser.open(flow.url()), password="wrong password")
    assert wrong.status == 400
    assert "应用 other" in wrong.text
    assert "http://127.0.0.1:4001" in wrong.headers["Content-Security-Policy"]
    assert "授权确认" in browser.log_in(wrong).text
