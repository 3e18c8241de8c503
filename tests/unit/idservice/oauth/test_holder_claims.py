from types import SimpleNamespace
from typing import Any

import pytest

from idservice.oauth import claims_request, holder_claims
from idservice.oauth.claims_request import ID_TOKEN, USERINFO

KNOWN = {"name": "王小明", "real_name_level": 3, "phone_number": None}
APP: Any = SimpleNamespace(client_id="app", scope=("openid", "profile", "phone"))
OTHER: Any = SimpleNamespace(client_id="other", scope=APP.scope)
CALL: Any = None


def released(
    monkeypatch: pytest.MonkeyPatch, target: str, asked: str, scope: tuple[str, ...] = (), *, app: Any = APP
) -> Any:
    monkeypatch.setattr(holder_claims, "facts", lambda *_arguments, **_more: KNOWN)
    granted = SimpleNamespace(claims=claims_request.read(asked))
    family: Any = SimpleNamespace(
        client_id="app", for_organisation=False, granted=granted, holder="p", scope=frozenset({"openid", "profile"})
    )
    return holder_claims.released(CALL, app, family, target, scope)


def test_userinfo_has_what_scope_and_claims_release(monkeypatch: pytest.MonkeyPatch) -> None:
    assert released(monkeypatch, USERINFO, "{}", ("openid", "profile")) == {"name": "王小明", "real_name_level": 3}
    assert released(monkeypatch, USERINFO, '{"userinfo": {"name": null}}', ("openid",)) == {"name": "王小明"}
    assert released(monkeypatch, USERINFO, "{}", ("openid",)) == {}


def test_an_app_that_got_the_token_by_exchange_asked_for_no_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = '{"userinfo": {"name": null}}'
    assert released(monkeypatch, USERINFO, asked, ("openid",), app=OTHER) == {}
    assert released(monkeypatch, USERINFO, asked, ("openid", "profile"), app=OTHER).keys() == {
        "name",
        "real_name_level",
    }


def test_a_scope_that_was_not_granted_releases_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert released(monkeypatch, USERINFO, "{}", ("openid", "phone")) == {}


def test_an_id_token_has_what_was_asked_for_there_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert released(monkeypatch, ID_TOKEN, '{"userinfo": {"name": null}}') == {}
    assert released(monkeypatch, ID_TOKEN, '{"id_token": {"name": null}}') == {"name": "王小明"}


def test_what_is_not_known_or_not_as_wanted_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = '{"id_token": {"phone_number": {"essential": true}, "real_name_level": {"value": 4}}}'
    assert released(monkeypatch, ID_TOKEN, asked) == {}


def test_a_name_is_masked_unless_it_is_an_organisations() -> None:
    assert holder_claims.masked("name", "王小明", organisation=False) != "王小明"
    assert holder_claims.masked("name", "某公司", organisation=True) == "某公司"
    assert holder_claims.masked("phone_number", "13800001234", organisation=False) == "138****1234"
