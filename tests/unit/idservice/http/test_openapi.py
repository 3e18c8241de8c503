"""The description is made from the operations' own statements, so what it says is so."""

from typing import Any

import pytest
from marshmallow import Schema, ValidationError

from idservice.http.endpoint import CONTRACTS
from idservice.http.openapi import Upload
from tests.unit.idservice.http.conftest import Site


@pytest.fixture
def document(site: Site) -> dict[str, Any]:
    answer = site.app.test_client().get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def test_every_operation_is_described_and_nothing_else(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    described = {operation["operationId"] for operation in operations(document).values()}
    assert described == {contract.name.replace(".", "_") for contract in CONTRACTS}


def test_every_operation_names_its_scope_its_success_and_the_envelope(document: dict[str, Any]) -> None:
    by_id = {operation["operationId"]: operation for operation in operations(document).values()}
    for contract in CONTRACTS:
        operation = by_id[contract.name.replace(".", "_")]
        assert operation["security"] == ([{"oauth2": [contract.scope]}] if contract.scope else []), contract.name
        assert str(contract.status) in operation["responses"]
        problem = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/Problem"}
        assert ("requestBody" in operation) == (contract.body is not None)
        keyed = any(p["name"] == "Idempotency-Key" for p in operation.get("parameters", ()))
        assert keyed == (contract.write and contract.method == "POST" and contract.kept), contract.name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for inner in value.values() for found in references(inner)]
        return [found for inner in value for found in references(inner)] if isinstance(value, list) else []

    found = set(references(document))
    assert found
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_names_say_the_room(document: dict[str, Any]) -> None:
    rooms = {name.split(".")[0] for name in document["components"]["schemas"] if name != "Problem"}
    assert rooms - {"flask_smorest"} == {"idservice", "seals", "licences"}


def test_a_file_must_be_a_file() -> None:
    class Body(Schema):
        file = Upload(required=True)

    assert Body().load({"file": b"x"}) == {"file": b"x"}
    for wrong in ("text", 5, None, [b"x"], {"a": 1}):
        with pytest.raises(ValidationError):
            Body().load({"file": wrong})


def test_the_document_is_made_when_it_is_first_asked_for_and_once(site: Site) -> None:
    api = site.app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    first = site.app.test_client().get("/openapi.json").data
    assert not api._undescribed
    assert site.app.test_client().get("/openapi.json").data == first
