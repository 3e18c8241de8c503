from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idservice.call import House
from idservice.oauth import clients
from idservice.oauth.clients import RegistrationRefused
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases

GOOD: dict[str, Any] = {
    "client_id": "app",
    "name": "App",
    "unit": "Unit",
    "auth_method": "client_secret_basic",
    "secret": "s" * 32,
    "grant_types": ["authorization_code"],
    "scope": "openid",
    "redirect_uris": ["https://app.example.cn/cb"],
}
JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    url = SqliteDatabases(tmp_path).fresh(migrate)
    built = build_house(tmp_path, url, insecure_loopback=False, issuer="https://id.example.cn")
    yield built
    built.database.engine.dispose()


def register(house: House, **changes: Any) -> None:
    act(house, lambda call: clients.register(call, **(GOOD | changes)))


def test_a_registered_client_is_found_and_its_secret_is_not_kept(house: House) -> None:
    register(house)
    app = act(house, lambda call: clients.find(call, "app"))
    assert app is not None
    assert app.check_secret("s" * 32)
    assert not app.check_secret("s" * 31 + "t")
    assert not app.check_secret("")
    assert "s" * 32 not in repr(app)
    assert app.secret_hash not in {None, b"s" * 32}
    assert act(house, lambda call: clients.find(call, "nobody")) is None


BAD: dict[str, dict[str, Any]] = {
    "identifier_malformed": {"client_id": "a b"},
    "identifier_empty": {"client_id": ""},
    "identifier_as_long_as_a_subject": {"client_id": "a" * 43},
    "method_unknown": {"auth_method": "tls"},
    "profile_unknown": {"profile": "loose"},
    "no_secret": {"secret": None},
    "short_secret": {"secret": "s" * 31},
    "secret_that_reads_two_ways": {"secret": "s%2B" + "s" * 40},
    "secret_and_keys": {"jwks": {"keys": [JWK]}},
    "public_with_secret": {"auth_method": "none"},
    "public_on_its_own": {
        "auth_method": "none",
        "secret": None,
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
    },
    **{
        f"public_with_{scope}": {"auth_method": "none", "secret": None, "scope": f"openid {scope}"}
        for scope in ("admin.manage", "licences.issue", "scim.write", "lookups.create", "licences.share")
    },
    "keys_missing": {"auth_method": "private_key_jwt", "secret": None},
    "keys_private": {"auth_method": "private_key_jwt", "secret": None, "jwks": {"keys": [JWK | {"d": "x"}]}},
    "keys_symmetric": {"auth_method": "private_key_jwt", "secret": None, "jwks": {"keys": [{"kty": "oct", "k": "eA"}]}},
    "keys_empty": {"auth_method": "private_key_jwt", "secret": None, "jwks": {"keys": []}},
    "keys_malformed": {"auth_method": "private_key_jwt", "secret": None, "jwks": {"keys": "x"}},
    "grant_unknown": {"grant_types": ["password"]},
    "no_grant": {"grant_types": []},
    "scope_unknown": {"scope": "openid everything"},
    "scope_empty": {"scope": ""},
    "code_without_redirect": {"redirect_uris": []},
    "redirect_without_code": {"grant_types": ["client_credentials"]},
    "redirect_http": {"redirect_uris": ["http://app.example.cn/cb"]},
    "redirect_loopback": {"redirect_uris": ["http://127.0.0.1:4001/cb"]},
    "logout_redirect_script": {"post_logout_redirect_uris": ["javascript:alert(1)"]},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_unsafe_registrations_are_refused(house: House, changes: dict[str, Any]) -> None:
    with pytest.raises(RegistrationRefused):
        register(house, **changes)


def test_an_identifier_is_given_once(house: House) -> None:
    register(house)
    with pytest.raises(RegistrationRefused):
        register(house)
