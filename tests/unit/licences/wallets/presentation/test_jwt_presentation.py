"""A presentation around a credential that is one JWT: signed by its holder for this verifier and question."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keys import jws
from keys.signer import Algorithm, generate_private, load_private
from licences.formats import key_binding
from licences.formats.jwt_vc import CONTEXT, KIND, CredentialError
from licences.wallets.presentation import jwt_presentation
from licences.wallets.presentation.jwt_presentation import PresentationError

ISSUER, HOLDER, STRANGER = (load_private(Algorithm.ES256, generate_private(Algorithm.ES256)) for _ in range(3))
NOW = datetime(2026, 11, 22, tzinfo=UTC)
ASKED = key_binding.Asked("x509_hash:a", "n")
HOUSE = "https://one.example"
CREDENTIAL = {
    "@context": [CONTEXT],
    "id": "x",
    "type": [KIND, "ElectronicLicence"],
    "issuer": {"id": HOUSE},
    "validFrom": "2026-01-01T00:00:00+08:00",
    "credentialSubject": {"licenceIdentifier": "x", "face": {}},
    "cnf": key_binding.confirmation(HOLDER.public.jwk()),
}


def credential(**more: Any) -> str:
    from licences.formats import jwt_vc

    stated = {name: value for name, value in {**CREDENTIAL, **more}.items() if value is not None}
    return jwt_vc.sign(stated, signer=ISSUER)


def shown(held: Any = None, *, signer: Any = HOLDER, **more: Any) -> str:
    payload = {
        "aud": "x509_hash:a",
        "nonce": "n",
        "iat": int(NOW.timestamp()),
        "vp": {"verifiableCredential": [credential()] if held is None else held},
        **more,
    }
    return jws.encode(payload, signer=signer, typ="JWT")


def verify(token: str) -> dict[str, Any]:
    keys = {ISSUER.kid: ISSUER.public}
    return jwt_presentation.verify(token, ASKED, keys=keys, issuer=HOUSE, now=NOW)


def test_a_holders_presentation_is_believed() -> None:
    assert verify(shown())["credentialSubject"] == CREDENTIAL["credentialSubject"]
    assert verify(shown(credential()))["id"] == "x"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (shown(signer=STRANGER), "holder_signature"),
        (shown([credential(cnf=None)]), "holder_key"),
        (shown([credential(cnf={"jwk": {"kty": "EC"}})]), "holder_key"),
        (shown(aud="x509_hash:b"), "audience"),
        (shown(nonce="m"), "nonce"),
        (shown(nonce=None), "nonce"),
        (shown(iat=int((NOW - timedelta(minutes=6)).timestamp())), "time"),
        (shown(iat=int((NOW + timedelta(minutes=1)).timestamp())), "time"),
        (shown(exp=int(NOW.timestamp())), "time"),
        (shown([]), "malformed"),
        (shown([credential(), credential()]), "malformed"),
        (shown(vp=None), "malformed"),
        ("x", "malformed"),
        ("a.b.c", "malformed"),
        (f"{shown()}x", "holder_signature"),
    ],
)
def test_each_fault_has_its_code(token: str, code: str) -> None:
    with pytest.raises(PresentationError) as error:
        verify(token)
    assert error.value.code == code


def test_a_credential_of_another_house_is_refused() -> None:
    with pytest.raises(CredentialError) as error:
        verify(shown([credential(issuer={"id": "https://other.example"})]))
    assert error.value.code == "issuer"
    with pytest.raises(CredentialError) as error:
        verify(shown([jws.encode(CREDENTIAL, signer=STRANGER, typ="vc+jwt")]))
    assert error.value.code == "unknown_key"
