"""An app of the FAPI 2.0 profile as its developers would write it, with PyJWT and a key for every purpose."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from idservice.oauth import clients
from idservice.oauth.assertion import ASSERTION_TYPE
from tests.builders import act
from tests.identity import (
    AFTER_LOGOUT,
    CALLBACK,
    HOLDER_SCOPE,
    ISSUER,
    Browser,
    City,
    Flow,
    Page,
    answer_of,
    now,
    public_jwk,
    query_of,
)

PEOPLES_APP: dict[str, Any] = {
    "unit": "滨州市示范单位",
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": HOLDER_SCOPE,
    "redirect_uris": [CALLBACK],
    "post_logout_redirect_uris": [AFTER_LOGOUT],
}
OFFLINE = "openid offline_access accesses.read"


def register(city: City, client_id: str, **more: Any) -> None:
    """Enter a client that logs people in and has the city's key, unless more is said."""
    known = {"auth_method": "private_key_jwt", "jwks": {"keys": [public_jwk(city.key)]}}
    if more.get("auth_method", "private_key_jwt") != "private_key_jwt":
        known = {}
    wanted = {"name": f"应用 {client_id}", **PEOPLES_APP, **known, **more}
    act(city.house, lambda call: clients.register(call, client_id=client_id, **wanted))


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def bare_jwk(key: Any) -> dict[str, str]:
    jwk = public_jwk(key)
    return {name: jwk[name] for name in ("kty", "crv", "x", "y")}


def thumbprint(key: Any) -> str:
    """RFC 7638 written out, not taken from the house."""
    jwk = bare_jwk(key)
    text = f'{{"crv":"{jwk["crv"]}","kty":"{jwk["kty"]}","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def signed(key: Any, payload: dict[str, Any], headers: dict[str, Any], algorithm: str = "ES256") -> str:
    """A JWT; a member whose value is None is left out."""
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, key, algorithm=algorithm, headers=headers)


@dataclass
class Fapi:
    """One app: `city.key` signs its assertions and requests, `key` its DPoP proofs."""

    city: City
    client_id: str = "fapi"
    key: Any = field(default_factory=new_key)
    nonce: str | None = None

    @property
    def app(self) -> Flask:
        return self.city.app

    def assertion(self, *, key: Any = None, algorithm: str = "ES256", **changes: Any) -> dict[str, str]:
        payload = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "iat": now(),
            "exp": now() + 60,
            "jti": secrets.token_urlsafe(16),
            **changes,
        }
        text = signed(key or self.city.key, payload, {"kid": "k1", "typ": None}, algorithm)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}

    def proof(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        key: Any = None,
        headers: dict[str, Any] | None = None,
        algorithm: str = "ES256",
        **changes: Any,
    ) -> dict[str, str]:
        key = key or self.key
        payload = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": ISSUER + path,
            "iat": now(),
            "nonce": self.nonce,
            "ath": _hash(token) if token else None,
            **changes,
        }
        known = {"typ": "dpop+jwt"} | ({"jwk": bare_jwk(key)} if algorithm == "ES256" else {})
        sent = known | (headers or {})
        kept = {name: value for name, value in sent.items() if value is not None or name == "typ"}
        return {"DPoP": signed(key, payload, kept, algorithm)}

    def post(
        self, path: str, form: dict[str, str | None], *, proof: dict[str, Any] | None = None, bare: bool = False
    ) -> Any:
        """Post a form with a fresh assertion and, unless `bare`, a fresh proof; once more if a nonce is asked for."""
        for _ in range(2):
            sent = {**self.assertion(), **form}
            headers = {} if bare else self.proof("POST", path, **(proof or {}))
            answer = self.app.test_client().post(
                path, data={name: value for name, value in sent.items() if value is not None}, headers=headers
            )
            self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
            if not answer.is_json or answer.json.get("error") != "use_dpop_nonce":
                break
        return answer

    def get(self, path: str, token: str, *, scheme: str = "DPoP", **changes: Any) -> Any:
        """Use an access token; once more if a nonce is asked for."""
        for _ in range(2):
            headers = {"Authorization": f"{scheme} {token}", **self.proof("GET", path, token=token, **changes)}
            answer = self.app.test_client().get(path, headers=headers)
            self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
            if "use_dpop_nonce" not in answer.headers.get("WWW-Authenticate", ""):
                break
        return answer

    def flow(self, scope: str = OFFLINE) -> Flow:
        return Flow(self.client_id, scope)

    def push(self, flow: Flow, *, bare: bool = True, proof: dict[str, Any] | None = None, **changes: str | None) -> Any:
        return self.post("/oauth/par", {**dict(query_of(flow.url())), **changes}, bare=bare, proof=proof)

    def pushed(self, flow: Flow, **changes: Any) -> str:
        """Push, and return the URL the browser is sent to."""
        answer = self.push(flow, **changes)
        assert answer.status_code == 201, answer.text
        return self.url(answer.json["request_uri"])

    def url(self, request_uri: str) -> str:
        return "/oauth/authorize?" + urlencode({"client_id": self.client_id, "request_uri": request_uri})

    def answer(self, url: str, browser: Browser | None = None, **decision: str) -> Page:
        """Log in where that is asked and consent; return the page on which the browser leaves us or stays."""
        browser = browser or self.city.browser()
        page = browser.open(url)
        if page.asks_to_log_in:
            page = browser.log_in(page)
        if page.status == 200 and 'name="decision"' in page.text:
            page = browser.submit(page, **({"decision": "allow"} | decision))
        return page

    def code(self, flow: Flow, **changes: Any) -> str:
        page = self.answer(self.pushed(flow, **changes))
        assert page.status == 303, page.text
        answer = answer_of(page)
        assert (answer.get("state"), answer["iss"]) == (flow.state, ISSUER)
        return answer["code"]

    def redeem(self, flow: Flow, code: str, *, bare: bool = False, proof: Any = None, **changes: str | None) -> Any:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.redirect_uri,
            "code_verifier": flow.verifier,
            "client_id": self.client_id,
        }
        return self.post("/oauth/token", {**form, **changes}, bare=bare, proof=proof)

    def refresh(self, text: str, *, bare: bool = False, proof: Any = None, **changes: str | None) -> Any:
        form = {"grant_type": "refresh_token", "refresh_token": text, **changes}
        return self.post("/oauth/token", form, bare=bare, proof=proof)

    def logged_in(self, scope: str = OFFLINE) -> dict[str, str]:
        flow = self.flow(scope)
        answer = self.redeem(flow, self.code(flow))
        assert answer.status_code == 200, answer.text
        got: dict[str, str] = answer.json
        return got

    def is_active(self, token: str) -> bool:
        return bool(self.post("/oauth/introspect", {"token": token}, bare=True).json["active"])


def _hash(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
