"""Receipts repeat the consent page line by line, whatever an app asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idservice.call import House
from idservice.oauth import claims_request, clients, consent_purposes, mandate_detail
from idservice.oauth.consent_receipt import Purpose
from idservice.oauth.granted import Granted
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases

REQUEST = """{"userinfo": {"phone_number": null, "verified_claims": {"verification": {"trust_framework": null,
    "evidence": [{"type": {"value": "vouch"}}]}, "claims": {"birthdate": null, "credit_code": null, "x": null}}}}"""
MANDATE = {"type": mandate_detail.MANDATE.name, "not_after": "2027-01-01T00:00:00Z"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    for client_id, scope in (("kyc", "openid phone verified"), ("plain", "openid")):
        stated: dict[str, Any] = {"grant_types": ["authorization_code"], "redirect_uris": ["http://127.0.0.1/cb"]}
        stated |= {"name": "n", "unit": "u", "auth_method": "client_secret_basic", "secret": "s" * 32}
        act(built, lambda call, i=client_id, s=scope, m=stated: clients.register(call, client_id=i, scope=s, **m))
    yield built
    built.database.engine.dispose()


def lines(house: House, client_id: str, granted: Granted, *, organisation: bool = False) -> list[Purpose]:
    def read(call: Any) -> list[Purpose]:
        app = clients.find(call, client_id)
        assert app is not None
        return consent_purposes.beyond_scope(call, app, granted, organisation=organisation)

    return act(house, read)


def named(purposes: list[Purpose]) -> list[tuple[str, str]]:
    return [(purpose.kind, purpose.name) for purpose in purposes]


def test_scopes_stand_in_the_order_of_the_catalogue_with_what_is_learnt_by_them() -> None:
    found = consent_purposes.of_scope({"verified", "profile", "unknown"}, organisation=True)
    assert named(found) == [("scope", "profile"), ("scope", "verified")]
    assert found[0].pii_types == ("name", "credit_code")
    assert found[1].pii_types == ("verified_claims.name", "verified_claims.credit_code")


def test_single_claims_are_lines_of_their_own_if_the_app_may_have_them(house: House) -> None:
    granted = Granted(claims=claims_request.read(REQUEST))
    found = lines(house, "kyc", granted)
    evidence = ("verified_claim", "evidence")
    assert named(found) == [("claim", "phone_number"), ("verified_claim", "birthdate"), evidence]
    assert found[1].as_json("en")["purpose"] == "Date of birth, verified"
    assert named(lines(house, "kyc", granted, organisation=True)) == [("verified_claim", "credit_code"), evidence]
    assert lines(house, "plain", granted) == []


def test_details_stand_with_their_words_and_as_they_were_asked_for(house: House) -> None:
    (line,) = lines(house, "kyc", Granted(details=(MANDATE,)))
    assert (line.kind, line.name, line.detail) == ("authorization_detail", "mandate", MANDATE)
    assert line.as_json("zh")["detail"] == MANDATE
    assert line.zh[0] != line.en[0]
