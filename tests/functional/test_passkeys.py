"""Passkeys: made, used to log in and as a second factor; and every answer that is not quite what was asked for."""

import html
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, select, update

from idservice.login import passkey
from idservice.login.models import Passkey
from idservice.models import LoginSession, Password, Person
from keys.ring import Purpose
from tests.authenticator import UP, UV, Authenticator
from tests.builders import act, migrate
from tests.databases import Databases, noting_statements
from tests.factors import PASSKEY, TWO_FACTOR, asked_for_more, forget_factors, give_app, now_code
from tests.identity import AGENT, PASSWORD, Browser, City, Flow, Page, answer_of, build_city, claims_of, redeem

ISSUER = "http://localhost:8000"
OPTIONS = re.compile(r'data-options="([^"]*)"')
TICKET = re.compile(r'name="ticket" value="([^"]*)"')


@pytest.fixture(scope="module")
def city(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    url = databases.fresh(migrate)
    built = build_city(tmp_path_factory.mktemp("passkeys"), url, issuer=ISSUER)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture(autouse=True)
def clean(city: City) -> None:
    forget_factors(city)
    act(city.house, lambda call: call.session.execute(delete(Passkey)) and None)


def ceremony(page: Page) -> tuple[str, str]:
    """The options that the page hands to the browser, and the ticket that comes back with the answer."""
    return html.unescape(OPTIONS.search(page.text)[1]), html.unescape(TICKET.search(page.text)[1])


def enrol(browser: Browser, key: Authenticator, **lies: Any) -> Page:
    page = browser.open("/me/security/passkey")
    options, _ = ceremony(page)
    return browser.submit(page, credential=key.create(options, **lies), title="我的手机")


@pytest.fixture
def key(city: City) -> Authenticator:
    """A passkey of Alice's."""
    browser = city.browser()
    browser.log_in()
    made = Authenticator()
    assert enrol(browser, made).status == 200
    return made


def log_in(browser: Browser, key: Authenticator, to: str = "/login", **lies: Any) -> Page:
    page = browser.open(to)
    options, ticket = ceremony(page)
    values = {**page.form["values"], "ticket": ticket, "credential": key.get(options, **lies)}
    return browser.open("/login/passkey", values)


def test_a_passkey_logs_in_without_number_or_password(city: City, key: Authenticator) -> None:
    browser = city.browser()
    assert log_in(browser, key, "/login?to=/me/apps").url == "/me/apps"
    row = act(
        city.house, lambda call: call.session.scalars(select(LoginSession).order_by(LoginSession.auth_time)).all()[-1]
    )
    assert (row.subject, row.amr) == (city.alice, ["pop", "mfa"])


def test_another_language_is_chosen_after_a_passkey_was_refused(city: City, key: Authenticator) -> None:
    browser = city.browser()
    refused = log_in(browser, key, "/login?to=/me/apps", rp_id="evil.example")
    assert refused.status == 400
    assert log_in(browser, key, refused.in_language("en")).url == "/me/apps"


def test_an_app_that_asks_for_a_passkey_gets_one(city: City, key: Authenticator) -> None:
    browser, flow = city.browser(), Flow()
    page = log_in(browser, key, browser.open(flow.url(acr_values=PASSKEY)).url)
    if page.status == 200:
        page = browser.submit(page, decision="allow")
    claims = claims_of(redeem(city.app, flow, answer_of(page)["code"]).json["id_token"])
    assert (claims["acr"], claims["amr"]) == (PASSKEY, ["pop", "mfa"])


def test_a_passkey_is_a_second_factor_after_the_password(city: City, key: Authenticator) -> None:
    browser = city.browser()
    page = asked_for_more(browser, Flow("other"), acr_values=PASSKEY)
    options, _ = ceremony(page)
    assert [one["id"] for one in json.loads(options)["allowCredentials"]] == [json.loads(key.get(options))["id"]]
    assert browser.submit(page, credential=key.get(options)).status != 400


def test_the_options_say_what_is_demanded(city: City, key: Authenticator) -> None:
    browser = city.browser()
    options = json.loads(ceremony(browser.open("/login"))[0])
    assert (options["rpId"], options["userVerification"], options["allowCredentials"]) == ("localhost", "required", [])
    log_in(browser, key)
    made = json.loads(ceremony(browser.open("/me/security/passkey"))[0])
    assert made["rp"]["id"] == "localhost"
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert made["user"]["name"] == "王**"
    assert len(made["excludeCredentials"]) == 1


LIES = {
    "another_site": {"origin": "http://localhost.evil.example"},
    "another_port": {"origin": "http://localhost:8001"},
    "https_instead": {"origin": "https://localhost:8000"},
    "another_relying_party": {"rp_id": "evil.example"},
    "user_not_verified": {"flags": UP},
    "user_not_present": {"flags": UV},
    "another_challenge": {"challenge": "A" * 43},
}


@pytest.mark.parametrize(
    "lie",
    [
        *LIES.values(),
        {"type": "webauthn.create"},
        {"signer": ec.generate_private_key(ec.SECP256R1())},
        {"handle": b"\1" * 16},
    ],
    ids=[*LIES, "another_ceremony", "another_key", "another_person"],
)
def test_what_was_not_signed_as_asked_logs_nobody_in(city: City, key: Authenticator, lie: dict[str, Any]) -> None:
    assert log_in(city.browser(), key, **lie).status == 400
    assert log_in(city.browser(), key).status == 200, "and does no harm to the owner"


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_what_was_not_made_as_asked_is_not_entered(city: City, lie: dict[str, Any]) -> None:
    browser = city.browser()
    browser.log_in()
    assert enrol(browser, Authenticator(), **lie).status == 400
    assert act(city.house, lambda call: passkey.of_person(call, city.alice)) == []


def test_a_counter_that_does_not_grow_betrays_a_copy(city: City, key: Authenticator) -> None:
    assert log_in(city.browser(), key, count=7).status == 200
    for count in (7, 6, 0):
        assert log_in(city.browser(), key, count=count).status == 400
    assert log_in(city.browser(), key, count=8).status == 200


def test_authenticators_without_a_counter_are_fine(city: City, key: Authenticator) -> None:
    for _ in range(2):
        assert log_in(city.browser(), key, count=0).status == 200


def test_an_answer_is_good_once_in_its_browser_and_for_five_minutes(city: City, key: Authenticator) -> None:
    browser = city.browser()
    page = browser.open("/login")
    options, ticket = ceremony(page)
    sent = {**page.form["values"], "ticket": ticket, "credential": key.get(options)}
    thief = city.browser()
    assert thief.open("/login/passkey", {**sent, **thief.open("/login").form["values"], "ticket": ticket}).status == 400
    with time_machine.travel(datetime.now(UTC) + passkey.LIFE + timedelta(seconds=1), tick=False):
        assert browser.open("/login/passkey", sent).status == 400
    assert browser.open("/login/passkey", sent).status == 200
    assert browser.open("/login/passkey", sent).status == 400, "replayed"


def test_a_passkey_logs_in_where_an_app_asks_for_it(city: City, key: Authenticator) -> None:
    flow = Flow()
    page = log_in(city.browser(), key, flow.url(prompt="consent"))
    assert page.url.startswith("/oauth/authorize?")
    assert 'name="decision"' in page.text


def test_the_login_page_asks_the_database_nothing(city: City) -> None:
    browser = city.browser()
    browser.open(Flow().url())  # the app is known from here on
    with noting_statements(city.house.database) as noted:
        for url in ("/login", Flow().url()):
            assert "data-options" in browser.open(url).text
    assert not noted


def test_an_open_page_outlives_the_turning_of_its_key(city: City, key: Authenticator) -> None:
    browser = city.browser()
    page = browser.open("/login")
    options, ticket = ceremony(page)
    sent = {**page.form["values"], "ticket": ticket, "credential": key.get(options)}
    city.house.keys.rotate(Purpose.SESSION, now=datetime.now(UTC))
    assert browser.open("/login/passkey", sent).status == 200


def test_of_parallel_uses_of_one_answer_one_succeeds(city: City, key: Authenticator) -> None:
    browser = city.browser()
    options, ticket = ceremony(browser.open("/login"))
    sent = {"ticket": ticket, "credential": key.get(options)}
    with browser.client.session_transaction(base_url="https://localhost") as kept:
        name = kept["browser"]

    def use(_number: int) -> str | None:
        return act(city.house, lambda call: passkey.check(call, sent, browser=name))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(use, range(4)))
    assert (found.count(city.alice), found.count(None)) == (1, 3)


