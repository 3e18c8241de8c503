"""Proof of possession (持有证明): which key the sender of a request was seen to hold, by DPoP or by mutual TLS.

One place for both doors: `of_client` at the token endpoint and at PAR, `of_token` wherever an access token is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import after_this_request, request

from idservice import replay
from idservice.errors import Problem
from idservice.oauth import dpop, mtls
from idservice.oauth.confirmation import DPOP, TLS, Key
from idservice.oauth.profiles import TLS_METHODS, Demand
from keys.ring import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from idservice.call import House
    from idservice.oauth.clients import App

ALGORITHMS = " ".join(dpop.ALGORITHMS)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came with a request to show that its sender holds a key."""

    method: str
    urls: tuple[str, ...]  # under which the request may have been sent
    proof: str | None
    certificate: bytes | None


def sent(home: House) -> Sent | None:
    """Return what came with this request, or None for nothing; to a proof every answer brings a fresh nonce."""
    environ = request.environ
    proof = environ.get("HTTP_DPOP")
    certificate = mtls.presented(home.settings, environ)
    if proof is None and certificate is None:
        return None
    if proof is not None:
        after_this_request(lambda response: _with_nonce(home, response))
    origins = filter(None, (home.settings.issuer, home.settings.mtls_origin))
    return Sent(request.method, tuple(f"{origin}{request.path}" for origin in origins), proof, certificate)


def of_client(home: House, app: App, came: Sent | None, *, now: datetime) -> Key | None:
    """Return the key that tokens for `app` are to be bound to, None for none; call it outside any transaction.

    Raises:
        OAuth2Error: the proof does not hold, or the client needs a key and showed none.
    """
    key = of_proof(home, came, now=now)
    if key is None and came is not None and came.certificate is not None and _binds_by_tls(app):
        key = mtls.key_of(came.certificate)
    if not app.must_bind:
        return key
    demanded = TLS if Demand.TLS in app.demands else DPOP if app.binds_by_dpop_alone else None
    methods = {DPOP, TLS} if demanded is None else {demanded}
    if key is None or key.method not in methods:
        error = "invalid_request" if methods == {TLS} else "invalid_dpop_proof"
        raise OAuth2Error("Tokens of this client are bound to a key: prove one.", error=error, status_code=400)
    return key


def of_proof(home: House, came: Sent | None, *, now: datetime) -> Key | None:
    """Return the key of the DPoP proof that came, or None where none did; call it outside any transaction.

    Raises:
        OAuth2Error: invalid_dpop_proof or use_dpop_nonce.
    """
    if came is None or came.proof is None:
        return None
    try:
        return _proven(home, came, came.proof, now=now)
    except dpop.ProofRefused as refused:
        raise OAuth2Error(refused.description, error=refused.code, status_code=400) from None


def of_token(
    home: House, text: str, claims: Mapping[str, Any], scheme: str, came: Sent | None, *, now: datetime
) -> None:
    """Refuse an access token whose key its sender does not show (RFC 9449 section 7.1, RFC 8705 section 3).

    Raises:
        Problem: unauthenticated, worded for the scheme.
    """
    expected = claims.get("cnf")
    by_dpop = isinstance(expected, dict) and DPOP in expected
    if by_dpop is not (scheme == "dpop"):
        raise refusal("invalid_token", "The access token is sent by another scheme than it was issued for.", scheme)
    key = None
    if by_dpop and came is not None and came.proof is not None:
        try:
            key = _proven(home, came, came.proof, now=now, access_token=text)
        except dpop.ProofRefused as refused:
            raise refusal(refused.code, refused.description, scheme) from None
    elif came is not None and came.certificate is not None:
        key = mtls.key_of(came.certificate)
    if key is None or key.claim != expected:
        raise refusal("invalid_token", "The sender has not shown the key the access token is bound to.", scheme)


def refusal(error: str, detail: str, scheme: str) -> Problem:
    """Return the refusal of a token in the words of its scheme (RFC 6750 section 3, RFC 9449 section 7.1)."""
    return Problem("unauthenticated", detail, headers=challenge(scheme, error=error))


def challenge(scheme: str, **parts: str) -> dict[str, str]:
    """Return the header that asks for another token, in the words of the scheme by which this one came."""
    name, parts = ("DPoP", parts | {"algs": ALGORITHMS}) if scheme == "dpop" else ("Bearer", parts)
    return {"WWW-Authenticate": f"{name} " + ", ".join(f'{part}="{value}"' for part, value in parts.items())}


def _binds_by_tls(app: App) -> bool:
    return app.auth_method in TLS_METHODS or Demand.TLS in app.demands


def _proven(home: House, came: Sent, proof: str, *, now: datetime, access_token: str | None = None) -> Key:
    found = dpop.check(
        proof,
        method=came.method,
        urls=came.urls,
        now=now,
        secrets=home.keys.secrets(Purpose.SESSION).values(),
        access_token=access_token,
    )
    value = f"{found.key.thumbprint}\0{found.jti}"
    if not replay.first_use(home, "dpop", value, expires_at=found.expires_at, now=now):
        raise dpop.ProofRefused("The DPoP proof was sent before.")
    return found.key


def _with_nonce(home: House, response: Response) -> Response:
    response.headers["DPoP-Nonce"] = dpop.nonce(home.keys.secret(Purpose.SESSION), datetime.now(UTC))
    return response
