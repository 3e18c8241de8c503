"""Every kind of caller at every kind of object: who may do what to whose, as one table.

A cell is the status that a caller gets. Where an object is not his, a caller is told what he would be told if there
were none (404), or that his scope or his post does not reach (403). A route that names an object in its path and
stands neither here nor in `ELSEWHERE` fails the last test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

import licences.routes
from idservice.http.endpoint import CONTRACTS
from idservice.register import mandates
from licences import enrol
from licences.showing import printing
from tests.builders import migrate
from tests.databases import Databases
from tests.looking_up import consent, request_for
from tests.town import (
    AGENT,
    ALICE,
    BOB,
    CIVIL,
    CLERK,
    COMPANY,
    OFFICER,
    SECURITY,
    WINDOW,
    Town,
    build_town,
    order_for,
    type_of,
)

#: Who comes: nobody; the holder; another citizen; an agent for himself and for his company; a clerk and an officer of
#: the issuing department with an app for staff, logged in with two factors, and (`clerk1`, `officer1`) by password
#: alone; systems for any department, and for the civil department alone.
CALLERS = [
    "nobody",
    "holder",
    "other",
    "agent",
    "company",
    "clerk",
    "officer",
    "clerk1",
    "officer1",
    "counter",
    "counter2",
    "issuer",
    "issuer2",
]

TABLE = """
licences.read_licence                    : 401 200 404 404 404 404 200 404 401 403 403 200 404
licences.read_licence of a company       : 401 404 404 404 200 404 200 404 401 403 403 200 404
licences.list_licences                   : 401 200 200 200 200 200 200 200 200 403 403 200 200
licences.issue_licence                   : 401 403 403 403 403 403 201 403 401 403 403 201 403
licences.change_licence                  : 401 403 403 403 403 404 201 404 401 403 403 201 404
artefacts.credential                     : 401 200 404 404 404 404 200 404 401 403 403 200 404
artefacts.record                         : 401 200 404 404 404 404 200 404 401 403 403 200 404
artefacts.seal                           : 401 200 404 404 404 404 200 404 401 403 403 200 404
artefacts.seal_proof                     : 401 200 404 404 404 404 200 404 401 403 403 200 404
artefacts.qr_svg                         : 401 200 404 404 404 404 200 404 401 403 403 200 404
artefacts.qr_png                         : 401 200 404 404 404 404 200 404 401 403 403 200 404
artefacts.document_pdf                   : 401 200 404 404 404 404 200 404 401 403 403 200 404
artefacts.document_ofd                   : 401 200 404 404 404 404 200 404 401 403 403 200 404
artefacts.credential_mdoc                : 401 200 404 404 404 404 200 404 401 403 403 200 404
artefacts.credential_jwt                 : 401 200 404 404 404 404 200 404 401 403 403 200 404
artefacts.claim169                       : 401 200 404 404 404 404 200 404 401 403 403 200 404
showing.show_licences                    : 401 201 404 404 404 403 403 403 403 403 403 403 403
showing.show_licences of a company       : 401 404 404 404 201 403 403 403 403 403 403 403 403
showing.verify_scan                      : 401 403 403 403 403 200 403 401 403 200 200 403 403
showing.print_copy                       : 401 403 403 403 403 201 403 401 403 201 403 403 403
showing.ask_to_show                      : 401 403 403 403 403 201 403 401 403 201 403 403 403
showing.request_state                    : 401 403 403 403 403 404 404 404 404 200 404 403 403
showing.read_answer                      : 401 403 403 403 403 404 404 404 404 409 404 403 403
counter.look_up                          : 401 403 403 403 403 200 403 401 403 200 403 403 403
counter.give_consent                     : 401 201 201 201 201 403 403 403 403 403 403 403 403
counter.withdraw_consent                 : 401 201 404 404 404 403 403 403 403 403 403 403 403
counter.authorise                        : 401 201 201 201 422 403 403 403 403 403 403 403 403
accesses.list_accesses                   : 401 200 200 200 200 403 403 403 403 403 403 403 403
access_checks.prove                      : 401 409 404 404 404 403 403 403 403 403 403 403 403
access_checks.list_questions             : 401 200 404 404 404 403 403 403 403 403 403 403 403
life.stop                                : 401 403 403 403 403 403 403 403 403 403 403 201 201
life.lift                                : 401 403 403 403 403 404 404 404 404 403 403 201 201
life.decide                              : 401 403 403 403 403 404 201 404 401 403 403 403 404
life.make_objection                      : 401 201 404 404 404 403 403 403 403 403 403 403 403
life.answer_objection                    : 401 403 403 403 403 404 201 404 401 403 403 201 404
collection.bring_in                      : 401 403 403 403 403 403 403 403 403 403 403 201 403
licence_types.enter_licence_type         : 401 403 403 403 403 403 201 403 401 403 403 201 403
"""

#: Routes that name an object in their path and are held elsewhere, by the test that holds them.
ELSEWHERE = {
    "access_checks": "tests/functional/test_accesses.py",
    "collection": "tests/functional/test_collection.py",
    "commitments": "tests/functional/test_commitments.py",
    "devices": "tests/functional/test_device_codes.py",
    "wallet_requests": "tests/functional/test_wallet_presentation.py",
    "sharing_permissions": "tests/functional/test_sharing.py",
    "department_checks": "tests/functional/test_department_checks.py",
}


class Objects:
    """What the callers meet: kept where a refusal leaves it as it was, made anew where a caller uses it up."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.title = town.issue().identifier
        self.business = town.issue("business_licence", COMPANY).identifier
        town.verify(self.title)
        self.look = town.looks()[0]["id"]
        self._sensitive = [town.issue(SENSITIVE, number).identifier for number in (ALICE, BOB) for _each in range(7)]
        town.act(lambda call: enrol.put_type(call, replace(type_of(SENSITIVE), sensitive=True)))

    def whole(self) -> str:
        fields = self.town.act(lambda call: printing.whole(call, [type_of("real_estate_title").code]))
        return self.town.show(self.title, fields=fields)

    def consent(self) -> str:
        return consent(self.town)

    def asked(self) -> str:
        body = {"question": "licences", "purpose": "x", "operator": {"id_number": CLERK, "counter": WINDOW}}
        answer = self.town.post("/v1/presentation-requests", body, self.town.machine("counter"))
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def stop(self) -> str:
        answer = self.town.post("/v1/issuing-stops", {"department": CIVIL, "reason": "x"})
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def change_request(self) -> str:
        wanted = {"identifier": self._sensitive.pop()}
        answer = self.town.post("/v1/change-requests", wanted | {"change": {"change": "revoke", "reason": "x"}})
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def objection(self) -> str:
        title = self.town.issue().identifier
        body = {"field": "location", "right": "x", "why": "x"}
        answer = self.town.post(f"/v1/licences/{title}/objections", body, self.town.person(ALICE))
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])


