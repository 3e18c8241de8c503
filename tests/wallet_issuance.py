"""A wallet that is given copies: its keys, proofs and requests as OpenID4VCI 1.0 has them, and its registration."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from joserfc.jwk import ECKey, OKPKey
from sqlalchemy import select

from idservice.call import Call, Caller
from idservice.oauth import clients
from idservice.oauth.grant_policy import PRE_AUTHORIZED_GRANT
from idservice.oauth.pre_authorized_grant import CODE, SECOND
from licences.models import Licence
from licences.status.models import StatusEntry
from licences.wallets.issuance import configurations, offers
from licences.wallets.issuance.models import WalletCopy
from tests.identity import CALLBACK, ISSUER, token
from tests.town import ALICE, Town

SCOPE = "openid offline_access licences.wallet"
WALLET, OTHER_WALLET = "pocket", "purse"


def enter_wallets(call: Call) -> None:
    """Register two wallets: apps on telephones that keep no secret."""
    for client_id in (WALLET, OTHER_WALLET):
        clients.register(
            call,
            client_id=client_id,
            name=f"钱包 {client_id}",
            unit="示范钱包公司",
            auth_method="none",
            grant_types=["authorization_code", "refresh_token", PRE_AUTHORIZED_GRANT],
            redirect_uris=[CALLBACK],
            scope=SCOPE,
            authorization_details_types=["openid_credential"],
        )


def offered(
    town: Town, licence: Licence, *forms: str, number: str = ALICE, allowed: bool = True
) -> tuple[dict[str, Any], offers.Offered]:
    """Return an offer that its holder has just made, as a wallet reads it, and as he sees it."""

    def make(call: Call) -> offers.Offered:
        names = (f"{licence.type_code}.{form}" for form in forms or ("sd-jwt",))
        wanted = [configurations.find(call, name) for name in names]
        return offers.make(call, licence, [found for found in wanted if found is not None], allowed=allowed)

    caller = Caller(
        channel="api",
        client_id="wallet-app",
        person=town.subjects[number],
        session_id="00" * 32,
        amr=("pwd",),
        level=3,
    )
    made = town.act(make, caller=caller)
    return by_value(made.by_value), made


def by_value(address: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(parse_qs(urlsplit(address).query)["credential_offer"][0])
    return found


def code_of(offer: dict[str, Any]) -> str:
    return str(offer["grants"][PRE_AUTHORIZED_GRANT]["pre-authorized_code"])


@dataclass
class Pocket:
    """A wallet in its holder's hand."""

    town: Town
    client_id: str = WALLET
    headers: dict[str, str] = field(default_factory=dict)

    def redeem(self, offer: dict[str, Any], second: str | None, **more: str) -> Any:
        """Redeem a pre-authorized code; keep the access token."""
        form = {"grant_type": PRE_AUTHORIZED_GRANT, CODE: code_of(offer), "client_id": self.client_id}
        form |= ({SECOND: second} if second is not None else {}) | more
        answer = token(self.town.app, form)
        if answer.status_code == 200:
            self.headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
        return answer

    def nonce(self) -> str:
        answer = self.town.web.post("/openid4vci/nonce")
        assert answer.status_code == 200, answer.text
        return str(answer.json["c_nonce"])

    def ask(self, body: Any, path: str = "credential") -> Any:
        return self.town.web.post(f"/openid4vci/{path}", json=body, headers=self.headers)

    def want(self, configuration: str, *keys: Any, **more: Any) -> Any:
        """Ask for one copy for each key, by configuration."""
        nonce = self.nonce()
        proofs = [proof(key, nonce) for key in keys]
        return self.ask({"credential_configuration_id": configuration, "proofs": {"jwt": proofs}, **more})


def new_key(kind: str = "EC") -> Any:
    return ECKey.generate_key("P-256") if kind == "EC" else OKPKey.generate_key("Ed25519")


def proof(key: Any, nonce: str | None, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return a proof of possession, made by PyJWT; `header` and `claims` alter what it says, None takes away."""
    algorithm = "ES256" if isinstance(key, ECKey) else "EdDSA"  # PyJWT signs: joserfc has given that name up
    head = {"typ": "openid4vci-proof+jwt", "alg": algorithm, "jwk": key.as_dict(private=False)} | (header or {})
    said = {"aud": ISSUER, "iat": int(time.time()), "nonce": nonce} | claims
    head, said = ({name: value for name, value in part.items() if value is not None} for part in (head, said))
    return jwt.encode(said, key.private_key, algorithm=algorithm, headers=head)


def refused(answer: Any, code: str, status: int = 400) -> None:
    assert (answer.status_code, answer.json["error"]) == (status, code), answer.text
    assert answer.mimetype == "application/json"
    assert answer.json["error_description"]


def places(town: Town, licence: Licence) -> list[tuple[int, int]]:
    """Return place and status of each copy of the licence that wallets hold."""

    def read(call: Any) -> list[tuple[int, int]]:
        rows = call.session.execute(
            select(WalletCopy.place, StatusEntry.value)
            .join(StatusEntry, StatusEntry.place == WalletCopy.place)
            .where(WalletCopy.identifier == licence.identifier)
        )
        return [(row.place, row.value) for row in rows]

    return town.act(read)


def taken(town: Town, licence: Licence, *forms: str, client_id: str = WALLET, copies_each: int = 2) -> Pocket:
    forms = forms or ("sd-jwt", "mdoc", "jwt")
    offer, made = offered(town, licence, *forms)
    pocket = Pocket(town, client_id)
    assert pocket.redeem(offer, made.second).status_code == 200
    for form in forms:
        keys = [new_key() for _ in range(copies_each)]
        assert pocket.want(f"{licence.type_code}.{form}", *keys).status_code == 200
    return pocket


def type_code_without(town: Town) -> str:
    held = set(town.act(lambda call: call.session.scalars(select(Licence.type_code)).all()))
    types = town.web.get("/v1/licence-types?limit=200").json["items"]
    return next(str(kind["code"]) for kind in types if kind["code"] not in held)
