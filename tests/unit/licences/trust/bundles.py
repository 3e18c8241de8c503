"""A bundle, made up, for the tests of the bundle and of offline verification."""

from typing import Any

from keys.base64url import b64u
from keys.signer import Algorithm, Signer, generate_private, load_private
from licences.formats import lc1
from licences.trust import bundle
from licences.trust.bundle import Bundle, pin
from tests.unit.licences.formats.papers import SIGNER as LICENCE_SIGNER
from tests.unit.licences.status.lists import ISSUER, SIGNED_AT

TRUST_SIGNER = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
PINS = frozenset({pin(TRUST_SIGNER.public)})
DAY = 86_400
REVOKED = "0123456789abcdef"


def key(signer: Signer, use: str) -> dict[str, Any]:
    jwk = {**signer.public.jwk(), "alg": "ES256"}
    return {"kid": signer.kid, "jwk": jwk, "issuer": ISSUER, "use": use, "not_before": SIGNED_AT, "not_after": None}


def body(*tokens: str, **changes: Any) -> dict[str, Any]:
    """What the bundle of a service says that has the licence key of `papers`, and these lists."""
    return {
        "issuer": ISSUER,
        "keys": [key(LICENCE_SIGNER, bundle.LICENCE), key(TRUST_SIGNER, bundle.TRUST)],
        "revoked_keys": [{"kid": REVOKED, "use": bundle.LICENCE}],
        "dictionaries": [{"id": "D1", "sha256": lc1.DICTIONARY_SHA256, "data": b64u(lc1.dictionary())}],
        "templates": [],
        "status_lists": [{"number": n, "uri": f"{ISSUER}/status/{n}", "token": t} for n, t in enumerate(tokens)],
        "issuers": [],
        **changes,
    }


def text(stated: dict[str, Any] | None = None, *, sequence: int = 1, signer: Signer = TRUST_SIGNER) -> str:
    stated = body() if stated is None else stated
    times = {"issued_at": SIGNED_AT, "expires_at": SIGNED_AT + 7 * DAY}
    return bundle.write(stated, sequence=sequence, **times, signer=signer)


def read(stated: dict[str, Any] | None = None) -> Bundle:
    return bundle.read(text(stated), pins=PINS)