def test_a_lock_does_not_shut_a_passkey_out(city: City, key: Authenticator) -> None:
    far = datetime.now(UTC) + timedelta(hours=1)
    act(city.house, lambda call: call.session.execute(update(Password).values(locked_until=far)) and None)
    assert log_in(city.browser(), key).status == 200


def test_a_locked_person_is_not_let_in(city: City, key: Authenticator) -> None:
    def set_status(status: str) -> None:
        act(city.house, lambda call: call.session.execute(update(Person).values(status=status)) and None)

    set_status("locked")
    try:
        assert log_in(city.browser(), key).status == 400
    finally:
        set_status("active")


def test_a_removed_passkey_is_gone(city: City, key: Authenticator) -> None:
    browser = city.browser()
    log_in(browser, key)
    name = act(city.house, lambda call: passkey.of_person(call, city.alice)[0].credential_hash.hex())
    token = browser.open("/me/security/passkey").form["values"]["csrf_token"]
    assert browser.open("/me/security/remove-passkey", {"csrf_token": token, "id": name}).status == 200
    assert log_in(city.browser(), key).status == 400


def test_nobody_removes_somebody_elses_passkey(city: City, key: Authenticator) -> None:
    name = act(city.house, lambda call: passkey.of_person(call, city.alice)[0].credential_hash.hex())
    other = city.browser()
    other.log_in(number=AGENT)
    token = other.open("/login").form["values"]["csrf_token"]
    assert other.open("/me/security/remove-passkey", {"csrf_token": token, "id": name}).status == 404
    assert log_in(city.browser(), key).status == 200


