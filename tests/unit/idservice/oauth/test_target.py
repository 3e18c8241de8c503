from types import SimpleNamespace
from typing import Any

import pytest
from authlib.oauth2.rfc6749 import OAuth2Error

from idservice.oauth import resource_servers, target
from idservice.oauth.granted import NOTHING, Granted
from idservice.oauth.resource_servers import Server
from idservice.oauth.target import Target

OWN, ONE, TWO = "https://id.example/v1", "https://one.example", "https://two.example"
CALL: Any = SimpleNamespace(
    settings=SimpleNamespace(issuer="https://id.example", opaque_access_tokens=False, origin="https://id.example")
)


def app(*resources: str) -> Any:
    return SimpleNamespace(resources=set(resources), authorization_details_types=(), scope=())


def server(name: str, *scope: str, is_opaque: bool = False) -> Server:
    return Server(name, (name, name), is_opaque=is_opaque, scope=frozenset(scope) if scope else None)


@pytest.fixture(autouse=True)
def servers(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {name: server(name) for name in (OWN, ONE, TWO)}
    monkeypatch.setattr(resource_servers, "find", lambda _call, name: known.get(name))


def picked(held: Granted, *resources: str, by: Any = None) -> Any:
    form = {"resource": " ".join(resources)} if resources else {}
    found = target.chosen(CALL, by or app(ONE, TWO), held, form)
    return None if found is None else found.audience


def test_the_ordinary_target_costs_nothing() -> None:
    assert target.chosen(CALL, app(), NOTHING, {"scope": "x"}) is None
    assert target.of_client(CALL, app(), {"scope": "x"}) is None


def test_what_is_picked_is_of_what_was_granted() -> None:
    held = Granted(resources=(ONE, TWO))
    assert picked(held) == ONE
    assert picked(held, TWO) == TWO
    assert picked(held, TWO, ONE) == [TWO, ONE]
    assert picked(NOTHING, OWN) == OWN
    for refused in ((OWN,), (ONE, OWN), ("https://three.example",)):
        with pytest.raises(OAuth2Error) as caught:
            picked(held, *refused)
        assert caught.value.error == "invalid_target"


def test_our_own_api_shares_with_nobody() -> None:
    with pytest.raises(OAuth2Error, match="shares"):
        picked(Granted(resources=(OWN, ONE)), OWN, ONE)


def test_what_the_app_lost_meanwhile_is_refused() -> None:
    with pytest.raises(OAuth2Error):
        picked(Granted(resources=(ONE, TWO)), by=app(TWO))


def test_one_reader_that_wants_it_makes_the_token_opaque() -> None:
    assert Target((server(ONE), server(TWO, is_opaque=True))).is_opaque
    assert not Target((server(ONE),)).is_opaque


def test_a_token_has_the_scopes_that_one_of_its_readers_understands() -> None:
    both = Target((server(ONE, "a"), server(TWO, "b")))
    assert both.understood(("openid", "a", "b", "c")) == ("openid", "a", "b")


def test_details_stand_where_there_are_some() -> None:
    assert Target((server(ONE),)).members == {}
    detailed = Target((server(ONE),), ({"type": "x"},))
    assert detailed.members == {"authorization_details": [{"type": "x"}]}
    assert detailed.facts == {"audience": [ONE], "details": ["x"]}
