"""After a day's work no number, phone or name of a person stands in the logs, the database's files or the URLs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idservice.settings import Settings
from tests.functional.running_demo import RunningDemo
from tests.identity import Browser, basic
from wsgi import create_app


@dataclass
class Day:
    """A demonstration city, built and stopped, with its application in this process over the same database."""

    folder: Path
    members: dict[str, Any]
    app: Flask
    urls: list[str]

    def token(self, client: str, scope: str) -> dict[str, str]:
        secret = next(c["client_secret"] for c in self.members["clients"] if c["name"] == client)
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = self.app.test_client().post("/oauth/token", data=form, headers=basic(client, secret))
        return {"Authorization": f"Bearer {answer.json['access_token']}"}


@pytest.fixture
def day(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Day]:
    with RunningDemo(tmp_path / "city", settings={"ONA_LOG_LEVEL": "DEBUG"}) as demo:
        members = demo.members
    environment = members["environment"]
    urls: list[str] = []
    app = create_app(
        Settings(
            issuer=members["issuer"],
            database_url=environment["ONA_DATABASE_URL"],
            keys_dir=Path(environment["ONA_KEYS_DIR"]),
            insecure_loopback=True,
            demo=True,
            log_level="DEBUG",
        )
    )

    @app.after_request
    def note(response: Any) -> Any:
        from flask import request

        urls.append(request.url)
        urls.append(response.headers.get("Location", ""))
        return response

    yield Day(tmp_path / "city", members, app, urls)
    app.extensions["ona"].database.engine.dispose()


def test_nothing_personal_is_written_in_the_clear(day: Day, capfd: pytest.CaptureFixture[str]) -> None:
    _work(day)
    written = b"".join(path.read_bytes() for path in day.folder.glob("ona.db*")) + (day.folder / "log").read_bytes()
    out, err = capfd.readouterr()
    written += out.encode() + err.encode() + "\n".join(day.urls).encode()
    greeting = (day.folder / "log").read_text("utf-8")  # the demonstration prints its accounts on purpose
    assert len(written) > 1_000_000
    people = day.members["people"]
    announced = {p["id_number"] for p in people if p["id_number"] in greeting}
    assert len(announced) <= 6
    found = [p["id_number"] for p in people if p["id_number"].encode() in written and p["id_number"] not in announced]
    assert found == []
    database = b"".join(path.read_bytes() for path in day.folder.glob("ona.db*"))
    assert [number for number in announced if number.encode() in database] == []
    assert [p["name"] for p in people if len(p["name"]) > 2 and p["name"].encode() in database] == []


def _work(day: Day) -> None:
    person, clerk = day.members["people"][0], day.members["clerks"][0]
    browser = Browser(day.app)
    browser.log_in(number=person["id_number"], password="wrong")
    browser.log_in(number=person["id_number"], password=person["password"])
    for path in ("/me", "/me/accesses", "/me/apps", "/verify"):
        assert browser.open(path).status == 200, path
    client = day.app.test_client()
    issuing, asking = (
        day.token("issuer", "licences.issue licences.read"),
        day.token("counter", "verifications.create lookups.create"),
    )
    kind = next(
        t for t in client.get("/v1/licence-types").json["items"] if not t["single"] and t["holder_kind"] == "person"
    )
    fields = {field["name"]: field["example"] for field in kind["fields"]}
    holder = {"number": person["id_number"]}
    issued = _post(client, "licences", issuing, {"type": kind["code"], "holder": holder, "fields": fields}, 201)
    _post(client, "licences", issuing, {"type": kind["code"], "holder": holder, "fields": {}}, 422)
    _post(client, "verifications", asking, {"text": issued["identifier"], "purpose": "核对"}, 200)
    _post(client, "verifications", asking, {"text": person["id_number"]}, 200)
    look_up = {
        "matter": day.members["matters"][0]["code"],
        "subject": holder,
        "authorisation": {"code": "0" * 26},
        "purpose": "办理",
        "case_number": "A-1",
        "operator": {"id_number": clerk["id_number"], "counter": clerk["counter"]},
    }
    _post(client, "lookups", asking, look_up, 403)


def _post(client: FlaskClient, path: str, headers: dict[str, str], body: dict[str, Any], status: int) -> dict[str, Any]:
    answer = client.post(f"/v1/{path}", headers=headers, data=json.dumps(body), content_type="application/json")
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json
    return found