def _definition() -> Any:
    return json.loads(json.dumps(asdict(type_of("tour_guide"))))


SENSITIVE = "vocational_qualification"  # from now on: its licences end by two people
OPERATOR = {"operator": {"id_number": CLERK, "counter": WINDOW}}

#: The deeds, each by the operation it is: method and path are the operation's own, with the object in its place.
DEEDS: dict[str, Callable[[Objects], tuple[dict[str, str], Any]]] = {
    "licences.read_licence": lambda o: ({"identifier": o.title}, None),
    "licences.read_licence of a company": lambda o: ({"identifier": o.business}, None),
    "licences.list_licences": lambda _o: ({}, None),
    "licences.issue_licence": lambda _o: ({}, order_for()),
    "licences.change_licence": lambda o: (
        {"identifier": o.town.issue().identifier},
        {"change": "suspend", "reason": "x"},
    ),
    "artefacts.credential": lambda o: ({"identifier": o.title}, None),
    "artefacts.record": lambda o: ({"identifier": o.title}, None),
    "artefacts.seal": lambda o: ({"identifier": o.title}, None),
    "artefacts.seal_proof": lambda o: ({"identifier": o.title}, None),
    "artefacts.qr_svg": lambda o: ({"identifier": o.title}, None),
    "artefacts.qr_png": lambda o: ({"identifier": o.title}, None),
    "artefacts.document_pdf": lambda o: ({"identifier": o.title}, None),
    "artefacts.document_ofd": lambda o: ({"identifier": o.title}, None),
    "artefacts.credential_mdoc": lambda o: ({"identifier": o.title}, None),
    "artefacts.credential_jwt": lambda o: ({"identifier": o.title}, None),
    "artefacts.claim169": lambda o: ({"identifier": o.title}, None),
    "showing.show_licences": lambda o: ({}, {"licences": [o.title]}),
    "showing.show_licences of a company": lambda o: ({}, {"licences": [o.business]}),
    "showing.verify_scan": lambda o: ({}, {"text": o.town.show(o.title)}),
    "showing.print_copy": lambda o: ({}, {"text": o.whole(), "purpose": "x"} | OPERATOR),
    "showing.ask_to_show": lambda _o: ({}, {"question": "licences", "purpose": "x"} | OPERATOR),
    "showing.request_state": lambda o: ({"request_id": o.asked()}, None),
    "showing.read_answer": lambda o: ({"request_id": o.asked()}, {}),
    "counter.look_up": lambda o: ({}, request_for({"consent": o.consent()})),
    "counter.give_consent": lambda _o: ({}, {"matter": "DM-M-005"}),
    "counter.withdraw_consent": lambda o: ({"consent": o.consent()}, {}),
    "counter.authorise": lambda _o: ({}, {"mode": "holder", "matter": "DM-M-005"}),
    "accesses.list_accesses": lambda _o: ({}, None),
    "access_checks.prove": lambda o: ({"identifier": o.look}, None),
    "access_checks.list_questions": lambda o: ({"identifier": o.look}, None),
    "life.stop": lambda _o: ({}, {"department": CIVIL, "reason": "x"}),
    "life.lift": lambda o: ({"stop_id": o.stop()}, {}),
    "life.decide": lambda o: ({"request_id": o.change_request()}, {"decision": "refuse"}),
    "life.make_objection": lambda o: ({"identifier": o.title}, {"field": "location", "right": "x", "why": "x"}),
    "life.answer_objection": lambda o: ({"objection_id": o.objection()}, {"decision": "refuse", "answer": "x"}),
    "collection.bring_in": lambda _o: ({}, {"department": SECURITY, "rows": [{"number": "1"}]}),
    "licence_types.enter_licence_type": lambda _o: ({}, {"definition": _definition(), "reason": "x"}),
}


