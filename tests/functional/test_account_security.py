"""/me/security: what may be changed, with which login, and what ends when it is changed. And codes by SMS."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import time_machine
from sqlalchemy import func, select, update

from idservice.login import recovery_codes, sms
from idservice.login.models import RecoveryCode, SentCode, Totp
from idservice.login.security_pages import HOME
from idservice.models import AuditEntry, LoginSession, Person
from tests.builders import act, migrate
from tests.databases import Databases
from tests.factors import SECRET_32, asked_for_more, forget_factors, give_app, messages, now_code
from tests.identity import (
    ALICE,
    OFFLINE,
    PASSWORD,
    Browser,
    City,
    Flow,
    Page,
    build_city,
    is_alive,
    redeem,
    refresh,
)

CHANGES = ("/app", "/remove-app", "/remove-passkey", "/codes", "/password")


@pytest.fixture(scope="module")
def city(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("guarded")
    url = databases.fresh(migrate)
    built = build_city(folder, url, sms_sender=f"file:{folder / 'sms.jsonl'}", demo=True)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture
def sent(city: City) -> Path:
    path = Path(str(city.house.settings.sms_sender).removeprefix("file:"))
    path.unlink(missing_ok=True)
    return path


@pytest.fixture(autouse=True)
def clean(city: City) -> None:
    forget_factors(city)


def visitor(city: City, number: str = ALICE) -> Browser:
    browser = city.browser()
    assert browser.log_in(number=number).status == 200
    return browser


def press(browser: Browser, action: str, **values: str) -> Page:
    """Post a form of the security page as its button does."""
    token = browser.open("/login").form["values"]["csrf_token"]
    return browser.open(HOME + action, {"csrf_token": token, **values})


def with_second_factor(city: City) -> Browser:
    app, browser = give_app(city, city.alice), visitor(city)
    page = browser.open("/login/second")
    assert browser.submit(page, code=now_code(app)).status == 200
    return browser


def test_the_page_shows_what_protects_the_account_and_nothing_in_clear(city: City) -> None:
    page = visitor(city).open(HOME)
    assert page.status == 200
    assert "138****1234" in page.text
    assert "13800001234" not in page.text
    assert ALICE not in page.text


@pytest.fixture
def no_telephone(city: City) -> Iterator[None]:
    """Let Alice have no telephone, and with it no second factor at all."""

    def swap(sealed: bytes | None) -> bytes | None:
        def change(call):
            row = call.session.get_one(Person, city.alice)
            kept, row.phone_sealed = row.phone_sealed, sealed
            return kept

        return act(city.house, change)

    kept = swap(None)
    yield
    swap(kept)


def test_somebody_without_any_adds_an_app_with_a_fresh_password_alone(city: City, no_telephone: None) -> None:
    browser = visitor(city)
    page = browser.open(f"{HOME}/app")
    assert page.url == f"{HOME}/app", "on a new device too: he has nothing else to show"
    secret = "".join(page.text.split('ona-setup__secret">')[1].split("<")[0].split())
    stored = act(city.house, lambda call: call.session.get_one(Totp, city.alice))
    assert secret.encode() not in stored.secret_sealed
    assert stored.confirmed_at is None
    assert browser.open(f"{HOME}/app").text.count(secret[:4]) >= 1, "the same secret, should he look again"
    wrong = browser.submit(page, code="000000" if pyotp.TOTP(secret).now() != "000000" else "000001")
    assert wrong.status == 400
    assert browser.submit(wrong, code=pyotp.TOTP(secret).now()).status == 200
    assert secret not in browser.open(f"{HOME}/app").text, "a secret in use is never shown again"
    asked = browser.open(Flow("other").url(acr_values="urn:ona:acr:two-factor"))
    assert "/oauth/authorize" in asked.url, "the session counts the factor he has just shown"


def test_an_app_is_put_into_use_only_in_the_session_that_was_shown_its_secret(city: City, no_telephone: None) -> None:
    shown, other = visitor(city), visitor(city)
    text = shown.open(f"{HOME}/app").text
    secret = "".join(text.split('ona-setup__secret">')[1].split("<")[0].split())
    refused = press(other, "/app", code=pyotp.TOTP(secret).now())
    assert refused.status == 400
    assert secret[:4] not in refused.text, "nor is it shown there: another one is begun"
    assert press(shown, "/app", code=pyotp.TOTP(secret).now()).status == 400, "the first one is forgotten by then"
    assert act(city.house, lambda call: call.session.get_one(Totp, city.alice)).confirmed_at is None


def test_an_app_that_was_never_confirmed_is_no_factor(city: City, no_telephone: None) -> None:
    browser = visitor(city)
    browser.open(f"{HOME}/app")
    page = asked_for_more(city.browser(), Flow("other"))
    assert 'name="code"' not in page.text


@pytest.mark.parametrize("action", CHANGES)
def test_a_password_alone_changes_nothing_for_somebody_who_has_a_second_factor(city: City, action: str) -> None:
    give_app(city, city.alice)
    page = press(visitor(city), action, code="123456", password="a new long password", again="a new long password")
    assert "/login/second" in page.url
    to = parse_qs(urlsplit(page.url).query)["to"][0]
    assert to == (HOME + action if action in {"/app", "/password"} else HOME), "back to the page with the button"
    assert act(city.house, lambda call: call.session.get(Totp, city.alice)).confirmed_at is not None


@pytest.mark.parametrize("action", CHANGES)
def test_an_old_login_changes_nothing(city: City, action: str) -> None:
    browser = with_second_factor(city)
    past = datetime.now(UTC) - timedelta(minutes=16)
    act(city.house, lambda call: call.session.execute(update(LoginSession).values(auth_time=past)) and None)
    assert "/login/again?" in press(browser, action, code="1").url


@pytest.mark.parametrize("action", CHANGES)
def test_every_change_needs_a_form_token(city: City, action: str) -> None:
    browser = with_second_factor(city)
    assert browser.open(HOME + action, {}).status == 403


def test_an_app_is_removed_by_somebody_who_has_shown_it(city: City) -> None:
    browser = with_second_factor(city)
    assert press(browser, "/remove-app").status == 200
    assert act(city.house, lambda call: call.session.get(Totp, city.alice)) is None


def test_codes_on_paper_are_shown_once_stored_as_hashes_and_good_once(city: City) -> None:
    browser = with_second_factor(city)
    page = press(browser, "/codes")
    codes = [part.split("<")[0] for part in page.text.split("<li><code>")[1:]]
    assert len(set(codes)) == recovery_codes.COUNT
    rows = act(city.house, lambda call: call.session.scalars(select(RecoveryCode)).all())
    assert len(rows) == 10
    assert not any(code.encode() in row.code_hash for row in rows for code in codes)
    other = visitor(city)
    page = other.open("/login/second?way=code")
    assert other.submit(page, code=codes[0].upper().replace("-", " ")).status == 200
    third = visitor(city)
    assert third.submit(third.open("/login/second?way=code"), code=codes[0]).status == 400
    fresh = press(browser, "/codes")
    assert codes[1] not in fresh.text
    assert third.submit(third.open("/login/second?way=code"), code=codes[1]).status == 400, "new ones replace the old"


@pytest.mark.parametrize(
    ("new", "again"),
    [
        ("short", "short"),
        ("a long one", "another long one"),
        ("Password123", "Password123"),
        (f"x{ALICE}x", f"x{ALICE}x"),
        ("my13800001234", "my13800001234"),
        ("p" * 2000, "p" * 2000),
        ("", ""),
    ],
)
def test_a_weak_password_is_refused(city: City, new: str, again: str) -> None:
    page = press(with_second_factor(city), "/password", password=new, again=again)
    assert page.status == 400
    assert new not in page.text or not new
    assert visitor(city)


def test_a_new_password_ends_other_sessions_and_all_tokens_and_tells_the_telephone(city: City, sent: Path) -> None:
    here, elsewhere, flow = with_second_factor(city), visitor(city), Flow(scope=OFFLINE)
    got = redeem(city.app, flow, elsewhere.code(flow)).json
    mine = redeem(city.app, flow, here.code(flow)).json
    try:
        assert press(here, "/password", password="quite another password", again="quite another password").status == 200
        assert "/login" not in here.open("/me/apps").url
        assert "/login" in elsewhere.open("/me/apps").url
        for tokens in (got, mine):
            assert refresh(city, tokens["refresh_token"]).json["error"] == "invalid_grant"
            assert not is_alive(city, tokens)
        assert city.browser().log_in(password=PASSWORD).status == 400
        told = messages(sent)[-1]
        assert (told["to"], told["code"]) == ("13800001234", None)
        entries = act(city.house, lambda call: call.session.scalars(select(AuditEntry.deed)).all())
        assert "idservice:password:change" in entries
    finally:
        from idservice.login.password import set_password

        act(city.house, lambda call: set_password(call, city.alice, PASSWORD))


# --- SMS


def ask_for_sms(browser: Browser) -> Page:
    page = browser.open("/login/second?way=sms")
    return browser.open("/login/second/sms", {name: page.form["values"][name] for name in ("csrf_token", "acr", "to")})


def test_a_code_by_sms_is_a_second_factor(city: City, sent: Path) -> None:
    browser = city.browser()
    page = asked_for_more(browser, Flow("other"))
    page = browser.submit(page)
    assert "138****1234" in page.text
    message = messages(sent)[-1]
    assert message["to"] == "13800001234"
    assert len(message["code"]) == 6
    assert datetime.fromisoformat(message["at"]).tzinfo is not None
    assert message["code"] not in page.text
    assert browser.submit(page, code=message["code"]).status != 400
    again = city.browser()
    asked = asked_for_more(again, Flow("other"))
    values = {**page.form["values"], "csrf_token": asked.form["values"]["csrf_token"]}
    assert again.open("/login/second", {**values, "code": message["code"]}).status == 400, "a code is good once"


def test_a_code_is_good_for_five_minutes_five_tries_and_its_own_form(city: City, sent: Path) -> None:
    browser = visitor(city)
    page, other = ask_for_sms(browser), ask_for_sms(browser)
    first, second = (message["code"] for message in messages(sent)[-2:])
    assert first == second or browser.submit(page, code=second).status == 400
    with time_machine.travel(datetime.now(UTC) + sms.LIFE + timedelta(seconds=1), tick=False):
        assert browser.submit(page, code=first).status == 400
    for _ in range(5):
        browser.submit(other, code="x")
    forget = act(city.house, lambda call: call.session.scalars(select(SentCode.tries)).all())
    assert max(forget) <= sms.TRIES
    assert browser.submit(other, code=second).status == 400
    hashes = act(city.house, lambda call: call.session.scalars(select(SentCode.code_hash)).all())
    assert len(set(hashes)) == 2
    assert all(len(value) == 32 for value in hashes)


def test_wrong_codes_of_every_kind_count_at_one_gate(city: City, sent: Path) -> None:
    app, browser = give_app(city, city.alice), visitor(city)
    page, typed = ask_for_sms(browser), browser.open("/login/second?way=totp")
    for number in range(5):
        assert browser.submit(page if number % 2 else typed, code="x").status == 400
    assert browser.submit(typed, code=now_code(app)).status == 400
    assert browser.submit(page, code=messages(sent)[-1]["code"]).status == 400
    other = visitor(city)
    assert other.submit(other.open("/login/second?way=code"), code="abcd").status == 400


def test_one_person_is_sent_a_few_messages_and_no_more_and_is_not_told(city: City, sent: Path) -> None:
    browser = visitor(city)
    pages = {ask_for_sms(browser).status for _ in range(sms.MOST + 3)}
    assert pages == {200}
    assert len(messages(sent)) == sms.MOST


def test_a_strangers_recoveries_use_up_no_message_of_the_owners_second_factor(city: City, sent: Path) -> None:
    stranger = city.browser()
    for _ in range(sms.MOST + 1):
        stranger.submit(stranger.open("/recover"), number=ALICE)
    assert len(messages(sent)) == sms.MOST
    browser = visitor(city)
    page = ask_for_sms(browser)
    assert len(messages(sent)) == sms.MOST + 1
    assert browser.submit(page, code=messages(sent)[-1]["code"]).status != 400


def test_the_count_of_messages_does_not_need_the_limiter(city: City) -> None:
    rows = act(city.house, lambda call: call.session.scalar(select(func.count()).select_from(SentCode)))
    assert rows == 0
    assert city.house.settings.unthrottled_loopback


def test_another_persons_code_is_wrong(city: City, sent: Path) -> None:
    from tests.identity import AGENT

    browser, other = visitor(city), visitor(city, AGENT)
    page = ask_for_sms(browser)
    code = messages(sent)[-1]["code"]
    give_app(city, city.agent, SECRET_32)
    asked = other.open("/login/second")
    values = {**page.form["values"], "csrf_token": asked.form["values"]["csrf_token"], "code": code}
    assert other.open("/login/second", values).status == 400
    forged = {**values, "way": "sms"}
    assert other.open("/login/second", forged).status == 400
