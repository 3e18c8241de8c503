"""The JWT-VC: what is refused although a key of ours signed it. Foreign readers: tests/unit/licences/test_copies.py."""

import pytest

from keys import jws
from keys.verdict import Reason
from licences.formats import jwt_vc
from tests.town import type_of
from tests.unit.licences.formats.papers import ISSUER, SIGNER, paper_of

CREDENTIAL = jwt_vc.build(paper_of(type_of("real_estate_title")), issuer=ISSUER, status=("https://lists.example/1", 7))
KEYS = {SIGNER.kid: SIGNER.public}


def code_of(token: str, issuer: str = ISSUER) -> str:
    with pytest.raises(jwt_vc.CredentialError) as caught:
        jwt_vc.authenticate(token, keys=KEYS, issuer=issuer)
    return caught.value.code


def test_what_was_signed_is_read_back() -> None:
    token = jwt_vc.sign(CREDENTIAL, signer=SIGNER)
    assert jwt_vc.authenticate(token, keys=KEYS, issuer=ISSUER) == CREDENTIAL
    assert "validUntil" not in CREDENTIAL, "a title has no end"
    ends = jwt_vc.build(paper_of(type_of("food_permit")), issuer=ISSUER)
    assert ends["validUntil"].endswith("T00:00:00+08:00"), "the first moment after the last day, in China"
    assert "credentialStatus" not in ends
    assert [one["statusListIndex"] for one in CREDENTIAL["credentialStatus"]] == ["7", "7"]


def test_each_refusal_has_its_code() -> None:
    good = jwt_vc.sign(CREDENTIAL, signer=SIGNER)
    for wrong in ({"type": ["VerifiableCredential", "BitstringStatusListCredential"]}, {"issuer": ISSUER}, {"type": 1}):
        assert code_of(jwt_vc.sign({**CREDENTIAL, **wrong}, signer=SIGNER)) == "bad_payload", wrong
    short = {name: value for name, value in CREDENTIAL.items() if name != "validFrom"}
    assert code_of(jwt_vc.sign(short, signer=SIGNER)) == "bad_payload"
    assert code_of(good, issuer="https://elsewhere.example") == "issuer"
    assert code_of(jws.encode(CREDENTIAL, signer=SIGNER, typ="dc+sd-jwt")) == "wrong_type"
    assert code_of(good[:-8] + "A" * 8) == "signature"
    assert code_of(good + ".") == "malformed"
    assert jwt_vc.CredentialError("unknown_key").reason is Reason.ISSUER_UNKNOWN
    assert jwt_vc.CredentialError("malformed").reason is Reason.UNREADABLE
