"""The plans `oidcc-config` and `oidcc-dynamic`: the modules about metadata and about what is not offered.

The modules of registration stand in `test_registration.py`, those of logout in `test_logout_*.py`.
"""

from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from keys.base64url import unb64u
from tests.identity import ISSUER, City, Flow, answer_of, query_of

REQUIRED = (
    "issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "registration_endpoint",
    "scopes_supported", "response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported",
    "claims_supported", "end_session_endpoint", "check_session_iframe",
)  # fmt: skip


def fetched(city: City, path: str) -> Any:
    answer = city.app.test_client().get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    return answer.json


def test_oidcc_discovery_endpoint_verification(city: City) -> None:
    found = fetched(city, "/.well-known/openid-configuration")
    assert not [name for name in REQUIRED if not found.get(name)]
    assert found["issuer"] == ISSUER
    assert {"openid"} <= set(found["scopes_supported"])
    assert found["grant_types_supported"][0] == "authorization_code"
    for name, value in found.items():
        if name.endswith(("_endpoint", "_uri", "_iframe")):
            url = urlsplit(value)
            assert (f"{url.scheme}://{url.netloc}", url.query, url.fragment) == (ISSUER, "", ""), name
    for name, values in found.items():
        if name.endswith("_supported") and isinstance(values, list):
            assert values, f"{name} is left out where it is empty"
            assert len(values) == len(set(values)), name
    keys = fetched(city, urlsplit(found["jwks_uri"]).path)["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert not {"d", "k", "p", "q"} & key.keys(), "only public members"
        assert len(unb64u(key["x"])) == 32


@pytest.mark.parametrize("kind", ["unsigned", "signed_rs256"])
def test_oidcc_request_uri_is_not_fetched(city: City, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Modules `request-uri-unsigned` and `request-uri-signed-rs256`: requests are pushed, never fetched."""
    from idservice import outbound

    def fetch(*_what: Any, **_how: Any) -> None:
        raise AssertionError("fetched")

    monkeypatch.setattr(outbound, "get_json", fetch)
    assert fetched(city, "/.well-known/openid-configuration")["request_uri_parameter_supported"] is False
    flow = Flow()
    answer = answer_of(city.browser().open(flow.url(request_uri=f"https://app.example/{kind}.jwt")))
    assert (answer["error"], answer["state"]) == ("request_uri_not_supported", flow.state)


def test_oidcc_a_request_signed_by_rs256_is_refused(city: City) -> None:
    flow = Flow("jwt")
    key = rsa.generate_private_key(65537, 2048)
    inside = jwt.encode(dict(query_of(flow.url())), key, algorithm="RS256", headers={"kid": "k1"})
    answer = answer_of(city.browser().open(flow.url(request=inside)))
    assert (answer["error"], answer["state"]) == ("invalid_request_object", flow.state)


NOT_OFFERED = {
    "ekyc_documents": "documents_supported",
    "federation": "client_registration_types_supported",
    "userinfo_signed": "userinfo_signing_alg_values_supported",
    "encryption": "id_token_encryption_alg_values_supported",
}


@pytest.mark.parametrize("member", NOT_OFFERED.values(), ids=NOT_OFFERED.keys())
def test_what_is_not_offered_is_not_announced(city: City, member: str) -> None:
    assert member not in fetched(city, "/.well-known/openid-configuration")
    assert city.app.test_client().get("/.well-known/openid-federation").status_code == 404
