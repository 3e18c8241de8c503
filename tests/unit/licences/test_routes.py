"""Bad input at every door of this room: answered with a problem document, never with a fault."""

import json
import random
import re
import string
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

import licences.routes
from idservice.http.endpoint import CONTRACTS, Contract
from tests.databases import Databases
from tests.town import ALICE, CLERK, MATTER, OFFICER, SECURITY, Town, copy_town, found, type_of

# What is shared is answered in envelopes of other standards: see tests/unit/licences/sharing/test_routes.py.
OURS = {blueprint.name for blueprint in licences.routes.BLUEPRINTS} - {"sharing", "license_app"}
# Administrators have no app in town: what they alone may do is tested with its own room.
MINE = [c for c in CONTRACTS if c.name.split(".")[0] in OURS and c.scope != "admin.manage"]
WITH_BODY = [contract for contract in MINE if contract.body is not None]
WITH_QUERY = [contract for contract in MINE if contract.query is not None]
WITH_PATH = [contract for contract in MINE if "<" in contract.path]
names = pytest.mark.parametrize("contract", MINE, ids=lambda c: c.name)

ODD_TEXTS = [
    "",
    " ",
    "\x00",
    "\u202e",
    "\ud7ff\uffff",
    "😀" * 200,
    "x" * 100_000,
    "'; DROP TABLE licence; --",
    "../../etc/passwd",
    "{{7*7}}",
    "<script>",
    "-1",
    "1e400",
    "null",
]


