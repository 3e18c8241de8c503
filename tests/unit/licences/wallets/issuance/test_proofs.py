"""Proofs of possession: what holds, and that nothing else does."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licences.wallets.issuance import proofs
from licences.wallets.issuance.refusals import Refusal, WalletRefused
from tests.identity import ISSUER
from tests.wallet_issuance import WALLET, new_key, proof

NONCE = "n" * 50
KEY = new_key()
MADE = int(time.time())  # the proofs of this file are of this moment, and judged at it, whenever they are
GOOD = proof(KEY, NONCE, iat=MADE)


def verify(*texts: str) -> proofs.Proven:
    return proofs.verify(texts, proofs.Terms(ISSUER, WALLET, datetime.fromtimestamp(MADE, UTC)))


def test_it_tells_the_keys_in_their_order_and_the_nonce() -> None:
    other = new_key()
    found = verify(GOOD, proof(other, NONCE, iss=WALLET, iat=MADE))
    assert [key.jwk()["x"] for key in found.keys] == [one.as_dict(private=False)["x"] for one in (KEY, other)]
    assert found.nonce == NONCE


def test_a_key_attestation_is_carried_and_not_believed() -> None:
    assert verify(proof(KEY, NONCE, header={"key_attestation": "e30.e30.AA"}, iat=MADE)).keys == verify(GOOD).keys


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.sampled_from("AQgw_-.09"))
def test_no_mutant_holds(place: int, letter: str) -> None:
    mutant = GOOD[:place] + letter + GOOD[place + 1 :]
    if mutant == GOOD:
        return
    with pytest.raises(WalletRefused) as refused:
        verify(mutant)
    assert refused.value.code in {Refusal.PROOF, Refusal.NONCE}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_no_text_but_a_proof_holds(text: str) -> None:
    with pytest.raises(WalletRefused) as refused:
        verify(text)
    assert refused.value.code == Refusal.PROOF


def test_a_long_one_is_refused_unread() -> None:
    with pytest.raises(WalletRefused, match="too_large"):
        verify("A" * (proofs.MAX_PROOF + 1))
