"""The no-certificate counter: proofs are looked up, with the holder's leave and on his record (无证明城市)."""

import re
from typing import Any

import pytest

from licences.models import Licence, Lookup
from tests.identity import Browser, Flow
from tests.looking_up import ask, consent, proofs, refusals, request_for
from tests.town import (
    AGENT,
    ALICE,
    CLERK,
    COMPANY,
    HOLDER_SCOPE,
    MATTER,
    NAMES,
    SECURITY,
    WINDOW,
    Town,
    type_of,
)

SPOUSE = {"spouse_name": "王示例", "spouse_number": "379901199001010015"}


@pytest.fixture(scope="module", autouse=True)
def card(town: Town) -> str:
    """Alice holds a resident card, the one returned, and a marriage certificate."""
    town.issue("marriage_certificate")
    return town.issue("resident_card").identifier


def test_the_list_of_matters_is_public(town: Town) -> None:
    items = {item["code"]: item for item in town.web.get("/v1/matters").json["items"]}
    assert len(items) >= 6
    proof = items[MATTER]["proofs"][0]
    assert {"proof", "name", "type", "ways", "fields"} <= proof.keys()


def test_with_consent_each_proof_is_found_or_not_held(town: Town) -> None:
    given = consent(town)
    answer = ask(town, request_for({"consent": given}))
    found = proofs(answer)
    assert {name: proof["outcome"] for name, proof in found.items()} == {
        "identity": "licence",
        "marriage": "licence",
        "household": "not_held",
    }
    assert found["identity"]["fields"].keys() == {"holder_name", "holder_number", "state", "valid_until"}
    assert (found["identity"]["fields"]["holder_name"], found["identity"]["fields"]["holder_number"]) == (
        "王小明",
        ALICE,
    )
    assert found["identity"]["licence"]["state"] == "valid"
    assert found["marriage"]["fields"]["spouse_number"] == SPOUSE["spouse_number"]
    assert "remark" not in found["marriage"]["fields"]
    assert "fields" not in found["household"]
    look = town.web.get("/v1/accesses", headers=town.person(ALICE)).json["items"][0]
    assert look | {"at": None, "log_index": None, "id": None} == {
        "at": None,
        "log_index": None,
        "id": None,
        "law": None,
        "acting": None,
        "act": "licences:lookup:create",
        "who": "孙**",
        "unit": f"{NAMES[SECURITY]} {WINDOW}",
        "purpose": "购房登记",
        "matter": MATTER,
        "case_number": "DM-2026-0001",
        "basis": "consent",
        "fields": [
            "holder_name",
            "holder_number",
            "state",
            "valid_until",
            "registered_on",
            "spouse_name",
            "spouse_number",
        ],
    }
    row = town.act(lambda call: call.session.get_one(Lookup, (town.subjects[ALICE], answer.json["id"])))
    assert (row.matter, row.department, row.basis) == (MATTER, SECURITY, f"consent:{given}")
    assert row.outcomes == {"identity": "licence", "marriage": "licence", "household": "not_held"}
    assert proofs(ask(town, request_for({"consent": given}))), "a consent serves again, until it ends"


def test_a_plain_code_opens_the_licences_it_lists_and_masks_names(town: Town, card: str) -> None:
    code = town.show(card)
    found = proofs(ask(town, request_for({"code": code})))
    assert {name: proof["outcome"] for name, proof in found.items()} == {
        "identity": "licence",
        "marriage": "not_held",
        "household": "not_held",
    }
    fields = found["identity"]["fields"]
    assert (fields["holder_name"], fields["holder_number"]) == ("王**", f"371***********{ALICE[-4:]}")
    again = ask(town, request_for({"code": code}))
    assert (again.status_code, again.json["code"]) == (403, "authorisation_refused")


def test_a_code_with_chosen_fields_shows_those(town: Town, card: str) -> None:
    code = town.show(card, fields=["holder_name"])
    found = proofs(ask(town, request_for({"code": code})))["identity"]
    assert (found["outcome"], found["fields"]) == ("licence", {"holder_name": "王小明"})
    assert found["not_shown"] == ["holder_number", "state", "valid_until"]
    assert town.looks()[0]["fields"] == ["holder_name"]


@pytest.mark.parametrize("made_for", ["a licence", "the matter"])
def test_a_code_with_none_of_the_fields_asked_for_opens_nothing(town: Town, card: str, made_for: str) -> None:
    shown = town.show(card, fields=["age_over_18"]) if made_for == "a licence" else ""
    answer = ask(town, request_for({"code": shown or town.show(matter=MATTER, fields=["age_over_18"])}))
    for name, proof in proofs(answer).items():
        assert (proof["outcome"], "fields" in proof, "licence" in proof) == ("not_held", False, False), name
    assert town.looks()[0]["fields"] == []
    assert ALICE[-4:] not in answer.text


