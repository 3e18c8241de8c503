"""The record of copies in wallets: whose age they prove, who gets none, and how long the record is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from licences.formats import sdjwt
from licences.wallets.issuance import copies, making
from licences.wallets.issuance.models import WalletCopy
from tests.identity import Browser, Flow, token
from tests.town import AGENT, ALICE, BOB, Town, now
from tests.wallet_issuance import SCOPE, WALLET, Pocket, enter_wallets, new_key, offered, refused, taken


@pytest.fixture(scope="module", autouse=True)
def _wallets(town: Town) -> None:
    town.act(enter_wallets)


def claims_of(town: Town, credential: str) -> dict[str, Any]:
    keys = {key.kid: key for key in town.house.keys.public(making.Purpose.LICENCE).values()}
    return sdjwt.authenticate(credential, keys=keys, issuer=town.house.settings.signs_as).claims


@pytest.mark.parametrize(("number", "proves"), [(ALICE, True), (BOB, False)])
def test_only_the_first_holder_proves_his_age(town: Town, number: str, proves: bool) -> None:
    title = town.issue("real_estate_title", ALICE, holders=[{"number": ALICE}, {"number": BOB}])
    offer, made = offered(town, title, number=number)
    pocket = Pocket(town)
    assert pocket.redeem(offer, made.second).status_code == 200
    given = pocket.want(f"{title.type_code}.sd-jwt", new_key()).json["credentials"]
    said = claims_of(town, given[0]["credential"])
    assert said["licence_identifier"] == title.identifier
    assert ("age_over_18" in said) is proves


def test_who_acts_for_another_gets_no_copies(town: Town) -> None:
    flow = Flow(WALLET, SCOPE)
    browser = Browser(town.app)
    page = browser.log_in(browser.open(flow.url()), number=AGENT)
    mandate = page.text.partition('name="acting"')[2]
    assert mandate
    values = [part.partition('"')[0] for part in page.text.split('value="')[1:]]
    acting = next(value for value in values if len(value) == 32 and value.isalnum())
    code = browser.submit(browser.submit(page, acting=acting), decision="allow").url
    form = {"grant_type": "authorization_code", "redirect_uri": flow.redirect_uri, "client_id": WALLET}
    form |= {"code": code.partition("code=")[2].partition("&")[0], "code_verifier": flow.verifier}
    got = token(town.app, form)
    assert got.status_code == 200, got.text
    pocket = Pocket(town, headers={"Authorization": f"Bearer {got.json['access_token']}"})
    kind = town.issue("real_estate_title", ALICE).type_code
    refused(pocket.want(f"{kind}.sd-jwt", new_key()), "credential_request_denied")
    refused(pocket.ask({"transaction_id": "x"}, "deferred_credential"), "credential_request_denied")


def test_the_record_is_kept_a_while_after_the_copies_have_ended(town: Town) -> None:
    taken(town, town.issue("real_estate_title", ALICE), "sd-jwt")
    entered = town.count(WalletCopy)
    assert copies.sweep(town.house, now() + making.LIFE) == 0
    assert copies.sweep(town.house, now() + making.LIFE + copies.KEPT + timedelta(days=1)) == entered > 0
    assert town.count(WalletCopy) == 0
