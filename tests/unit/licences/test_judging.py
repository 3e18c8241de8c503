"""What is judged before a look takes the writer's lock: taken over for the very same row, and for nothing else."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from idservice.call import Call, Caller
from idservice.models import Client
from idservice.oauth import clients
from keys.verdict import Result
from licences import artefacts, judging, portions, verify
from licences.asker import Asker
from licences.counter import lookups
from licences.judging import Foresight
from licences.scan import Scan
from tests.town import MATTER, Town, type_of

ASKER = Asker("孙**", "演示窗口", None, None, None, "演示")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """List what is opened and judged from now on."""
    done: list[str] = []

    def listed(name: str, of: Any) -> Any:
        def listing(*given: Any, **more: Any) -> Any:
            done.append(name)
            return of(*given, **more)

        return listing

    monkeypatch.setattr(artefacts, "open_record", listed("opened", artefacts.open_record))
    monkeypatch.setattr(portions, "judge", listed("judged", portions.judge))
    monkeypatch.setattr(judging, "verify_seal", listed("document", judging.verify_seal))
    return done


def foreseen(town: Town, text: str, types: frozenset[str] | None = None) -> Foresight:
    return town.act(lambda call: judging.foresee_code(call, text, types))


def look(town: Town, scan: Scan, foresight: Foresight | None) -> verify.Report:
    def deed(call: Call) -> verify.Report:
        call.foreseen = foresight
        return verify.verify(call, scan, ASKER)

    return town.act(deed)


def test_what_a_living_code_shows_is_judged_and_the_code_left_unused(town: Town, work: list[str]) -> None:
    licence = town.issue().identifier
    code = town.show(licence)
    work.clear()
    found = foreseen(town, code.lower())
    assert list(found.licences) == [licence]
    judged = found.licences[licence]
    assert judged.seal.result is Result.OK
    assert judged.record.metadata.identifier == licence
    assert work == ["opened", "judged"]
    report = look(town, Scan(text=code), found)
    assert (report.ok, report.state) == (True, "valid"), "it still could be used"
    assert work == ["opened", "judged"], "nothing was done twice"
    assert not foreseen(town, code).licences, "a used code shows nothing"


@pytest.mark.parametrize("text", ["", "no code", "0" * 26])
def test_for_anything_else_nothing_is_read(town: Town, work: list[str], text: str) -> None:
    assert foreseen(town, text) == Foresight()
    assert work == []


def test_only_the_types_that_are_needed_are_judged(town: Town) -> None:
    title, card = town.issue().identifier, town.issue("resident_card").identifier
    code = town.show(title, card)
    types = frozenset({type_of("resident_card").code})
    assert list(foreseen(town, code, types).licences) == [card]


def test_a_row_that_has_changed_since_is_judged_anew(town: Town, work: list[str]) -> None:
    licence = town.issue().identifier
    code = town.show(licence)
    before = foreseen(town, code)
    assert town.change(licence, "revoke", reason="issued_in_error").status_code == 201
    work.clear()
    report = look(town, Scan(text=code), before)
    assert (report.ok, report.state) == (False, "revoked")
    assert work == ["opened", "judged"]


def test_what_was_found_of_one_licence_says_nothing_of_another(town: Town, work: list[str]) -> None:
    one, other = town.issue().identifier, town.issue().identifier
    before = foreseen(town, town.show(one))
    work.clear()
    assert look(town, Scan(text=town.show(other)), before).licences[0]["identifier"] == other
    assert work == ["opened", "judged"]


def test_a_record_that_cannot_be_opened_is_left_to_the_look(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    code = town.show(town.issue().identifier)

    def fails(*_: object) -> None:
        raise ValueError("altered")

    monkeypatch.setattr(artefacts, "open_record", fails)
    assert foreseen(town, code) == Foresight()
    with pytest.raises(ValueError, match="altered"):
        look(town, Scan(text=code), Foresight())


def test_a_code_is_foreseen_in_the_turn_of_the_writers_and_a_file_is_not(
    town: Town, work: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, turns = town.show(town.issue().identifier), []

    @contextlib.contextmanager
    def turn() -> Iterator[None]:
        turns.append(len(work))
        yield
        turns.append(len(work))

    database = town.house.database

    def foresee(scan: Scan) -> None:
        nobody = Caller(channel="api")
        database.run(
            lambda session: judging.foresee_scan(Call(town.house, session, nobody, datetime.now(UTC)), scan),
            write=False,
        )

    work.clear()
    monkeypatch.setattr(database, "turn", turn())
    foresee(Scan(text=code))
    assert (turns, work) == ([0, 2], ["opened", "judged"]), "all of it was done within one turn"
    foresee(Scan(document=b"PK\x03\x04\xff"))
    assert (turns, work[2:]) == ([0, 2], ["document"]), "a file may take seconds, which no writer is to wait for"


def test_a_document_is_judged_once_and_only_the_very_same(town: Town, work: list[str]) -> None:
    content = (Path(__file__).parents[3] / "README.md").read_bytes()
    scan = Scan(document=content)
    before = town.act(lambda call: judging.foresee_scan(call, scan))
    assert work == ["document"]
    report = look(town, scan, before)
    assert report.document == look(town, scan, None).document
    assert work == ["document"] * 2, "the first look took it over"
    look(town, Scan(document=content + b"\n"), before)
    assert work == ["document"] * 3


def test_a_file_that_is_sent_again_under_its_key_is_not_judged_again(town: Town, work: list[str]) -> None:
    def sent(key: str) -> tuple[int, bool]:
        file = (BytesIO(b"PK\x03\x04\xff"), "copy.ofd")
        headers = town.machine("counter") | {"Idempotency-Key": key}
        answer = town.web.post("/v1/verifications", data={"file": file}, headers=headers)
        return answer.status_code, "Idempotent-Replayed" in answer.headers

    assert sent("judged once") == (200, False)
    assert sent("judged once") == (200, True)
    assert work == ["document"]
    assert sent("another") == (200, False)
    assert work == ["document"] * 2


def test_a_file_is_judged_for_nobody_whose_token_has_ended(town: Town, work: list[str]) -> None:
    headers = town.machine("counter")
    ended = update(Client).where(Client.client_id == "counter")

    def sent() -> int:
        file = (BytesIO(b"PK\x03\x04\xff"), "copy.ofd")
        return town.web.post("/v1/verifications", data={"file": file}, headers=headers).status_code

    assert (sent(), work) == (200, ["document"])
    work.clear()
    try:
        town.act(lambda call: call.session.execute(ended.values(disabled_at=call.now)))
        clients.forget(town.house, "counter")
        assert (sent(), work) == (401, [])
    finally:
        town.act(lambda call: call.session.execute(ended.values(disabled_at=None)))
        clients.forget(town.house, "counter")


def test_a_look_up_by_a_show_code_has_its_licences_judged_before(town: Town) -> None:
    licence = town.issue("household_register").identifier
    code = town.show(licence)
    body = {"matter": MATTER, "authorisation": {"code": code}}
    assert list(town.act(lambda call: lookups.foresee(call, body)).licences) == [licence]
    for other in ({"matter": "DM-M-999", "authorisation": {"code": code}}, {"matter": MATTER}):
        assert town.act(lambda call, other=other: lookups.foresee(call, other)) == Foresight()
