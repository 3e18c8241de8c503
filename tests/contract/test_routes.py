"""Deny by default: every route states who may use it, or stands on a short list of what is public."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from idservice.http.endpoint import CONTRACTS
from idservice.http.page import PAGES, Who
from tests.builders import build_app, migrate
from tests.databases import SqliteDatabases

# What anybody may call, and why.
PUBLIC_OPERATIONS = {
    "api.service": "says where the descriptions are",
    "licence_types.list_licence_types": "the catalogue is public",
    "licence_types.read_licence_type": "and so is each of its versions",
    "matters.list_matters": "the list of matters is public",
    "matter_versions.list_versions": "and so is what it said before",
    "matter_versions.read_version": "and so is what it said before",
    "sharing.download": "a link to a file is its own leave: random, ten minutes, once",
    "seals.verify_seal": "whoever receives a sealed file may check it",
}
PUBLIC_PAGES = {
    "/",
    "/docs",
    "/licence-types",
    "/licence-types/<code>",
    "/login",
    "/login/passkey",
    "/login/proofing",
    "/login/demo-checker",
    "/matters",
    "/matters/<code>",
    "/verify",
    "/V",
    "/counter/offline",
    "/offline-worker.js",
    "/verify/seal",
}
PUBLIC_PAGES |= {"/wallet/answered/<code>/<response_code>"}  # where a wallet sends its holder: the codes say whose
PUBLIC_PAGES |= {"/login/again"}  # of whoever is not logged in it asks for a whole login
PUBLIC_PAGES |= {"/recover", "/recover/prove", "/recover/next", "/recover/check", "/recover/password"}
PUBLIC_PAGES |= {"/me/offline", "/me/offline/worker.js"}  # they say nothing of anybody: a worker keeps them
# Plain routes whose formats other standards fix; each authenticates as its standard says.
PLAIN = (
    "oauth",
    "scim.",
    "issuer.",
    "status.",
    "wallet_issuance.",
    "openid4vp.",
    "log.",
    "tsa.",
    "operations.",
    "static",
    "metrics",
    "api-docs",
    "openapi",
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("routes")
    return build_app(folder, SqliteDatabases(folder).fresh(migrate))


def test_every_operation_demands_a_scope_or_is_known_to_be_public(app: Flask) -> None:
    assert {c.name for c in CONTRACTS if c.scope is None} <= set(PUBLIC_OPERATIONS)


def test_every_scope_is_offered_by_the_provider(app: Flask) -> None:
    offered = app.test_client().get("/.well-known/openid-configuration").get_json()["scopes_supported"]
    assert {c.scope for c in CONTRACTS if c.scope} <= set(offered)


def test_every_open_page_is_known_to_be_open(app: Flask) -> None:
    open_pages = {rule for _name, rule, who in PAGES if who is Who.ANYONE and not rule.startswith("/oauth/")}
    assert open_pages <= PUBLIC_PAGES | {"/logout", "/logged-out"}


def test_no_route_is_without_a_statement(app: Flask) -> None:
    stated = {c.name for c in CONTRACTS} | {name for name, _rule, _who in PAGES}
    strangers = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in stated and not rule.endpoint.startswith(PLAIN)
    ]
    assert strangers == []


def test_every_operation_refuses_a_caller_without_a_token(app: Flask) -> None:
    client = app.test_client()
    for contract in CONTRACTS:
        if contract.scope is None:
            continue
        path = contract.path.replace("<identifier>", "x")
        answer = client.open(path.split("<")[0], method=contract.method, json={})
        assert answer.status_code in {401, 404, 405, 308}, contract.name


def test_what_is_answered_by_leave_of_each_look_is_never_kept(app: Flask) -> None:
    """A kept answer would be handed out again after a consent was withdrawn or look-ups were stopped."""
    by_leave = {c.path for c in CONTRACTS if c.method == "POST" and not c.kept}
    asked = {c.path for c in CONTRACTS if c.path.startswith("/v1/sharing/") and c.method == "POST"} | {"/v1/lookups"}
    assert by_leave == asked
    documented = app.test_client().get("/openapi.json").get_json()["paths"]
    assert [path for path in by_leave if documented[path]["post"].get("parameters")] == []


def test_the_committed_openapi_document_is_fresh(app: Flask) -> None:
    import json

    committed = Path(__file__).parents[2] / "docs" / "openapi.json"
    served = app.test_client().get("/openapi.json").get_json()
    assert json.loads(committed.read_text("utf-8")) == served, "run `make docs`"