def test_a_code_confirms_no_claim_that_its_holder_left_out(town: Town, card: str) -> None:
    matter = "DM-M-013"  # it compares, where no licence is shown
    claims = {"identity": {"holder_name": "王小明", "holder_number": ALICE}}
    for fields, outcome in ((["age_over_18"], "not_held"), (["holder_name"], "not_held")):
        body = request_for({"code": town.show(card, fields=fields)}, matter=matter, claims=claims)
        found = proofs(ask(town, body | {"ways": {"identity": "data_check"}}))["identity"]
        assert (found["outcome"], "compared" in found) == (outcome, False)
        assert "holder_number" in found["not_shown"]
    body = request_for({"code": town.show(card, fields=[*claims["identity"]])}, matter=matter, claims=claims)
    assert proofs(ask(town, body | {"ways": {"identity": "data_check"}}))["identity"]["outcome"] == "data_yes"


def test_a_code_made_for_the_matter_opens_what_the_matter_needs(town: Town) -> None:
    found = proofs(ask(town, request_for({"code": town.show(matter=MATTER)})))
    assert found["marriage"]["fields"]["spouse_name"] == SPOUSE["spouse_name"]
    assert found["identity"]["fields"]["holder_number"] == ALICE
    other = next(m["code"] for m in town.web.get("/v1/matters").json["items"] if m["code"] != MATTER)
    foreign = ask(town, request_for({"code": town.show(matter=MATTER)}, matter=other))
    assert (foreign.status_code, foreign.json["code"]) == (403, "authorisation_refused")


def test_a_clerk_who_is_logged_in_is_the_operator(town: Town) -> None:
    body = request_for({"consent": consent(town)}, operator=...)
    assert proofs(ask(town, body, town.person(CLERK, client="staff-app")))
    look = town.web.get("/v1/accesses", headers=town.person(ALICE)).json["items"][0]
    assert (look["who"], look["unit"]) == ("孙**", f"{NAMES[SECURITY]} {WINDOW}")


def test_only_a_licence_that_holds_now_is_a_proof(town: Town) -> None:
    code = town.issue("household_register").identifier
    given = consent(town)
    assert proofs(ask(town, request_for({"consent": given})))["household"]["outcome"] == "licence"
    where = f"/v1/licences/{code}/changes"
    for change, outcome in (("suspend", "not_held"), ("resume", "licence"), ("revoke", "not_held")):
        town.web.post(where, json={"change": change, "reason": "演示"}, headers=town.machine("issuer"))
        assert proofs(ask(town, request_for({"consent": given})))["household"]["outcome"] == outcome


def test_a_licence_whose_seal_does_not_hold_is_no_proof(town: Town, card: str) -> None:
    def flip(call: Any) -> None:
        row = call.session.get_one(Licence, (town.subjects[ALICE], card))
        row.seal_signature = row.seal_signature[:-1] + bytes([row.seal_signature[-1] ^ 1])

    given = consent(town)
    town.act(flip)
    assert proofs(ask(town, request_for({"consent": given})))["identity"]["outcome"] == "not_held"
    town.act(flip)
    assert proofs(ask(town, request_for({"consent": given})))["identity"]["outcome"] == "licence"


def test_an_organisation_is_looked_up_by_its_code(town: Town) -> None:
    town.issue("business_licence", COMPANY)
    matter = next(
        item["code"]
        for item in town.web.get("/v1/matters").json["items"]
        if item["subject_kind"] == "organisation"
        and type_of("business_licence").code in {proof["type"] for proof in item["proofs"]}
    )
    mandate = re.search(r'value="([0-9a-f]{32})"', _acting_page(town))
    assert mandate is not None
    answer = town.web.post(
        "/v1/lookup-consents", json={"matter": matter}, headers=town.person(AGENT, acting=mandate[1])
    )
    body = request_for({"consent": answer.json["id"]}, matter=matter, subject={"number": COMPANY})
    assert "licence" in {proof["outcome"] for proof in proofs(ask(town, body)).values()}


def test_a_clerk_looks_up_on_his_page(town: Town, card: str) -> None:
    clerk = town.browser(CLERK)
    form = clerk.open("/counter/lookup")
    empty = clerk.submit(form)
    assert empty.status == 200
    assert 'id="case_number-error"' in empty.text
    filled = {"matter": MATTER, "number": ALICE, "purpose": "购房登记", "case_number": "DM-7"}
    refused = clerk.submit(form, **filled, code="0" * 26)
    assert refused.status == 403
    assert 'id="code-error"' in refused.text
    assert refusals(town)[-1] == "authorisation_refused"
    found = clerk.submit(refused, **filled, code=town.show(card))
    assert found.status == 200
    assert "已查到证照" in found.text
    assert "查无" in found.text
    assert "DM-7" in found.text
    assert ALICE not in found.text
    assert "王小明" not in found.text
    look = town.browser(ALICE).open("/me/accesses").text
    assert "购房登记" in look
    assert "购房不动产转移登记" in look


def _acting_page(town: Town) -> str:
    browser = Browser(town.app)
    flow = Flow("wallet-app", HOLDER_SCOPE)
    return browser.log_in(browser.open(flow.url()), number=AGENT).text
