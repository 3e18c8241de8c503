"""Walk C: a department seals a document; another one verifies it, by program, on the page, on the command line."""

import base64
import html
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from idservice.call import Call
from idservice.models import AuditEntry, Base
from keys.sm2 import sm3
from seals.check import check_file
from seals.models import SealUse
from seals.verify import read_known
from tests.builders import act, migrate
from tests.databases import Databases
from tests.sealing import DEPARTMENT, LETTER, NAME, Office, build_office, post_form
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import pack, plain_files, unpack

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def office(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    url = databases.fresh(migrate)
    built = build_office(tmp_path_factory.mktemp("office"), url)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def altered_ofd(office: Office) -> bytes:
    return pack(unpack(office.sealed_ofd()) | {"Doc_0/Pages/Page_0/Content.xml": b"<changed/>"})


# --- the walk ------------------------------------------------------------------------------------------------------


def test_a_department_makes_a_seal_and_takes_it_out_of_use(office: Office) -> None:
    web, headers = office.app.test_client(), office.token()
    made = web.post("/v1/seals", json={"department": DEPARTMENT, "special": "行政审批专用章"}, headers=headers)
    assert made.status_code == 201, made.text
    seal = made.json
    assert (seal["name"], seal["state"], seal["department"]) == (NAME + "行政审批专用章", "applied", DEPARTMENT)
    assert seal["id"] in [item["id"] for item in web.get("/v1/seals?state=applied", headers=headers).json["items"]]
    where = f"/v1/seals/{seal['id']}"

    def ask(change: str, status: int, state: str | None) -> None:
        answer = web.post(f"{where}/changes", json={"change": change, "reason": "演示"}, headers=headers)
        assert (answer.status_code, answer.json.get("state")) == (status, state), answer.text

    ask("make", 409, None)
    ask("approve", 403, None)  # who applied, and a program at that
    done = office.app.test_cli_runner().invoke(args=["seals", "change", seal["id"], "approve", "--reason", "同意"])
    assert done.exit_code == 0, done.output
    ask("make", 201, "in_force")
    assert web.get(where, headers=headers).json["state"] == "in_force"
    for change, status, state in (("suspend", 201, "suspended"), ("suspend", 409, None), ("destroy", 201, "destroyed")):
        ask(change, status, state)
    life = web.get(f"{where}/changes", headers=headers).json["items"]
    assert [line["change"] for line in life] == ["apply", "approve", "make", "suspend", "destroy"]
    body = {"file": LETTER, "purpose": "演示"}
    refused = post_form(web, f"/v1/seals/{seal['id']}/uses", body, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (409, "seal_not_in_force")


def test_it_seals_a_letter_and_anybody_can_tell(office: Office) -> None:
    answer = office.use()
    assert answer.status_code == 201, answer.text
    body = answer.json
    assert body["digest"] == sm3(LETTER).hex()
    assert body["result"]["media_type"] == "application/octet-stream"
    row: SealUse = act(office.house, lambda call: call.session.get_one(SealUse, body["id"]))
    assert (row.purpose, row.actor, row.digest) == ("演示函件", "client:office", sm3(LETTER))
    report = office.by_api(base64.b64decode(body["result"]["data"]), LETTER)
    assert (report["ok"], report["format"], report["version"], report["reasons"]) == (True, "ses_signature", 4, [])
    assert datetime.fromisoformat(report["signatures"][0]["signed_at"]) == datetime.fromisoformat(body["sealed_at"])
    assert report["signatures"][0]["seal"]["name"] == NAME
    assert report["signatures"][0]["signer"]["name"] == NAME


def test_a_repeated_request_is_one_use(office: Office) -> None:
    once = {"Idempotency-Key": "k1"}
    first, second = office.use(headers=once), office.use(headers=once)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    other = office.use(LETTER + b"!", headers=once)
    assert (other.status_code, other.json["code"]) == (422, "key_reused")
    found = act(office.house, lambda call: call.session.scalars(select(AuditEntry.facts)).all())
    assert sum(first.json["id"] in facts for facts in found) == 2  # intended, done


def test_it_seals_an_ofd_twice_and_locks_it_and_every_door_says_so(office: Office) -> None:
    document = pack(document_files(pages=2))
    first = office.use(document, format="ofd")
    assert first.status_code == 201, first.text
    body = first.json
    assert body["digest"] == sm3(document).hex()
    assert (body["result"]["name"], body["result"]["media_type"]) == (f"{body['id']}.ofd", "application/ofd")
    row: SealUse = act(office.house, lambda call: call.session.get_one(SealUse, body["id"]))
    assert (row.purpose, row.actor, row.digest) == ("演示函件", "client:office", sm3(document))
    once = base64.b64decode(body["result"]["data"])
    assert b'Boundary="143 230 42 42"' in unpack(once)["Doc_0/Signs/Sign_0/Signature.xml"]
    second = office.use(once, format="ofd", page="2", x="10.5", y="20", lock="true")
    assert second.status_code == 201, second.text
    twice = base64.b64decode(second.json["result"]["data"])
    assert b'PageRef="2" Boundary="10.5 20 42 42"' in unpack(twice)["Doc_0/Signs/Sign_1/Signature.xml"]
    for sealed, count in ((once, 1), (twice, 2)):
        report = office.by_api(sealed)
        assert (report["ok"], report["format"], len(report["signatures"])) == (True, "ofd", count)
        assert office.by_command(sealed) == (0, report)
        assert "印章有效</h" in office.by_page(sealed)
    locked = office.use(twice, format="ofd")
    assert (locked.status_code, locked.json["code"]) == (409, "document_locked")


def test_a_repeated_request_seals_an_ofd_once(office: Office) -> None:
    once = {"Idempotency-Key": "k-ofd"}
    document = pack(document_files())
    first, second = (office.use(document, format="ofd", headers=once) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json


# --- three doors, one verdict --------------------------------------------------------------------------------------

CASES: dict[str, tuple[Any, Any, bool, list[str], int]] = {
    "letter": (Office.sealed_letter, LETTER, True, [], 0),
    "letter changed": (Office.sealed_letter, LETTER + b".", False, ["document_altered"], 1),
    "letter missing": (Office.sealed_letter, None, False, [], 2),
    "ofd": (Office.sealed_ofd, None, True, [], 0),
    "ofd changed": (altered_ofd, None, False, ["document_altered"], 1),
    "ofd without seal": (lambda _office: pack(plain_files(sealed=False)), None, False, ["not_sealed"], 1),
    "text": (lambda _office: LETTER, None, False, ["not_sealed"], 1),
    "nothing": (lambda _office: b"", None, False, ["unreadable"], 2),
    "pdf": (lambda _office: b"%PDF-1.7 /ByteRange", None, False, ["unreadable"], 2),
}


@pytest.mark.parametrize("case", CASES)
def test_every_door_gives_the_same_verdict(office: Office, case: str) -> None:
    make, document, ok, reasons, status = CASES[case]
    data = make(office)
    report = office.by_api(data, document)
    assert (report["ok"], report["reasons"]) == (ok, reasons)
    assert office.by_command(data, document) == (status, report)
    page = office.by_page(data, document)
    assert page.count("ona-check__name") == sum(len(signature["checks"]) for signature in report["signatures"])
    assert ("印章有效</h" in page) is ok
    assert "&lt;b&gt;函.ofd" in page
    assert "<b>函" not in page


@pytest.mark.vectors
@pytest.mark.parametrize("name", ["UserV4.esl", "SignedValueV4.dat", "SESV4SignDoc.ofd"])
def test_foreign_files_get_one_verdict_at_every_door(
    databases: Databases, tmp_path: Path, vectors: Path, name: str
) -> None:
    url = databases.fresh(migrate)
    office = build_office(tmp_path, url, trust_anchors=vectors / "seals" / "ROOT.certs.pem")
    data = (vectors / "seals" / name).read_bytes()
    document = LETTER if name == "SignedValueV4.dat" else None
    report = office.by_api(data, document)
    relied = act(office.house, read_known)
    expected = check_file(
        data,
        document=document,
        anchors=relied.anchors,
        makers=relied.makers,
        lists=relied.lists,
        now=datetime.now(UTC),
    )
    assert report == expected.as_json()
    found = {check["name"]: check["result"] for check in report["signatures"][0]["checks"]}
    assert (found["format"], found["seal_signature"], found.get("signature", "ok")) == ("ok", "ok", "ok")
    assert "not_checked" not in {found["seal_maker"], found.get("signer_certificate")}  # both lead to ROOT
    if name == "SignedValueV4.dat":
        assert report["reasons"] == ["document_altered"]
    if name == "SESV4SignDoc.ofd":
        assert (found["integrity"], found["coverage"]) == ("ok", "ok")
    assert office.by_command(data, document) == (1, report)
    page = office.by_page(data, document)
    assert page.count("ona-check__name") == len(found)
    office.house.database.engine.dispose()
    databases.drop(url)


def test_nothing_is_kept_of_a_verification(office: Office) -> None:
    def rows(call: Call) -> dict[str, int]:
        tables = Base.metadata.sorted_tables
        return {t.name: call.session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}

    sealed = office.sealed_letter()
    before = act(office.house, rows)
    office.by_api(sealed, LETTER)
    office.by_page(sealed, LETTER)
    office.by_command(sealed, LETTER)
    assert act(office.house, rows) == before


def test_the_page_offers_the_report_as_json(office: Office) -> None:
    sealed = office.sealed_letter()
    page = office.by_page(sealed, LETTER)
    text = page.split("<textarea", 1)[1].split(">", 1)[1].split("</textarea>", 1)[0]
    assert json.loads(html.unescape(text)) == office.by_api(sealed, LETTER)


# --- the command by itself -----------------------------------------------------------------------------------------


def run(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONA_")}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "seals", *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        cwd=cwd,
        env=kept | {"PYTHONPATH": str(ROOT)} | environment,
        check=False,
    )


def test_the_command_needs_no_database_no_keys_and_no_settings(office: Office, tmp_path: Path) -> None:
    (tmp_path / "letter.ses").write_bytes(office.sealed_letter())
    (tmp_path / "letter.txt").write_bytes(LETTER)
    (tmp_path / "root.pem").write_text(office.root_pem())
    before = sorted(path.name for path in tmp_path.iterdir())
    sealed = ("letter.ses", "--document", "letter.txt")
    done = run("verify", "--json", *sealed, "--trust", "root.pem", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["ok"] is True
    unknown = run("verify", "--json", *sealed, cwd=tmp_path)
    assert unknown.returncode == 2
    assert json.loads(unknown.stdout)["reasons"] == ["certificate_untrusted"]
    assert "--trust" in unknown.stderr
    told = run("verify", "letter.txt", *sealed, "none", "--trust", "root.pem", cwd=tmp_path)
    assert told.returncode == 1
    assert [word in told.stdout for word in ("无效", "有效 HOLDS", "无法判断")] == [True] * 3
    assert "none" in told.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("letter.txt", "--trust", "letter.txt"),
        ("letter.txt", "--trust", "none.pem"),
        ("letter.txt", "--document", "none.txt"),
        ("none.txt",),
    ],
)
def test_the_command_says_when_it_cannot_tell(office: Office, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "letter.txt").write_bytes(LETTER)
    runner = office.app.test_cli_runner()
    named = [str(tmp_path / a) if not a.startswith("-") else a for a in arguments]
    done = runner.invoke(args=["seals", "verify", *named])
    assert done.exit_code == 2
    assert done.stderr
    assert "Traceback" not in done.output


def test_operators_make_and_list_seals(office: Office) -> None:
    runner = office.app.test_cli_runner()
    made = runner.invoke(args=["seals", "make", DEPARTMENT, "--special", "演示专用章", "--json"])
    assert made.exit_code == 0, made.output
    listed = runner.invoke(args=["seals", "list", "--json"])
    seals = {seal["id"]: seal for seal in map(json.loads, listed.stdout.splitlines())}
    assert seals[json.loads(made.stdout)["id"]]["name"] == NAME + "演示专用章"
    assert office.seal_id in runner.invoke(args=["seals", "list"]).stdout
    refused = runner.invoke(args=["seals", "make", "11990000MB0000009X"])
    assert refused.exit_code == 2
    assert "no such department" in refused.stderr
    again = runner.invoke(args=["seals", "authority"])
    assert (again.exit_code, "Demonstration Root" in again.stdout) == (0, True)
