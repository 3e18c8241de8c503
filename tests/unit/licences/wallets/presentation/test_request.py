"""What a wallet is told: parameters, client identifiers and links."""

import json
from urllib.parse import parse_qsl, urlsplit

from licences.wallets.presentation import request, sealing
from licences.wallets.presentation.request import Prefix, Profile, Stated

QUERY = {"credentials": [{"id": "q", "format": "mso_mdoc", "meta": {"doctype_value": "x"}}]}
PUBLIC = {name: value for name, value in sealing.new_key().items() if name != "d"}


def stated(jwk: dict[str, str] | None = PUBLIC) -> Stated:
    return Stated("redirect_uri:https://v.example/r", "https://v.example/r", "n", "s", QUERY, jwk, "示范市公安局")


def test_an_encrypted_answer_is_asked_for_with_its_key() -> None:
    told = stated().parameters()
    assert (told["response_type"], told["response_mode"]) == ("vp_token", "direct_post.jwt")
    (key,) = told["client_metadata"]["jwks"]["keys"]
    assert key == {**PUBLIC, "use": "enc", "alg": "ECDH-ES"}
    assert "d" not in key
    assert told["client_metadata"]["vp_formats_supported"] == {
        "mso_mdoc": {"issuerauth_alg_values": [-7], "deviceauth_alg_values": [-7]}
    }
    clear = stated(None).parameters()
    assert clear["response_mode"] == "direct_post"
    assert "jwks" not in clear["client_metadata"]


def test_a_client_is_known_by_its_prefix() -> None:
    facts = {"certificate": b"der", "host": "one.example", "response_uri": "https://v.example/r"}
    said = {prefix: request.client_id(prefix, **facts) for prefix in Prefix}  # type: ignore[arg-type]
    # what `printf der | openssl dgst -sha256 -binary | base64` says
    assert said[Prefix.X509_HASH] == "x509_hash:UFDYDSLs1HHqVd9wNAQsHgQTQf9AZuf2_zjiC3IN-Oo"
    assert said[Prefix.X509_SAN_DNS] == "x509_san_dns:one.example"
    assert said[Prefix.REDIRECT_URI] == "redirect_uri:https://v.example/r"
    assert said[Prefix.PRE_REGISTERED] == "one.example"


def test_a_link_names_the_request_or_holds_it() -> None:
    link = request.reference(Profile.HAIP, client_id="x509_hash:a", request_uri="https://v.example/q")
    assert link.startswith("haip-vp://?")
    assert dict(parse_qsl(urlsplit(link).query)) == {
        "client_id": "x509_hash:a",
        "request_uri": "https://v.example/q",
        "request_uri_method": "post",
    }
    whole = dict(parse_qsl(urlsplit(stated().link(Profile.OPEN)).query))
    assert json.loads(whole["dcql_query"]) == QUERY
    assert whole.keys() == stated().parameters().keys()
