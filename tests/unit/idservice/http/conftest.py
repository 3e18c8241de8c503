"""The application with operations and pages of no room, so that the edge is tested and not what lies behind it."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
import structlog
from flask import Blueprint, Flask, abort, request
from flask_smorest import Blueprint as ApiBlueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import func, insert, select
from werkzeug.test import TestResponse

from idservice.call import Call, Post
from idservice.errors import Problem
from idservice.http import endpoint as endpoint_module
from idservice.http import logs
from idservice.http import page as page_module
from idservice.http.endpoint import endpoint
from idservice.http.headers import allow_form_action
from idservice.http.openapi import Upload
from idservice.http.page import Who, page
from idservice.ids import random_id
from idservice.models import AuditEntry, Department, Staff
from tests.builders import act, build_settings, migrate
from tests.databases import Databases
from tests.identity import City, basic, bearer, build_city, token

CODE = "113716001000300000"


class ThingBody(Schema):
    """What is sent."""

    name = fields.String(required=True, validate=validate.Length(1, 20))
    number = fields.Integer(strict=True)
    inner = fields.Nested("ThingBody", exclude=("inner",))


class FileBody(Schema):
    """A file with a word about it."""

    file = Upload(required=True)
    word = fields.String()


class ThingQuery(Schema):
    """What is asked."""

    limit = fields.Integer(load_default=5)


class ThingSchema(Schema):
    """What is answered."""

    name = fields.String(required=True)
    turn = fields.Integer(required=True)


@dataclass
class Workshop:
    """What the operations of the tests did, and how they are steered."""

    turns: int = 0
    prepared: list[str] = field(default_factory=list)
    running: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)
    calls: ClassVar[Workshop]


def _api() -> ApiBlueprint:
    api = ApiBlueprint("things", __name__, url_prefix="/v1/test")

    scope = "lookups.create"

    @endpoint(api, "POST", "/things", scope=scope, body=ThingBody, answer=ThingSchema, status=201, write=True)
    def make(call: Call, body: dict[str, Any]) -> dict[str, Any]:
        Workshop.calls.turns += 1
        if body["name"] == "fails":
            raise Problem("conflict", "Not now.")
        if body["name"] == "breaks":
            raise RuntimeError("a secret of the inside")
        if body["name"] == "waits":
            Workshop.calls.running.set()
            assert Workshop.calls.may_end.wait(timeout=60)
        _write(call, body["name"])
        if body["name"] == "forbidden":
            raise Problem("forbidden", "Not yours.")
        return {"name": body["name"], "turn": Workshop.calls.turns, "secret": "not in the schema"}

    def intend(call: Call, body: dict[str, Any]) -> str:
        _write(call, body["name"])
        Workshop.calls.prepared.append(body["name"])
        return body["name"] + " intended"

    @endpoint(api, "POST", "/prepared", scope=scope, body=ThingBody, answer=ThingSchema, write=True, prepare=intend)
    def prepared(_call: Call, body: dict[str, Any], prepared: str) -> dict[str, Any]:
        if body["name"] == "fails":
            raise Problem("conflict", "Not now.")
        return {"name": prepared, "turn": 0}

    def foreseen(call: Call, body: dict[str, Any]) -> str:
        if body["name"] == "unforeseeable":
            raise Problem("conflict", "Not now.")
        return f"{body['name']} foreseen by {call.caller.client_id} for {call.caller.person}"

    @endpoint(api, "POST", "/foreseen", scope=scope, body=ThingBody, write=True, foresee=foreseen)
    def seen(call: Call, body: dict[str, Any]) -> dict[str, Any]:
        _write(call, body["name"])
        return {"foreseen": call.foreseen}

    @endpoint(api, "GET", "/things", scope="matters.read", query=ThingQuery)
    def read(call: Call, query: dict[str, Any]) -> dict[str, Any]:
        return {"limit": query["limit"], "who": call.caller.name_for_log}

    @endpoint(api, "GET", "/holders", scope="accesses.read")
    def holders(_call: Call) -> dict[str, Any]:
        return {}

    @endpoint(api, "GET", "/handled", scope="accesses.read")
    def handled(call: Call) -> dict[str, Any]:
        call.aftermath.append(lambda again: _write(again, "seen by the way"))
        return {"departments": sorted(call.caller.departments_as(Post.CLERK))}

    @endpoint(api, "GET", "/open", scope=None, limit="3/minute")
    def open_to_all(_call: Call) -> dict[str, Any]:
        return {"ok": True}

    @endpoint(api, "POST", "/files", scope=None, body=FileBody, upload=True, write=True)
    def files(_call: Call, body: dict[str, Any]) -> dict[str, Any]:
        return {"size": len(body["file"])}

    return api


def _write(call: Call, name: str) -> None:
    row = {"credit_code": random_id()[:18], "name": name, "name_en": "x", "region": "990100"}
    call.session.execute(insert(Department), row)


def _pages() -> Blueprint:
    pages = Blueprint("leaves", __name__)

    @page(pages, "/leaf", who=Who.ANYONE)
    def leaf(_call: Call) -> str:
        return "<p>leaf"

    @page(pages, "/leaf/own", who=Who.PERSON)
    def own(call: Call) -> str:
        return f"<p>{call.caller.person}"

    @page(pages, "/leaf/window", who=Who.CLERK)
    def window(_call: Call) -> str:
        return "<p>window"

    @page(pages, "/leaf/handled", who=Who.PERSON)
    def handled(call: Call) -> str:
        call.aftermath.append(lambda again: _write(again, "seen by the way"))
        return f"<p>{' '.join(call.caller.departments_as(Post.CLERK))}"

    @page(pages, "/leaf/office", who=Who.OFFICER)
    def office(_call: Call) -> str:
        return "<p>office"

    @page(pages, "/leaf/away", who=Who.ANYONE)
    def away(_call: Call) -> str:
        allow_form_action("https://app.example:8443/cb?x=1")
        return "<p>away"

    def again(_call: Call, problem: Problem) -> str:
        return f"<p>again {problem.code}"

    @page(pages, "/leaf/form", who=Who.ANYONE, methods=("POST",), write=True, again=again)
    def form(call: Call) -> str:
        _write(call, "form")
        raise Problem("conflict", "Not now.")

    @page(pages, "/leaf/mostly", who=Who.ANYONE, write=True, reads_first=True)
    def mostly(call: Call) -> str:
        if "write" in request.args:
            call.about_to_write()
            _write(call, "mostly")
        return "read" if call.only_reads else "written"

    @page(pages, "/leaf/foreseen", who=Who.PERSON, write=True, foresee=lambda call: f"foreseen by {call.caller.person}")
    def foreseen(call: Call) -> str:
        _write(call, "foreseen")
        return f"<p>{call.foreseen}"

    @page(pages, "/leaf/bad-form", who=Who.ANYONE, methods=("POST",), write=True, again=again)
    def bad_form(_call: Call) -> str:
        raise Problem("forbidden", "Not yours.")

    return pages


def _faults() -> Blueprint:
    faults = Blueprint("faults", __name__)

    @faults.get("/faults/<int:status>")
    def stop(status: int) -> str:
        abort(status)

    @faults.get("/faults/broken")
    def broken() -> str:
        raise RuntimeError("the number 37160219900307123X of the inside")

    @faults.get("/faults/headers")
    def headers() -> str:
        raise Problem("too_many_requests", "Wait.", headers={"Retry-After": "9"})

    return faults


@dataclass
class Site:
    """The application, and short words for what every test does with it."""

    city: City
    headers: dict[str, str]
    other: dict[str, str]

    @property
    def app(self) -> Flask:
        return self.city.app

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        """Send a request as the counter's system."""
        headers = self.headers | more.pop("headers", {})
        answer: TestResponse = self.app.test_client().open(path, method=method, headers=headers, **more)
        return answer

    def make(self, body: Any = None, *, key: str | None = None, headers: dict[str, str] | None = None) -> TestResponse:
        keyed = {"Idempotency-Key": key} if key is not None else {}
        body = {"name": "thing"} if body is None else body
        return self.ask("POST", "/v1/test/things", json=body, headers=(headers or {}) | keyed)

    def count(self, name: str | None = None) -> int:
        query = select(func.count()).select_from(Department)
        if name is not None:
            query = query.where(Department.name == name)
        return act(self.city.house, lambda call: call.session.scalar(query)) or 0

    def refusals(self) -> list[tuple[str, str, str]]:
        """Return actor, outcome and facts of the refusals recorded so far."""
        rows = select(AuditEntry).where(AuditEntry.outcome == "refused").order_by(AuditEntry.entry_id)
        found = act(self.city.house, lambda call: list(call.session.scalars(rows)))
        return [(row.actor, row.deed, row.facts) for row in found]


