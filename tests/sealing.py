"""A department with its seal, for tests through the web: the app, its clients, and the three doors of verification."""

from __future__ import annotations

import base64
import html.parser
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from idservice.call import Call, House
from idservice.models import Department
from idservice.oauth import clients
from keys.certificates import to_pem
from seals.authority import authority_of, make_authority
from seals.models import Seal
from seals.register import make
from tests.builders import act, build_app, house_of
from tests.identity import SECRET, basic
from tests.unit.seals.made import City, Party, plain_files

DEPARTMENT, OTHER = "11990000MB0000001C", "11990000MB0000002A"
NAME = "示范市行政审批服务局"
FILE_NAME = "<b>函.ofd"
LETTER = "关于演示的函".encode() * 10


@dataclass
class Office:
    """The application, a department's seal in it, and the department's client."""

    app: Flask
    house: House
    seal_id: str
    folder: Path

    def token(self, client: str = "office") -> dict[str, str]:
        answer = self.app.test_client().post(
            "/oauth/token", data={"grant_type": "client_credentials"}, headers=basic(client)
        )
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json['access_token']}"}

    def use(self, data: bytes = LETTER, *, headers: dict[str, str] | None = None, **form: str) -> TestResponse:
        body = {"file": data, "purpose": "演示函件", **form}
        where = f"/v1/seals/{self.seal_id}/uses"
        return post_form(self.app.test_client(), where, body, headers=self.token() | (headers or {}))

    def sealed_letter(self) -> bytes:
        answer = self.use()
        assert answer.status_code == 201, answer.text
        return base64.b64decode(answer.json["result"]["data"])

    def sealed_ofd(self) -> bytes:
        """Return an OFD that bears the department's seal, signed a moment ago."""
        row: Seal = act(self.house, lambda call: call.session.get_one(Seal, self.seal_id))
        return City().stamp_ofd(
            plain_files(),
            seal=row.seal_der,
            signer=Party(b"", row.signer_certificate),
            signed_at=datetime.now(UTC).replace(microsecond=0),
            sign=self.house.keys.seal_signer(self.seal_id).sign,
        )

    def root_pem(self) -> str:
        return to_pem(act(self.house, authority_of).root.certificate.der)

    # -- the three doors ----------------------------------------------------------------------------------------

    def by_api(self, data: bytes, document: bytes | None = None) -> dict[str, Any]:
        body = {"file": data} if document is None else {"file": data, "document": document}
        answer = post_form(self.app.test_client(), "/v1/seal-verifications", body)
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json
        return report

    def by_page(self, data: bytes, document: bytes | None = None) -> str:
        answer = post_page(self.app, file=[data], document=[document] if document is not None else [])
        assert answer.status_code == 200, answer.text
        return answer.text

    def by_command(self, data: bytes, document: bytes | None = None) -> tuple[int, dict[str, Any]]:
        (self.folder / "file").write_bytes(data)
        arguments = ["seals", "verify", "--json", str(self.folder / "file")]
        if document is not None:
            (self.folder / "document").write_bytes(document)
            arguments += ["--document", str(self.folder / "document")]
        done = self.app.test_cli_runner().invoke(args=arguments)
        assert done.exit_code in {0, 1, 2}, done.output
        return done.exit_code, json.loads(done.stdout)


def build_office(directory: Path, database_url: str, **settings: object) -> Office:
    app = build_app(directory, database_url, **settings)
    house = house_of(app)

    def seed(call: Call) -> str:
        for code, name in ((DEPARTMENT, NAME), (OTHER, "示范市其他部门")):
            call.session.add(Department(credit_code=code, name=name, name_en="Demonstration", region="990100"))
        call.session.flush()
        for client_id, department, scope in (
            ("office", DEPARTMENT, "seals.use"),
            ("other-office", OTHER, "seals.use"),
            ("no-seals", DEPARTMENT, "licences.read"),
        ):
            clients.register(
                call,
                client_id=client_id,
                name=client_id,
                unit=NAME,
                auth_method="client_secret_basic",
                secret=SECRET,
                grant_types=["client_credentials"],
                scope=scope,
                departments=[department],
            )
        make_authority(call)
        return make(call, department=DEPARTMENT)

    folder = directory / "files"
    folder.mkdir()
    return Office(app, house, act(house, seed), folder)


def post_page(app: Flask, *, file: list[bytes], document: list[bytes], csrf: bool = True) -> TestResponse:
    """Post the form of /verify/seal as a browser does; an empty list leaves the field out."""
    client = app.test_client()
    page = client.get("/verify/seal", headers={"Accept": "text/html"})
    assert page.status_code == 200
    form: dict[str, Any] = {"csrf_token": _token_of(page.text)} if csrf else {}
    empty = FileStorage(io.BytesIO(), filename="")  # what a browser sends for a field left empty
    form |= {"file": file or empty, "document": document or empty}
    return post_form(client, "/verify/seal", form, headers={"Accept": "text/html"})


def post_form(
    client: FlaskClient, where: str, form: dict[str, Any], *, headers: dict[str, str] | None = None
) -> TestResponse:
    """Post a multipart form; bytes are a file, a list of bytes is several of one name.

    The body is made here, because the client itself would leave a temporary file open for a large one.
    """
    fields: MultiDict[str, Any] = MultiDict()
    for name, value in form.items():
        for one in value if isinstance(value, list) else [value]:
            fields.add(name, FileStorage(io.BytesIO(one), filename=FILE_NAME) if isinstance(one, bytes) else one)
    boundary, body = encode_multipart(fields)
    kind = f"multipart/form-data; boundary={boundary}"
    answer: TestResponse = client.post(where, data=body, content_type=kind, headers=headers)
    return answer


class _Token(html.parser.HTMLParser):
    value = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("name") == "csrf_token" and not self.value:
            self.value = found.get("value") or ""


def _token_of(text: str) -> str:
    parser = _Token()
    parser.feed(text)
    assert parser.value
    return parser.value
