"""Whoever has a passkey proves himself before a licence that bears his face; whoever has none shows it as ever."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import delete, update

from idservice.errors import Problem
from idservice.login import totp
from idservice.login.levels import PWD
from idservice.login.models import Totp
from idservice.models import LoginSession
from keys.signer import Algorithm, generate_private, load_private
from licences import identifier
from licences.definition_file import shipped_types
from licences.showing import identity
from licences.wallets.issuance import configurations, issue
from licences.wallets.issuance.requests import Wanted
from tests.factors import SECRET_32, now_code
from tests.town import ALICE, Town, now


@pytest.fixture(scope="module")
def cards(town: Town) -> tuple[str, str]:
    return town.issue("resident_card").identifier, town.issue().identifier


@pytest.fixture
def app(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[pyotp.TOTP]:
    """Alice's authenticator app: it proves as much as the passkey, which needs a browser (tests/browser)."""
    subject = town.subjects[ALICE]
    monkeypatch.setattr(identity, "has_passkey", lambda _call, person: person == subject)
    town.act(lambda call: totp.put(call, subject, SECRET_32))
    yield pyotp.TOTP(SECRET_32)
    town.act(lambda call: call.session.execute(delete(Totp).where(Totp.subject == subject)))


def show(browser: Any, card: str) -> Any:
    return browser.submit(browser.open("/me/show"), licences=card, part="masked")


def test_a_face_waits_for_the_second_factor_and_a_title_does_not(
    town: Town, cards: tuple[str, str], app: pyotp.TOTP
) -> None:
    card, title = cards
    browser = town.browser(ALICE)
    assert "data-state-url" in show(browser, title).text
    asked = show(browser, card)
    assert asked.url.startswith("/login/second")
    back = browser.submit(asked, code=now_code(app))
    assert back.url == "/me/show"
    assert "data-state-url" in show(browser, card).text

    half_an_hour_ago = timedelta(minutes=31)

    def age(call: Any) -> None:
        call.session.execute(update(LoginSession).values(auth_time=call.now - half_an_hour_ago))

    town.act(age)
    assert show(browser, card).url.startswith("/login?to="), "a proof half an hour old is none"
    answer = town.web.post("/v1/presentations", json={"licences": [card]}, headers=town.person(ALICE))
    assert (answer.status_code, answer.json["code"]) == (401, "insufficient_user_authentication")
    assert "acr_values" in answer.headers["WWW-Authenticate"]


def test_no_wallet_gets_a_face_by_a_login_that_may_not_show_it(
    town: Town, cards: tuple[str, str], app: pyotp.TOTP
) -> None:
    card, title = cards
    browser = town.browser(ALICE)

    def offer(code: str) -> Any:
        page = browser.open(f"/me/wallets/offers/{code}")
        forms = re.search(r'name="forms"[^>]*value="([^"]+)"', page.text)
        assert forms is not None
        return browser.submit(page, forms=forms[1])

    assert "<svg" in offer(title).text
    asked = offer(card)
    assert asked.url.startswith("/login/second")
    browser.submit(asked, code=now_code(app))
    assert "<svg" in offer(card).text

    def take(call: Any) -> None:
        kind = identifier.parts(card).type_code
        wanted = Wanted(configurations.of_type(call, kind)[0].name, None, (), is_attested=False, envelope=None)
        issue.answer(call, wanted, (load_private(Algorithm.ES256, generate_private(Algorithm.ES256)).public,))

    with pytest.raises(Problem, match="insufficient_user_authentication"):
        town.act(take, caller=town.caller(ALICE, level=3, amr=(PWD,), auth_time=now()))


def test_whoever_has_no_passkey_shows_as_ever(town: Town, cards: tuple[str, str]) -> None:
    subject = town.subjects[ALICE]
    assert not town.act(lambda call: identity.has_passkey(call, subject))
    assert "data-state-url" in show(town.browser(ALICE), cards[0]).text


def test_the_types_that_prove_identity_are_shipped() -> None:
    assert {kind.slug for kind in shipped_types()} >= identity.IDENTITY
