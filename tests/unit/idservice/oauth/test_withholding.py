"""What a person may keep to himself, and what is left of the request then."""

from types import SimpleNamespace
from typing import Any

import pytest

from idservice.oauth import withholding
from idservice.oauth.authorization import AuthorizationRequest
from idservice.oauth.claims_request import ClaimsRequest
from idservice.oauth.granted import Granted

ESSENTIAL = {"essential": True}


def request(scope: str, **members: Any) -> AuthorizationRequest:
    app: Any = SimpleNamespace(scope=("openid", "profile", "phone", "verified"))
    asker: Any = SimpleNamespace(app=app)
    claims = ClaimsRequest(members)
    return AuthorizationRequest(
        asker, tuple(scope.split()), "", None, frozenset(), None, None, "", granted=Granted(claims=claims)
    )  # fmt: skip


def left(asked: AuthorizationRequest, *names: str, organisation: bool = False) -> tuple[str, Any]:
    rest = withholding.without(asked, names, organisation=organisation)
    return " ".join(rest.scope), rest.granted.claims.members


def test_what_the_app_calls_essential_is_not_optional() -> None:
    asked = request("openid profile phone", id_token={"name": ESSENTIAL}, userinfo={"phone_number": None})
    assert withholding.optional(asked, organisation=False) == ("real_name_level", "phone_number")
    assert withholding.without(asked, ["name", "sub", "nothing"], organisation=False) is asked


def test_a_scope_falls_with_the_one_claim_it_releases() -> None:
    asked = request("openid profile phone", userinfo={"phone_number": None})
    assert left(asked, "phone_number") == ("openid profile", {"userinfo": {}})


@pytest.mark.parametrize(("organisation", "other"), [(False, "real_name_level"), (True, "credit_code")])
def test_what_else_a_scope_releases_is_asked_for_by_itself(organisation: bool, other: str) -> None:
    asked = request("openid profile")
    assert left(asked, other, organisation=organisation) == ("openid", {"userinfo": {"name": None}})
    assert left(asked, "name", other, organisation=organisation) == ("openid", {})


def test_how_a_claim_was_wanted_is_kept() -> None:
    asked = request("openid profile", userinfo={"name": ESSENTIAL}, id_token={"real_name_level": None, "acr": None})
    assert left(asked, "real_name_level") == ("openid", {"userinfo": {"name": ESSENTIAL}, "id_token": {"acr": None}})


def test_nothing_may_be_left() -> None:
    assert left(request("phone"), "phone_number") == ("", {})


def test_of_what_is_withheld_the_earlier_consent_ends() -> None:
    asked = request("openid phone", userinfo={"name": None, "phone_number": ESSENTIAL})
    assert withholding.taken_back(asked, ["name", "phone_number", "nothing"], organisation=False) == {"profile"}


def verified(**claims: Any) -> dict[str, Any]:
    return {"verified_claims": {"verification": {"trust_framework": None}, "claims": claims}}


def test_verified_claims_are_kept_back_each_by_itself() -> None:
    asked = request("openid", userinfo=verified(name=None, birthdate=None), id_token=verified(birthdate=ESSENTIAL))
    assert withholding.optional(asked, organisation=False) == ("verified_claims.name",)
    both = "verified_claims.name", "verified_claims.birthdate"
    assert left(asked, *both) == (
        "openid", {"userinfo": verified(birthdate=None), "id_token": verified(birthdate=ESSENTIAL)}
    )  # fmt: skip
    assert withholding.taken_back(asked, both, organisation=False) == {"verified"}


def test_what_else_the_scope_of_verified_claims_releases_is_asked_for_by_itself() -> None:
    asked = request("openid verified")
    scope, members = left(asked, "verified_claims.credit_code", organisation=True)
    assert (scope, members["userinfo"]["verified_claims"]["claims"]) == ("openid", {"name": None})
    other = request("openid verified", id_token=verified(birthdate=None))
    scope, members = left(other, "verified_claims.birthdate")
    assert (scope, members["id_token"]) == ("openid", {})
    assert "name" in members["userinfo"]["verified_claims"]["claims"]
