"""A client library nobody here wrote logs in by PAR, DPoP, JAR and private_key_jwt, over HTTP."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from jwskate import Jwk, Jwt
from jwt.algorithms import ECAlgorithm
from requests_oauth2client import (
    AuthorizationResponse,
    DPoPKey,
    DPoPToken,
    OAuth2Client,
    PrivateKeyJwt,
    RequestParameterAuthorizationRequest,
)
from werkzeug.serving import make_server

from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.fapi import Fapi, register
from tests.identity import CALLBACK, City, build_city
from tests.ports import free_port


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder, port = tmp_path_factory.mktemp("others"), free_port()
    built = build_city(folder, SqliteDatabases(folder).fresh(migrate), issuer=f"http://127.0.0.1:{port}")
    register(built, "fapi", profile="fapi2")
    server = make_server("127.0.0.1", port, built.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield built
    server.shutdown()
    thread.join(timeout=10)
    built.house.database.engine.dispose()


class Assertion(PrivateKeyJwt):
    """The library's method with the explicit type of RFC 10070; its own, `JWT`, could be any token."""

    def client_assertion(self, audience: str) -> str:
        claims = dict(Jwt(super().client_assertion(audience)).claims)
        return str(Jwt.sign(claims, self.private_jwk, alg=self.alg, typ="client-authentication+jwt"))


def client_of(city: City, client_id: str, **how: Any) -> OAuth2Client:
    return OAuth2Client.from_discovery_endpoint(
        issuer=city.house.settings.issuer,
        auth=Assertion(client_id, key_of(city), aud=city.house.settings.issuer),
        redirect_uri=CALLBACK,
        id_token_signed_response_alg="ES256",
        testing=True,  # plain http, on this machine
        **how,
    )


def key_of(city: City) -> Jwk:
    return Jwk({**ECAlgorithm.to_jwk(city.key, as_dict=True), "kid": "k1", "alg": "ES256"})


def log_in(city: City, url: str) -> str:
    """What a person does in a browser; returns the address the app is called back at."""
    page = Fapi(city).answer(url.removeprefix(city.house.settings.issuer))
    assert page.status == 303, page.text
    return page.url


def test_requests_oauth2client_logs_in_as_a_fapi_app(city: City) -> None:
    client = client_of(city, "fapi", dpop_bound_access_tokens=True)
    request = client.authorization_request(scope="openid profile offline_access accesses.read", dpop=True)
    pushed = client.pushed_authorization_request(request)
    response = request.validate_callback(log_in(city, str(pushed.uri)))
    assert isinstance(response, AuthorizationResponse)
    token = client.authorization_code(response, validate=False)  # 1.8.0 loses the DPoP key when it validates
    assert isinstance(token, DPoPToken)
    accesses = f"{city.house.settings.issuer}/v1/accesses"
    assert requests.get(accesses, auth=token, timeout=10).json()["items"][0]["act"] == "idservice:claims:release"
    renewed = client.refresh_token(token)
    assert isinstance(renewed, DPoPToken)
    assert requests.get(accesses, auth=renewed, timeout=10).status_code == 200
    stolen = {"Authorization": f"Bearer {renewed.access_token}"}
    assert requests.get(accesses, headers=stolen, timeout=10).status_code == 401


def test_its_key_is_bound_at_the_pushed_request(city: City) -> None:
    client = client_of(city, "fapi", dpop_bound_access_tokens=True)
    key = DPoPKey.generate(alg="ES256")
    request = client.authorization_request(scope="openid", dpop=True, dpop_key=key)
    response = request.validate_callback(log_in(city, str(client.pushed_authorization_request(request).uri)))
    token = client.authorization_code(response, validate=False)
    told = client.introspect_token(token)
    assert told["cnf"] == {"jkt": key.dpop_jkt}
    assert told["token_type"] == "DPoP"


def test_a_signed_request_of_its_making_is_taken(city: City) -> None:
    register(city, "signs", demands=["require_signed_request_object"])
    client, issuer = client_of(city, "signs"), city.house.settings.issuer
    request = client.authorization_request(scope="openid")
    start = Jwt.timestamp()
    claims = request.args | {"iss": "signs", "aud": issuer, "nbf": start, "exp": start + 60}
    signed = RequestParameterAuthorizationRequest(
        authorization_endpoint=f"{issuer}/oauth/authorize",
        client_id="signs",
        request=str(Jwt.sign(claims, key_of(city), typ="oauth-authz-req+jwt")),
    )
    response = request.validate_callback(log_in(city, signed.uri))
    assert client.authorization_code(response).token_type == "Bearer"
