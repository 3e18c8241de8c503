"""Rich authorization requests (RFC 9396): what a token says in detail is all that it can do, at our own APIs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import update

from idservice.models import Client
from idservice.oauth import clients
from idservice.oauth.grant_policy import EXCHANGE_GRANT
from keys.sm2 import sm3
from licences import issue
from licences.models import Licence
from tests.detailed import (
    ACCESS,
    IDENTITY,
    ISSUE,
    MANDATE,
    MARRIAGE,
    SEAL,
    SHOW,
    TITLE,
    acting_for,
    code_of,
    details,
    issuing,
    log_in,
    of_system,
    refreshed,
    register_apps,
    showing,
)
from tests.identity import (
    Browser,
    Flow,
    answer_of,
    basic,
    bearer,
    claims_of,
    redeem,
    token,
)
from tests.sealing import post_form
from tests.town import AGENT, ALICE, CIVIL, COMPANY, MATTER, OFFICER, SECURITY, Town, order_for, type_of


@pytest.fixture(scope="module", autouse=True)
def apps(town: Town) -> None:
    register_apps(town)


# --- what is granted stands everywhere the token is described


def test_the_granted_details_stand_in_answer_token_and_introspection(town: Town) -> None:
    wanted = showing(TITLE, datatypes=["name"])
    got = log_in(town, wanted)
    assert got["authorization_details"] == [wanted]
    assert claims_of(got["access_token"])["authorization_details"] == [wanted]
    assert set(got["scope"].split()) == {"openid", "offline_access"}
    for text in (got["access_token"], got["refresh_token"]):
        told = token(town.app, {"token": text}, basic("rar"), "/oauth/introspect").json
        assert told["authorization_details"] == [wanted]


def test_metadata_and_resource_metadata_name_the_types(town: Town) -> None:
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-protected-resource/v1"):
        found = town.web.get(path).json["authorization_details_types_supported"]
        assert found == [ISSUE, SHOW, MANDATE, "openid_credential", SEAL]


@pytest.mark.parametrize("taken", [{"authorization_details_types": [SEAL]}, {"scope": "licences.read seals.use"}])
def test_what_a_client_may_ask_for_no_more_its_details_do_no_more(town: Town, taken: dict[str, Any]) -> None:
    """A detail carries the authority of a scope, so it falls with type and scope, in tokens that are out already."""

    def put(values: dict[str, Any]) -> None:
        town.act(lambda call: call.session.execute(update(Client).where(mine).values(**values)) and None)
        clients.forget(town.house, "system")

    mine = Client.client_id == "system"
    row = town.act(lambda call: call.session.get_one(Client, "system"))
    before = {name: getattr(row, name) for name in taken}
    headers = bearer(of_system(town, issuing(TITLE)).json["access_token"])
    assert town.post("/v1/licences", order_for(), headers).status_code == 201
    put(taken)
    try:
        assert town.post("/v1/licences", order_for(), headers).status_code == 401
    finally:
        put(before)


def test_details_alone_are_a_request(town: Town) -> None:
    got = log_in(town, showing(TITLE), scope=None)
    assert got["scope"] == ""
    assert "refresh_token" not in got
    assert "id_token" not in got
    shown = town.post("/v1/presentations", {"licences": [town.issue().identifier]}, bearer(got["access_token"]))
    assert shown.status_code == 201


def test_a_detail_takes_the_place_of_its_scope(town: Town) -> None:
    """Whoever asks for both gets the detail: a token cannot lose the limit and keep the authority."""
    got = log_in(town, showing(TITLE), scope="openid licences.show licences.read offline_access")
    assert "licences.show" not in got["scope"].split()
    after = refreshed(town, got).json
    assert "licences.show" not in claims_of(after["access_token"])["scope"].split()
    wider = refreshed(town, after, scope="openid licences.show")
    assert (wider.status_code, wider.json["error"]) == (400, "invalid_scope")


# --- enforced at the deed


def test_licence_issue_is_good_for_the_types_it_names_alone(town: Town) -> None:
    got = of_system(town, issuing(TITLE, departments=[SECURITY])).json
    headers = bearer(got["access_token"])
    assert got["scope"] == ""
    assert town.post("/v1/licences", order_for(), headers).status_code == 201
    other = town.post("/v1/licences", order_for("marriage_certificate"), headers)
    assert code_of(other) == (403, "authorization_details_exceeded")
    read = town.web.get("/v1/licences", headers=headers)
    assert code_of(read) == (403, "insufficient_scope"), "the detail opens no other door"


def test_licence_issue_is_good_for_the_holder_and_department_it_names_alone(town: Town) -> None:
    elsewhere = of_system(town, issuing(TITLE, departments=[CIVIL])).json["access_token"]
    assert code_of(town.post("/v1/licences", order_for(), bearer(elsewhere)))[0] == 403
    for_company = of_system(town, issuing(TITLE, holders=[COMPANY])).json["access_token"]
    to_alice = town.post("/v1/licences", order_for(), bearer(for_company))
    assert code_of(to_alice) == (403, "authorization_details_exceeded")


def test_an_officers_token_is_confined_too(town: Town) -> None:
    got = log_in(town, issuing(MARRIAGE), number=OFFICER, scope="openid licences.issue")
    refused = town.post("/v1/licences", order_for(), bearer(got["access_token"]))
    assert code_of(refused) == (403, "authorization_details_exceeded")
    whole = log_in(town, issuing(TITLE), number=OFFICER, scope="openid")
    assert town.post("/v1/licences", order_for(), bearer(whole["access_token"])).status_code == 201


def test_licence_show_is_good_for_types_fields_and_matters_it_names_alone(town: Town) -> None:
    title, marriage = town.issue().identifier, town.issue("marriage_certificate").identifier
    one, other_field = (field.name for field in type_of("real_estate_title").fields[:2])
    headers = bearer(log_in(town, showing(TITLE, datatypes=[one]))["access_token"])
    shown = town.post("/v1/presentations", {"licences": [title], "fields": [one]}, headers)
    assert shown.status_code == 201
    state = town.post("/v1/presentations/status", {"code": shown.json["code"]}, headers)
    assert state.status_code == 200
    more = {"licences": [title], "fields": [one, other_field]}
    for body in ({"licences": [marriage]}, {"licences": [title, marriage]}, more):
        assert code_of(town.post("/v1/presentations", body, headers)) == (403, "authorization_details_exceeded")
    for_matter = bearer(log_in(town, showing(TITLE, matters=[MATTER]))["access_token"])
    assert code_of(town.post("/v1/presentations", {"licences": [title]}, for_matter))[0] == 403
    other = bearer(log_in(town, showing(MARRIAGE))["access_token"])
    seen = town.post("/v1/presentations/status", {"code": shown.json["code"]}, other)
    assert code_of(seen) == (403, "authorization_details_exceeded")


def test_seal_use_is_good_for_the_seal_form_and_document_it_names_alone(town: Town) -> None:
    seal, letter = town.seals[SECURITY], "关于演示的函".encode()
    wanted = {"type": SEAL, "identifier": seal, "datatypes": ["detached"], "digests": [sm3(letter).hex()]}
    headers = bearer(of_system(town, wanted).json["access_token"])

    def use(number: str, data: bytes, **more: str) -> Any:
        return post_form(
            town.web, f"/v1/seals/{number}/uses", {"file": data, "purpose": "演示", **more}, headers=headers
        )

    assert use(seal, letter).status_code == 201
    for refused in (use(town.seals[CIVIL], letter), use(seal, letter + b"."), use(seal, letter, format="signature")):
        assert code_of(refused) == (403, "authorization_details_exceeded")
    assert code_of(town.web.get("/v1/seals", headers=headers)) == (403, "insufficient_scope")
    assert code_of(town.post("/v1/seals", {}, headers)) == (403, "insufficient_scope")


def test_a_deed_that_forgets_to_ask_is_not_done(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint says that details are as good as the scope there: then they must have been asked for."""
    headers = bearer(of_system(town, issuing(TITLE)).json["access_token"])
    before = town.count(Licence)
    monkeypatch.setattr(issue, "demand", lambda *_arguments, **_what: None)
    assert town.post("/v1/licences", order_for(), headers).status_code == 500
    assert town.count(Licence) == before
    assert town.post("/v1/licences", order_for()).status_code == 201, "a token with the scope is not confined"


