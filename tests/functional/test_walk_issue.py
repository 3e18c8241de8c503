"""Walk B: a department issues a licence, its holder has it, and it lives, changes and ends."""

import concurrent.futures
import json
from typing import Any

import pytest
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier
from sqlalchemy import func, select

from idservice.models import AuditEntry, Staff
from idservice.register import mandates
from keys.ring import Purpose
from keys.sm2 import sm3
from licences import catalogue, identifier, recheck
from licences.definition_file import shipped_types
from licences.formats import sdjwt
from licences.models import IssueIntent, Licence
from seals.check import check_file
from seals.verify import read_anchors
from tests.town import (
    AGENT,
    ALICE,
    BOB,
    CIVIL,
    CLERK,
    COMPANY,
    NAMES,
    OFFICER,
    SECURITY,
    STRANGER,
    Town,
    now,
    order_for,
    type_of,
)

# --- issue -------------------------------------------------------------------------------------------------------


def test_the_catalogue_is_public_and_its_examples_issue_every_type(town: Town) -> None:
    listed = town.web.get("/v1/licence-types")
    assert listed.status_code == 200
    assert len(listed.json["items"]) == len(shipped_types())
    kinds = {kind.code: kind for kind in shipped_types()}
    for item in listed.json["items"]:
        number = COMPANY if item["holder_kind"] == "organisation" else BOB
        fields = {field["name"]: field["example"] for field in item["fields"]}
        order = {"type": item["code"], "holder": {"number": number}, "fields": fields}
        made = by_two(town, order) if kinds[item["code"]].sensitive else town.post("/v1/licences", order)
        assert made.status_code == 201, (item["name"], made.text)
        code = made.json.get("identifier") or made.json["result"]
        assert town.row(code).state == "valid"
        assert identifier.is_valid(code)


def by_two(town: Town, order: dict[str, Any]) -> Any:
    """A department's system asks for a licence of a type that takes two people, and an officer there agrees."""
    alone = town.post("/v1/licences", order)
    assert (alone.status_code, alone.json["code"]) == (409, "second_person_required")
    department = town.act(lambda call: catalogue.find(call, order["type"]).authorities[0].department)
    post = Staff(subject=town.subjects[OFFICER], department=department, role="officer", counter=None)
    town.act(lambda call: call.session.merge(post))
    asked = town.post("/v1/change-requests", {"issue": order})
    assert asked.status_code == 201, asked.text
    decisions = f"/v1/change-requests/{asked.json['id']}/decisions"
    return town.post(decisions, {"decision": "approve"}, town.person(OFFICER, client="staff-app"))


