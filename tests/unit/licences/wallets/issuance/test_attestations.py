"""Key attestations: believed from known makers alone, in time, and for the keys and the nonce they name."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
from joserfc.jwk import ECKey

from idservice.settings import Settings
from keys import jws
from keys.base64url import unb64u
from keys.certificates import Certificate, KeyUsage, der_signing, issue, parse, to_pem
from keys.signer import Algorithm, Signer, generate_private, load_private
from licences.wallets.issuance import attestations, proofs
from licences.wallets.issuance.attestations import Makers
from licences.wallets.issuance.refusals import Refusal, WalletRefused
from tests.identity import ISSUER
from tests.wallet_issuance import WALLET, new_key, proof

NONCE = "n" * 50
MAKER = ECKey.generate_key("P-256", {"kid": "m1"})
MAKERS = Makers({"keys": [MAKER.as_dict(private=False) | {"alg": "ES256", "use": "sig"}]})
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
    "without an end": {"exp": None},
    "without keys": {"attested_keys": []},
    "keys that are none": {"attested_keys": ["x"]},
    "a private key": {"attested_keys": [KEYS[0].as_dict(private=True)]},
    "a nonce that is no text": {"nonce": 7},
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_is_refused(name: str) -> None:
    text = attestation(**BAD[name])
    assert code_of(lambda: attestations.verify(text, MAKERS, now=now())) == Refusal.PROOF


def certified(name: str, key: Signer, by: tuple[Certificate, Signer] | None = None, **facts: Any) -> Certificate:
    point, begin = key.public.jwk(), now() - timedelta(days=1)
    stated = {
        "subject": [("CN", name)],
        "public_key": b"\x04" + unb64u(point["x"]) + unb64u(point["y"]),
        "key_algorithm": "P-256",
        "issuer": by[0] if by else None,
        "sign": der_signing(by[1] if by else key),
        "serial": 7,
        "not_before": begin,
        "not_after": begin + timedelta(days=9),
        "ca": by is None,
        "key_usage": frozenset({KeyUsage.KEY_CERT_SIGN if by is None else KeyUsage.DIGITAL_SIGNATURE}),
    }
    return parse(issue(**stated | facts))


def with_chain(key: Signer, *chain: Certificate, **claims: Any) -> str:
    listed = [one.as_dict(private=False) for one in KEYS]
    said = {"iat": int(time.time()), "exp": int(time.time()) + 60, "attested_keys": listed} | claims
    return jws.encode(said, signer=key, typ=attestations.TYPE, chain=[one.der for one in chain])


def test_a_makers_certificate_is_believed_where_it_leads_to_an_anchor(tmp_path: Path) -> None:
    """HAIP 1.0: an attestation brings `x5c`, without the anchor, and its first certificate is not self-signed."""
    top, maker, other = (load_private(Algorithm.ES256, generate_private(Algorithm.ES256)) for _ in range(3))
    anchor = certified("根", top)
    own = certified("钱包厂商", maker, (anchor, top))
    (tmp_path / "anchors.pem").write_text(to_pem(anchor.der))
    believed = attestations.makers(replace(Settings(), wallet_maker_anchors=tmp_path / "anchors.pem"))
    assert attestations.makers(Settings()) is None
    assert believed is not None
    assert len(attestations.verify(with_chain(maker, own), believed, now=now()).keys) == 2
    assert len(attestations.verify(attestation(), Makers(MAKERS.jwks, (anchor,)), now=now()).keys) == 2
    over = certified("钱包厂商", maker, (anchor, top), not_after=now() - timedelta(hours=1))
    by_stranger = certified("钱包厂商", maker, (certified("根", other), other))
    refused = {
        "no anchors": (with_chain(maker, own), MAKERS),
        "another key": (with_chain(other, own), believed),
        "expired": (with_chain(maker, over), believed),
        "another root": (with_chain(maker, by_stranger), believed),
        "the anchor itself": (with_chain(top, anchor), believed),
        "no certificate": (jws.encode({}, signer=maker, typ=attestations.TYPE, chain=[b"0\0"]), believed),
        "too many": (with_chain(maker, *[own] * 6), believed),
        "its own key": (attestation(header={"jwk": MAKER.as_dict(private=False)}), believed),
        "no text": (attestation(header={"x5c": [7]}), believed),
        "no list": (attestation(header={"x5c": "MAA="}), believed),
        "over": (with_chain(maker, own, exp=1_700_000_000), believed),
    }
    for text, makers in refused.values():
        assert code_of(partial(attestations.verify, text, makers, now=now())) == Refusal.PROOF


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
    endless = proof(KEYS[0], NONCE, header={"key_attestation": attestation(exp=None)})
    assert code_of(lambda: proofs.verify([endless], terms())) == Refusal.PROOF
    assert len(proofs.of_maker(attestation(exp=None, nonce=NONCE), terms()).keys) == 2, "good for one nonce alone"
    odd = proof(KEYS[0], NONCE, header={"key_attestation": ["x"]})
    assert code_of(lambda: proofs.verify([odd], terms())) == Refusal.PROOF
