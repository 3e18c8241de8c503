"""The settings of a client: read as one document, judged by the rules of registration, narrower or not."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError
from sqlalchemy import select

from idservice.call import House
from idservice.models import AuditEntry, Client
from idservice.oauth import client_settings, clients, mtls
from idservice.oauth.client_schema import load_settings
from idservice.oauth.clients import RegistrationRefused
from idservice.oauth.grant_policy import CIBA_GRANT, EXCHANGE_GRANT, GrantPolicy
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases
from tests.unit.idservice.oauth.test_clients import GOOD, JWK

OTHER_JWK = JWK | {"kid": "other"}
HASH = "A" * 43


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate), insecure_loopback=False)
    act(built, lambda call: clients.register(call, **(GOOD | {"scope": "openid profile"})))
    act(built, lambda call: clients.register(call, **(GOOD | {"client_id": "gateway"})))
    yield built
    built.database.engine.dispose()


def change(house: House, stated: dict[str, Any], *, secret: str | None = None, client_id: str = "app") -> Any:
    """Change the client as whoever may decide it, and return it as it is then."""
    settings = load_settings(stated)

    def deed(call: Any) -> None:
        row = call.session.get_one(Client, client_id)
        client_settings.change(call, row, client_settings.changes(call, row, settings), secret=secret)

    act(house, deed)
    return act(house, lambda call: clients.find(call, client_id))


def read(house: House, client_id: str = "app") -> dict[str, Any]:
    found: dict[str, Any] = act(house, lambda call: client_settings.read(call, call.session.get_one(Client, client_id)))
    return found


def test_what_is_read_can_be_written(house: House) -> None:
    assert load_settings(read(house)) == read(house)
    with pytest.raises(RegistrationRefused, match="nothing"):
        change(house, read(house))


def test_a_change_keeps_what_it_does_not_name(house: House) -> None:
    app = change(house, {"redirect_uris": ["https://app.example.cn/new"], "name": "New"})
    assert (app.name, app.redirect_uris, app.scope) == ("New", ("https://app.example.cn/new",), ("openid", "profile"))
    assert app.check_secret(GOOD["secret"])


def test_an_app_goes_from_a_secret_to_keys_and_back(house: House) -> None:
    app = change(house, {"auth_method": "private_key_jwt", "jwks": {"keys": [JWK]}, "profile": "fapi2"})
    assert (app.profile, app.secret_hash, app.jwks) == ("fapi2", None, {"keys": [JWK]})
    row = act(house, lambda call: call.session.get_one(Client, "app"))
    back = {"auth_method": "client_secret_basic", "jwks": None, "profile": "standard"}
    assert client_settings.needs_secret(row, back)
    assert change(house, back, secret="n" * 43).check_secret("n" * 43)


def test_a_certificate_is_known_by_name_or_by_hash(house: House) -> None:
    by_name = {"auth_method": "tls_client_auth", "certificate": {mtls.SAN_DNS: "app.example.cn"}}
    assert change(house, by_name).certificate == {mtls.SAN_DNS: "app.example.cn"}
    by_hash = {"auth_method": "self_signed_tls_client_auth", "certificate": {mtls.HASHES: [HASH]}}
    assert change(house, by_hash).certificate == {mtls.HASHES: [HASH]}
    assert read(house)["certificate"] == {mtls.HASHES: [HASH]}


def test_ciba_exchange_and_who_may_act_are_registered(house: House) -> None:
    policy = {
        "delivery": "ping", "notification_endpoint": "https://app.example.cn/ciba", "audiences": ["gateway"],
        "actor": "gateway",
    }  # fmt: skip
    app = change(house, {"grant_types": ["authorization_code", CIBA_GRANT, EXCHANGE_GRANT], "policy": policy})
    assert app.policy == GrantPolicy("ping", "https://app.example.cn/ciba", ("gateway",), "gateway")
    ordinary = change(house, {"grant_types": ["authorization_code"], "policy": {}})
    assert ordinary.policy == GrantPolicy()


def test_another_change_does_not_make_found_keys_younger(house: House) -> None:
    """Keys that were taken down at the app's address end in time, however often its other settings change."""
    then = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=23)
    keys = {"auth_method": "private_key_jwt", "jwks": {"keys": [JWK]}, "jwks_uri": "https://app.example.cn/jwks"}
    change(house, keys)

    def found_then(call: Any) -> None:
        row = call.session.get_one(Client, "app")
        assert (row.jwks_fetched_at, row.jwks_read_at) == (None, None), "nobody has asked there yet"
        row.jwks_fetched_at = row.jwks_read_at = then

    act(house, found_then)
    assert change(house, {"name": "New"}).jwks_read_at == then
    assert change(house, {"jwks": {"keys": [OTHER_JWK]}}).jwks_read_at == then
    assert change(house, {"jwks_uri": "https://app.example.cn/other"}).jwks_read_at is None


