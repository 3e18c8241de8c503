"""The description is made from the operations' own statements, so what it says is so."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from flask import Flask
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError

from idservice.http.endpoint import CONTRACTS
from idservice.http.openapi import Upload, install
from tests.unit.idservice.http.conftest import Site

if TYPE_CHECKING:
    from idservice.settings import Settings


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


def test_the_document_is_made_when_it_is_first_asked_for_and_once() -> None:
    app, described = Flask(__name__), list[str]()
    api = install(app, cast("Settings", SimpleNamespace(issuer="https://id.example")))

    class Noting(Blueprint):
        def register_views_in_doc(self, *given: Any, **more: Any) -> None:
            described.append(self.name)
            super().register_views_in_doc(*given, **more)

    blueprint = Noting("first", __name__)
    blueprint.route("/first")(lambda: "")
    api.register_blueprint(blueprint)
    assert app.test_client().get("/first").status_code == 200
    assert described == []
    documents = [app.test_client().get("/openapi.json").get_json() for _ in range(2)]
    assert described == ["first"]
    assert list(documents[0]["paths"]) == ["/first"]
    assert documents[0] == documents[1]


def test_a_document_that_could_not_be_made_is_not_told_in_part() -> None:
    app = Flask(__name__)
    api = install(app, cast("Settings", SimpleNamespace(issuer="https://id.example")))
    faults = [KeyError("schema"), KeyError("schema")]

    class Faulty(Blueprint):
        def register_views_in_doc(self, *given: Any, **more: Any) -> None:
            if faults:
                raise faults.pop()
            super().register_views_in_doc(*given, **more)

    for blueprint in (Faulty("first", __name__), Blueprint("second", __name__)):
        blueprint.route(f"/{blueprint.name}")(lambda: "")
        api.register_blueprint(blueprint)
    for _ in range(2):
        assert app.test_client().get("/openapi.json").status_code == 500
    document = app.test_client().get("/openapi.json").get_json()
    assert list(document["paths"]) == ["/first", "/second"]
    assert [tag["name"] for tag in document["tags"]] == ["first", "second"]