@pytest.fixture(scope="module")
def site(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Build the application once for a test module and kind of database; `unthrottled_loopback` is set."""
    url = databases.fresh(migrate)
    city = build_city(tmp_path_factory.mktemp("site"), url)
    _add_to(city)
    yield Site(city, token_of(city, "counter"), token_of(city, "counter-2"))
    city.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture
def log_lines(tmp_path: Path) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Log as in production, at level INFO, and give what returns the lines written so far."""
    before, written = structlog.get_config(), io.StringIO()
    with contextlib.redirect_stderr(written):
        logs.configure(build_settings(tmp_path, "sqlite://", log_level="INFO"))
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    structlog.configure(**before)


@pytest.fixture(autouse=True)
def workshop() -> Workshop:
    Workshop.calls = Workshop()
    return Workshop.calls


def token_of(city: City, client_id: str) -> dict[str, str]:
    answer = token(city.app, {"grant_type": "client_credentials"}, basic(client_id))
    assert answer.status_code == 200, answer.text
    return bearer(answer.json["access_token"])


def _add_to(city: City) -> None:
    from idservice.oauth import clients
    from tests.identity import SECRET

    with pytest.MonkeyPatch.context() as patch:  # the house's own lists are read by tests/contract
        patch.setattr(endpoint_module, "CONTRACTS", [])
        patch.setattr(page_module, "PAGES", [])
        api, pages = _api(), _pages()
    city.app.register_blueprint(api)
    city.app.register_blueprint(pages)
    city.app.register_blueprint(_faults())
    city.app.extensions["csrf"].exempt(api)

    def staff(call: Call) -> None:
        row = {"credit_code": CODE, "name": "示范局", "name_en": "x", "region": "990100"}
        call.session.execute(insert(Department), row)
        post = {"subject": city.agent, "department": CODE, "role": Post.CLERK, "counter": "3"}
        call.session.execute(insert(Staff), post)
        clients.register(
            call,
            client_id="counter-2",
            name="另一窗口",
            unit="滨州市政务服务中心",
            auth_method="client_secret_basic",
            secret=SECRET,
            grant_types=["client_credentials"],
            scope="lookups.create",
            departments=["*"],
        )

    act(city.house, staff)
