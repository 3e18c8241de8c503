"""Before the face of a licence its holder proves himself anew: by his passkey, or by his password where he has none."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import time_machine
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
from tests.identity import PASSWORD, Browser
from tests.town import ALICE, BOB, Town, now


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


def age(town: Town, minutes: int) -> None:
    """Let every login be older."""
    since = timedelta(minutes=minutes)
    town.act(lambda call: call.session.execute(update(LoginSession).values(auth_time=call.now - since)))


def test_every_face_waits_for_the_passkey_of_whoever_has_one(
    town: Town, cards: tuple[str, str], app: pyotp.TOTP
) -> None:
    card, title = cards
    browser = town.browser(ALICE)
    for asked in (show(browser, title), show(browser, card), browser.open(f"/me/licences/{title}")):
        assert asked.url.startswith("/login/second")
    assert browser.submit(asked, code=now_code(app)).url == f"/me/licences/{title}"
    assert "data-state-url" in show(browser, card).text

    age(town, 31)
    assert show(browser, card).url.startswith("/login/again?to="), "a proof half an hour old is none"
    answer = town.web.post("/v1/presentations", json={"licences": [card]}, headers=town.person(ALICE))
    assert (answer.status_code, answer.json["code"]) == (401, "insufficient_user_authentication")
    assert "acr_values" in answer.headers["WWW-Authenticate"]
    assert town.web.post("/v1/presentations", json={"licences": [title]}, headers=town.person(ALICE)).status_code == 201


def test_whoever_has_no_passkey_says_his_password_again(town: Town, cards: tuple[str, str]) -> None:
    _card, title = cards
    browser = town.browser(ALICE)
    faces = (f"/me/licences/{title}", f"/me/licences/{title}/record.json")
    assert [browser.open(face).url for face in faces] == list(faces)
    age(town, 16)
    assert browser.open("/me").url == "/me", "the wallet itself shows no face"
    assert show(browser, title).url.startswith("/login/again?to=%2Fme%2Fshow%2Fasked%3F")
    assert browser.open(faces[1]).url.startswith("/login/again?to=")
    asked = browser.open(faces[0])
    assert ALICE not in asked.text
    wrong = browser.submit(asked, password="wrong")
    assert (wrong.status, "密码不正确" in wrong.text) == (400, True)
    assert browser.open(faces[0]).url.startswith("/login/again?to=")
    assert browser.submit(wrong, password=PASSWORD).url == faces[0]
    assert "data-state-url" in show(browser, title).text


def tapped(town: Town, title: str) -> tuple[Browser, Any]:
    """One tap in large type on a card of /me, by somebody who logged in a while ago: the page that it leads to."""
    browser = town.browser(ALICE)
    page = browser.open("/me?size=large")
    age(town, 16)
    (found,) = re.findall(rf'name="licences" value="{re.escape(title)}"', page.text)
    assert found
    return browser, browser.submit(page, licences=title, part="masked")


def test_one_tap_ends_at_the_card_behind_the_password(town: Town, cards: tuple[str, str]) -> None:
    _card, title = cards
    browser, asked = tapped(town, title)
    assert asked.url.startswith("/login/again?to=")
    shown = browser.submit(asked, password=PASSWORD)
    assert (shown.url[:15], shown.status) == ("/me/show/asked?", 200)
    assert "data-state-url" in shown.text
    assert f'name="licences" value="{title}"' in shown.text, "a new code is of the same card"
    assert 'name="part" value="masked"' in shown.text


def test_one_tap_ends_at_the_card_behind_the_second_factor(town: Town, cards: tuple[str, str], app: pyotp.TOTP) -> None:
    card, _title = cards
    browser = town.browser(ALICE)
    assert "data-state-url" in browser.submit(show(browser, card), code=now_code(app)).text


def test_what_was_asked_is_shown_to_him_who_asked_and_not_for_long(town: Town, cards: tuple[str, str]) -> None:
    _card, title = cards
    browser, asked = tapped(town, title)
    (to,) = parse_qs(urlsplit(asked.url).query)["to"]
    assert title not in to
    browser.submit(asked, password=PASSWORD)
    assert town.browser(BOB).open(to).url == "/me/show", "another one's"
    assert Browser(town.app).open(to).url.startswith("/login?"), "nobody's"
    assert browser.open(to[:-2] + "xx").url == "/me/show", "altered"
    assert browser.open("/me/show/asked").url == "/me/show"
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10, seconds=1), tick=False):
        assert browser.open(to).url == "/me/show", "too late"


def test_nobody_is_asked_again_who_is_not_logged_in(town: Town) -> None:
    nobody = Browser(town.app)
    assert nobody.open("/login/again?to=/me/show").url == "/login?to=%2Fme%2Fshow"
    page = nobody.open("/login")
    sent = nobody.open("/login/again", {**page.form["values"], "password": PASSWORD, "to": "//elsewhere.example"})
    assert sent.url == "/login?to=%2Fme"


def test_another_language_is_chosen_after_a_wrong_password(town: Town) -> None:
    browser = Browser(town.app)
    browser.log_in()
    page = browser.open("/login/again?to=/me/apps")
    refused = browser.submit(page, password="wrong")
    assert refused.status == 400
    english = browser.open(refused.in_language("en"))
    assert '<html lang="en"' in english.text
    assert browser.submit(english, password=PASSWORD).url == "/me/apps"


def test_no_wallet_gets_a_face_by_a_login_that_may_not_show_it(
    town: Town, cards: tuple[str, str], app: pyotp.TOTP
) -> None:
    card, _title = cards
    browser = town.browser(ALICE)

    def offer(code: str) -> Any:
        page = browser.open(f"/me/wallets/offers/{code}")
        forms = re.search(r'name="forms"[^>]*value="([^"]+)"', page.text)
        assert forms is not None
        return browser.submit(page, forms=forms[1])

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


def test_the_types_that_prove_identity_are_shipped() -> None:
    assert {kind.slug for kind in shipped_types()} >= identity.IDENTITY
