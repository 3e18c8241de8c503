"""Key attestations: believed from known makers alone, in time, and for the keys and the nonce they name."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from joserfc.jwk import ECKey

from licences.wallets.issuance import attestations, proofs
from licences.wallets.issuance.refusals import Refusal, WalletRefused
from tests.identity import ISSUER
from tests.wallet_issuance import WALLET, new_key, proof

NONCE = "n" * 50
MAKER = ECKey.generate_key("P-256", {"kid": "m1"})
MAKERS = {"keys": [MAKER.as_dict(private=False) | {"alg": "ES256", "use": "sig"}]}
KEYS = [new_key(), new_key()]


def now() -> datetime:
    """Asked at each use: the peers sign at the time it is."""
    return datetime.fromtimestamp(int(time.time()), UTC)


def attestation(maker: ECKey = MAKER, *, keys: Any = KEYS, header: dict[str, Any] | None = None, **claims: Any) -> str:
    listed = [key.as_dict(private=False) for key in keys]
    said = {"iat": int(time.time()), "exp": int(time.time()) + 60, "attested_keys": listed} | claims
    said = {name: value for name, value in said.items() if value is not None}
    head = {"typ": "key-attestation+jwt", "kid": "m1"} | (header or {})
    return jwt.encode(said, maker.private_key, algorithm="ES256", headers=head)


def terms(makers: Any = MAKERS, *, must: bool = False) -> proofs.Terms:
    return proofs.Terms(ISSUER, WALLET, now(), makers, must)


def code_of(deed: Any) -> Refusal:
    with pytest.raises(WalletRefused) as refused:
        deed()
    return refused.value.code


def test_a_makers_word_proves_all_its_keys() -> None:
    found = proofs.of_maker(attestation(nonce=NONCE), terms())
    assert [key.jwk()["x"] for key in found.keys] == [key.as_dict(private=False)["x"] for key in KEYS]
    assert found.nonce == NONCE


def test_it_needs_a_nonce_of_its_own_and_makers_that_are_believed() -> None:
    assert code_of(lambda: proofs.of_maker(attestation(), terms())) == Refusal.NONCE
    assert code_of(lambda: proofs.of_maker(attestation(nonce=NONCE), terms(None))) == Refusal.PROOF
    many = attestation(nonce=NONCE, keys=[new_key() for _ in range(proofs.BATCH + 1)])
    assert code_of(lambda: proofs.of_maker(many, terms())) == Refusal.PROOF
    twice = attestation(nonce=NONCE, keys=[KEYS[0], KEYS[0]])
    assert code_of(lambda: proofs.of_maker(twice, terms())) == Refusal.PROOF


BAD: dict[str, dict[str, Any]] = {
    "another maker": {"maker": ECKey.generate_key("P-256", {"kid": "m1"})},
    "an unknown key": {"header": {"kid": "m2"}},
    "another type": {"header": {"typ": "JWT"}},
    "its own certificates": {"header": {"x5c": ["AA=="]}},
    "its own key": {"header": {"jwk": MAKER.as_dict(private=False)}},
    "expired": {"exp": 1_700_000_000},
    "of tomorrow": {"iat": 4_000_000_000},
    "without time": {"iat": None},
    "without keys": {"attested_keys": []},
    "keys that are none": {"attested_keys": ["x"]},
    "a private key": {"attested_keys": [KEYS[0].as_dict(private=True)]},
    "a nonce that is no text": {"nonce": 7},
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_is_refused(name: str) -> None:
    text = attestation(**BAD[name])
    assert code_of(lambda: attestations.verify(text, MAKERS, now=now())) == Refusal.PROOF


def test_a_proof_brings_the_makers_word_for_its_own_key() -> None:
    good = proof(KEYS[0], NONCE, header={"key_attestation": attestation()})
    assert len(proofs.verify([good], terms(must=True)).keys) == 1
    ten = [KEYS[0], *(new_key() for _ in range(9))]  # a whole batch in one attestation
    batch = [proof(key, NONCE, header={"key_attestation": attestation(keys=ten)}) for key in ten]
    assert len(proofs.verify(batch, terms(must=True)).keys) == 10
    bare = proof(KEYS[0], NONCE)
    assert len(proofs.verify([bare], terms()).keys) == 1
    assert code_of(lambda: proofs.verify([bare], terms(must=True))) == Refusal.PROOF
    other = proof(new_key(), NONCE, header={"key_attestation": attestation()})
    assert code_of(lambda: proofs.verify([other], terms())) == Refusal.PROOF
    stale = proof(KEYS[0], NONCE, header={"key_attestation": attestation(nonce="another")})
    assert code_of(lambda: proofs.verify([stale], terms())) == Refusal.PROOF
    odd = proof(KEYS[0], NONCE, header={"key_attestation": ["x"]})
    assert code_of(lambda: proofs.verify([odd], terms())) == Refusal.PROOF