@pytest.fixture(scope="module")
def objects(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Objects]:
    url = databases.fresh(migrate)
    town = build_town(tmp_path_factory.mktemp("town"), url, demo=True)
    yield Objects(town)
    town.house.database.engine.dispose()
    databases.drop(url)


@pytest.mark.parametrize("deed", DEEDS)
def test_everybody_gets_what_the_table_says(objects: Objects, deed: str) -> None:
    said = {row.rpartition(" :")[0].strip(): row.rpartition(" :")[2].split() for row in TABLE.strip().splitlines()}
    got = {caller: str(_try(objects, deed, caller)) for caller in CALLERS}
    assert got == dict(zip(CALLERS, said[deed], strict=True))


def test_no_object_is_left_out() -> None:
    ours = {blueprint.name for blueprint in licences.routes.BLUEPRINTS}
    named = {c.name for c in CONTRACTS if c.name.partition(".")[0] in ours and "<" in c.path and c.scope is not None}
    here = {deed.partition(" ")[0] for deed in DEEDS}
    assert {name for name in named - here if name.partition(".")[0] not in ELSEWHERE} == set()
    assert [path for path in ELSEWHERE.values() if not (Path(__file__).parents[2] / path).exists()] == []


def _try(objects: Objects, deed: str, caller: str) -> int:
    contract = next(one for one in CONTRACTS if one.name == deed.partition(" ")[0])
    places, body = DEEDS[deed](objects)
    path = contract.path
    for name, value in places.items():
        path = path.replace(f"<{name}>", value)
    assert "<" not in path, path
    headers = _headers(objects.town, caller)
    return int(objects.town.web.open(path, method=contract.method, json=body, headers=headers).status_code)


def _headers(town: Town, caller: str) -> dict[str, str]:
    if caller == "nobody":
        return {}
    if caller == "company":
        live = town.act(lambda call: [one.mandate_id for one in mandates.live(call, town.subjects[AGENT])])
        return town.person(AGENT, acting=live[0])
    people = {"holder": ALICE, "other": BOB, "agent": AGENT}
    if caller in people:
        return town.person(people[caller])
    staff = {"clerk": CLERK, "officer": OFFICER}
    if (post := caller.removesuffix("1")) in staff:
        return town.person(staff[post], client="staff-app", by_password=post != caller)
    return town.machine({"counter2": "civil-counter", "issuer2": "civil-issuer"}.get(caller, caller))
