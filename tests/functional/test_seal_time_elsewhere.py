"""A time-stamp authority that is slow holds nobody up: it is asked while no transaction writes."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from idservice import audit
from idservice.call import Call
from seals import time_stamping
from seals.deeds import Deed
from seals.models import SealUse
from seals.time_client import TimeClientError
from tests.builders import act, migrate
from tests.databases import Databases
from tests.sealing import LETTER, Office, build_office
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


@pytest.mark.parametrize("form", DOCUMENTS)
def test_others_write_while_the_authority_is_asked(office: Office, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

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
    def silent(_url: str, _request: bytes) -> bytes:
        raise TimeClientError("TimeoutError")

    monkeypatch.setattr(time_stamping, "ask", silent)
    before = uses(office)
    answer = office.use(LETTER)
    assert (answer.status_code, answer.json["code"], uses(office)) == (503, "timestamp_unavailable", before)


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
