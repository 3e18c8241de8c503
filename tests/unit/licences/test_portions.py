"""One verdict over both kinds of seals, and evidence that holds without this house."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from idservice.call import Call, Caller
from keys.verdict import Reason
from licences import artefacts, metadata, portions, recheck
from licences.artefacts import Record
from licences.formats.portion import read_evidence
from licences.models import Licence
from licences.portion_models import SealPortion
from licences.portions import Walk
from seals.check import check_file
from seals.verify import read_anchors
from tests.portions import announce, issue_in_bulk
from tests.town import ALICE, BOB, CIVIL, Town, now
from tests.unit.licences.copying import fetch


def faults(town: Town, walk: Walk | None = None) -> dict[str, set[str]]:
    """What a check of everything finds, by identifier."""
    found, _count, _place = town.act(lambda call: recheck.recheck(call, after=None, limit=999, walk=walk))
    told: dict[str, set[str]] = {}
    for one in found:
        told.setdefault(one.identifier, set()).add(one.fault)
    return told


def verdict(town: Town, licence: Licence) -> tuple[bool, list[Reason | None]]:
    found = town.act(lambda call: portions.judge(call, licence, artefacts.open_record(call, licence)))
    return found.ok, [check.reason for check in found.checks if check.reason is not None]


def set_licence(town: Town, licence: Licence, **values: object) -> None:
    """Write into a licence's row as somebody with the database alone could."""
    key = (Licence.subject == licence.subject, Licence.identifier == licence.identifier)
    town.act(lambda call: call.session.execute(update(Licence).where(*key).values(**values)))


def set_portion(town: Town, licence: Licence, **values: object) -> None:
    key = SealPortion.portion_id == licence.portion_id
    town.act(lambda call: call.session.execute(update(SealPortion).where(key).values(**values)))


def test_one_record_that_was_altered_is_found_and_named_alone(town: Town) -> None:
    found = issue_in_bulk(town, announce(town, 6))

    def other(call: Call) -> bytes:
        record = artefacts.open_record(call, found[2])
        altered = record.content.replace(b'"certificateVersion":"001"', b'"certificateVersion":"002"')
        return artefacts.seal_record(call.cipher, found[2].identifier, Record(altered, record.seed))

    sealed = town.act(other)  # by somebody who has the key of the fields
    for blob, fault in ((sealed, "seal"), (found[2].record_sealed[:-8] + bytes(8), "record")):
        set_licence(town, found[2], record_sealed=blob)
        assert faults(town) == {found[2].identifier: {fault}}
        assert faults(town, Walk()) == {found[2].identifier: {fault}}
    set_licence(town, found[2], record_sealed=found[2].record_sealed)
    assert faults(town) == {}


def test_both_kinds_hold_and_are_shown_alike(town: Town) -> None:
    alone, *together = town.issue(), *issue_in_bulk(town, announce(town, 5))
    for licence in (alone, *together):
        assert verdict(town, licence) == (True, [])
        report = town.verify(licence.identifier)
        assert (report["ok"], {"name": "seal", "result": "ok"} in report["checks"]) == (True, True)
    assert faults(town) == {}


def test_evidence_holds_without_this_house(town: Town) -> None:
    anchors = town.act(read_anchors)
    alone, *together = town.issue(), *issue_in_bulk(town, announce(town, 3))
    for licence in (alone, *together):
        data = fetch(town, licence.identifier, "seal-proof.json").data
        found = read_evidence(data)
        report = check_file(found.seal, document=found.document, anchors=anchors, now=now())
        assert report.ok, report.reasons
        assert metadata.read(json.loads(found.record)).identifier == licence.identifier
        assert found.record == fetch(town, licence.identifier, "record.json").data
        assert not check_file(found.seal, document=found.document + b" ", anchors=anchors, now=now()).ok
        assert (found.document == found.record) is (licence.portion_id is None)
        assert fetch(town, licence.identifier, "seal-proof.json", town.person(BOB)).status_code == 404


def test_a_seal_file_of_its_own_has_who_was_sealed_alone(town: Town) -> None:
    (together,) = issue_in_bulk(town, announce(town, 1))
    answer = fetch(town, together.identifier, "seal.dat")
    assert (answer.status_code, answer.json["code"]) == (404, "sealed_in_portion")
    assert fetch(town, town.issue().identifier, "seal.dat").status_code == 200
    page = town.browser(ALICE).open(f"/me/licences/{together.identifier}")
    assert "seal-proof.json" in page.text
    assert "seal.dat" not in page.text