def test_several_details_of_a_type_add_up_but_do_not_mix(town: Town) -> None:
    sent = (issuing(TITLE, departments=[CIVIL]), issuing(MARRIAGE, departments=[SECURITY]))
    headers = bearer(of_system(town, *sent).json["access_token"])
    for slug in ("real_estate_title", "marriage_certificate"):
        assert code_of(town.post("/v1/licences", order_for(slug), headers))[1] == "authorization_details_exceeded"


def test_a_detail_ends_at_its_time(town: Town) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=60)
    got = of_system(town, issuing(TITLE, not_after=f"{soon:%Y-%m-%dT%H:%M:%SZ}"))
    headers = bearer(got.json["access_token"])
    with time_machine.travel(soon):
        assert code_of(town.post("/v1/licences", order_for(), headers)) == (403, "authorization_details_exceeded")


# --- mandate


def test_a_mandate_binds_the_login_to_the_organisation_and_the_matter(town: Town) -> None:
    browser, flow = Browser(town.app), Flow("rar")
    sent = details(acting_for(matters=[MATTER]), showing(TITLE, IDENTITY))
    page = browser.log_in(browser.open(flow.url(scope="openid offline_access", **sent)), number=AGENT)
    assert 'name="acting"' not in page.text, "the app has said for whom, and there is one mandate"
    assert "滨州示范食品有限公司" in page.text
    assert COMPANY in page.text
    got = redeem(town.app, flow, answer_of(browser.submit(page, decision="allow"))["code"]).json
    claims = claims_of(got["access_token"])
    assert claims["act"]["sub"] != claims["sub"]
    refused = town.post("/v1/presentations", {"licences": ["x"]}, bearer(got["access_token"]))
    assert code_of(refused) == (403, "forbidden"), "a matter has to be named"


