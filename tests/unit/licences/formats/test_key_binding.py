"""Key binding (RFC 9901 section 4.3): made and read by the PyPI package too, and refused wherever it does not fit."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jwcrypto.jwk import JWK
from sd_jwt.holder import SDJWTHolder
from sd_jwt.verifier import SDJWTVerifier

from keys.signer import Algorithm, generate_private, load_private
from keys.verdict import Reason
from licences.formats import key_binding, sdjwt
from licences.formats.disclosures import SDJWTError
from licences.formats.key_binding import Asked

ISSUER, NOW = "https://issuer.example", datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
ASKED = Asked("https://counter.example", "a-nonce-asked-once")


def new_signer() -> Any:
    return load_private(Algorithm.ES256, generate_private(Algorithm.ES256))


ISSUING, HOLDING, OTHER = new_signer(), new_signer(), new_signer()


def credential(**more: Any) -> str:
    claims = {"holder_name": "演示人甲", "class": "C1", **more}
    hidden = {"holder_name", "class"}
    options: dict[str, Any] = {"issuer": ISSUER, "vct": "urn:x", "kid": ISSUING.kid, "seed": bytes(32)}
    return sdjwt.sign(sdjwt.build(claims, hidden, issued_at=NOW, **options), ISSUING)


BOUND = credential(cnf=key_binding.confirmation(HOLDING.public.jwk()))
SHOWN = key_binding.bind(sdjwt.present(BOUND, ["class"]), HOLDING, ASKED, now=NOW)


def verify(text: str, asked: Asked = ASKED, now: datetime = NOW) -> sdjwt.Verified:
    return key_binding.verify(text, asked, keys={ISSUING.kid: ISSUING.public}, issuer=ISSUER, now=now)


def refusal(text: str, asked: Asked = ASKED, now: datetime = NOW) -> SDJWTError:
    with pytest.raises(SDJWTError) as caught:
        verify(text, asked, now)
    return caught.value


def test_the_holder_shows_what_he_chose() -> None:
    found = verify(SHOWN)
    assert found.disclosed == ("class",)
    assert "holder_name" not in found.claims


def test_the_package_reads_our_proof_and_we_read_its() -> None:
    issuing = JWK(**ISSUING.public.jwk())
    theirs = SDJWTVerifier(SHOWN, lambda *_issuer, **_header: issuing, ASKED.audience, ASKED.nonce)
    assert theirs.get_verified_payload()["class"] == "C1"

    key = JWK.generate(kty="EC", crv="P-256")
    bound = credential(cnf=key_binding.confirmation(json.loads(key.export_public())))
    holder = SDJWTHolder(bound)
    holder.create_presentation({"class": True}, ASKED.nonce, ASKED.audience, key)
    # The package signs with the clock of this moment.
    assert verify(holder.sd_jwt_presentation, now=datetime.now(UTC)).disclosed == ("class",)


def test_a_proof_is_the_holders_for_one_reader_one_question_and_now() -> None:
    shown = sdjwt.present(BOUND, ["class"])
    refused = {
        "key_binding_missing": refusal(shown),
        "key_binding": refusal(key_binding.bind(shown, OTHER, ASKED, now=NOW)),
        "key_binding_audience": refusal(SHOWN, Asked("https://elsewhere.example", ASKED.nonce)),
        "key_binding_nonce": refusal(SHOWN, Asked(ASKED.audience, "another question")),
        "holder_key": refusal(key_binding.bind(credential(), HOLDING, ASKED, now=NOW)),
    }
    assert {code: found.code for code, found in refused.items()} == {code: code for code in refused}
    assert refused["key_binding"].reason is Reason.HOLDER_MISMATCH
    assert refused["key_binding_nonce"].reason is Reason.REPLAYED


@pytest.mark.parametrize("seconds", [-11, 301])
def test_a_proof_is_fresh(seconds: int) -> None:
    issued_long_ago = NOW + timedelta(hours=1)
    shown = key_binding.bind(sdjwt.present(BOUND, ["class"]), HOLDING, ASKED, now=issued_long_ago)
    assert refusal(shown, now=issued_long_ago + timedelta(seconds=seconds)).code == "key_binding_time"


def test_a_proof_covers_what_is_shown() -> None:
    proof = SHOWN.rpartition("~")[2]
    assert refusal(BOUND + proof).code == "key_binding", "more disclosures than were bound"
    assert refusal(sdjwt.present(BOUND, []) + proof).code == "key_binding", "fewer"


def test_no_changed_character_of_a_proof_passes() -> None:
    head, _, proof = SHOWN.rpartition("~")
    for place in range(0, len(proof), 7):
        changed = "A" if proof[place] != "A" else "B"
        refusal(f"{head}~{proof[:place]}{changed}{proof[place + 1 :]}")


@pytest.mark.parametrize("jwk", [{}, {"kty": "oct", "k": "AAAA"}, {**HOLDING.public.jwk(), "d": "AAAA"}])
def test_only_a_public_key_binds(jwk: dict[str, Any]) -> None:
    with pytest.raises(SDJWTError) as caught:
        key_binding.confirmation(jwk)
    assert caught.value.code == "holder_key"