def test_the_catalogue_is_cached_by_its_etag(town: Town) -> None:
    first = town.web.get("/v1/licence-types")
    assert "max-age" in first.headers["Cache-Control"]
    assert town.web.get("/v1/licence-types", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_what_is_issued_is_sealed_signed_and_readable_by_holder_and_issuer(town: Town) -> None:
    made = town.order()
    assert (made["version"], made["issuer"], made["holder"]) == (
        1,
        {"name": NAMES[SECURITY], "code": SECURITY},
        {"name": "王小明", "number": ALICE},
    )
    where = f"/v1/licences/{made['identifier']}"
    for headers in (town.person(ALICE), town.machine("issuer"), town.person(OFFICER, client="staff-app")):
        read = town.web.get(where, headers=headers)
        assert read.status_code == 200, read.text
        assert read.json == made
    for stranger in (town.person(BOB), town.machine("civil-issuer")):
        assert town.web.get(where, headers=stranger).status_code == 404
    assert town.act(lambda call: recheck.check(call, town.row(made["identifier"]))) == []


def test_the_artefacts_are_the_signed_bytes_and_always_the_same(town: Town) -> None:
    made = town.order()
    where = f"/v1/licences/{made['identifier']}"
    names = ("credential.sd-jwt", "record.json", "seal.dat", "qr.svg", "qr.png")
    files = {name: town.web.get(f"{where}/{name}", headers=town.person(ALICE)).data for name in names}
    assert files == {name: town.web.get(f"{where}/{name}", headers=town.machine("issuer")).data for name in names}
    keys = town.house.keys.public(Purpose.LICENCE)
    found = sdjwt.verify(files["credential.sd-jwt"].decode(), keys=keys, issuer=town.house.settings.issuer, now=now())
    assert found.claims["licence_identifier"] == made["identifier"]
    assert found.claims["holder_name"] == ["王小明"]
    assert json.loads(files["record.json"])["certificateIdentifier"] == made["identifier"]
    anchors = town.act(read_anchors)
    assert check_file(files["seal.dat"], document=files["record.json"], anchors=anchors, now=now()).ok
    assert not check_file(files["seal.dat"], document=files["record.json"] + b" ", anchors=anchors, now=now()).ok
    assert b"<svg" in files["qr.svg"]
    assert files["qr.png"].startswith(b"\x89PNG")
    for name in names:
        assert town.web.get(f"{where}/{name}", headers=town.person(BOB)).status_code == 404


def test_a_foreign_verifier_finds_the_keys_and_reads_the_credential(town: Town) -> None:
    made = town.order()
    address = f"/v1/licences/{made['identifier']}/credential.sd-jwt"
    text = town.web.get(address, headers=town.person(ALICE)).get_data(as_text=True)
    issuer = town.web.get("/.well-known/jwt-vc-issuer").json
    keys = {key["kid"]: JWK(**key) for key in issuer["jwks"]["keys"]}
    assert not any("d" in key for key in issuer["jwks"]["keys"])
    claims = SDJWTVerifier(text, lambda _issuer, header: keys[header["kid"]]).get_verified_payload()
    assert claims["iss"] == issuer["issuer"]
    assert (claims["licence_identifier"], claims["holder_name"]) == (made["identifier"], ["王小明"])


def test_a_signature_has_its_intent_on_record_first(town: Town) -> None:
    made = town.order()
    content = town.web.get(f"/v1/licences/{made['identifier']}/record.json", headers=town.machine("issuer")).data
    entries = select(AuditEntry.deed, AuditEntry.facts).order_by(AuditEntry.entry_id)
    told = [
        (entry.deed, json.loads(entry.facts)["digest"])
        for entry in town.act(lambda call: call.session.execute(entries).all())
        if made["identifier"] in entry.facts and "digest" in entry.facts
    ]
    digest = sm3(content).hex()
    assert told == [("licences:licence:intend", digest), ("licences:licence:issue", digest)]
    open_ones = select(IssueIntent).where(IssueIntent.identifier == made["identifier"])
    assert town.act(lambda call: call.session.scalar(open_ones)) is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"type": "11990000MB0000009X999"}, 404, "not_found"),
        ({"holder": {"number": ALICE[:-1] + ("0" if ALICE[-1] != "0" else "1")}}, 422, "invalid"),
        ({"holder": {"number": STRANGER}}, 422, "holder_unknown"),
        ({"type": type_of("resident_card").code, "holder": {"number": COMPANY}}, 422, "holder_kind"),
        ({"fields": {}}, 422, "invalid"),
        ({"fields": {**type_of("real_estate_title").examples(), "admin": True}}, 422, "invalid"),
        ({"fields": []}, 422, "invalid"),
        ({"valid_from": "2026-02-30"}, 422, "invalid"),
        ({"valid_from": "9999-01-01"}, 422, "invalid"),
        ({"valid_from": "1900-01-01"}, 422, "invalid"),
        ({"valid_from": "2026-05-01", "valid_until": "2026-04-30"}, 422, "invalid"),
        ({"department": CIVIL}, 403, "forbidden"),
        ({"state": "valid"}, 422, "invalid"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(town: Town, body: dict[str, Any], status: int, code: str) -> None:
    before = town.count(Licence)
    answer = town.post("/v1/licences", order_for() | body)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert town.count(Licence) == before


@pytest.mark.parametrize(
    ("who", "status"),
    [("officer", 201), ("clerk", 403), ("holder", 403), ("other department", 403), ("nobody", 401)],
)
def test_only_who_holds_the_post_issues(town: Town, who: str, status: int) -> None:
    headers = {
        "officer": lambda: town.person(OFFICER, client="staff-app"),
        "clerk": lambda: town.person(CLERK, client="staff-app"),
        "holder": lambda: town.person(ALICE, client="staff-app"),
        "other department": lambda: town.machine("civil-issuer"),
        "nobody": lambda: {"X-Nothing": "1"},
    }[who]()
    assert town.post("/v1/licences", order_for(), headers).status_code == status


def test_a_type_that_is_single_is_held_once(town: Town) -> None:
    assert town.post("/v1/licences", order_for("resident_card", ALICE)).status_code == 201
    second = town.post("/v1/licences", order_for("resident_card", ALICE))
    assert (second.status_code, second.json["code"]) == (409, "already_held")


def test_fifty_requests_at_once_leave_one_single_licence(town: Town) -> None:
    body, headers = order_for("marriage_certificate", AGENT), town.machine("issuer")

    def once(_number: int) -> tuple[int, str]:
        answer = town.post("/v1/licences", body, headers)
        return answer.status_code, answer.json.get("code", "")

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(once, range(50)))
    assert [status for status, _ in answers].count(201) == 1
    assert {code for status, code in answers if status != 201} <= {"already_held", "request_running"}
    held = select(func.count()).where(
        Licence.subject == town.subjects[AGENT], Licence.type_code == type_of("marriage_certificate").code
    )
    assert town.act(lambda call: call.session.scalar(held)) == 1


