"""Offers: a wallet that registered itself takes one; who is not logged in, or has nothing, makes none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from idservice.call import Call, Caller
from idservice.errors import Problem
from idservice.expiry import sweep
from idservice.oauth import initial_tokens
from idservice.oauth.grant_policy import PRE_AUTHORIZED_GRANT
from licences.wallets.issuance import configurations, offers
from licences.wallets.issuance.models import WalletOffer
from tests.identity import CALLBACK
from tests.town import BOB, Town, now
from tests.wallet_issuance import SCOPE, Pocket, enter_wallets, new_key, offered


@pytest.fixture(scope="module", autouse=True)
def _wallets(town: Town) -> None:
    town.act(enter_wallets)


def register(town: Town, **changes: Any) -> Any:
    ends = now() + timedelta(hours=1)
    secret = town.act(lambda call: initial_tokens.make(call, name="w", scope=SCOPE, uses=1, expires_at=ends))
    members = {
        "client_name": "一个钱包",
        "organization": "示范钱包公司",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", PRE_AUTHORIZED_GRANT],
        "redirect_uris": [CALLBACK],
        "scope": SCOPE,
        "authorization_details_types": ["openid_credential"],
    }
    headers = {"Authorization": f"Bearer {secret}"}
    return town.web.post("/oauth/register", json=members | changes, headers=headers)


def test_a_wallet_that_registered_itself_takes_an_offer(town: Town) -> None:
    made = register(town)
    assert made.status_code == 201, made.text
    title = town.issue()
    offer, told = offered(town, title)
    pocket = Pocket(town, made.json["client_id"])
    assert pocket.redeem(offer, told.second).status_code == 200
    assert pocket.want(f"{title.type_code}.sd-jwt", new_key()).status_code == 200


def test_nobody_offers_what_he_has_not(town: Town) -> None:
    title = town.issue()

    def make(call: Call) -> offers.Offered:
        return offers.make(call, title, configurations.of_type(call, title.type_code))

    for caller, code in (
        (Caller(channel="api", client_id="issuer"), "forbidden"),
        (town.caller(BOB), "not_found"),
        (town.caller(BOB, principal=title.subject, mandate="0" * 32), "forbidden"),
    ):
        with pytest.raises(Problem, match=code):
            town.act(make, caller=caller)


@pytest.mark.parametrize("reference", ["", "x", "A" * 43, "A" * 5000, "é", "%2e%2e", "a/b"])
def test_odd_references_are_not_found(town: Town, reference: str) -> None:
    assert town.web.get(f"/openid4vci/offers/{reference}").status_code == 404


def test_what_is_over_is_swept(town: Town) -> None:
    offered(town, town.issue())
    assert town.count(WalletOffer) > 0
    sweep(town.house, now() + timedelta(days=2))
    assert town.count(WalletOffer) == 0