@pytest.fixture(scope="module")
def town(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    url = databases.fresh(found)
    built = copy_town(tmp_path_factory.mktemp("town"), url)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture(scope="module")
def title(town: Town) -> str:
    return town.issue().identifier


def headers_for(town: Town, contract: Contract) -> dict[str, str]:
    """A token with the scope, of a caller who may do what the operation is for."""
    if contract.scope in {
        "licences.show",
        "licences.wallet",
        "licences.object",
        "consents.manage",
        "accesses.read",
        "commitments.sign",
    }:
        return town.person(ALICE)
    if contract.scope in {"verifications.create", "lookups.create", "checks.create"}:
        return town.machine("counter")
    return town.machine("issuer") if contract.scope else {}


def path_of(contract: Contract, title: str) -> str:
    places = {"<identifier>": title, "<consent>": "0" * 32, "<code>": "1" * 21, "<int:number>": "1"}
    path = contract.path
    for place, value in places.items():
        path = path.replace(place, value)
    return path


def refused(answer: TestResponse, contract: Contract) -> bool:
    """Whether the answer is a problem document with a stable code; a fault fails the test."""
    assert answer.status_code < 500, (contract.name, answer.text)
    if answer.status_code < 400:
        return False
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"]
    return True


def valid(contract: Contract, title: str) -> dict[str, Any]:
    """A body that the operation accepts, or would but for one thing."""
    kind = type_of("real_estate_title")
    bodies: dict[str, dict[str, Any]] = {
        "licences.issue_licence": {"type": kind.code, "holder": {"number": ALICE}, "fields": kind.examples()},
        "licences.change_licence": {"change": "resume", "reason": "x"},
        "licence_types.enter_licence_type": {"definition": json.loads(json.dumps(asdict(kind))), "reason": "x"},
        "showing.show_licences": {"licences": [title]},
        "showing.show_status": {"code": "0" * 26},
        "devices.enrol_device": {
            "public_key": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
            "licences": [title],
        },
        "showing.verify_scan": {"text": title},
        "showing.print_copy": {"text": "0" * 26, "purpose": "x", "operator": {"id_number": CLERK}},
        "counter.look_up": {
            "matter": MATTER,
            "subject": {"number": ALICE},
            "authorisation": {"consent": "0" * 32},
            "purpose": "x",
            "case_number": "1",
            "operator": {"id_number": CLERK},
        },
        "counter.give_consent": {"matter": MATTER},
        "counter.authorise": {"mode": "holder", "matter": MATTER},
        "counter.authorise_by_duty": {"matter": MATTER, "subject": {"number": ALICE}, "legal_basis": "X"},
        "counter.check_face": {"matter": MATTER, "subject": {"number": ALICE}, "checker": "face"},
        "access_checks.question": {"text": "x"},
        "collection.bring_in": {"department": SECURITY, "rows": [{"number": "1"}]},
        "collection.approve_collected": {
            "department": SECURITY,
            "type": kind.code,
            "until": "2020-01-01T00:00:00Z",
        },
        "collection.ask_source": {"identifier": title, "question": "x"},
        "collection.answer_question": {"answer": "right"},
        "life.stop": {"department": SECURITY, "reason": "x", "until": "2020-01-01T00:00:00Z"},  # else nothing is issued
        "life.lift": {},
        "life.ask": {"identifier": title, "change": {"change": "revoke", "reason": "x"}},
        "life.decide": {"decision": "approve"},
        "life.make_objection": {"field": "location", "right": "x", "why": "x"},
        "life.answer_objection": {"decision": "refuse", "answer": "x"},
        "department_checks.ask_department": {
            "lookup": "0" * 32,
            "subject": {"number": ALICE},
            "proof": "identity",
            "purpose": "x",
            "case_number": "1",
            "operator": {"id_number": CLERK},
        },
        "department_checks.assign_check": {},
        "department_checks.return_check": {"reason": "x"},
        "department_checks.answer_check": {"answer": "yes", "text": "x"},
        "department_checks.remind_department": {"reason": "x"},
        "department_checks.resubmit_check": {"reason": "x"},
        "department_checks.close_check": {"reason": "x"},
        "commitments.sign_commitment": {"language": "zh"},
        "commitments.sign_commitment_at_counter": {"code": "0" * 26, "operator": {"id_number": CLERK}},
        "commitments.object_to_mark": {"reason": "x"},
        "commitments.find_commitment": {"finding": "false", "reason": "x"},
        "commitments.decide_on_mark": {"decision": "clear", "reason": "x"},
        "wallet_copies.offer_licence": {"licence": title},
        "wallet_copies.end_copies": {},
        "wallet_requests.ask_wallet": {"purpose": "x", "types": [kind.code], "operator": {"id_number": CLERK}},
        "wallet_requests.read_wallet_answer": {},
        "showing.ask_to_show": {"question": "licences", "purpose": "x", "operator": {"id_number": CLERK}},
    }
    return bodies[contract.name]


def test_every_operation_states_its_scope_or_is_on_the_public_list() -> None:
    public = {contract.name for contract in MINE if contract.scope is None}
    assert public == {
        "licence_types.list_licence_types",
        "licence_types.read_licence_type",
        "matters.list_matters",
        "matter_versions.list_versions",
        "matter_versions.read_version",
    }


@names
def test_no_token_and_a_wrong_token_are_refused(town: Town, title: str, contract: Contract) -> None:
    if contract.scope is None:
        return
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
        answer = town.web.open(path_of(contract, title), method=contract.method, headers=header)
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers
    other = town.machine("issuer" if contract.scope.endswith("create") else "counter")
    answer = town.web.open(path_of(contract, title), method=contract.method, headers=other)
    assert (answer.status_code, answer.json["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("contract", WITH_BODY, ids=lambda c: c.name)
def test_a_body_that_is_no_acceptable_json_is_refused(town: Town, title: str, contract: Contract) -> None:
    good = json.dumps(valid(contract, title))
    bodies = [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"1",
        b'"text"',
        good.encode()[:-1],
        (good[:-1] + ', "change": 1, "change": 2, "text": 1, "text": 2, "code": 1, "code": 2}').encode(),
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        json.dumps({f"k{n}": n for n in range(2_000)}).encode(),
        b'{"x": NaN}',
        b'{"x": 1e999}',
        (good[:-1] + ', "unknown_member": true}').encode(),
        (good[:-1] + ', "__proto__": {}}').encode(),
        b"x" * (1024 * 1024 + 1),
    ]
    headers = headers_for(town, contract)
    for body in bodies:
        answer = town.web.post(path_of(contract, title), data=body, content_type="application/json", headers=headers)
        assert refused(answer, contract), body[:80]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/xml"):
        answer = town.web.post(path_of(contract, title), data=good, content_type=kind, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (415, "media_type")


@pytest.mark.parametrize("contract", WITH_BODY, ids=lambda c: c.name)
def test_members_of_wrong_type_never_cause_a_fault(town: Town, title: str, contract: Contract) -> None:
    rng = random.Random(f"36903 {contract.name}")
    good, headers = valid(contract, title), headers_for(town, contract)
    wrong: list[Any] = [None, True, 0, -1, 2**53, 1.5, [], {}, [[]], {"a": {"b": []}}, ["x"] * 1_000, *ODD_TEXTS]
    for name in good:
        for value in wrong:
            answer = town.web.post(path_of(contract, title), json=good | {name: value}, headers=headers)
            refused(answer, contract)
    for _ in range(60):
        answer = town.web.post(path_of(contract, title), json=mixed(rng, good, wrong), headers=headers)
        refused(answer, contract)


def mixed(rng: random.Random, good: Any, wrong: list[Any]) -> Any:
    """Return `good` with something in it, at any depth, replaced by nonsense."""
    if isinstance(good, dict) and good and rng.random() < 0.8:
        name = rng.choice(list(good))
        return good | {name: mixed(rng, good[name], wrong)}
    return rng.choice([*wrong, "".join(rng.choices(string.printable, k=rng.randrange(40)))])


@pytest.mark.parametrize("contract", WITH_QUERY, ids=lambda c: c.name)
def test_query_parameters_are_checked(town: Town, title: str, contract: Contract) -> None:
    headers = headers_for(town, contract)
    for query in (
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=1&limit=2",
        "cursor=a&cursor=b",
        "cursor=%00",
        "cursor=..%2F",
        "cursor=1.2.3",
        "unknown=1",
        "state=%00",
        "limit=99999999999999999999",
        "type=" + "x" * 5_000,
    ):
        answer = town.web.get(f"{path_of(contract, title)}?{query}", headers=headers)
        assert refused(answer, contract), query


@names
def test_parameters_are_refused_where_there_are_none(town: Town, title: str, contract: Contract) -> None:
    if contract.query is None:
        where = f"{path_of(contract, title)}?a=1"
        answer = town.web.open(where, method=contract.method, json={}, headers=headers_for(town, contract))
        assert refused(answer, contract)


@pytest.mark.parametrize("contract", WITH_PATH, ids=lambda c: c.name)
def test_what_stands_in_the_path_is_found_or_not_found(town: Town, contract: Contract) -> None:
    body = valid(contract, "x") if contract.body is not None else None
    for text in [*ODD_TEXTS[1:], "%00", "1.2.156.3005.2", "%ff", "1.2.156.3005.2." + "9" * 150]:
        where = re.sub("<[a-z_]+>", quote(text[:3_000]), contract.path)
        answer = town.web.open(where, method=contract.method, json=body, headers=headers_for(town, contract))
        assert refused(answer, contract), text[:40]
        assert answer.status_code == (400 if "\0" in text else 404)


def test_uploads_that_are_malformed_are_refused(town: Town) -> None:
    where, headers = "/v1/verifications", town.machine("counter")
    kind = "multipart/form-data; boundary=b"
    part = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
    file = '; filename="a"'
    for body in (
        "",
        "--b--\r\n",
        part.format("file", "", "not a file") + "--b--\r\n",
        part.format("file", file, "x") * 2 + "--b--\r\n",
        part.format("text", "", "x") * 2 + "--b--\r\n",
        part.format("file", file, "x") + part.format("text", "", "x") + "--b--\r\n",
        part.format("text", "", "x" * 70_000) + "--b--\r\n",
        part.format("operator", "", "{}") + part.format("text", "", "x") + "--b--\r\n",
        "".join(part.format(f"n{n}", "", "x") for n in range(200)) + "--b--\r\n",
        part.format("text", "", "x"),
    ):
        answer = town.web.post(where, data=body.encode(), content_type=kind, headers=headers)
        assert answer.status_code < 500, body[:80]
        assert answer.status_code >= 400 or body == part.format("text", "", "x"), body[:80]
    answer = town.web.post(where, data=b"x", content_type="multipart/form-data", headers=headers)
    assert 400 <= answer.status_code < 500


FORMS = [
    (ALICE, "/me/show", {"licences": ""}),
    (CLERK, "/counter", {"purpose": "identity", "text": ""}),
    (CLERK, "/counter/lookup", dict.fromkeys(("matter", "number", "authorisation", "code", "consent"), "")),
    (OFFICER, "/admin/issue/{type}", {"number": "", "field.area": "", "valid_from": "", "idempotency_key": ""}),
    (OFFICER, "/admin/licences/{licence}", {"change": "", "reason": ""}),
    (None, "/verify", {"text": ""}),
]


@pytest.mark.parametrize(("number", "rule", "fields"), FORMS, ids=lambda value: value if isinstance(value, str) else "")
def test_forms_filled_with_nonsense_are_shown_again(
    town: Town, title: str, number: str | None, rule: str, fields: dict[str, str]
) -> None:
    browser = town.browser(number) if number else town.browser(ALICE)
    where = rule.format(type=type_of("real_estate_title").code, licence=title)
    page = browser.open(where)
    assert page.status == 200
    token = page.form["values"]["csrf_token"]
    for name in fields:
        for text in ODD_TEXTS:
            shown = browser.open(where, fields | {name: text[:20_000], "csrf_token": token})
            assert shown.status < 500, (name, text[:40], shown.text)
            assert "<script>" not in shown.text.replace("&lt;script&gt;", "")


@pytest.mark.parametrize("where", ["/me/licences/{}", "/me/licences/x/{}", "/me/show/status/{}", "/admin/licences/{}"])
def test_odd_addresses_of_pages_are_not_found(town: Town, where: str) -> None:
    browser = town.browser(OFFICER)
    for text in [*ODD_TEXTS[1:6], "0" * 64, "credential.sd-jwt"]:
        assert browser.open(where.format(quote(text))).status == (400 if "\0" in text else 404)


@pytest.mark.parametrize("query", ["cursor=%00", "cursor=x", "cursor=" + "0" * 5_000])
def test_odd_cursors_of_pages_are_refused(town: Town, query: str) -> None:
    assert town.browser(ALICE).open(f"/me/accesses?{query}").status == 400


def test_the_openapi_document_holds_every_operation(town: Town) -> None:
    answer = town.web.get("/openapi.json")
    assert answer.status_code == 200
    paths = answer.json["paths"]
    for contract in MINE:
        path = re.sub(r"<(?:int:)?([a-z_]+)>", r"{\1}", contract.path)
        assert contract.method.lower() in paths[path], path
