"""A wallet library nobody here wrote (@openid4vc/openid4vci) is given copies over HTTP; readers of others read them."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from jwcrypto.jwk import JWK
from pymdoccbor.mdoc.issuersigned import IssuerSigned
from sd_jwt.verifier import SDJWTVerifier
from sqlalchemy import select
from werkzeug.serving import make_server

from idservice.call import Call, Caller, Post
from idservice.oauth import clients
from licences.life import stop_issuing
from licences.models import Licence
from licences.status import publish
from licences.wallets.issuance import copies
from licences.wallets.issuance.models import WalletCopy
from seals.authority import DOCUMENT_ROOT, party_of
from tests.builders import STAFF_LOGIN, migrate
from tests.databases import SqliteDatabases
from tests.identity import CALLBACK, Browser, Page
from tests.peers import peer
from tests.ports import free_port
from tests.town import ALICE, SECURITY, Town, build_town
from tests.wallet_issuance import SCOPE, WALLET, enter_wallets, offered

STRICT = "strict"
KEY = ECKey.generate_key("P-256", {"kid": "w1"})


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder, port = tmp_path_factory.mktemp("wallets"), free_port()
    built = build_town(folder, SqliteDatabases(folder).fresh(migrate), issuer=f"http://127.0.0.1:{port}")
    built.act(enter_wallets)
    built.act(_enter_strict)
    server = make_server("127.0.0.1", port, built.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield built
    server.shutdown()
    thread.join(timeout=10)
    built.house.database.engine.dispose()


def _enter_strict(call: Call) -> None:
    clients.register(
        call,
        client_id=STRICT,
        name="高保障钱包",
        unit="示范钱包公司",
        auth_method="private_key_jwt",
        jwks={"keys": [KEY.as_dict(private=False) | {"use": "sig", "alg": "ES256"}]},
        grant_types=["authorization_code", "refresh_token"],
        redirect_uris=[CALLBACK],
        scope=SCOPE,
        profile="haip",
        authorization_details_types=["openid_credential"],
    )


@pytest.fixture(scope="module")
def licence(town: Town) -> Licence:
    return town.issue("driving_licence")


def take(town: Town, offer: str, configuration: str, **more: Any) -> dict[str, Any]:
    question = {"deed": "take", "offer": offer, "clientId": WALLET, "configuration": configuration, "copies": 1}
    found: dict[str, Any] = peer.ask("vci_wallet", question | {"issuer": town.house.settings.issuer} | more)
    return found


def allowed(town: Town, url: str) -> Page:
    """What a person does in a browser: he logs in and allows what the wallet asks for."""
    browser = Browser(town.app)
    page = browser.log_in(browser.open(url), number=ALICE)
    if page.status == 200:  # what he allowed before he is not asked again
        page = browser.submit(page, decision="allow")
    assert page.status == 303, page.text
    return page


def public(secret: dict[str, str]) -> dict[str, str]:
    return {name: secret[name] for name in ("kty", "crv", "x", "y")}


def test_a_pre_authorized_code_by_value_is_a_batch_that_sd_jwt_reads(town: Town, licence: Licence) -> None:
    _, made = offered(town, licence)
    configuration = f"{licence.type_code}.sd-jwt"
    found = take(town, made.by_value, configuration, txCode=made.second, copies=5, notify="credential_accepted")
    assert found["draft"] == "V1"
    credentials = [one["credential"] for one in found["response"]["credentials"]]
    assert len(credentials) == len(set(credentials)) == 5
    keys = {key["kid"]: JWK(**key) for key in town.web.get("/.well-known/jwt-vc-issuer").json["jwks"]["keys"]}
    for credential, secret in zip(credentials, found["keys"], strict=True):
        read = SDJWTVerifier(credential, lambda _issuer, header: keys[header["kid"]]).get_verified_payload()
        assert read["cnf"]["jwk"] == public(secret)
        assert read["licence_identifier"] == licence.identifier
        assert read["age_over_18"] is True
    events = town.act(lambda call: set(call.session.scalars(select(WalletCopy.event))))
    assert events == {"credential_accepted"}


def test_a_reader_of_others_believes_copies_until_they_are_ended(town: Town) -> None:
    title = town.issue("real_estate_title")
    _, made = offered(town, title)
    found = take(town, made.by_value, f"{title.type_code}.sd-jwt", txCode=made.second, copies=2)
    credentials = [one["credential"] for one in found["response"]["credentials"]]
    root = town.act(lambda call: party_of(call, DOCUMENT_ROOT).certificate.der)
    question = {"root": base64.b64encode(root).decode(), "credentials": credentials}
    publish.publish(town.house, datetime.now(UTC))
    good = peer.ask("copy_reader", question)
    assert [one["claims"]["licence_identifier"] for one in good] == [title.identifier] * 2, good
    ended = town.act(lambda call: copies.end(call, town.subjects[ALICE], reason="holder", identifier=title.identifier))
    assert ended == 2
    publish.publish(town.house, datetime.now(UTC))
    assert [one["error"] for one in peer.ask("copy_reader", question)] == ["Status is not valid"] * 2


def test_a_pre_authorized_code_by_reference_with_dpop_is_an_mdoc_that_pymdoccbor_reads(
    town: Town, licence: Licence
) -> None:
    _, made = offered(town, licence, "mdoc")
    found = take(town, made.by_reference, f"{licence.type_code}.mdoc", txCode=made.second, copies=2, dpop=True)
    assert found["told"]["token_type"] == "DPoP"
    for one, secret in zip(found["response"]["credentials"], found["keys"], strict=True):
        data = base64.urlsafe_b64decode(one["credential"] + "==")
        read = issuer_signed(data)
        assert read.issuer_auth.verify_signature()
        device = read.issuer_auth.payload_as_dict["deviceKeyInfo"]["deviceKey"]
        assert device[-2] == base64.urlsafe_b64decode(secret["x"] + "==")


def issuer_signed(data: bytes) -> IssuerSigned:
    import cbor2

    members = cbor2.loads(data)
    return IssuerSigned(nameSpaces=members["nameSpaces"], issuerAuth=members["issuerAuth"])


def test_a_jwt_vc_is_read_by_joserfc(town: Town, licence: Licence) -> None:
    _, made = offered(town, licence, "jwt")
    found = take(town, made.by_value, f"{licence.type_code}.jwt", txCode=made.second)
    keys = KeySet.import_key_set(town.web.get("/.well-known/jwt-vc-issuer").json["jwks"])
    read = jwt.decode(found["response"]["credentials"][0]["credential"], keys, algorithms=["ES256"]).claims
    assert read["cnf"]["jwk"] == public(found["keys"][0])


def test_the_code_flow_with_par_and_dpop_for_a_strict_wallet(town: Town, licence: Licence) -> None:
    _, made = offered(town, licence, allowed=False)
    common = {
        "clientId": STRICT,
        "clientKey": KEY.as_dict(private=True),
        "issuer": town.house.settings.issuer,
        "redirectUri": CALLBACK,
    }
    begun = peer.ask(
        "vci_wallet", {"deed": "begin", "offer": made.by_reference, "scope": SCOPE, "dpop": True, **common}
    )
    assert "request_uri=" in begun["url"]
    assert "redirect_uri" not in begun["url"]
    page = allowed(town, begun["url"].removeprefix(town.house.settings.issuer))
    found = take(
        town,
        made.by_value,
        f"{licence.type_code}.sd-jwt",
        redirect=page.url,
        verifier=begun["verifier"],
        dpopKey=begun["dpopKey"],
        copies=3,
        **common,
    )
    assert found["told"]["token_type"] == "DPoP"
    assert len(found["response"]["credentials"]) == 3


def test_a_strict_wallet_is_given_no_jwt_vc(town: Town, licence: Licence) -> None:
    _, made = offered(town, licence, "jwt", allowed=False)
    common = {
        "clientId": STRICT,
        "clientKey": KEY.as_dict(private=True),
        "issuer": town.house.settings.issuer,
        "redirectUri": CALLBACK,
    }
    asked = {"deed": "begin", "offer": made.by_value, "scope": SCOPE, "dpop": True, **common}
    begun = peer.ask("vci_wallet", asked)
    page = allowed(town, begun["url"].removeprefix(town.house.settings.issuer))
    more = {"redirect": page.url, "verifier": begun["verifier"], "dpopKey": begun["dpopKey"], **common}
    with pytest.raises(peer.PeerFailed, match="credential_request_denied"):
        take(town, made.by_value, f"{licence.type_code}.jwt", **more)


def test_a_licence_whose_department_has_stopped_issuing_is_given_later(town: Town) -> None:
    title = town.issue("real_estate_title")
    officer = Caller(
        channel="page", person=town.subjects[ALICE], posts=frozenset({(str(Post.OFFICER), SECURITY)}), **STAFF_LOGIN
    )
    body = {"department": SECURITY, "type": title.type_code, "reason": "系统检修"}
    stop = town.act(lambda call: stop_issuing.stop(call, body).stop_id, caller=officer)
    _, made = offered(town, title)
    found = take(town, made.by_value, f"{title.type_code}.sd-jwt", txCode=made.second)
    transaction = found["response"]["transaction_id"]
    assert found["response"]["interval"] > 0
    later = {
        "deed": "wait",
        "clientId": WALLET,
        "issuer": town.house.settings.issuer,
        "token": found["token"],
        "transaction": transaction,
    }
    assert peer.ask("vci_wallet", later)["transaction_id"] == transaction
    town.act(lambda call: stop_issuing.lift(call, stop), caller=officer)
    assert len(peer.ask("vci_wallet", later)["credentials"]) == 1
    with pytest.raises(peer.PeerFailed, match="invalid_transaction_id"):
        peer.ask("vci_wallet", later)


def test_a_wrong_second_code_is_told_to_the_wallet(town: Town, licence: Licence) -> None:
    _, made = offered(town, licence)
    wrong = f"{(int(made.second or 0) + 1) % 1_000_000:06}"
    with pytest.raises(peer.PeerFailed, match="invalid_grant"):
        take(town, made.by_value, f"{licence.type_code}.sd-jwt", txCode=wrong)