def test_somebody_elses_passkey_is_no_second_factor(city: City, key: Authenticator) -> None:
    theirs, other = Authenticator(), city.browser()
    other.log_in(number=AGENT)
    assert enrol(other, theirs).status == 200
    browser = city.browser()
    page = asked_for_more(browser, Flow("other"), acr_values=PASSKEY)
    options, _ = ceremony(page)
    assert browser.submit(page, credential=theirs.get(options)).status == 400
    theirs.handle = key.handle
    page = asked_for_more(browser, Flow("other"), acr_values=PASSKEY)
    assert browser.submit(page, credential=theirs.get(ceremony(page)[0])).status == 400


def test_a_passkey_that_is_known_is_not_entered_for_somebody_else(city: City, key: Authenticator) -> None:
    other = city.browser()
    other.log_in(number=AGENT)
    mine = Authenticator(key=key.key, credential_id=key.credential_id)
    enrol(other, mine)
    browser = city.browser()
    assert log_in(browser, key).status == 200
    row = act(
        city.house, lambda call: call.session.scalars(select(LoginSession).order_by(LoginSession.auth_time)).all()[-1]
    )
    assert row.subject == city.alice, "the user handle is part of what is looked up"


ODD = {
    "empty": "",
    "text": "x",
    "list": "[]",
    "object": "{}",
    "null": "null",
    "number": '{"id": 5}',
    "no_response": '{"id": "AA", "response": 3}',
    "nothing": '{"id": "AA", "response": {}}',
    "deep": "[" * 5000,
    "long": '{"id": "' + "A" * 20000 + '"}',
}


@pytest.mark.parametrize("credential", ODD.values(), ids=ODD.keys())
def test_odd_answers_log_nobody_in(city: City, key: Authenticator, credential: str) -> None:
    browser = city.browser()
    page = browser.open("/login")
    _, ticket = ceremony(page)
    values = {**page.form["values"], "ticket": ticket, "credential": credential}
    assert browser.open("/login/passkey", values).status == 400


def test_mutated_answers_log_nobody_in(city: City, key: Authenticator) -> None:
    """Every member of a good answer, replaced by something else of any kind: refused, and never a fault."""
    strange: list[Any] = [None, 5, True, [], {}, "", "A", "é", "A" * 400, {"a": 1}]
    inner = ("authenticatorData", "clientDataJSON", "signature", "userHandle")
    for path in (("id",), ("rawId",), ("type",), ("response",), *(("response", name) for name in inner)):
        for value in strange:
            browser = city.browser()
            page = browser.open("/login")
            options, ticket = ceremony(page)
            answer = json.loads(key.get(options))
            part = answer["response"] if len(path) == 2 else answer
            part[path[-1]] = value
            sent = {**page.form["values"], "ticket": ticket, "credential": json.dumps(answer)}
            assert browser.open("/login/passkey", sent).status == 400, (path, value)


def test_a_new_passkey_needs_the_factor_that_is_there_already(city: City) -> None:
    app, browser = give_app(city, city.alice), city.browser()
    browser.log_in()
    page = browser.open("/me/security/passkey")
    assert "/login/second" in page.url
    page = browser.submit(page, code=now_code(app))
    assert page.url == "/me/security/passkey"


def test_the_metadata_names_passkeys_where_they_exist(city: City) -> None:
    found = city.app.test_client().get("/.well-known/openid-configuration").json
    assert found["acr_values_supported"] == ["urn:ona:acr:password", TWO_FACTOR, PASSKEY]


def test_ten_are_enough(city: City, key: Authenticator) -> None:
    browser = city.browser()
    log_in(browser, key)
    for _ in range(passkey.MOST - 1):
        assert enrol(browser, Authenticator()).status == 200
    assert enrol(browser, Authenticator()).status == 400
    assert city.browser().log_in(password=PASSWORD).status == 200
