import json

import pytest

from idservice.oauth import claims_request
from idservice.oauth.claim_constraint import ClaimsRefused
from idservice.oauth.claims_request import ID_TOKEN, NOTHING, USERINFO, Wanted, read

ALL = ("openid", "profile", "phone")


def test_what_is_wanted_is_told_for_each_target() -> None:
    asked = read(json.dumps({"userinfo": {"name": None}, "id_token": {"acr": {"essential": True, "values": ["a"]}}}))
    assert asked.wanted(USERINFO, "name") == Wanted()
    assert asked.wanted(ID_TOKEN, "name") is None
    assert asked.acr == Wanted(is_essential=True, values=("a",))
    assert NOTHING.acr is None
    assert NOTHING.released(USERINFO, ALL, organisation=False) == {}


def test_only_claims_that_a_scope_of_the_app_releases_are_released() -> None:
    asked = read('{"userinfo": {"name": null, "phone_number": null, "sub": null, "shoe_size": null}}')
    assert asked.released(USERINFO, ALL, organisation=False).keys() == {"name", "phone_number"}
    assert asked.released(USERINFO, ("profile",), organisation=False).keys() == {"name"}
    assert asked.released(USERINFO, ALL, organisation=True).keys() == {"name"}
    assert asked.released(ID_TOKEN, ALL, organisation=False) == {}


def test_a_claim_that_is_essential_in_one_place_is_essential() -> None:
    asked = read('{"userinfo": {"name": null}, "id_token": {"name": {"essential": true}}}')
    assert asked.anywhere(ALL, organisation=False) == {"name": Wanted(is_essential=True)}


def test_named_subjects_are_told() -> None:
    asked = read('{"userinfo": {"sub": {"value": "a"}}, "id_token": {"sub": null}}')
    assert asked.subjects == (Wanted(values=("a",)),)


@pytest.mark.parametrize(
    ("values", "value", "is_accepted"),
    [
        ((), "x", True),
        (("x",), "x", True),
        (("x",), "y", False),
        ((1,), True, False),
        ((1,), 1, True),
        ((1,), 1.0, False),
    ],
    ids=str,
)
def test_accepts(values: tuple[object, ...], value: object, is_accepted: bool) -> None:
    assert Wanted(values=values).accepts(value) is is_accepted


@pytest.mark.parametrize("text", ["", "null", "[]", '"x"', '{"userinfo": []}', '{"id_token": {"a": []}}', "{" * 50])
def test_what_is_malformed_is_refused(text: str) -> None:
    with pytest.raises(ClaimsRefused):
        read(text)


def test_a_target_that_is_null_asks_for_nothing() -> None:
    assert read('{"userinfo": null, "other": 1}') == NOTHING


def test_verified_claims_are_kept_as_they_are() -> None:
    wanted = {"verification": {"trust_framework": None}, "claims": {"name": None}}
    asked = read(json.dumps({"userinfo": {claims_request.VERIFIED: wanted}}))
    assert asked.members[USERINFO][claims_request.VERIFIED] == wanted
