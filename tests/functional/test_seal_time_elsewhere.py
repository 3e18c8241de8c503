"""A time-stamp authority that is slow holds nobody up: it is asked while no transaction writes."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from idservice import audit
from idservice.call import Call
from seals import time_stamping
from seals.contents import structure
from seals.decoding import read_seal
from seals.deeds import Deed
from seals.models import Seal, SealUse
from seals.time_client import TimeClientError
from tests.builders import act, migrate
from tests.databases import Databases
from tests.sealing import DEPARTMENT, LETTER, Office, build_office
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import pack
from tests.unit.seals.pdfs import document

DOCUMENTS = {
    "detached": LETTER,
    "signed_data": LETTER,
    "ofd": pack(document_files()),
    "pdf": document(),
}


@pytest.fixture(scope="module")
def office(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    url = databases.fresh(migrate)
    built = build_office(tmp_path_factory.mktemp("office"), url, timestamp_url="http://127.0.0.1:9/elsewhere")
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def uses(office: Office) -> int:
    return act(office.house, lambda call: call.session.scalar(select(func.count()).select_from(SealUse)))  # type: ignore[no-any-return]


def silent(_url: str, _request: bytes) -> bytes:
    raise TimeClientError("TimeoutError")


def answers_slowly(office: Office, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let another program be the authority, for which somebody else has to be able to write; return who was asked."""
    asked: list[str] = []

    def elsewhere(url: str, request: bytes) -> bytes:
        """Answer as our own authority would, in a transaction of another thread, which has to end meanwhile."""
        answers: list[bytes] = []

        def write(call: Call) -> None:
            audit.record(call, Deed.LIST_ADDED, fingerprint="of somebody else")
            answers.append(time_stamping.answered(call, request))

        other = threading.Thread(target=lambda: act(office.house, write))
        other.start()
        other.join(8)
        assert answers, "nobody could write while the authority was asked"
        asked.append(url)
        return answers[0]

    monkeypatch.setattr(time_stamping, "ask", elsewhere)
    return asked


@pytest.mark.parametrize("form", DOCUMENTS)
def test_others_write_while_the_authority_is_asked(office: Office, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers_slowly(office, monkeypatch)
    before = uses(office)
    answer = office.use(DOCUMENTS[form], format=form)
    assert answer.status_code == 201, answer.text
    assert (asked, uses(office)) == (["http://127.0.0.1:9/elsewhere"], before + 1)
    sealed = base64.b64decode(answer.json["result"]["data"])
    report = office.by_api(sealed, LETTER if DOCUMENTS[form] is LETTER else None)
    assert report["ok"] is True
    assert {check["name"]: check["result"] for check in report["signatures"][0]["checks"]}["timestamp"] == "ok"


def test_an_authority_that_does_not_answer_leaves_an_intent_and_no_use(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_stamping, "ask", silent)
    before = uses(office)
    answer = office.use(LETTER)
    assert (answer.status_code, answer.json["code"], uses(office)) == (503, "timestamp_unavailable", before)


def test_others_write_while_a_version_5_seal_is_made(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """GM/T 0031-2025 seals bear a time stamp of their own: at the console, and over the web after a failed attempt."""
    version_5 = replace(office.house, settings=replace(office.house.settings, seal_version=5))
    monkeypatch.setitem(office.app.extensions, "ona", version_5)
    client, console = office.app.test_client(), office.app.test_cli_runner()

    def make(seal_id: str) -> TestResponse:
        body = {"change": "make", "reason": "制作"}
        return client.post(f"/v1/seals/{seal_id}/changes", json=body, headers=office.token())

    body = {"department": DEPARTMENT, "kind": "special", "special": "户籍专用章", "reason": "启用新业务"}
    applied = client.post("/v1/seals", json=body, headers=office.token())
    assert applied.status_code == 201, applied.text
    over_the_web = applied.json["id"]
    done = console.invoke(args=["seals", "change", over_the_web, "approve", "--reason", "同意"])
    assert done.exit_code == 0, done.output
    monkeypatch.setattr(time_stamping, "ask", silent)
    failed = make(over_the_web)
    assert (failed.status_code, failed.json["code"]) == (503, "timestamp_unavailable")
    asked = answers_slowly(office, monkeypatch)
    made = make(over_the_web)
    assert (made.status_code, made.json["state"]) == (201, "in_force")
    done = console.invoke(args=["seals", "make", DEPARTMENT])
    assert done.exit_code == 0, done.output
    assert len(asked) == 2
    for seal_id in (over_the_web, done.output.strip()):
        found = act(office.house, lambda call, seal_id=seal_id: structure(call, call.session.get_one(Seal, seal_id)))
        assert (read_seal(found).info.version, read_seal(found).timestamp is not None) == (5, True)
        assert office.house.keys.signatures(seal_id) == 1, "tried out once, however often it was begun"


def test_a_repeated_request_asks_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def elsewhere(url: str, request: bytes) -> bytes:
        asked.append(url)
        return act(office.house, lambda call: time_stamping.answered(call, request))  # type: ignore[no-any-return]

    monkeypatch.setattr(time_stamping, "ask", elsewhere)
    answers = [office.use(LETTER, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert len(asked) == 1