@pytest.mark.parametrize("column", ["seal_id", "seal unknown", "issued_at", "portion_place", "portion_id", "both"])
def test_a_licence_that_was_moved_does_not_hold(town: Town, column: str) -> None:
    first, second = issue_in_bulk(town, announce(town, 2))
    (stranger,) = issue_in_bulk(town, announce(town, 1))
    moved: dict[str, Any] = {
        "seal_id": {"seal_id": town.seals[CIVIL]},
        "seal unknown": {"seal_id": "none", "portion_id": None},
        "issued_at": {"issued_at": first.issued_at - timedelta(days=1)},
        "portion_place": {"portion_place": second.portion_place},
        "portion_id": {"portion_id": stranger.portion_id},
        "both": {"portion_id": None, "portion_place": None},
    }[column]
    was = {name: getattr(first, name) for name in moved}
    set_licence(town, first, **moved)
    assert not verdict(town, town.row(first.identifier))[0]
    assert "seal" in faults(town)[first.identifier]
    assert set(faults(town)) == {first.identifier}
    set_licence(town, first, **was)
    assert faults(town) == {}


@pytest.mark.parametrize("place", [None, -1, 2, 30_000])
def test_a_place_that_is_none_does_not_hold(town: Town, place: int | None) -> None:
    first, _second = issue_in_bulk(town, announce(town, 2))
    set_licence(town, first, portion_place=place)
    assert verdict(town, town.row(first.identifier)) == (False, [Reason.DOCUMENT_ALTERED])
    set_licence(town, first, portion_place=first.portion_place)


def test_a_node_that_was_altered_fails_for_those_it_leads_to_alone(town: Town) -> None:
    found = issue_in_bulk(town, announce(town, 8))
    nodes = town.act(lambda call: call.session.get_one(SealPortion, found[0].portion_id)).nodes
    for altered, led in ((2, {3}), (8, {2, 3}), (13, {0, 1, 2, 3})):  # a leaf, the nodes over two and over four
        bad = bytearray(nodes)
        bad[32 * altered] ^= 1
        set_portion(town, found[0], nodes=bytes(bad))
        assert faults(town) == {found[place].identifier: {"seal"} for place in led}
    set_portion(town, found[0], nodes=nodes)
    assert faults(town) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"sealed_at": None},
        {"seal_signature": None},
        {"seal_signature": b"0"},
        {"size": 0},
        {"size": 4},
        {"size": 1 << 30},
        {"nodes": b""},
        {"root": bytes(32)},
        {"seal_id": "none"},  # a seal of which nobody knows
    ],
    ids=lambda values: "-".join(f"{name}={value}" for name, value in values.items()),
)
def test_a_portion_that_was_altered_holds_for_none(town: Town, values: dict[str, Any]) -> None:
    found = issue_in_bulk(town, announce(town, 3))
    kept = town.act(lambda call: call.session.get_one(SealPortion, found[0].portion_id))
    was = {name: getattr(kept, name) for name in values}
    set_portion(town, found[0], **values)
    assert [verdict(town, licence)[0] for licence in found] == [False] * 3
    assert faults(town) == {licence.identifier: {"seal"} for licence in found}
    set_portion(town, found[0], **was)
    assert faults(town) == {}


def test_a_walk_judges_each_head_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    from seals import stamp

    found = issue_in_bulk(town, announce(town, 6))
    judged: list[str] = []
    plain = stamp.judge

    def judge(*args: Any, document: bytes, name: str) -> Any:
        judged.append(name)
        return plain(*args, document=document, name=name)

    monkeypatch.setattr(stamp, "judge", judge)
    walk = Walk()
    assert faults(town, walk) == faults(town, walk) == {}
    assert found[0].portion_id is not None
    assert judged.count(f"urn:ona:licence-portion:{found[0].portion_id.hex()}") == 1


def test_a_walk_remembers_so_many(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "_REMEMBERED", 2)
    rows = [issue_in_bulk(town, announce(town, 1))[0] for _ in range(4)]
    walk = Walk()
    for licence in (*rows, rows[0]):
        assert town.act(
            lambda call, licence=licence: portions.judge(call, licence, artefacts.open_record(call, licence), walk)
        ).ok
    assert len(walk._known) == 2


def test_a_check_goes_on_where_it_was_and_reads_nothing_before_it(town: Town) -> None:
    """By its plain bound alone SQLite finds where a page begins: from the part's start it took 300 ms, at the end."""
    issue_in_bulk(town, announce(town, 6))
    asked: list[Any] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if "FROM licence \n" in statement:
            asked.append([*(parameters.values() if isinstance(parameters, dict) else parameters)])

    def deed(call: Call) -> None:
        _found, count, place = recheck.recheck(call, after=None, limit=3)
        assert count == 3
        event.listen(call.house.database.engine, "before_cursor_execute", note)
        try:
            recheck.recheck(call, after=place, limit=3)
        finally:
            event.remove(call.house.database.engine, "before_cursor_execute", note)
        begin, *_others = asked[0]
        assert place is not None
        assert place[0] in {begin, getattr(begin, "hex", str)()}

    town.house.database.run(lambda session: deed(Call(town.house, session, Caller(channel="cli"), now())), write=False)
