"""What wallets are refused, what they have to wait for, and what happens at once (OpenID4VCI 1.0)."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from joserfc import jwe
from joserfc.jwk import ECKey
from sqlalchemy import func, select, update

from idservice.models import TokenFamily
from idservice.oauth.models import Offer
from licences.life import stop_issuing
from licences.models import Licence
from licences.wallets.issuance import attestations, door, issue
from licences.wallets.issuance.models import WalletDeferral
from licences.wallets.issuance.refusals import Refusal
from tests.builders import STAFF_LOGIN
from tests.identity import claims_of
from tests.town import ALICE, SECURITY, Town
from tests.unit.licences.wallets.issuance.test_attestations import KEYS, MAKERS, attestation
from tests.wallet_issuance import (
    OTHER_WALLET,
    Pocket,
    enter_wallets,
    new_key,
    offered,
    places,
    proof,
    refused,
    taken,
)


@pytest.fixture(scope="module", autouse=True)
def _wallets(town: Town) -> None:
    town.act(enter_wallets)


@pytest.fixture(scope="module")
def licence(town: Town) -> Licence:
    return town.issue("driving_licence")


@pytest.fixture
def pocket(town: Town, licence: Licence) -> Pocket:
    """A wallet with a token for all forms of the licence."""
    offer, made = offered(town, licence, "sd-jwt", "mdoc", "jwt")
    found = Pocket(town)
    assert found.redeem(offer, made.second).status_code == 200
    return found


# --- proofs and nonces ------------------------------------------------------------------------------------------

BAD_PROOFS: dict[str, tuple[dict[str, Any], str]] = {
    "another type": ({"header": {"typ": "jwt"}}, "invalid_proof"),
    "no key": ({"header": {"jwk": None}}, "invalid_proof"),
    "kid beside the key": ({"header": {"kid": "did:example:1#1"}}, "invalid_proof"),
    "critical extension": ({"header": {"crit": ["b64"], "b64": False}}, "invalid_proof"),
    "another issuer": ({"aud": "https://evil.example"}, "invalid_proof"),
    "issuer among others": ({"aud": ["http://127.0.0.1:8000", "https://evil.example"]}, "invalid_proof"),
    "issuer with a slash": ({"aud": "http://127.0.0.1:8000/"}, "invalid_proof"),
    "another wallet": ({"iss": OTHER_WALLET}, "invalid_proof"),
    "too old": ({"iat": 1_700_000_000}, "invalid_proof"),
    "from the future": ({"iat": 4_000_000_000}, "invalid_proof"),
    "no time": ({"iat": None}, "invalid_proof"),
    "expired": ({"exp": 1_700_000_000}, "invalid_proof"),
    "no nonce": ({"nonce": None}, "invalid_nonce"),
    "a nonce of somebody else": ({"nonce": "A" * 50}, "invalid_nonce"),
    "a nonce that is no text": ({"nonce": 7}, "invalid_nonce"),
}


@pytest.mark.parametrize("name", BAD_PROOFS)
def test_a_bad_proof_is_refused(pocket: Pocket, licence: Licence, name: str) -> None:
    changes, code = BAD_PROOFS[name]
    bad = proof(new_key(), **{"nonce": pocket.nonce()} | changes)
    body = {"credential_configuration_id": f"{licence.type_code}.sd-jwt", "proofs": {"jwt": [bad]}}
    refused(pocket.ask(body), code)


def test_a_key_that_did_not_sign_is_refused(pocket: Pocket, licence: Licence) -> None:
    nonce, other = pocket.nonce(), new_key().as_dict(private=False)
    body = {"credential_configuration_id": f"{licence.type_code}.sd-jwt"}
    refused(pocket.ask(body | {"proofs": {"jwt": [proof(new_key(), nonce, header={"jwk": other})]}}), "invalid_proof")
    key = new_key()
    leaked = proof(key, nonce, header={"jwk": key.as_dict(private=True)})
    refused(pocket.ask(body | {"proofs": {"jwt": [leaked]}}), "invalid_proof")


def test_an_mdoc_is_bound_to_p256_alone(pocket: Pocket, licence: Licence) -> None:
    assert pocket.want(f"{licence.type_code}.sd-jwt", new_key("OKP")).status_code == 200
    refused(pocket.want(f"{licence.type_code}.mdoc", new_key("OKP")), "invalid_proof")


def test_a_batch_has_one_nonce_and_as_many_keys_as_copies(pocket: Pocket, licence: Licence) -> None:
    name, key, nonce = f"{licence.type_code}.sd-jwt", new_key(), pocket.nonce()
    body = {"credential_configuration_id": name}
    two = [proof(key, nonce), proof(key, nonce)]
    refused(pocket.ask(body | {"proofs": {"jwt": two}}), "invalid_proof")
    mixed = [proof(new_key(), nonce), proof(new_key(), pocket.nonce())]
    refused(pocket.ask(body | {"proofs": {"jwt": mixed}}), "invalid_proof")
    eleven = [proof(new_key(), nonce) for _ in range(11)]
    refused(pocket.ask(body | {"proofs": {"jwt": eleven}}), "invalid_proof")
    assert pocket.ask(body | {"proofs": {"jwt": eleven[:10]}}).status_code == 200


def test_a_makers_word_alone_is_enough_where_it_is_believed(
    pocket: Pocket, licence: Licence, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"credential_configuration_id": f"{licence.type_code}.sd-jwt"}
    body["proofs"] = {"attestation": [attestation(nonce=pocket.nonce())]}
    refused(pocket.ask(body), "invalid_proof")
    monkeypatch.setattr(attestations, "makers", lambda _settings: MAKERS)
    answer = pocket.ask(body)
    bound = [claims_of(one["credential"])["cnf"]["jwk"]["x"] for one in answer.json["credentials"]]
    assert bound == [key.as_dict(private=False)["x"] for key in KEYS]
    refused(pocket.ask(body), "invalid_nonce")


def test_a_nonce_is_good_once_and_for_minutes(pocket: Pocket, licence: Licence) -> None:
    body = {"credential_configuration_id": f"{licence.type_code}.sd-jwt"}
    nonce = pocket.nonce()
    assert pocket.ask(body | {"proofs": {"jwt": [proof(new_key(), nonce)]}}).status_code == 200
    refused(pocket.ask(body | {"proofs": {"jwt": [proof(new_key(), nonce)]}}), "invalid_nonce")
    late, moment = pocket.nonce(), datetime.now(UTC) + timedelta(minutes=5, seconds=1)
    with time_machine.travel(moment, tick=False):
        made = proof(new_key(), late, iat=int(moment.timestamp()))
        refused(pocket.ask(body | {"proofs": {"jwt": [made]}}), "invalid_nonce")


BAD_REQUESTS: dict[str, tuple[Any, str]] = {
    "not an object": ([], "invalid_credential_request"),
    "neither name": ({}, "invalid_credential_request"),
    "both names": (
        {"credential_configuration_id": "a", "credential_identifier": "b"},
        "invalid_credential_request",
    ),
    "a name that is no text": ({"credential_configuration_id": 7}, "invalid_credential_request"),
    "a long name": ({"credential_configuration_id": "x" * 129}, "invalid_credential_request"),
    "no proofs": ({"credential_configuration_id": "a"}, "invalid_proof"),
    "proofs of two types": ({"credential_configuration_id": "a", "proofs": {"jwt": [], "ldp_vp": []}}, "invalid_proof"),
    "an empty batch": ({"credential_configuration_id": "a", "proofs": {"jwt": []}}, "invalid_proof"),
    "a proof that is no text": ({"credential_configuration_id": "a", "proofs": {"jwt": [{}]}}, "invalid_proof"),
    "a proof that is none": ({"credential_configuration_id": "a", "proofs": {"jwt": ["a.b.c"]}}, "invalid_proof"),
    "a type not taken": ({"credential_configuration_id": "a", "proofs": {"di_vp": [{}]}}, "invalid_proof"),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_is_refused(pocket: Pocket, name: str) -> None:
    body, code = BAD_REQUESTS[name]
    refused(pocket.ask(body), code)


def test_a_body_that_is_no_json_is_refused_in_the_same_form(pocket: Pocket) -> None:
    for path, code in (("credential", Refusal.REQUEST), ("notification", Refusal.NOTIFICATION)):
        for data, kind in ((b'{"a": 1, "a": 2}', "application/json"), (b"a=1", "application/x-www-form-urlencoded")):
            answer = pocket.town.web.post(f"/openid4vci/{path}", data=data, content_type=kind, headers=pocket.headers)
            refused(answer, str(code))


def test_every_endpoint_demands_a_token(town: Town) -> None:
    assert {operation.path for operation in door.OPERATIONS} == {
        "/openid4vci/credential", "/openid4vci/deferred_credential", "/openid4vci/notification",
    }  # fmt: skip
    for operation in door.OPERATIONS:
        answer = town.web.post(operation.path, json={})
        refused(answer, "invalid_token", 401)
        assert "DPoP" in answer.headers["WWW-Authenticate"]
        reading = town.web.post(operation.path, json={}, headers=town.machine("counter"))
        refused(reading, "insufficient_scope", 403)


# --- encryption, waiting, notifications -------------------------------------------------------------------------


def test_an_answer_is_encrypted_for_the_wallets_key(pocket: Pocket, licence: Licence) -> None:
    key = ECKey.generate_key("P-256", {"kid": "e1"})
    public = key.as_dict(private=False) | {"alg": "ECDH-ES", "use": "enc"}
    for cipher in ("A128GCM", "A256GCM"):
        asked = {"jwk": public, "enc": cipher}
        answer = pocket.want(f"{licence.type_code}.sd-jwt", new_key(), credential_response_encryption=asked)
        assert (answer.status_code, answer.mimetype) == (200, "application/jwt")
        opened = jwe.decrypt_compact(answer.text, key, algorithms=["ECDH-ES", cipher])
        assert opened.headers()["kid"] == "e1"
        assert json.loads(opened.plaintext or b"")["credentials"]


@pytest.mark.parametrize(
    "change",
    [
        {"enc": "A128CBC-HS256"},
        {"zip": "DEF"},
        {"jwk": None},
        {"jwk": {"kty": "EC", "crv": "P-256", "alg": "ECDH-ES", "x": "A", "y": "A"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "alg": "ECDH-ES", "x": 1, "y": 2}},
        {"jwk": {"kty": "RSA", "alg": "ECDH-ES"}},
        {"jwk": {"kty": "oct", "alg": "dir", "k": "AAAA"}},
    ],
)
def test_encryption_that_is_not_offered_is_refused(pocket: Pocket, licence: Licence, change: dict[str, Any]) -> None:
    key = ECKey.generate_key("P-256").as_dict(private=False) | {"alg": "ECDH-ES"}
    asked = {"jwk": key, "enc": "A128GCM"} | change
    answer = pocket.want(f"{licence.type_code}.sd-jwt", new_key(), credential_response_encryption=asked)
    refused(answer, "invalid_encryption_parameters")


def test_what_waits_is_given_to_the_same_wallet_once_and_not_after_its_licence_ended(town: Town) -> None:
    title = town.issue()
    body = {"department": SECURITY, "type": title.type_code, "reason": "检修"}
    officer = town.caller(ALICE, posts=frozenset({("officer", SECURITY)}), **STAFF_LOGIN)
    stop = town.act(lambda call: stop_issuing.stop(call, body).stop_id, caller=officer)
    name = f"{title.type_code}.sd-jwt"
    waiting = []
    offer, made = offered(town, title)
    pocket = Pocket(town)
    pocket.redeem(offer, made.second)
    for _ in range(3):
        answer = pocket.want(name, new_key(), new_key())
        assert (answer.status_code, answer.json["interval"]) == (202, issue.ASK_AGAIN)
        waiting.append({"transaction_id": answer.json["transaction_id"]})
    offer, made = offered(town, title)
    other = Pocket(town, OTHER_WALLET)
    other.redeem(offer, made.second)
    refused(other.ask(waiting[0], "deferred_credential"), "invalid_transaction_id")
    assert pocket.ask(waiting[0], "deferred_credential").status_code == 202
    town.act(lambda call: stop_issuing.lift(call, stop), caller=officer)
    given = pocket.ask(waiting[0], "deferred_credential")
    assert len(given.json["credentials"]) == 2
    refused(pocket.ask(waiting[0], "deferred_credential"), "invalid_transaction_id")
    town.act(
        lambda call: call.session.execute(
            update(WalletDeferral).where(WalletDeferral.used_at.is_(None)).values(expires_at=call.now)
        )
    )
    refused(pocket.ask(waiting[1], "deferred_credential"), "invalid_transaction_id")
    town.act(lambda call: call.session.execute(update(WalletDeferral).values(expires_at=call.now + timedelta(days=1))))
    assert town.change(title.identifier, "revoke", reason="x").status_code == 201
    refused(pocket.ask(waiting[2], "deferred_credential"), "credential_request_denied")
    refused(pocket.ask({}, "deferred_credential"), "invalid_credential_request")
    refused(pocket.ask({"transaction_id": "x"}, "deferred_credential"), "invalid_transaction_id")


def test_a_wallet_says_what_became_of_a_delivery(town: Town) -> None:
    title = town.issue()
    pocket = taken(town, title, "sd-jwt")
    given = pocket.want(f"{title.type_code}.sd-jwt", new_key(), new_key()).json
    named = {"notification_id": given["notification_id"]}
    for event in ("credential_accepted", "credential_failure"):
        answer = pocket.ask(named | {"event": event, "event_description": "ok"}, "notification")
        assert (answer.status_code, answer.text) == (204, "")
    other = taken(town, title, "sd-jwt", client_id=OTHER_WALLET)
    refused(other.ask(named | {"event": "credential_deleted"}, "notification"), "invalid_notification_id")
    assert pocket.ask(named | {"event": "credential_deleted"}, "notification").status_code == 204
    assert sorted(value for _, value in places(town, title)) == [0, 0, 0, 0, 1, 1]  # what it deleted is ended
    refused(
        pocket.ask({"notification_id": "x", "event": "credential_accepted"}, "notification"), "invalid_notification_id"
    )
    for bad in ({"event": "gone"}, {"event": []}, {}, {"event": "credential_accepted", "event_description": "坏"}):
        refused(pocket.ask(named | bad, "notification"), "invalid_notification_request")


# --- races ------------------------------------------------------------------------------------------------------


def at_once(town: Town, count: int, deed: Any) -> list[Any]:
    barrier = threading.Barrier(count)

    def run(place: int) -> Any:
        barrier.wait()
        return deed(place)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_of_fifty_redemptions_at_once_one_succeeds(town: Town, licence: Licence) -> None:
    offer, made = offered(town, licence)
    before = town.count(TokenFamily)
    answers = at_once(town, 50, lambda _place: Pocket(town).redeem(offer, made.second).status_code)
    assert sorted(answers) == [200] + [400] * 49
    assert town.count(TokenFamily) == before + 1


def test_guesses_at_once_count_one_by_one(town: Town, licence: Licence) -> None:
    offer, made = offered(town, licence)
    right = int(made.second or 0)
    wrong = [f"{(right + step) % 1_000_000:06}" for step in range(1, 21)]
    at_once(town, 20, lambda place: Pocket(town).redeem(offer, wrong[place]).status_code)
    tries = town.act(lambda call: call.session.scalar(select(func.max(Offer.tries))))
    assert tries == 3
    refused(Pocket(town).redeem(offer, made.second), "invalid_grant")


def test_of_ten_uses_of_a_nonce_at_once_one_succeeds(pocket: Pocket, licence: Licence) -> None:
    nonce = pocket.nonce()
    proofs = [proof(new_key(), nonce) for _ in range(10)]
    name = f"{licence.type_code}.sd-jwt"

    def ask(place: int) -> int:
        body = {"credential_configuration_id": name, "proofs": {"jwt": [proofs[place]]}}
        return int(pocket.ask(body).status_code)

    assert sorted(at_once(pocket.town, 10, ask)) == [200] + [400] * 9