REFUSED: dict[str, dict[str, Any]] = {
    "profile_with_a_secret": {"profile": "fapi2"},
    "public_with_a_scope_of_staff": {"auth_method": "none", "scope": "openid admin.manage"},
    "redirect_http": {"redirect_uris": ["http://app.example.cn/cb"]},
    "every_department": {"departments": ["*"]},
    "sector_of_a_document": {"sector": "host:app.example.cn"},
    "keys_within": {"jwks_uri": "https://localhost/jwks", "jwks": {"keys": [JWK]}},
    "actor_unknown": {"policy": {"actor": "nobody"}},
    "actor_itself": {"policy": {"actor": "app"}},
    "ping_without_ciba": {"policy": {"delivery": "ping", "notification_endpoint": "https://app.example.cn/c"}},
}


@pytest.mark.parametrize("stated", REFUSED.values(), ids=REFUSED.keys())
def test_what_could_not_be_registered_is_refused(house: House, stated: dict[str, Any]) -> None:
    before = read(house)
    with pytest.raises(RegistrationRefused):
        change(house, stated)
    assert read(house) == before


@pytest.mark.parametrize(
    "stated",
    [
        {"secret": "s" * 43},
        {"certificate": {mtls.HASHES: 3}},
        {"jwks": {"keys": 3}},
        {"policy": {"delivery": "push"}},
        [],
    ],
)
def test_what_is_no_document_of_settings_is_refused(stated: Any) -> None:
    with pytest.raises(ValidationError):
        load_settings(stated)


KEYS = {"keys": [JWK, OTHER_JWK]}
HELD = {"scope": "openid profile", "redirect_uris": ["a", "b"], "jwks": KEYS, "demands": ["x"], "profile": "standard"}


@pytest.mark.parametrize(
    ("changed", "narrower"),
    [
        ({"scope": "openid"}, True),
        ({"scope": "openid phone"}, False),
        ({"redirect_uris": ["b"]}, True),
        ({"redirect_uris": ["b", "c"]}, False),
        ({"jwks": {"keys": [JWK]}}, True),
        ({"jwks": {"keys": [JWK, JWK | {"kid": "third"}]}}, False),
        ({"jwks": None}, False),
        ({"demands": []}, False),
        ({"profile": "fapi2"}, False),
        ({"scope": "openid", "redirect_uris": ["c"]}, False),
    ],
)
def test_only_what_takes_something_away_is_narrower(changed: dict[str, Any], narrower: bool) -> None:
    assert client_settings.is_narrower(HELD, changed) is narrower


def test_the_log_says_what_was_before(house: House) -> None:
    change(house, {"redirect_uris": ["https://app.example.cn/new"]})
    change(house, {"auth_method": "private_key_jwt", "jwks": {"keys": [JWK]}})
    query = select(AuditEntry.facts).where(AuditEntry.deed == "idservice:client:change").order_by(AuditEntry.entry_id)
    first, second = (json.loads(facts) for facts in act(house, lambda call: call.session.scalars(query).all()))
    assert first["settings"] == {
        "redirect_uris": {"before": ["https://app.example.cn/cb"], "after": ["https://app.example.cn/new"]}
    }
    (digest,) = second["settings"]["jwks"]["after"]
    assert len(digest) == 64
