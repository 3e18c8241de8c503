"""Tokens that stay bound to a key: refreshing with DPoP, the lost answer, and clients of the standard profile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, select

from idservice.models import RefreshToken
from idservice.oauth import tokens
from keys.jws import encode
from tests.builders import act
from tests.fapi import Fapi, new_key, register, thumbprint
from tests.identity import (
    OFFLINE,
    SECRET,
    City,
    Flow,
    basic,
    claims_of,
    introspect,
    logged_in,
    token,
)


def test_refresh_token(fapi: Fapi) -> None:
    first = fapi.logged_in()
    second = fapi.refresh(first["refresh_token"])
    assert second.status_code == 200
    assert second.json["token_type"] == "DPoP"
    assert second.json["refresh_token"] != first["refresh_token"]
    assert fapi.get("/v1/accesses", second.json["access_token"]).status_code == 200


def test_a5_a_stolen_refresh_token_without_its_key_is_refused_and_stays_the_owners(fapi: Fapi) -> None:
    got = fapi.logged_in()
    assert fapi.refresh(got["refresh_token"], bare=True).status_code == 400
    stolen = fapi.refresh(got["refresh_token"], proof={"key": new_key()})
    assert (stolen.status_code, stolen.json["error"]) == (400, "invalid_grant")
    assert fapi.refresh(got["refresh_token"]).status_code == 200


def test_a5_a_stolen_code_without_the_key_it_is_bound_to_is_refused(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow, bare=False)
    assert fapi.redeem(flow, code, proof={"key": new_key()}).json["error"] == "invalid_grant"
    assert fapi.redeem(flow, code, bare=True).status_code == 400


def test_a_lost_answer_is_given_again_to_the_holder_of_the_key(fapi: Fapi) -> None:
    got = fapi.logged_in()
    first = fapi.refresh(got["refresh_token"])
    again = fapi.refresh(got["refresh_token"])
    assert again.status_code == 200
    assert again.json == first.json
    assert fapi.is_active(first.json["access_token"])
    assert fapi.refresh(first.json["refresh_token"]).status_code == 200


def test_a_repetition_after_ten_seconds_kills_the_family(fapi: Fapi) -> None:
    got = fapi.logged_in()
    second = fapi.refresh(got["refresh_token"]).json
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=11)):
        assert fapi.refresh(got["refresh_token"]).json["error"] == "invalid_grant"
        assert not fapi.is_active(second["access_token"])
        assert fapi.refresh(second["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.parametrize("how", [{"proof": {"key": "new"}}, {"scope": "openid"}], ids=["another_key", "another_scope"])
def test_what_is_no_repetition_kills_the_family(fapi: Fapi, how: dict[str, Any]) -> None:
    got = fapi.logged_in()
    second = fapi.refresh(got["refresh_token"]).json
    how = {"proof": {"key": new_key()}} if "proof" in how else how
    assert fapi.refresh(got["refresh_token"], **how).json["error"] == "invalid_grant"
    assert not fapi.is_active(second["access_token"])


def test_a_repetition_for_somebody_who_may_no_longer_log_in_is_refused(fapi: Fapi) -> None:
    got = fapi.logged_in()
    second = fapi.refresh(got["refresh_token"]).json
    assert fapi.post("/oauth/revoke", {"token": second["refresh_token"]}, bare=True).status_code == 200
    assert fapi.refresh(got["refresh_token"]).json["error"] == "invalid_grant"


def test_the_kept_answer_is_not_readable_in_the_database(fapi: Fapi) -> None:
    second = fapi.refresh(fapi.logged_in()["refresh_token"]).json
    kept = act(fapi.city.house, lambda call: call.session.scalars(select(RefreshToken.answer_sealed)).all())
    blobs = [blob for blob in kept if blob]
    assert blobs
    assert not any(value.encode() in blob for blob in blobs for value in second.values() if isinstance(value, str))


def test_without_a_key_nothing_is_given_twice(city: City) -> None:
    got = logged_in(city)
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    second = token(city.app, form, basic("basic"))
    assert second.status_code == 200
    assert token(city.app, form, basic("basic")).json["error"] == "invalid_grant"
    assert not introspect(city, second.json["access_token"])["active"]


# --- clients of the standard profile


def test_a_standard_client_that_sends_a_proof_gets_bound_tokens(city: City) -> None:
    holder, flow = Fapi(city, "basic"), Flow("basic", OFFLINE)
    form = {"grant_type": "authorization_code", "code": city.browser().code(flow), "redirect_uri": flow.redirect_uri}
    form["code_verifier"] = flow.verifier
    first = token(city.app, form, basic("basic") | holder.proof("POST", "/oauth/token"))
    assert first.json["error"] == "use_dpop_nonce"
    holder.nonce = first.headers["DPoP-Nonce"]
    got = token(city.app, form, basic("basic") | holder.proof("POST", "/oauth/token")).json
    assert got["token_type"] == "DPoP"
    assert claims_of(got["access_token"])["cnf"] == {"jkt": thumbprint(holder.key)}
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    unproven = token(city.app, form, basic("basic"))
    assert unproven.json["error"] == "invalid_grant", "bound for confidential clients too"
    assert token(city.app, form, basic("basic") | holder.proof("POST", "/oauth/token")).status_code == 200


def test_a_public_client_binds_its_refresh_tokens(city: City) -> None:
    holder, flow = Fapi(city, "public"), Flow("public", OFFLINE)
    code = city.browser().code(flow)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": flow.redirect_uri, "client_id": "public"}
    form["code_verifier"] = flow.verifier
    holder.nonce = token(city.app, form, holder.proof("POST", "/oauth/token")).headers["DPoP-Nonce"]
    got = token(city.app, form, holder.proof("POST", "/oauth/token")).json
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"], "client_id": "public"}
    assert token(city.app, form).json["error"] == "invalid_grant"
    assert token(city.app, form, holder.proof("POST", "/oauth/token")).status_code == 200


def test_a_flag_of_a_standard_client_demands_dpop_even_of_itself_alone(city: City) -> None:
    register(
        city,
        "bound",
        auth_method="client_secret_basic",
        secret=SECRET,
        demands=["dpop_bound_access_tokens"],
        grant_types=["client_credentials"],
        scope="matters.read lookups.create",
        redirect_uris=[],
        post_logout_redirect_uris=[],
    )
    holder, form = Fapi(city, "bound"), {"grant_type": "client_credentials"}
    assert token(city.app, form, basic("bound")).json["error"] == "invalid_dpop_proof"
    first = token(city.app, form, basic("bound") | holder.proof("POST", "/oauth/token"))
    holder.nonce = first.headers["DPoP-Nonce"]
    got = token(city.app, form, basic("bound") | holder.proof("POST", "/oauth/token")).json
    assert got["token_type"] == "DPoP"
    assert holder.get("/v1/", got["access_token"]).status_code == 200


def test_who_uses_none_of_this_pays_for_none_of_it(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain machine's path, as the benchmark takes it: no statement, and one signature."""
    form, statements, signatures = {"grant_type": "client_credentials"}, [], []
    with time_machine.travel(datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC), tick=False):
        assert token(city.app, form, basic("counter")).status_code == 200
        event.listen(city.house.database.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
        writer = city.house.database._writer
        if writer is not city.house.database.engine:
            event.listen(writer, "before_cursor_execute", lambda *said: statements.append(said[2]))
        monkeypatch.setattr(tokens, "encode", lambda *said, **more: signatures.append(1) or encode(*said, **more))
        assert token(city.app, form, basic("counter")).status_code == 200
    assert (statements, len(signatures)) == ([], 1)