def test_a_mandate_that_the_person_does_not_hold_is_refused(town: Town) -> None:
    for sent, number in ((acting_for(), ALICE), (acting_for(SECURITY), AGENT)):
        browser, flow = Browser(town.app), Flow("rar")
        page = browser.log_in(browser.open(flow.url(**details(sent))), number=number)
        assert answer_of(page)["error"] == "access_denied"


def test_a_refresh_never_loses_the_limit_of_a_mandate(town: Town) -> None:
    got = log_in(town, acting_for(matters=[MATTER]), showing(TITLE), number=AGENT)
    after = refreshed(town, got, **details(showing(TITLE))).json
    assert [one["type"] for one in after["authorization_details"]] == [SHOW, MANDATE]


def test_a_token_for_one_matter_grants_no_mandates(town: Town) -> None:
    scope = "openid mandates.manage"
    narrow = log_in(town, acting_for(matters=[MATTER]), number=AGENT, scope=scope)["access_token"]
    answer = town.web.get("/v1/mandates?direction=given", headers=bearer(narrow))
    assert code_of(answer) == (403, "authorization_details_exceeded")


# --- narrowing


def test_a_refresh_may_narrow_and_never_widen(town: Town) -> None:
    got = log_in(town, showing(TITLE, MARRIAGE, datatypes=["name"]))
    narrow = refreshed(town, got, **details(showing(TITLE, datatypes=["name"]))).json
    assert claims_of(narrow["access_token"])["authorization_details"] == [showing(TITLE, datatypes=["name"])]
    latest = narrow
    for wider in (
        showing(TITLE, IDENTITY, datatypes=["name"]),  # a type more
        showing(TITLE),  # a limit less
        showing(TITLE, datatypes=["name", "number"]),
        issuing(TITLE),  # another type altogether
        {"type": SHOW, "licence_types": []},
    ):
        answer = refreshed(town, latest, **details(wider))
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_authorization_details"), wider
    again = refreshed(town, latest).json
    whole = showing(TITLE, MARRIAGE, datatypes=["name"])
    assert again["authorization_details"] == [whole], "the grant is as it was: less was asked for once"


def test_a_code_may_be_redeemed_for_less_and_not_for_more(town: Town) -> None:
    flow = Flow("rar")
    code = Browser(town.app).code(flow, **details(showing(TITLE, MARRIAGE)))
    wider = redeem(town.app, flow, code, **details(showing(TITLE, IDENTITY)))
    assert wider.json["error"] == "invalid_authorization_details"
    less = redeem(town.app, flow, code, **details(showing(TITLE)))
    assert less.json["authorization_details"] == [showing(TITLE)], "a refused try has used nothing up"


def test_a_login_without_details_gets_none_later(town: Town) -> None:
    flow = Flow("rar", "openid offline_access")
    got = redeem(town.app, flow, Browser(town.app).code(flow)).json
    assert "authorization_details" not in got
    answer = refreshed(town, got, **details(showing(TITLE)))
    assert answer.json["error"] == "invalid_authorization_details"


def test_an_exchange_narrows_and_keeps_what_limits(town: Town) -> None:
    subject = log_in(town, showing(TITLE, MARRIAGE), acting_for(), number=AGENT, client_id="front", scope="openid")
    actor = token(town.app, {"grant_type": "client_credentials", "scope": "licences.read"}, basic("relay"))
    form = {
        "grant_type": EXCHANGE_GRANT, "subject_token": subject["access_token"], "subject_token_type": ACCESS,
        "actor_token": actor.json["access_token"], "actor_token_type": ACCESS,
    }  # fmt: skip
    less = token(town.app, form | details(showing(TITLE)), basic("relay"))
    assert less.json["authorization_details"] == [showing(TITLE), acting_for()]
    assert claims_of(less.json["access_token"])["authorization_details"] == less.json["authorization_details"]
    more = token(town.app, form | details(showing(IDENTITY)), basic("relay"))
    assert more.json["error"] == "invalid_authorization_details"
    elsewhere = token(town.app, form | {"audience": "rar"}, basic("relay"))
    assert elsewhere.json["authorization_details"] == [acting_for()], "licences are shown at our own API alone"
