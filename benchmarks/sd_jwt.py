"""A credential with eight claims that can be held back (SD-JWT, RFC 9901), issued and verified by three programs.

Ours does all its policy checks; the PyPI package `sd-jwt` is the reference, `peers.sd_jwt_by_hand` the practical bound.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from jwcrypto.jwk import JWK  # type: ignore[import-untyped]
from sd_jwt.common import SDObj  # type: ignore[import-untyped]
from sd_jwt.issuer import SDJWTIssuer  # type: ignore[import-untyped]
from sd_jwt.verifier import SDJWTVerifier  # type: ignore[import-untyped]

from benchmarks.peers.sd_jwt_by_hand import ByHand
from benchmarks.rounds import Figure, alternate, median, ratio
from benchmarks.thread_rate import rate
from keys.signer import Algorithm, generate_private, load_private
from licences.formats import sdjwt

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench

ISSUER: Final = "https://issuer.example"
VCT: Final = "urn:example:licence"
CLAIMS: Final = {
    "holder_name": "演示人甲",
    "holder_number": "379921199806128817",
    "licence_number": "DM-2026-00000001",
    "licence_name": "示范证书（演示）",
    "occupation": "电工",
    "level": "三级/高级工",
    "assessed_on": "2021-09-15",
    "assessment_body": "示范市职业技能鉴定中心（演示）",
}


def measure(bench: Bench) -> dict[str, Figure]:
    """Return credentials issued and verified a CPU second of one thread."""
    programs = {"ours": _ours(), "reference": _package(), "by_hand": _by_hand()}
    figures = {}
    for place, deed in enumerate(("issue", "verify")):
        targets = {name: (lambda call=calls[place]: rate(call)) for name, calls in programs.items()}
        found = alternate(targets, bench.rounds)
        figures[f"sd_jwt_{deed}"] = Figure(
            median(found["ours"]),
            "1/CPU-s",
            reference=median(found["reference"]),
            ratio_reference=ratio(found["ours"], found["reference"]),
            by_hand=median(found["by_hand"]),
            ratio_by_hand=ratio(found["ours"], found["by_hand"]),
        )
    return figures


Calls = tuple["Callable[[], object]", "Callable[[], object]"]


def _ours() -> Calls:
    signer = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
    keys, now = {signer.kid: signer.public}, datetime.now(UTC)

    def issue() -> str:
        unsigned = sdjwt.build(
            CLAIMS,
            CLAIMS,
            issuer=ISSUER,
            vct=VCT,
            kid=signer.kid,
            seed=secrets.token_bytes(sdjwt.SEED_BYTES),
            issued_at=now,
        )
        return sdjwt.sign(unsigned, signer)

    credential = issue()
    return issue, lambda: sdjwt.verify(credential, keys=keys, issuer=ISSUER, now=now)


def _package() -> Calls:
    key = JWK.generate(kty="EC", crv="P-256")
    issued_at = int(datetime.now(UTC).timestamp())

    def issue() -> str:
        payload: dict[Any, Any] = {SDObj(name): value for name, value in CLAIMS.items()}
        payload |= {"iss": ISSUER, "iat": issued_at, "vct": VCT}
        return str(SDJWTIssuer(payload, key, sign_alg="ES256").sd_jwt_issuance)

    credential = issue()
    return issue, lambda: SDJWTVerifier(credential, lambda *_issuer, **_header: key).get_verified_payload()


def _by_hand() -> Calls:
    program = ByHand(ISSUER, VCT)
    credential = program.issue(CLAIMS)
    return lambda: program.issue(CLAIMS), lambda: program.verify(credential)
