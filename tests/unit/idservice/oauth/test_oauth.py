"""The sub-room as a whole: what it says of itself is true, and what it hands to an app is built correctly."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from idservice.oauth import assertion, clients, metadata
from idservice.oauth.authorization import Asker
from idservice.oauth.rules import RULES
from idservice.oauth.server import _SERVER
from tests.builders import build_app, build_settings, house_of, migrate
from tests.databases import SqliteDatabases

ISSUER = "http://127.0.0.1:8000"


def asker(uri: str, state: str | None) -> Asker:
    app = clients.App("a", "a", "a", "none", (uri,), (), frozenset(), (), "client:a", frozenset(), None, None)
    return Asker(app, uri, state)


def test_every_advertised_endpoint_exists(tmp_path: Path) -> None:
    app = build_app(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    known = {rule.rule for rule in app.url_map.iter_rules()}
    document = metadata.document(house_of(app).settings)
    urls = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(urls) > 10
    assert {url.removeprefix(ISSUER) for url in urls} <= known
    house_of(app).database.engine.dispose()


def test_no_more_is_advertised_than_is_there(tmp_path: Path) -> None:
    document = metadata.document(build_settings(tmp_path, "sqlite://"))
    assert set(document["grant_types_supported"]) == {grant.GRANT_TYPE for grant, _ in _SERVER._token_grants}
    assert "plain" not in document["code_challenge_methods_supported"]
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "HS256" not in str(document)
    assert "RS256" not in str(document)


@pytest.mark.parametrize("uri", ["https://a.example/cb", "https://a.example/cb?tenant=1", "cn.example.app:/cb"])
@pytest.mark.parametrize("state", [None, "", "a b&iss=https://evil.example#x", "中文"])
def test_an_answer_adds_to_the_uri_and_cannot_be_talked_into_more(uri: str, state: str | None) -> None:
    url = asker(uri, state).answer(ISSUER, code="c&d")
    assert url.startswith(uri)
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)
    assert query.pop("tenant", ["1"]) == ["1"]
    assert query == {"code": ["c&d"], "iss": [ISSUER]} | ({"state": [state]} if state is not None else {})


def test_the_rules_are_one_question_each() -> None:
    assert len({rule.__name__ for rule in RULES}) == len(RULES) == 11
    assert all(rule.__doc__ for rule in RULES)


def test_assertions_have_the_lifetime_of_the_standard() -> None:
    assert assertion.MAX_SECONDS == 300
    assert {None, "client-authentication+jwt"} == assertion.TYPES
