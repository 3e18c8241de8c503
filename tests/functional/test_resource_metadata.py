"""Protected resource metadata (RFC 9728): a caller that is refused learns where to get a token."""

import re

from tests.identity import ISSUER, City


def test_a_refusal_names_the_metadata_and_the_metadata_names_the_issuer(city: City) -> None:
    client = city.app.test_client()
    refused = client.get("/v1/accesses")
    assert refused.status_code == 401
    address = re.search(r'resource_metadata="([^"]+)"', refused.headers["WWW-Authenticate"])[1]
    assert address == f"{ISSUER}/.well-known/oauth-protected-resource/v1"
    found = client.get(address.removeprefix(ISSUER))
    assert found.headers["Cache-Control"] == "public, max-age=300"
    document = found.json
    assert document["resource"] == f"{ISSUER}/v1", "section 3.3: it is the resource whose metadata was asked for"
    (server,) = document["authorization_servers"]
    provider = client.get(f"{server.removeprefix(ISSUER)}/.well-known/oauth-authorization-server").json
    assert provider["issuer"] == server
    assert document["resource"] in provider["protected_resources"]
    assert set(document["scopes_supported"]) < set(provider["scopes_supported"])
    assert document["bearer_methods_supported"] == ["header"]


def test_the_root_form_tells_the_same(city: City) -> None:
    client = city.app.test_client()
    path = "/.well-known/oauth-protected-resource"
    assert client.get(path).json == client.get(f"{path}/v1").json
    assert client.get(f"{path}/other").status_code == 404
