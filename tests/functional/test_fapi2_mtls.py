"""FAPI 2.0 Security Profile with mutual TLS (RFC 8705): certificates come in one header of one proxy, or not at all."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from idservice import outbound
from idservice.models import Client
from idservice.oauth import client_settings, clients
from idservice.oauth.clients import RegistrationRefused
from keys.base64url import b64u
from tests.builders import act, migrate
from tests.databases import Databases, SqliteDatabases
from tests.fapi import PEOPLES_APP, new_key, register
from tests.identity import (
    CALLBACK,
    ISSUER,
    SECRET,
    City,
    Flow,
    answer_of,
    basic,
    build_city,
    claims_of,
    public_jwk,
    query_of,
    token,
)

HEADER = "Client-Cert"
MTLS = "https://mtls.example.gov.cn"
SUBJECT = "CN=bank.example.cn,O=示范银行,C=CN"


def certificate(
    common_name: str,
    *,
    key: Any = None,
    issuer: tuple[x509.Certificate, Any] | None = None,
    days: int = 30,
    ca: bool = False,
    dns: str | None = None,
) -> tuple[x509.Certificate, Any]:
    key = key or new_key()
    names = [(NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, "示范银行"), (NameOID.COMMON_NAME, common_name)]
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer[0].subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if dns:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def der(found: x509.Certificate) -> bytes:
    return found.public_bytes(serialization.Encoding.DER)


def shown(found: x509.Certificate) -> dict[str, str]:
    """The header as RFC 9440 writes it."""
    return {HEADER: f":{base64.b64encode(der(found)).decode()}:"}


def escaped(found: x509.Certificate) -> dict[str, str]:
    """The header as nginx writes it from $ssl_client_escaped_cert."""
    return {HEADER: quote(found.public_bytes(serialization.Encoding.PEM).decode(), safe="")}


def x5t(found: x509.Certificate) -> str:
    return b64u(hashlib.sha256(der(found)).digest())


AUTHORITY = certificate("示范根", ca=True)
BANK = certificate("bank.example.cn", issuer=AUTHORITY, dns="client.bank.example.cn")
OTHER = certificate("other.example.cn", issuer=AUTHORITY, dns="other.example.cn")
IMPOSTOR = certificate("bank.example.cn", issuer=certificate("示范根", ca=True), dns="client.bank.example.cn")
OWN = certificate("bank.example.cn")


@pytest.fixture(scope="module")
def city(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("mtls")
    authorities: Path = folder / "authorities.pem"
    authorities.write_bytes(AUTHORITY[0].public_bytes(serialization.Encoding.PEM))
    url = databases.fresh(migrate)
    built = build_city(
        folder,
        url,
        proxy_hops=1,
        client_certificate_header=HEADER,
        client_certificate_authorities=authorities,
        mtls_origin=MTLS,
    )
    pki = {"profile": "fapi2", "auth_method": "tls_client_auth"}
    register(built, "by-name", certificate={"tls_client_auth_subject_dn": SUBJECT}, **pki)
    register(built, "by-dns", certificate={"tls_client_auth_san_dns": "client.bank.example.cn"}, **pki)
    own: dict[str, Any] = {"profile": "fapi2", "auth_method": "self_signed_tls_client_auth"}
    register(built, "by-hash", certificate={"x5t#S256": [x5t(OWN[0])]}, **own)
    register(built, "by-x5c", jwks={"keys": [{"kty": "EC", "x5c": [base64.b64encode(der(OWN[0])).decode()]}]}, **own)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def tokens(
    city: City, client_id: str, headers: dict[str, str], scope: str = "openid offline_access accesses.read"
) -> Any:
    """Push, log in and redeem."""
    flow = Flow(client_id, scope)
    pushed = token(city.app, dict(query_of(flow.url())), headers, "/oauth/par")
    if pushed.status_code != 201:
        return pushed
    browser = city.browser()
    page = browser.open(f"/oauth/authorize?client_id={client_id}&request_uri={quote(pushed.json['request_uri'])}")
    page = browser.log_in(page)
    page = browser.submit(page, decision="allow") if page.status == 200 else page
    form = {"grant_type": "authorization_code", "code": answer_of(page)["code"], "redirect_uri": CALLBACK}
    return token(city.app, form | {"client_id": client_id, "code_verifier": flow.verifier}, headers)


GOOD = {
    "by-name": BANK,
    "by-dns": BANK,
    "by-hash": OWN,
    "by-x5c": OWN,
}


@pytest.mark.parametrize("write", [shown, escaped], ids=["rfc9440", "nginx"])
@pytest.mark.parametrize("client_id", GOOD)
def test_happy_flow_with_mutual_tls(city: City, client_id: str, write: Any) -> None:
    headers = write(GOOD[client_id][0])
    got = tokens(city, client_id, headers)
    assert got.status_code == 200, got.text
    assert got.json["token_type"] == "Bearer"
    text = got.json["access_token"]
    cnf = {"x5t#S256": x5t(GOOD[client_id][0])}
    assert claims_of(text)["cnf"] == cnf
    client = city.app.test_client()
    for path in ("/v1/accesses", "/oauth/userinfo"):
        assert client.get(path, headers={"Authorization": f"Bearer {text}"} | headers).status_code == 200
        assert client.get(path, headers={"Authorization": f"Bearer {text}"}).status_code == 401
        assert client.get(path, headers={"Authorization": f"Bearer {text}"} | shown(OTHER[0])).status_code == 401
        assert client.get(path, headers={"Authorization": f"DPoP {text}"} | headers).status_code == 401
    told = token(city.app, {"token": text, "client_id": client_id}, headers, "/oauth/introspect").json
    assert (told["active"], told["cnf"]) == (True, cnf)
    form = {"grant_type": "refresh_token", "refresh_token": got.json["refresh_token"], "client_id": client_id}
    assert token(city.app, form, headers).status_code == 200


BAD = {
    "no_certificate": {},
    "another_name": shown(OTHER[0]),
    "another_authority": shown(IMPOSTOR[0]),
    "the_authority_itself": shown(AUTHORITY[0]),
    "not_base64": {HEADER: ":%%%:"},
    "no_certificate_in_it": {HEADER: ":AAAA:"},
    "two_certificates": {HEADER: escaped(BANK[0])[HEADER] * 2},
    "empty": {HEADER: ""},
    "one_colon": {HEADER: ":"},
    "long": {HEADER: ":" + "A" * 20_000 + ":"},
    "two_headers": {HEADER: f"{shown(BANK[0])[HEADER]},{shown(BANK[0])[HEADER]}"},
    "another_header": {"X-Client-Cert": shown(BANK[0])[HEADER]},
}


@pytest.mark.parametrize("headers", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("client_id", GOOD)
def test_another_certificate_or_none_is_refused(city: City, client_id: str, headers: dict[str, str]) -> None:
    answer = token(city.app, dict(query_of(Flow(client_id).url())), headers, "/oauth/par")
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_an_expired_certificate_is_refused(city: City) -> None:
    form = dict(query_of(Flow("by-name").url()))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=40)):
        assert token(city.app, form, shown(BANK[0]), "/oauth/par").status_code == 401
        own = dict(query_of(Flow("by-hash").url()))
        assert token(city.app, own, shown(OWN[0]), "/oauth/par").status_code == 401


def test_a_certificate_with_a_secret_or_for_another_method_is_no_authentication(city: City) -> None:
    form = {"token": "x", "client_id": "by-name", "client_secret": SECRET}
    assert token(city.app, form, shown(BANK[0]), "/oauth/introspect").status_code == 401
    for client_id in ("basic", "jwt"):
        form = {"token": "x", "client_id": client_id}
        assert token(city.app, form, shown(BANK[0]), "/oauth/introspect").status_code == 401


def test_a_bound_refresh_token_needs_the_certificate_it_was_issued_to(city: City) -> None:
    """A client that renews its certificate under the same name logs its people in again."""
    got = tokens(city, "by-name", shown(BANK[0])).json
    renewed = certificate("bank.example.cn", issuer=AUTHORITY)
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"], "client_id": "by-name"}
    assert token(city.app, form, shown(renewed[0])).json["error"] == "invalid_grant"
    assert token(city.app, form, shown(BANK[0])).status_code == 200


def test_a_client_with_a_secret_may_have_its_tokens_bound_to_a_certificate(city: City) -> None:
    register(
        city,
        "bound-by-tls",
        auth_method="client_secret_basic",
        secret=SECRET,
        demands=["tls_client_certificate_bound_access_tokens"],
    )
    flow = Flow("bound-by-tls")
    form = {"grant_type": "authorization_code", "code": city.browser().code(flow), "redirect_uri": CALLBACK}
    form["code_verifier"] = flow.verifier
    assert token(city.app, form, basic("bound-by-tls")).json["error"] == "invalid_request"
    got = token(city.app, form, basic("bound-by-tls") | shown(OWN[0])).json
    assert claims_of(got["access_token"])["cnf"] == {"x5t#S256": x5t(OWN[0])}


def test_the_aliases_are_announced_where_they_are_configured(city: City) -> None:
    told = city.app.test_client().get("/.well-known/openid-configuration").json
    assert told["tls_client_certificate_bound_access_tokens"] is True
    assert told["mtls_endpoint_aliases"]["token_endpoint"] == f"{MTLS}/oauth/token"
    assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(told["token_endpoint_auth_methods_supported"])
    known = {rule.rule for rule in city.app.url_map.iter_rules()}
    assert {url.removeprefix(MTLS) for url in told["mtls_endpoint_aliases"].values()} <= known


@pytest.mark.parametrize(
    "settings", [{}, {"proxy_hops": 1}, {"client_certificate_header": HEADER}], ids=["neither", "no_header", "no_proxy"]
)
def test_a_header_nobody_configured_is_not_looked_at(tmp_path: Path, settings: dict[str, Any]) -> None:
    built = build_city(tmp_path, SqliteDatabases(tmp_path).fresh(migrate), **settings)
    register(
        built,
        "by-hash",
        profile="fapi2",
        auth_method="self_signed_tls_client_auth",
        certificate={"x5t#S256": [x5t(OWN[0])]},
    )
    answer = token(built.app, dict(query_of(Flow("by-hash").url())), shown(OWN[0]), "/oauth/par")
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    told = built.app.test_client().get("/.well-known/openid-configuration").json
    assert told["tls_client_certificate_bound_access_tokens"] is False
    assert told["issuer"] == ISSUER
    built.house.database.engine.dispose()


UNREGISTRABLE: dict[str, dict[str, Any]] = {
    "no_name": {"auth_method": "tls_client_auth"},
    "two_names": {
        "auth_method": "tls_client_auth",
        "certificate": {"tls_client_auth_subject_dn": "CN=a", "tls_client_auth_san_dns": "a"},
    },
    "empty_name": {"auth_method": "tls_client_auth", "certificate": {"tls_client_auth_subject_dn": ""}},
    "no_hash": {"auth_method": "self_signed_tls_client_auth"},
    "hash_too_short": {"auth_method": "self_signed_tls_client_auth", "certificate": {"x5t#S256": ["x"]}},
    "x5c_not_a_certificate": {
        "auth_method": "self_signed_tls_client_auth",
        "jwks": {"keys": [{"kty": "EC", "x5c": ["AAAA"]}]},
    },
    "certificate_of_a_secret": {
        "auth_method": "client_secret_basic",
        "secret": SECRET,
        "certificate": {"tls_client_auth_subject_dn": "CN=a"},
    },
    "secret_with_fapi2": {"auth_method": "client_secret_basic", "secret": SECRET, "profile": "fapi2"},
    "public_with_fapi2": {"auth_method": "none", "profile": "fapi2"},
    "demand_unknown": {"auth_method": "none", "demands": ["pixie_dust"]},
    "two_bindings": {
        "auth_method": "none",
        "demands": ["dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens"],
    },
    "signed_without_keys": {"auth_method": "none", "demands": ["require_signed_request_object"]},
}


@pytest.mark.parametrize("wrong", UNREGISTRABLE.values(), ids=UNREGISTRABLE.keys())
def test_what_does_not_go_together_is_not_registered(city: City, wrong: dict[str, Any]) -> None:
    def enter(call: Any) -> None:
        clients.register(call, client_id="wrong", name="x", **PEOPLES_APP, **wrong)

    with pytest.raises(RegistrationRefused):
        act(city.house, enter)


# --- certificates that stand behind `jwks_uri` (RFC 8705 section 2.2.2)


def key_with(found: tuple[x509.Certificate, Any]) -> dict[str, Any]:
    return public_jwk(found[1]) | {"kid": x5t(found[0])[:8], "x5c": [base64.b64encode(der(found[0])).decode()]}


def test_a_certificate_is_good_while_it_stands_behind_the_address(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, stated = (certificate("bank.example.cn") for _ in range(3))
    page: dict[str, Any] = {"document": {"keys": [key_with(old)]}, "asked": 0}

    def get_json(_url: str, **_options: Any) -> Any:
        page["asked"] += 1
        if page["document"] is None:
            raise outbound.OutboundRefused("status")
        return page["document"]

    monkeypatch.setattr(outbound, "get_json", get_json)
    register(
        city, "published", profile="fapi2", auth_method="self_signed_tls_client_auth", jwks=page["document"],
        jwks_uri="https://app.example.cn/jwks", certificate={"x5t#S256": [x5t(stated[0])]},
    )  # fmt: skip

    def status(found: tuple[x509.Certificate, Any], *, after: timedelta = timedelta(0)) -> int:
        with time_machine.travel(datetime.now(UTC) + after, tick=True):
            form = dict(query_of(Flow("published").url()))
            return int(token(city.app, form, shown(found[0]), "/oauth/par").status_code)

    assert (status(old), status(stated), page["asked"]) == (201, 201, 0), "found a moment ago"
    page["document"] = {"keys": [key_with(new)]}
    minute = timedelta(minutes=1)
    assert status(new, after=2 * minute) == 201, "an unknown one makes us ask there"
    assert status(old, after=3 * minute) == 401, "what is not published any more is not trusted any more"
    assert status(stated, after=3 * minute) == 201, "what was stated by itself stays"
    page["document"] = {"keys": [key_with(old)]}
    assert [status(new, after=18 * minute), status(old, after=18 * minute)] == [401, 201], "asked again after a while"
    page["document"] = None
    assert status(old, after=timedelta(hours=24)) == 201, "they outlive their page for a day"
    assert [status(one, after=timedelta(hours=25)) for one in (old, stated)] == [401, 201]
    settings = act(city.house, lambda call: client_settings.read(call, call.session.get_one(Client, "published")))
    assert settings["certificate"] == {"x5t#S256": [x5t(stated[0])]}
