"""Claim 169: what is refused, and how it is told from other texts. Foreign: test_copies."""

import zlib
from datetime import UTC, datetime

import claim169 as foreign
import pytest

from keys import cbor, cose
from keys.verdict import Reason
from licences.formats import claim169, lc1_text
from tests.town import type_of
from tests.unit.licences.formats.papers import ISSUED_AT, ISSUER, SIGNER, message_of, paper_of

CARD = paper_of(type_of("resident_card"))
TEXT = claim169.make(CARD, issuer=ISSUER, issued_at=ISSUED_AT, signer=SIGNER)


def code_of(text: str) -> str:
    with pytest.raises(claim169.Claim169Error) as caught:
        claim169.authenticate(text, [SIGNER.public])
    return caught.value.code


def signed(claims: object) -> str:
    return lc1_text.base45(zlib.compress(cose.sign(cbor.encode(claims), signer=SIGNER), 9))


def test_what_was_made_is_read_back_and_the_number_is_not_its_subject() -> None:
    found = claim169.authenticate(TEXT, [SIGNER.public])
    assert (found.kid, found.subject) == (SIGNER.kid, CARD.identifier)
    assert found.members[1] == CARD.holders[0].code
    read = foreign.inspect(TEXT)
    assert (read.issuer, read.subject, read.algorithm) == (ISSUER, CARD.identifier, "ES256")
    assert read.expires_at > datetime.now(UTC).timestamp()


def test_an_organisation_has_none() -> None:
    with pytest.raises(ValueError, match="persons"):
        claim169.make(paper_of(type_of("business_licence")), issuer=ISSUER, issued_at=ISSUED_AT, signer=SIGNER)


def test_it_is_told_from_other_texts() -> None:
    assert claim169.looks_like(TEXT)
    paper = lc1_text.to_base45(message_of(type_of("resident_card")))
    assert not any(map(claim169.looks_like, ["", TEXT[:99], paper, "é" * 200, "1.2.156.3005.2." + "A" * 100]))


def test_each_refusal_has_its_code() -> None:
    message = cose.sign(b"\xa0", signer=SIGNER)
    bomb = lc1_text.base45(zlib.compress(bytes(100_000), 9))
    trailing = lc1_text.base45(zlib.compress(message) + b"x")
    expected = {
        "malformed": ["", TEXT[:-3], TEXT + "0", "NCF" + "A" * 200, bomb, trailing],
        "bad_payload": [
            signed({}),
            signed({2: 1, 169: {}}),
            signed({2: "x", 169: []}),
            signed({2: "x", 169: {}, 7: 1}),
        ],
        "too_large": ["0" * 4_097],
    }
    for code, texts in expected.items():
        assert [code_of(text) for text in texts] == [code] * len(texts)
    assert claim169.Claim169Error("signature").reason is Reason.SIGNATURE_INVALID