def test_a_retry_with_its_key_is_one_licence(town: Town) -> None:
    headers = {**town.machine("issuer"), "Idempotency-Key": "order-1"}
    first = town.post("/v1/licences", order_for(), headers)
    again = town.post("/v1/licences", order_for(), headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    other = town.post("/v1/licences", order_for(number=BOB), headers)
    assert (other.status_code, other.json["code"]) == (422, "key_reused")


# --- list --------------------------------------------------------------------------------------------------------


def test_lists_are_ones_own_and_paged(fresh_town: Town) -> None:
    for _ in range(3):
        fresh_town.order("vocational_qualification", CLERK)
    fresh_town.issue("marriage_certificate")
    mine = fresh_town.person(CLERK)
    first = fresh_town.web.get("/v1/licences?limit=2", headers=mine).json
    rest = fresh_town.web.get(f"/v1/licences?limit=2&cursor={first['next_cursor']}", headers=mine).json
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)
    identifiers = [item["identifier"] for item in first["items"] + rest["items"]]
    assert len(set(identifiers)) == 3
    assert all("holder" not in item for item in first["items"])
    assert fresh_town.web.get("/v1/licences?state=expired", headers=mine).json["items"] == []
    everything = _all(fresh_town, "/v1/licences?limit=7", fresh_town.machine("issuer"))
    assert set(identifiers) <= set(everything)
    assert len(everything) == len(set(everything)) == fresh_town.count(Licence)
    civil = _all(fresh_town, "/v1/licences", fresh_town.machine("civil-issuer"))
    assert {identifier.parts(code).issuer_code for code in civil} == {CIVIL}
    assert (
        fresh_town.web.get(
            f"/v1/licences?department={SECURITY}", headers=fresh_town.machine("civil-issuer")
        ).status_code
        == 403
    )
    officer = _all(fresh_town, f"/v1/licences?department={SECURITY}", fresh_town.person(OFFICER, client="staff-app"))
    assert {identifier.parts(code).issuer_code for code in officer} == {SECURITY}


def test_an_agent_sees_the_organisations_licences_and_not_his_own(town: Town) -> None:
    made = town.order("food_permit", COMPANY)
    mandate = town.browser(AGENT).open("/me")
    assert "滨州示范食品有限公司" in mandate.text
    acting = town.person(AGENT, acting=_mandate(town))
    assert made["identifier"] in _all(town, "/v1/licences", acting)
    assert made["identifier"] not in _all(town, "/v1/licences", town.person(AGENT))


def _mandate(town: Town) -> str:
    return town.act(lambda call: mandates.live(call, town.subjects[AGENT])[0].mandate_id)


def _all(town: Town, where: str, headers: dict[str, str]) -> list[str]:
    found, cursor = [], None
    while True:
        glue = "&" if "?" in where else "?"
        answer = town.web.get(where + (f"{glue}cursor={cursor}" if cursor else ""), headers=headers)
        assert answer.status_code == 200, answer.text
        found += [item["identifier"] for item in answer.json["items"]]
        if (cursor := answer.json["next_cursor"]) is None:
            return found
